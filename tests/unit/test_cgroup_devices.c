/* The device filter's program: what it decides, in an interpreter and in the kernel. */
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroups/private.h"
#include "tests/unit/unit.h"

#define RULES(...) ((const struct device_rule[]){__VA_ARGS__})
#define RULE(verdict, t, maj, min, r, w, m)                                                                            \
	{                                                                                                              \
		.allow = (verdict), .type = (t), .major = (maj), .minor = (min), .read = (r), .write = (w),            \
		.mknod = (m)                                                                                           \
	}
#define ALLOW(t, maj, min) RULE(true, t, maj, min, true, true, true)
#define DENY(t, maj, min) RULE(false, t, maj, min, true, true, true)

enum { M = BPF_DEVCG_ACC_MKNOD, R = BPF_DEVCG_ACC_READ, W = BPF_DEVCG_ACC_WRITE };

/* What runc and containerd send for an ordinary container. */
static const struct device_rule usual[] = {DENY('a', -1, -1),
					   RULE(true, 'c', -1, -1, false, false, true),
					   RULE(true, 'b', -1, -1, false, false, true),
					   ALLOW('c', 1, 3),
					   ALLOW('c', 1, 8),
					   ALLOW('c', 1, 7),
					   ALLOW('c', 5, 0),
					   ALLOW('c', 1, 5),
					   ALLOW('c', 1, 9),
					   ALLOW('c', 5, 1),
					   ALLOW('c', 136, -1),
					   ALLOW('c', 5, 2)};

struct access {
	char type;
	uint32_t major, minor, bits;
};

/* --- an interpreter of the instructions that the filter uses -------------------------------------------- */

static uint32_t load_field(const struct access *a, int16_t off)
{
	uint32_t type = a->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	struct bpf_cgroup_dev_ctx ctx = {.access_type = a->bits << 16 | type, .major = a->major, .minor = a->minor};
	uint32_t v;

	memcpy(&v, (const char *)&ctx + off, sizeof(v));
	return v;
}

static bool jump_taken(uint8_t code, uint64_t a, uint64_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	}
	printf("# unknown jump %#x\n", code);
	return false;
}

/* The program's verdict, or -1 when it does what the kernel would not let it. */
static int interpret(const struct device_program *p, const struct access *access)
{
	uint64_t reg[16] = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct bpf_insn *in = &p->insns[i];
		uint64_t b = (in->code & BPF_X) ? reg[in->src_reg] : (uint64_t)(int64_t)in->imm;

		if (in->code == (BPF_LDX | BPF_MEM | BPF_W)) {
			reg[in->dst_reg] = load_field(access, in->off);
		} else if (in->code == (BPF_JMP | BPF_EXIT)) {
			return (int)reg[0];
		} else if (BPF_CLASS(in->code) == BPF_JMP) {
			if (in->off < 0 || i + (size_t)in->off >= p->n)
				return -1;
			i += jump_taken(in->code, reg[in->dst_reg], b) ? (size_t)in->off : 0;
		} else if (BPF_OP(in->code) == BPF_MOV) {
			reg[in->dst_reg] = (uint32_t)b;
		} else if (BPF_OP(in->code) == BPF_AND) {
			reg[in->dst_reg] &= (uint32_t)b;
		} else if (BPF_OP(in->code) == BPF_XOR) {
			reg[in->dst_reg] = (uint32_t)(reg[in->dst_reg] ^ b);
		} else if (BPF_OP(in->code) == BPF_RSH) {
			reg[in->dst_reg] = (uint32_t)reg[in->dst_reg] >> b;
		} else {
			return -1;
		}
	}
	return -1;
}

/* --- what the rules mean, as slowly as it can be said ----------------------------------------------------- */

static bool rule_matches(const struct device_rule *r, const struct access *a, uint32_t bit)
{
	return (r->type == 'a' || r->type == a->type) && (r->major < 0 || r->major == a->major) &&
	       (r->minor < 0 || r->minor == a->minor) &&
	       ((bit == M && r->mknod) || (bit == R && r->read) || (bit == W && r->write));
}

