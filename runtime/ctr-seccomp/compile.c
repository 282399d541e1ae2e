#include "runtime/ctr-seccomp/compile.h"

#include <stddef.h>

#include "base/error.h"
#include "runtime/ctr-seccomp/bpf.h"

/* x32 syscalls have this bit (__X32_SYSCALL_BIT), and x86_64's architecture value. */
#define X32_BIT 0x40000000U
/* What a tracer leaves in the register to skip a syscall. */
#define NR_SKIPPED 0xffffffffU
#define LEAF_EXCEPTIONS 2

enum test_op { TEST_EQ, TEST_NE, TEST_GT, TEST_GE, TEST_LT, TEST_LE };

/* A test as the program makes it. Compared whole by memcmp, so always zeroed first. */
struct test {
	uint32_t index;
	enum test_op op;
	uint64_t mask; /* of the argument; what is not in it is not even loaded */
	uint64_t value;
};

/* One rule for one syscall number. */
struct entry {
	uint32_t nr, action;
	unsigned int order, n_tests;
	struct test tests[SYSCALL_ARGS];
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

/* Tests emitted for some syscall, for others with the same ones to share. */
struct block {
	struct entry *rules;
	size_t n;
	uint32_t otherwise;
	bpf_label at;
};

/* What becomes of the syscalls from START on, up to the next interval's. */
struct interval {
	uint32_t start, action;
	bool tested; /* the code at AT decides, else ACTION */
	bpf_label at;
};

struct compiler {
	const struct profile *profile;
	syscall_finder find;
	struct bpf bpf;
	struct block *blocks;
	size_t n_blocks;
	struct interval *intervals; /* of the architecture in work */
	size_t n_intervals, cap_intervals;
	size_t *leaves; /* of their search tree: the interval that each starts with */
};

/* The kernel's precedence: the smaller, as a signed number, the stricter. */
static int32_t leniency(uint32_t action)
{
	return (int32_t)(action & SECCOMP_RET_ACTION_FULL);
}

static bool is_wide(uint32_t arch)
{
	return arch & __AUDIT_ARCH_64BIT;
}

static struct test make_test(const struct arg_test *arg, bool wide)
{
	static const enum test_op op[] = {
		[ARG_NE] = TEST_NE, [ARG_LT] = TEST_LT, [ARG_LE] = TEST_LE,        [ARG_EQ] = TEST_EQ,
		[ARG_GE] = TEST_GE, [ARG_GT] = TEST_GT, [ARG_MASKED_EQ] = TEST_EQ,
	};
	bool masked = arg->op == ARG_MASKED_EQ;
	struct test test;

	memset(&test, 0, sizeof(test));
	test.index = arg->index;
	test.op = op[arg->op];
	test.mask = masked ? arg->value : UINT64_MAX;
	test.value = masked ? arg->value_two & arg->value : arg->value;
	/* A 32-bit program's arguments are 32 bits, so that -1 written as 64 bits must match there too. */
	if (!wide) {
		test.mask &= UINT32_MAX;
		test.value &= UINT32_MAX;
	}
	return test;
}

static struct entry *add_entry(struct entries *list, int nr, uint32_t action, size_t order)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 512;
		list->v = xreallocarray(list->v, list->cap, sizeof(*list->v));
	}
	struct entry *e = &list->v[list->n++];
	memset(e, 0, sizeof(*e));
	e->nr = (uint32_t)nr;
	e->action = action;
	e->order = (unsigned int)order;
	return e;
}

/* Adds what rule number I of the profile means on ARCH. */
static void add_rule(struct compiler *c, uint32_t arch, size_t i, const struct syscall_place *place,
		     struct entries *list)
{
	const struct profile_rule *rule = &c->profile->rules[i];

