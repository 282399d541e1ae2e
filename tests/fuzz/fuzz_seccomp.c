/*
 * Seccomp profiles: reads any bytes as one, and where that is a profile, compiles it and checks the
 * program against a plain reading of the rules, syscall by syscall.
 */
#include <linux/seccomp.h>
#include <stddef.h>

#include "base/error.h"
#include "runtime/ctr-seccomp/compile.h"

#define MUX 900
#define RULES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A machine of few syscalls: the number is the name's sum, and those that start with "s" are also behind a
 * multiplexer. No libseccomp is needed. */
static bool find(uint32_t arch, const char *name, struct syscall_place *place)
{
	unsigned int sum = 0;

	for (const char *p = name; *p; p++)
		sum = sum * 3 + (unsigned char)*p;
	*place = (struct syscall_place){.nr = (int)(sum % 500), .mux = -1};
	if (name[0] == 's') {
		place->mux = MUX;
		place->mux_call = sum % 500;
		place->mux_mask = 0xffff;
	}
	if (arch == ARCH_X32) {
		place->nr |= 0x40000000;
		place->mux = -1;
	}
	return name[0] != 'z';
}

static uint32_t run(const struct sock_filter *code, unsigned int len, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned int pc = 0; pc < len;) {
		const struct sock_filter *i = &code[pc++];

		if (i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k % 4 == 0 && i->k < sizeof(*data))
			memcpy(&a, (const char *)data + i->k, sizeof(a));
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			pc += i->k;
		else if (i->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += a == i->k ? i->jt : i->jf;
		else if (i->code == (BPF_JMP | BPF_JGT | BPF_K))
			pc += a > i->k ? i->jt : i->jf;
		else if (i->code == (BPF_JMP | BPF_JGE | BPF_K))
			pc += a >= i->k ? i->jt : i->jf;
		else if (i->code == (BPF_RET | BPF_K))
			return i->k;
		else
			abort();
	}
	abort();
}

static int32_t leniency(uint32_t action)
{
	return (int32_t)(action & SECCOMP_RET_ACTION_FULL);
}

static bool holds(const struct arg_test *t, uint64_t arg, bool wide)
{
	uint64_t limit = wide ? UINT64_MAX : UINT32_MAX, value = t->value & limit, two = t->value_two & limit;

	switch (t->op) {
	case ARG_NE:
		return arg != value;
	case ARG_LT:
		return arg < value;
	case ARG_LE:
		return arg <= value;
	case ARG_EQ:
		return arg == value;
	case ARG_GE:
		return arg >= value;
	case ARG_GT:
		return arg > value;
	case ARG_MASKED_EQ:
		return (arg & value) == (two & value);
	}
	abort();
}

/* 0: the rule is not about this call; 1: about it, but its tests fail; 2: it holds; 3: without any test. */
static int applies(const struct profile *p, const struct profile_rule *rule, uint32_t arch,
		   const struct seccomp_data *data)
{
	bool wide = arch & __AUDIT_ARCH_64BIT;
	struct syscall_place place;

	if (!find(arch, rule->name, &place))
		return 0;
	if (place.nr == data->nr) {
		for (unsigned int i = 0; i < rule->n_tests; i++) {
			const struct arg_test *t = &p->tests[rule->first_test + i];

			if (!holds(t, data->args[t->index], wide))
				return 1;
		}
		return rule->n_tests ? 2 : 3;
	}
	if (place.mux != data->nr || (rule->n_tests && leniency(rule->action) >= leniency(p->default_action)))
		return 0;
	return (data->args[0] & place.mux_mask) == place.mux_call ? 2 : 1;
}

/* Whether a number is past all that the profile names; x32's own numbers stand apart. */
static bool is_newer(const struct profile *p, uint32_t arch, int nr)
{
	int last = -1;

	for (size_t i = 0; i < p->n_rules; i++) {
		struct syscall_place place;

		if (!find(arch, p->rules[i].name, &place))
			continue;
		bool apart = arch == ARCH_X32 && (place.nr & 0xfff) >= 512 && (place.nr & 0xfff) <= 547;
		bool mux = !p->rules[i].n_tests || leniency(p->rules[i].action) < leniency(p->default_action);
		if (!apart && place.nr > last)
			last = place.nr;
		if (mux && place.mux > last)
			last = place.mux;
	}
	return last >= 0 && nr > last;
}

/* What compile.h says becomes of the call. */
static uint32_t expected(const struct profile *p, uint32_t arch, const struct seccomp_data *data)
{
	const struct profile_rule *plain = NULL, *tested = NULL;
	bool listed = false;

	for (size_t i = 0; i < p->n_rules; i++) {
		int how = applies(p, &p->rules[i], arch, data);

		listed |= how != 0;
		if (how == 3 && !plain)
			plain = &p->rules[i];
		if (how == 2 && (!tested || leniency(p->rules[i].action) < leniency(tested->action)))
			tested = &p->rules[i];
	}
	if (tested && (!plain || leniency(tested->action) < leniency(plain->action)))
		return tested->action;
	if (plain)
		return plain->action;
	if (!listed && is_newer(p, arch, data->nr) && leniency(p->default_action) == leniency(SECCOMP_RET_ERRNO))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return p->default_action;
}

/* What the test compares with, or one less, or up to three more. */
static uint64_t near_edge(const struct arg_test *t, int k)
{
	return (t->op == ARG_MASKED_EQ ? t->value_two : t->value) + (uint64_t)(k - 1);
}

/* Numbers and arguments at the edges of what the profile speaks of. */
static void check_program(const struct profile *p, const struct sock_filter *code, unsigned short len, uint32_t arch)
{
	uint32_t kernel_arch = arch == ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
	uint64_t limit = arch & __AUDIT_ARCH_64BIT ? UINT64_MAX : UINT32_MAX;

	for (size_t i = 0; i < p->n_rules && i < RULES_MAX; i++) {
		struct syscall_place place;

		if (!find(arch, p->rules[i].name, &place))
			continue;
		for (int k = 0; k < 5; k++) {
			struct seccomp_data call = {.arch = kernel_arch};
			const struct arg_test *t = p->rules[i].n_tests ? &p->tests[p->rules[i].first_test] : NULL;

			call.nr = k < 4 || place.mux < 0 ? place.nr + (k == 3) : place.mux;
			for (unsigned int n = 0; n < p->rules[i].n_tests; n++, t++)
				call.args[t->index] = near_edge(t, k) & limit;
			if (k == 4)
				call.args[0] = place.mux_call;
			if (run(code, len, &call) != expected(p, arch, &call))
				abort();
		}
	}
}

static void check_profile(struct profile *p)
{
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, ARCH_X32, AUDIT_ARCH_I386};
	struct sock_filter *code;
	unsigned short len;

	p->n_archs = 0;
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		profile_add_arch(p, archs[i]);
	if (profile_compile(p, find, &code, &len) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		check_program(p, code, len, archs[i]);
	if (run(code, len, &(struct seccomp_data){.arch = AUDIT_ARCH_S390X}) != SECCOMP_RET_KILL_PROCESS)
		abort();
	free(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile_env env = {
		.caps = 0x5555, .arch = AUDIT_ARCH_X86_64, .kernel_major = 6, .kernel_minor = 1};
	struct json_doc doc = {0};
	struct profile profile;

	if (json_parse((const char *)data, size, "the profile", &doc) == 0 &&
	    profile_parse(doc.root, &env, &profile) == 0) {
		check_profile(&profile);
		profile_free(&profile);
	}
	json_free(&doc);
	return 0;
}
