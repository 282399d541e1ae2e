/*
 * The device filter as an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE (cgroup-v2.rst, "Device
 * controller"), assembled here instruction by instruction.
 *
 * The kernel runs it for each access to a device node, with a pointer to struct bpf_cgroup_dev_ctx
 * (linux/bpf.h) in r1:
 *
 *	u32 access_type		high half: BPF_DEVCG_ACC_MKNOD, _READ, _WRITE; low half: BPF_DEVCG_DEV_BLOCK, _CHAR
 *	u32 major, minor
 *
 * and lets the access pass when r0 is not 0 at the end.
 *
 * Of the rules that match, the last decides, for each of the accesses (read, write, mknod) by itself: "allow
 * c 1:3 rwm" followed by "deny c 1:3 w" refuses to open for reading and writing. So the program goes through
 * the rules from the last to the first with the accesses that are not decided yet in r3. A rule that matches
 * and denies one of them ends it; one that allows takes its own away, and when none is left, ends it too.
 *
 * Neighbours with the same verdict commute; they are sorted, so that those of the same type and major number
 * share the comparisons. The list that runc, and so everybody, sends for an ordinary container becomes less
 * than 30 instructions.
 */
#include <inttypes.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cgroups/private.h"

enum reg { R_VERDICT = BPF_REG_0, R_CTX = BPF_REG_1, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR };

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* Jump offsets that stand for the two ends until these have a place. No program is as long. */
#define TO_ALLOW INT16_MAX
#define TO_DENY (INT16_MAX - 1)

/* The prologue and two ends; for a rule, the type compared, major and minor compared each in three
 * instructions, a mask, a jump. */
#define PROGRAM_MAX(rules) (16 + 9 * (rules))
_Static_assert(PROGRAM_MAX(DEVICE_RULES_MAX) < TO_DENY, "jumps reach");

/* More rules than this are a long list; see emit_unless(). */
#define SHORT_LIST_MAX 64

/* A jump that is to land on an instruction not emitted yet, or none. */
#define NO_JUMP SIZE_MAX

struct emitter {
	struct bpf_insn *insns;
	size_t n;
	bool is_long;
	bool ended; /* the last instruction decides whatever comes: nothing may follow */
};

static size_t emit(struct emitter *e, uint8_t code, enum reg dst, enum reg src, int16_t off, int32_t imm)
{
	e->insns[e->n] = (struct bpf_insn){
		.code = code, .dst_reg = (uint8_t)dst & 0xf, .src_reg = (uint8_t)src & 0xf, .off = off, .imm = imm};
	return e->n++;
}

/* R OP= IMM */
static void emit_op(struct emitter *e, uint8_t op, enum reg r, int32_t imm)
{
	emit(e, BPF_ALU | op | BPF_K, r, 0, 0, imm);
}

/* Jumps when R OP IMM; BPF_JA always does. */
static size_t emit_jump(struct emitter *e, uint8_t op, enum reg r, int32_t imm, int16_t off)
{
	return emit(e, BPF_JMP | op | BPF_K, r, 0, off, imm);
}

/*
 * Jumps, to where land() says, unless R is IMM. The verifier follows the path on which they are equal with that
 * knowledge to the end of the program, which for a long list of rules takes it quadratic time. Comparing a
 * copy keeps it from knowing; but a short list is verified faster without.
 */
static size_t emit_unless(struct emitter *e, enum reg r, int32_t imm)
{
	if (!e->is_long)
		return emit_jump(e, BPF_JNE, r, imm, 0);
	emit(e, BPF_ALU | BPF_MOV | BPF_X, R_VERDICT, r, 0, 0);
	emit_op(e, BPF_XOR, R_VERDICT, imm);
	return emit_jump(e, BPF_JNE, R_VERDICT, 0, 0);
}

static void land(struct emitter *e, size_t jump)
{
	if (jump != NO_JUMP)
		e->insns[jump].off = (int16_t)(e->n - jump - 1);
}