	if (place->nr >= 0) {
		struct entry *e = add_entry(list, place->nr, rule->action, i);

		for (unsigned int t = 0; t < rule->n_tests; t++)
			e->tests[e->n_tests++] = make_test(&c->profile->tests[rule->first_test + t], is_wide(arch));
	}
	/*
	 * Behind a multiplexer the arguments are in memory, where no filter can look. So a rule with tests
	 * is taken there as one without when it is stricter than the default, and left out when it is not.
	 */
	if (place->mux >= 0 && (rule->n_tests == 0 || leniency(rule->action) < leniency(c->profile->default_action))) {
		struct arg_test call = {.op = ARG_MASKED_EQ, .value = place->mux_mask, .value_two = place->mux_call};
		struct entry *e = add_entry(list, place->mux, rule->action, i);

		e->tests[e->n_tests++] = make_test(&call, is_wide(arch));
	}
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_strictness(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (leniency(x->action) != leniency(y->action))
		return leniency(x->action) < leniency(y->action) ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void collect(struct compiler *c, uint32_t arch, struct entries *list)
{
	for (size_t i = 0; i < c->profile->n_rules; i++) {
		struct syscall_place place;

		if (c->find(arch, c->profile->rules[i].name, &place))
			add_rule(c, arch, i, &place, list);
		else if (arch == c->profile->archs[0])
			debug("ignoring syscall %s, which is not known", c->profile->rules[i].name);
	}
	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), by_number);
}

/* Where the halves of a 64-bit argument are in struct seccomp_data. */
static uint32_t half_offset(uint32_t index, bool high)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	return (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) + (high == little ? 4 : 0));
}

/* Loads the half, masks it when it must, and branches. */
static bpf_label emit_half(struct bpf *b, const struct test *t, bool high, unsigned int op, bpf_label yes, bpf_label no)
{
	uint32_t mask = (uint32_t)(high ? t->mask >> 32 : t->mask);
	uint32_t value = (uint32_t)(high ? t->value >> 32 : t->value);
	bpf_label at = bpf_branch(b, op, value, yes, no);

	if (mask != UINT32_MAX)
		at = bpf_and(b, mask, at);
	return bpf_load(b, half_offset(t->index, high), at);
}

static bpf_label emit_equal(struct bpf *b, const struct test *t, bpf_label yes, bpf_label no)
{
	bool high = t->mask >> 32, low = (uint32_t)t->mask;
	bpf_label at = yes;

	if (low)
		at = emit_half(b, t, false, BPF_JEQ, yes, no);
	if (high)
		at = emit_half(b, t, true, BPF_JEQ, at, no);
	return at;
}

/* "Argument > VALUE", or with BPF_JGE for OP, ">=". */
static bpf_label emit_more(struct bpf *b, const struct test *t, unsigned int op, bpf_label yes, bpf_label no)
{
	bpf_label at = emit_half(b, t, false, op, yes, no);

	if (!(t->mask >> 32))
		return at;
	at = bpf_branch(b, BPF_JEQ, (uint32_t)(t->value >> 32), at, no);
	return emit_half(b, t, true, BPF_JGT, yes, at);
}

static bpf_label emit_test(struct bpf *b, const struct test *t, bpf_label yes, bpf_label no)
{
	switch (t->op) {
	case TEST_EQ:
		return emit_equal(b, t, yes, no);
	case TEST_NE:
		return emit_equal(b, t, no, yes);
	case TEST_GT:
		return emit_more(b, t, BPF_JGT, yes, no);
	case TEST_GE:
		return emit_more(b, t, BPF_JGE, yes, no);
	case TEST_LT:
		return emit_more(b, t, BPF_JGE, no, yes);
	case TEST_LE:
		return emit_more(b, t, BPF_JGT, no, yes);
	}
	return no;
}

static bool same_rules(const struct block *block, const struct entry *rules, size_t n, uint32_t otherwise)
{
	if (block->n != n || block->otherwise != otherwise)
		return false;
	for (size_t i = 0; i < n; i++)
		if (block->rules[i].action != rules[i].action || block->rules[i].n_tests != rules[i].n_tests ||
		    memcmp(block->rules[i].tests, rules[i].tests, sizeof(rules[i].tests)) != 0)
			return false;
	return true;
}

/* Code that goes through the N rules in order, and does OTHERWISE when none holds. */
static bpf_label emit_rules(struct compiler *c, const struct entry *rules, size_t n, uint32_t otherwise)
{
	for (size_t i = 0; i < c->n_blocks; i++)
		if (same_rules(&c->blocks[i], rules, n, otherwise))
			return c->blocks[i].at;

	bpf_label at = bpf_ret(&c->bpf, otherwise);
	for (size_t i = n; i-- > 0;) {
		bpf_label yes = bpf_ret(&c->bpf, rules[i].action), no = at;

		at = yes;
		for (unsigned int t = rules[i].n_tests; t-- > 0;)
			at = emit_test(&c->bpf, &rules[i].tests[t], at, no);
	}
	c->blocks = xreallocarray(c->blocks, c->n_blocks + 1, sizeof(*c->blocks));
	struct block *block = &c->blocks[c->n_blocks++];
	*block = (struct block){.n = n, .otherwise = otherwise, .at = at};
	block->rules = xcalloc(n, sizeof(*rules));
	memcpy(block->rules, rules, n * sizeof(*rules));
	return at;
}