/* Each access is decided by the last rule that matches; all must be allowed. */
static bool by_the_book(const struct device_rule *rules, size_t n, const struct access *a)
{
	bool all = true;

	for (uint32_t bit = 1; bit <= W; bit <<= 1) {
		bool allowed = false;

		for (size_t i = 0; (a->bits & bit) && i < n; i++)
			if (rule_matches(&rules[i], a, bit))
				allowed = rules[i].allow;
		all = all && (!(a->bits & bit) || allowed);
	}
	return all;
}

static bool decide(const struct device_rule *rules, size_t n, struct access a)
{
	_cleanup_(device_program_free) struct device_program p;

	CHECK(device_program_build(rules, n, &p) == 0);
	int r = interpret(&p, &a);
	CHECK(r == 0 || r == 1);
	return r == 1;
}

TEST("what no rule names is refused")
{
	CHECK(!decide(RULES(ALLOW('c', 1, 3)), 1, (struct access){'c', 1, 5, R}));
	CHECK(!decide(RULES(ALLOW('c', 1, 3)), 1, (struct access){'b', 1, 3, R}));
	CHECK(decide(RULES(ALLOW('c', 1, 3)), 1, (struct access){'c', 1, 3, R | W | M}));
	CHECK(!decide(NULL, 0, (struct access){'c', 1, 3, R}));
}

TEST("the last rule that matches decides")
{
	const struct device_rule open[] = {DENY('c', 1, 3), ALLOW('a', -1, -1)};
	const struct device_rule shut[] = {ALLOW('a', -1, -1), DENY('c', 1, 3)};
	const struct access null = {'c', 1, 3, R};

	CHECK(decide(open, 2, null));
	CHECK(!decide(shut, 2, null));
	CHECK(decide(shut, 2, (struct access){'c', 1, 5, R}));
}

TEST("a denied access is denied together with others")
{
	const struct device_rule no_write[] = {ALLOW('a', -1, -1), RULE(false, 'c', 1, 3, false, true, false)};

	CHECK(decide(no_write, 2, (struct access){'c', 1, 3, R}));
	CHECK(!decide(no_write, 2, (struct access){'c', 1, 3, W}));
	CHECK(!decide(no_write, 2, (struct access){'c', 1, 3, R | W}));
}

TEST("accesses allowed one by one are allowed together")
{
	const struct device_rule two[] = {RULE(true, 'c', 1, 3, true, false, false),
					  RULE(true, 'c', -1, 3, false, true, false)};

	CHECK(decide(two, 2, (struct access){'c', 1, 3, R | W}));
	CHECK(!decide(two, 2, (struct access){'c', 1, 3, R | W | M}));
	CHECK(!decide(two, 2, (struct access){'c', 2, 3, R | W}));
}

TEST("the usual list allows the usual devices, and making the others without opening them")
{
	const size_t n = ARRAY_SIZE(usual);
	_cleanup_(device_program_free) struct device_program p;

	CHECK(decide(usual, n, (struct access){'c', 1, 3, R | W}));
	CHECK(decide(usual, n, (struct access){'c', 136, 77, R | W}));
	CHECK(decide(usual, n, (struct access){'c', 5, 2, R | W}));
	CHECK(decide(usual, n, (struct access){'b', 8, 0, M}));
	CHECK(!decide(usual, n, (struct access){'b', 8, 0, R}));
	CHECK(!decide(usual, n, (struct access){'c', 1, 1, R}));
	CHECK(device_program_build(usual, n, &p) == 0);
	CHECK(p.n < 30);
	printf("# %zu rules, %zu instructions\n", n, p.n);
}

TEST("rules for everything make the shortest program")
{
	_cleanup_(device_program_free) struct device_program all, none, parts;

	CHECK(device_program_build(RULES(DENY('c', 1, 3), ALLOW('a', -1, -1), ALLOW('b', 8, 0)), 3, &all) == 0);
	CHECK(all.allows_all && all.n == 2);
	CHECK(device_program_build(RULES(ALLOW('c', 1, 3), DENY('a', -1, -1), DENY('b', 8, 0)), 3, &none) == 0);
	CHECK(!none.allows_all && none.n == 2);
	/* Everything, in two rules, with one before that cannot count. */
	CHECK(device_program_build(RULES(DENY('c', 1, 3), RULE(true, 'a', -1, -1, true, false, false),
					 RULE(true, 'a', -1, -1, false, true, true)),
				   3, &parts) == 0);
	CHECK(interpret(&parts, &(struct access){'c', 1, 3, R | W | M}) == 1);
}