static void emit_prologue(struct emitter *e)
{
	emit(e, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, R_CTX, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(e, BPF_ALU | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	emit_op(e, BPF_RSH, R_ACCESS, 16);
	emit_op(e, BPF_AND, R_TYPE, 0xffff);
	emit(e, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, R_CTX, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(e, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, R_CTX, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static int32_t access_mask(const struct device_rule *rule)
{
	return (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule->read ? BPF_DEVCG_ACC_READ : 0) |
	       (rule->write ? BPF_DEVCG_ACC_WRITE : 0);
}

static bool matches_everything(const struct device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && access_mask(rule) == ACCESS_ALL;
}

/* What RULE says about a device whose type and major number were compared already. */
static void emit_rule(struct emitter *e, const struct device_rule *rule)
{
	int16_t end = rule->allow ? TO_ALLOW : TO_DENY;
	int32_t mask = access_mask(rule);
	size_t other_minor = NO_JUMP;

	if (mask == ACCESS_ALL && rule->minor >= 0) {
		emit_jump(e, BPF_JEQ, R_MINOR, (int32_t)rule->minor, end);
		return;
	}
	if (rule->minor >= 0)
		other_minor = emit_unless(e, R_MINOR, (int32_t)rule->minor);
	if (mask == ACCESS_ALL) {
		emit_jump(e, BPF_JA, 0, 0, end);
	} else if (rule->allow) {
		emit_op(e, BPF_AND, R_ACCESS, ACCESS_ALL & ~mask);
		emit_jump(e, BPF_JEQ, R_ACCESS, 0, end);
	} else {
		emit_jump(e, BPF_JSET, R_ACCESS, mask, end);
	}
	land(e, other_minor);
	e->ended = matches_everything(rule);
}

/* Specific before general, and character devices first: those are what programs open. */
static int by_device(const void *a, const void *b)
{
	static const char types[] = "cba";
	const struct device_rule *x = a, *y = b;

	if (x->type != y->type)
		return strchr(types, x->type) < strchr(types, y->type) ? -1 : 1;
	if (x->major != y->major)
		return (uint64_t)x->major < (uint64_t)y->major ? -1 : 1;
	if (x->minor != y->minor)
		return (uint64_t)x->minor < (uint64_t)y->minor ? -1 : 1;
	return 0;
}

static bool same_major(const struct device_rule *x, const struct device_rule *y)
{
	return x->type == y->type && x->major == y->major;
}

/* Sorts N rules of one verdict and joins those for the same device; returns how many remain. */
static size_t tidy(struct device_rule *rules, size_t n)
{
	size_t kept = 0;

	qsort(rules, n, sizeof(*rules), by_device);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_device(&rules[kept - 1], &rules[i]) != 0) {
			rules[kept++] = rules[i];
			continue;
		}
		rules[kept - 1].read |= rules[i].read;
		rules[kept - 1].write |= rules[i].write;
		rules[kept - 1].mknod |= rules[i].mknod;
	}
	return kept;
}

/* Emits N neighbours of one verdict. */
static void emit_run(struct emitter *e, struct device_rule *rules, size_t n)
{
	size_t other_type = NO_JUMP, other_major = NO_JUMP;

	n = tidy(rules, n);
	for (size_t i = 0; i < n; i++) {
		const struct device_rule *rule = &rules[i], *before = i ? &rules[i - 1] : NULL;
		bool new_type = !before || before->type != rule->type;

		if (!before || !same_major(before, rule)) {
			land(e, other_major);
			other_major = NO_JUMP;
		}
		if (new_type) {
			land(e, other_type);
			other_type = NO_JUMP;
			if (rule->type != 'a')
				other_type = emit_jump(e, BPF_JNE, R_TYPE,
						       rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 0);
		}
		if (rule->major >= 0 && (new_type || !same_major(before, rule)))
			other_major = emit_unless(e, R_MAJOR, (int32_t)rule->major);
		emit_rule(e, rule);
	}
	land(e, other_major);
	land(e, other_type);
}

/* One of the two ends, and every jump there. */
static void emit_end(struct emitter *e, bool allow)
{
	int16_t mark = allow ? TO_ALLOW : TO_DENY;

	for (size_t i = 0; i < e->n; i++)
		if (e->insns[i].off == mark)
			land(e, i);
	emit(e, BPF_ALU64 | BPF_MOV | BPF_K, R_VERDICT, 0, 0, allow);
	emit(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static bool jumps_to(const struct emitter *e, int16_t mark)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->insns[i].off == mark)
			return true;
	return false;
}

/* FALLBACK is the verdict on what no rule decides. The verifier refuses instructions that nothing reaches. */
static void emit_ends(struct emitter *e, bool fallback)
{
	if (!e->ended || jumps_to(e, fallback ? TO_ALLOW : TO_DENY))
		emit_end(e, fallback);
	if (jumps_to(e, fallback ? TO_DENY : TO_ALLOW))
		emit_end(e, !fallback);
}

static int check_rule(const struct device_rule *rule, size_t i)
{
	if (rule->type != 'a' && rule->type != 'b' && rule->type != 'c')
		return refuse(-EINVAL, "device rule %zu: the type must be a, b or c", i);
	if (rule->major < -1 || rule->major > INT32_MAX || rule->minor < -1 || rule->minor > INT32_MAX)
		return refuse(-EINVAL, "device rule %zu: there is no device %" PRId64 ":%" PRId64, i, rule->major,
			      rule->minor);
	if (!access_mask(rule))
		return refuse(-EINVAL, "device rule %zu: the access must be one or more of r, w and m", i);
	return 0;
}

int device_program_build(const struct device_rule *rules, size_t n, struct device_program *program)
{
	bool fallback = false;
	size_t first = 0;

	*program = (struct device_program){.n = 0};
	if (n > DEVICE_RULES_MAX)
		return refuse(-E2BIG, "%zu device rules are more than %d", n, DEVICE_RULES_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = check_rule(&rules[i], i);
		if (r < 0)
			return r;
		/* Nothing before a rule for everything counts. */
		if (matches_everything(&rules[i])) {
			fallback = rules[i].allow;
			first = i + 1;
		}
	}
	while (first < n && rules[first].allow == fallback)
		first++;

	_cleanup_(freep) struct device_rule *copy = xcalloc(n + 1, sizeof(*copy));
	if (n)
		memcpy(copy, rules, n * sizeof(*copy));
	struct emitter e = {.insns = xcalloc(PROGRAM_MAX(n), sizeof(*e.insns)), .is_long = n > SHORT_LIST_MAX};
	if (first < n)
		emit_prologue(&e);
	for (size_t end = n, from; end > first && !e.ended; end = from) {
		for (from = end - 1; from > first && copy[from - 1].allow == copy[end - 1].allow;)
			from--;
		emit_run(&e, copy + from, end - from);
	}
	emit_ends(&e, fallback);
	*program = (struct device_program){.insns = e.insns, .n = e.n, .allows_all = first == n && fallback};
	return 0;
}