/* Decides on one syscall from its N rules, in the profile's order; reorders them. */
static struct interval decide(struct compiler *c, struct entry *rules, size_t n)
{
	struct interval to = {.start = rules[0].nr, .action = c->profile->default_action};
	size_t first = 0, tested = 0;

	while (first < n && rules[first].n_tests)
		first++;
	bool plain = first < n;
	if (plain)
		to.action = rules[first].action;
	for (size_t i = 0; i < n; i++)
		if (rules[i].n_tests && (!plain || leniency(rules[i].action) < leniency(to.action)))
			rules[tested++] = rules[i];
	if (!tested)
		return to;
	qsort(rules, tested, sizeof(*rules), by_strictness);
	to.tested = true;
	to.at = emit_rules(c, rules, tested, to.action);
	return to;
}

static bool same_end(const struct interval *a, const struct interval *b)
{
	return a->tested == b->tested && (a->tested ? a->at == b->at : a->action == b->action);
}

/* Appends an interval, in the order of their starts; one with the same start takes its place. */
static void add_interval(struct compiler *c, struct interval to)
{
	if (c->n_intervals && c->intervals[c->n_intervals - 1].start == to.start)
		c->n_intervals--;
	if (c->n_intervals && same_end(&c->intervals[c->n_intervals - 1], &to))
		return;
	if (c->n_intervals == c->cap_intervals) {
		c->cap_intervals = c->cap_intervals ? c->cap_intervals * 2 : 256;
		c->intervals = xreallocarray(c->intervals, c->cap_intervals, sizeof(*c->intervals));
	}
	c->intervals[c->n_intervals++] = to;
}

/* Numbers that are not in the row to which new syscalls are appended: x32's own (512 to 547, see the
 * kernel's syscall_64.tbl) and those private to ARM. */
static bool out_of_row(uint32_t arch, uint32_t nr)
{
	return (arch == ARCH_X32 && nr >= (X32_BIT | 512) && nr <= (X32_BIT | 547)) ||
	       (arch == AUDIT_ARCH_ARM && nr >= 0x0f0000);
}

/* What a syscall that is newer than the profile gets. */
static uint32_t newer_action(const struct profile *profile)
{
	uint32_t action = profile->default_action;

	return leniency(action) == leniency(SECCOMP_RET_ERRNO) ? SECCOMP_RET_ERRNO | ENOSYS : action;
}

/* The intervals of ARCH, whose numbers start at FIRST. */
static void add_arch(struct compiler *c, uint32_t arch, uint32_t first)
{
	struct entries list = {0};
	bool any = false;
	uint32_t last = 0;

	collect(c, arch, &list);
	for (size_t i = 0; i < list.n; i++)
		if (!out_of_row(arch, list.v[i].nr)) {
			last = list.v[i].nr;
			any = true;
		}
	/* A profile that names no syscall here is no older than any. */
	uint32_t newer = any ? newer_action(c->profile) : c->profile->default_action;
	add_interval(c, (struct interval){.start = first, .action = c->profile->default_action});
	for (size_t i = 0, n; i < list.n; i += n) {
		uint32_t nr = list.v[i].nr;

		for (n = 1; i + n < list.n && list.v[i + n].nr == nr;)
			n++;
		add_interval(c, decide(c, list.v + i, n));
		add_interval(c, (struct interval){.start = nr + 1,
						  .action = nr >= last ? newer : c->profile->default_action});
	}
	free(list.v);
}

static bpf_label emit_end(struct compiler *c, const struct interval *i)
{
	return i->tested ? i->at : bpf_ret(&c->bpf, i->action);
}

/*
 * Where a leaf of the search tree that starts with interval FROM ends: one interval, or also the next
 * ones of the same end with single numbers between them, which one comparison each takes out. Half as
 * many instructions as a leaf for each, and the time to load a filter goes with its length.
 */