TEST("a rule that makes no sense is refused by its number")
{
	struct device_program p;

	CHECK(device_program_build(RULES(ALLOW('c', 1, 3), ALLOW('x', 1, 3)), 2, &p) == -EINVAL);
	CHECK(strstr(error_text(), "rule 1") != NULL);
	CHECK(device_program_build(RULES(ALLOW('c', -2, 3)), 1, &p) == -EINVAL);
	CHECK(device_program_build(RULES(ALLOW('c', 1, INT64_C(1) << 40)), 1, &p) == -EINVAL);
	CHECK(device_program_build(RULES(RULE(true, 'c', 1, 3, false, false, false)), 1, &p) == -EINVAL);
	CHECK(device_program_build(usual, DEVICE_RULES_MAX + 1, &p) == -E2BIG);
}

/* --- random rules ------------------------------------------------------------------------------------------ */

static uint64_t seed = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static void roll_rules(struct device_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = roll(3) ? W | R | M : 1 + roll(7);

		rules[i] = (struct device_rule){.allow = roll(2),
						.type = "abc"[roll(3)],
						.major = (int64_t)roll(4) - 1,
						.minor = (int64_t)roll(4) - 1,
						.read = bits & R,
						.write = bits & W,
						.mknod = bits & M};
	}
}

TEST("random lists are decided as the rules say")
{
	struct device_rule rules[100];
	unsigned int wrong = 0;

	for (int round = 0; round < 5000; round++) {
		size_t n = roll(round % 10 ? 13 : ARRAY_SIZE(rules) + 1);
		_cleanup_(device_program_free) struct device_program p;

		roll_rules(rules, n);
		CHECK(device_program_build(rules, n, &p) == 0);
		for (uint32_t i = 0; i < 2 * 4 * 4 * 7; i++) {
			struct access a = {"bc"[i % 2], i / 2 % 4, i / 8 % 4, 1 + i / 32};

			wrong += interpret(&p, &a) != by_the_book(rules, n, &a);
		}
	}
	CHECK(wrong == 0);
}

/* --- the kernel's opinion -------------------------------------------------------------------------------------- */

static struct cgroup make_scratch(const struct cgroup_limits *limits)
{
	_cleanup_(freep) char *path = xasprintf("/ctr-unit-%d", (int)getpid());
	struct cgroup cg;
	int r = cgroup_create(path, limits, &cg);

	if (r < 0)
		printf("# %s\n", error_text());
	CHECK(r == 0);
	return cg;
}

static bool can_open(const char *path, int flags)
{
	_cleanup_(closep) int fd = open(path, flags | O_CLOEXEC);

	return fd >= 0;
}

static bool can_make(const char *dir, mode_t mode, dev_t dev)
{
	_cleanup_(freep) char *path = xasprintf("%s/node", dir);
	bool made = mknod(path, mode, dev) == 0;

	unlink(path);
	return made;
}

/* In a child inside CG: bit 0 reads null, 1 writes null, 2 both, 3 reads zero, 4 makes zero, 5 makes a disk. */
static int try_devices(const struct cgroup *cg)
{
	char dir[] = "/tmp/ctr-unit-XXXXXX";
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)(unsigned int)cg->fd};
	int status = -1;

	CHECK(mkdtemp(dir) != NULL);
	pid_t pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(can_open("/dev/null", O_RDONLY) << 0 | can_open("/dev/null", O_WRONLY) << 1 |
		      can_open("/dev/null", O_RDWR) << 2 | can_open("/dev/zero", O_RDONLY) << 3 |
		      can_make(dir, S_IFCHR | 0600, makedev(1, 5)) << 4 |
		      can_make(dir, S_IFBLK | 0600, makedev(8, 0)) << 5);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	rmdir(dir);
	return WEXITSTATUS(status);
}