static size_t leaf_end(const struct compiler *c, size_t from)
{
	const struct interval *v = c->intervals;
	size_t to = from + 1;

	while (to + 1 < c->n_intervals && to - from < 2 * LEAF_EXCEPTIONS && v[to + 1].start == v[to].start + 1 &&
	       same_end(&v[from], &v[to + 1]))
		to += 2;
	return to;
}

/* Leaf number N. */
static bpf_label emit_leaf(struct compiler *c, size_t n)
{
	size_t from = c->leaves[n], to = leaf_end(c, from);
	bpf_label at = emit_end(c, &c->intervals[from]);

	for (size_t i = to - 1; i > from; i -= 2) {
		const struct interval *exception = &c->intervals[i - 1];

		at = bpf_branch(&c->bpf, BPF_JEQ, exception->start, emit_end(c, exception), at);
	}
	return at;
}

/* Leaves FROM to before TO. */
static bpf_label emit_tree(struct compiler *c, size_t from, size_t to)
{
	if (to - from == 1)
		return emit_leaf(c, from);
	size_t middle = from + (to - from) / 2;
	bpf_label high = emit_tree(c, middle, to);
	bpf_label low = emit_tree(c, from, middle);
	return bpf_branch(&c->bpf, BPF_JGE, c->intervals[c->leaves[middle]].start, high, low);
}

static bpf_label emit_intervals(struct compiler *c)
{
	size_t n = 0;

	c->leaves = xreallocarray(c->leaves, c->n_intervals, sizeof(*c->leaves));
	for (size_t i = 0; i < c->n_intervals; i = leaf_end(c, i))
		c->leaves[n++] = i;
	return emit_tree(c, 0, n);
}

static bool has_arch(const struct profile *profile, uint32_t arch)
{
	for (size_t i = 0; i < profile->n_archs; i++)
		if (profile->archs[i] == arch)
			return true;
	return false;
}

/* The code for all that the kernel calls ARCH. */
static bpf_label emit_arch(struct compiler *c, uint32_t arch)
{
	const struct profile *profile = c->profile;

	c->n_intervals = 0;
	if (arch != AUDIT_ARCH_X86_64 || has_arch(profile, AUDIT_ARCH_X86_64))
		add_arch(c, arch, 0);
	else
		add_interval(c, (struct interval){.action = SECCOMP_RET_KILL_PROCESS});
	if (arch == AUDIT_ARCH_X86_64 && has_arch(profile, ARCH_X32)) {
		add_arch(c, ARCH_X32, X32_BIT);
	} else if (arch == AUDIT_ARCH_X86_64) {
		add_interval(c, (struct interval){.start = X32_BIT, .action = SECCOMP_RET_KILL_PROCESS});
		add_interval(c, (struct interval){.start = NR_SKIPPED, .action = newer_action(profile)});
	}
	bpf_label tree = emit_intervals(c);
	return bpf_load(&c->bpf, offsetof(struct seccomp_data, nr), tree);
}

static void emit_program(struct compiler *c)
{
	uint32_t archs[ARCHS_MAX];
	bpf_label at[ARCHS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->profile->n_archs; i++) {
		uint32_t arch = c->profile->archs[i] == ARCH_X32 ? AUDIT_ARCH_X86_64 : c->profile->archs[i];
		size_t k = 0;

		while (k < n && archs[k] != arch)
			k++;
		if (k == n)
			archs[n++] = arch;
	}
	/* Backwards, so that the first architecture's code stands first. */
	for (size_t i = n; i-- > 0;)
		at[i] = emit_arch(c, archs[i]);
	bpf_label next = bpf_ret(&c->bpf, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = n; i-- > 0;)
		next = bpf_branch(&c->bpf, BPF_JEQ, archs[i], at[i], next);
	bpf_load(&c->bpf, offsetof(struct seccomp_data, arch), next);
}

int profile_compile(const struct profile *profile, syscall_finder find, struct sock_filter **code, unsigned short *len)
{
	struct compiler *c = xcalloc(1, sizeof(*c));

	c->profile = profile;
	c->find = find;
	emit_program(c);
	int r = bpf_finish(&c->bpf, code, len);
	for (size_t i = 0; i < c->n_blocks; i++)
		free(c->blocks[i].rules);
	free(c->blocks);
	free(c->intervals);
	free(c->leaves);
	free(c);
	return r;
}