static void set_rules(const struct cgroup *cg, const struct device_rule *rules, size_t n)
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;

	limits.devices = rules;
	limits.n_devices = n;
	int r = cgroup_set_limits(cg, &limits);
	if (r < 0)
		printf("# %s\n", error_text());
	CHECK(r == 0);
}

static unsigned int programs_on(const struct cgroup *cg)
{
	union bpf_attr attr;
	uint32_t ids[64];

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cg->fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ARRAY_SIZE(ids);
	CHECK(syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) == 0);
	return attr.query.prog_cnt;
}

TEST("a process in the cgroup opens and makes the devices that the rules allow, and an update replaces them")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	const struct device_rule null_only[] = {ALLOW('c', 1, 3)};
	const struct device_rule null_read[] = {RULE(true, 'c', 1, 3, true, false, false), ALLOW('b', -1, -1)};
	const struct device_rule everything[] = {ALLOW('a', -1, -1)};

	limits.devices = null_only;
	limits.n_devices = 1;
	struct cgroup cg = make_scratch(&limits);
	CHECK(try_devices(&cg) == 0x07);
	set_rules(&cg, null_read, 2);
	CHECK(try_devices(&cg) == 0x21);
	CHECK(programs_on(&cg) == 1);
	set_rules(&cg, usual, ARRAY_SIZE(usual));
	CHECK(try_devices(&cg) == 0x3f);
	CHECK(programs_on(&cg) == 1);
	set_rules(&cg, everything, 1);
	CHECK(try_devices(&cg) == 0x3f);
	CHECK(programs_on(&cg) == 0);
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
}

TEST("programs that others attached stay where they are")
{
	struct cgroup cg = make_scratch(NULL);
	_cleanup_(device_program_free) struct device_program everything;
	union bpf_attr attr;

	CHECK(device_program_build(RULES(ALLOW('a', -1, -1)), 1, &everything) == 0);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)everything.insns;
	attr.insn_cnt = (uint32_t)everything.n;
	attr.license = (uintptr_t) "none";
	_cleanup_(closep) int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	CHECK(fd >= 0);
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cg.fd;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	CHECK(syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) == 0);

	set_rules(&cg, usual, ARRAY_SIZE(usual));
	set_rules(&cg, RULES(ALLOW('c', 1, 3)), 1);
	CHECK(programs_on(&cg) == 2);
	CHECK(try_devices(&cg) == 0x07);
	CHECK(device_filter_clear(&cg) == 0);
	CHECK(programs_on(&cg) == 1);
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
}

TEST("a cgroup that is taken over loses the filter of its former owner")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	const struct device_rule nothing[] = {DENY('a', -1, -1)};

	limits.devices = nothing;
	limits.n_devices = 1;
	struct cgroup cg = make_scratch(&limits);
	CHECK(try_devices(&cg) == 0);
	cgroup_close(&cg);
	cg = make_scratch(NULL);
	CHECK(programs_on(&cg) == 0);
	CHECK(try_devices(&cg) == 0x3f);
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
}

TEST("the kernel's verifier accepts random lists, and the longest there may be")
{
	static struct device_rule rules[DEVICE_RULES_MAX];
	struct cgroup cg = make_scratch(NULL);

	for (int round = 0; round < 100; round++) {
		size_t n = 1 + roll(20);

		roll_rules(rules, n);
		set_rules(&cg, rules, n);
	}
	/* Hard for the verifier: little can be sorted together, and no rule decides alone. */
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct device_rule){.allow = i % 4,
						.type = "abc"[i % 3],
						.major = i % 7 ? -1 : (int64_t)i,
						.minor = i % 5 ? (int64_t)i : -1,
						.read = i % 3 == 0,
						.write = i % 3 == 1,
						.mknod = i % 3 == 2};
	set_rules(&cg, rules, ARRAY_SIZE(rules));
	set_rules(&cg, rules, 64);
	CHECK(programs_on(&cg) == 1);
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
}

UNIT_MAIN
