#include <errno.h>
#include <linux/audit.h>

#include "base/error.h"
#include "runtime/ctr-seccomp/profile.h"

/* The kernel caps an errno at this (MAX_ERRNO, include/linux/err.h); a larger one was a mistake. */
#define ERRNO_MAX 4095

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
	{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
	{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
	{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
	{"SCMP_ACT_LOG", SECCOMP_RET_LOG},
	{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
	{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
};

static const struct word ops[] = {
	{"SCMP_CMP_NE", ARG_NE},
	{"SCMP_CMP_LT", ARG_LT},
	{"SCMP_CMP_LE", ARG_LE},
	{"SCMP_CMP_EQ", ARG_EQ},
	{"SCMP_CMP_GE", ARG_GE},
	{"SCMP_CMP_GT", ARG_GT},
	{"SCMP_CMP_MASKED_EQ", ARG_MASKED_EQ},
};

/* The runtime spec's list, 1.3. */
static const struct word archs[] = {
	{"SCMP_ARCH_X86", AUDIT_ARCH_I386},
	{"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64},
	{"SCMP_ARCH_X32", ARCH_X32},
	{"SCMP_ARCH_ARM", AUDIT_ARCH_ARM},
	{"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64},
	{"SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS},
	{"SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64},
	{"SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32},
	{"SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL},
	{"SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64},
	{"SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32},
	{"SCMP_ARCH_PPC", AUDIT_ARCH_PPC},
	{"SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64},
	{"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE},
	{"SCMP_ARCH_S390", AUDIT_ARCH_S390},
	{"SCMP_ARCH_S390X", AUDIT_ARCH_S390X},
	{"SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC},
	{"SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64},
	{"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64},
	{"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
	{"SCMP_ARCH_M68K", AUDIT_ARCH_M68K},
	{"SCMP_ARCH_SH", AUDIT_ARCH_SHEL},
	{"SCMP_ARCH_SHEB", AUDIT_ARCH_SH},
};

static const struct word *find_word(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(words[i].name, name))
			return &words[i];
	return NULL;
}

uint32_t arch_by_name(const char *name)
{
	const struct word *w = find_word(archs, ARRAY_SIZE(archs), name);

	return w ? w->value : 0;
}

/* The member KEY of OBJ, a string that must be there. */
static int required_str(const struct json *obj, const char *key, const char **out)
{
	*out = NULL;
	int r = json_want_str(obj, key, out);

	if (r == 0 && !*out)
		return json_refuse(obj, "has no %s", key);
	return r;
}

/* The member KEY of OBJ, which must be one of WORDS; WHAT says what they are. */
static int required_word(const struct json *obj, const char *key, const struct word *words, size_t n, const char *what,
			 uint32_t *out)
{
	const char *name;
	int r = required_str(obj, key, &name);

	*out = 0;
	if (r < 0)
		return r;
	const struct word *w = find_word(words, n, name);
	if (!w)
		return json_refuse(json_get(obj, key), "is \"%s\", which is not %s", name, what);
	*out = w->value;
	return 0;
}

static int errno_by_name(const char *name)
{
	for (int i = 1; i <= ERRNO_MAX; i++) {
		const char *known = strerrorname_np(i);

		if (known && streq(known, name))
			return i;
	}
	return 0;
}

/* An errno as the spec has it, a number, or by name alone, as podman's files may. UINT64_MAX: not set. */
static int parse_errno(const struct json *obj, const char *number_key, const char *name_key, uint64_t *out)
{
	const char *name = NULL;
	int r;

	*out = UINT64_MAX;
	if ((r = json_want_u64(obj, number_key, ERRNO_MAX, out)) < 0 || (r = json_want_str(obj, name_key, &name)) < 0)
		return r;
	if (*out != UINT64_MAX || !name || !*name)
		return 0;
	int number = errno_by_name(name);
	if (!number)
		return json_refuse(json_get(obj, name_key), "is \"%s\", which is not an errno", name);
	*out = (uint64_t)number;
	return 0;
}

/* An action and the errno that may go with it; the keys differ for the default and for a rule. */
static int parse_action(const struct json *obj, const char *key, const char *number_key, const char *name_key,
			uint32_t *out)
{
	uint64_t number;
	int r = required_word(obj, key, actions, ARRAY_SIZE(actions), "a seccomp action (SCMP_ACT_*)", out);

	if (r < 0 || (r = parse_errno(obj, number_key, name_key, &number)) < 0)
		return r;
	bool takes_errno = *out == SECCOMP_RET_ERRNO || *out == SECCOMP_RET_TRACE;
	if (number != UINT64_MAX && !takes_errno)
		return json_refuse(json_get(obj, key), "is %s, which takes no errno", json_get(obj, key)->text);
	if (takes_errno)
		*out |= number == UINT64_MAX ? EPERM : (uint32_t)number;
	return 0;
}

static int parse_arg(const struct json *arg, struct arg_test *test)
{
	uint64_t index = UINT64_MAX;
	uint32_t op;
	int r;

	if ((r = json_expect(arg, JSON_OBJECT)) < 0 ||
	    (r = json_want_u64(arg, "index", SYSCALL_ARGS - 1, &index)) < 0 ||
	    (r = json_want_u64(arg, "value", UINT64_MAX, &test->value)) < 0 ||
	    (r = json_want_u64(arg, "valueTwo", UINT64_MAX, &test->value_two)) < 0 ||
	    (r = required_word(arg, "op", ops, ARRAY_SIZE(ops), "a comparison (SCMP_CMP_*)", &op)) < 0)
		return r;
	if (index == UINT64_MAX)
		return json_refuse(arg, "has no index");
	test->index = (unsigned int)index;
	test->op = (enum arg_op)op;
	return 0;
}

/* Reads a rule's args into TESTS. *ONE_INDEX says that two of them look at the same argument. */
static int parse_args(const struct json *rule, struct arg_test tests[SYSCALL_ARGS], unsigned int *n, bool *one_index)
{
	const struct json *args = NULL;
	unsigned int seen = 0;
	int r = json_want_array(rule, "args", &args);

	*n = 0;
	*one_index = false;
	if (r < 0)
		return r;
	if (args && args->count > SYSCALL_ARGS)
		return json_refuse(args, "has %u entries; a syscall has at most %u arguments", args->count,
				   SYSCALL_ARGS);
	json_each(arg, args) {
		struct arg_test test = {0};

		r = parse_arg(arg, &test);
		if (r < 0)
			return r;
		if (seen & 1U << test.index)
			*one_index = true;
		seen |= 1U << test.index;
		tests[(*n)++] = test;
	}
	return 0;
}

static int add_rule(struct profile *profile, const struct json *rule, const char *name, uint32_t action,
		    unsigned int first, unsigned int n_tests, bool one_index)
{
	if (!name[0] || has_control(name))
		return json_refuse(rule, "has a name that is none of a syscall");
	/* The descriptor of the listener has yet to be written to the parent when the filter is on. */
	if (action == SECCOMP_RET_USER_NOTIF && streq(name, "write"))
		return json_refuse(rule, "has SCMP_ACT_NOTIFY for write, which the container's start itself needs");
	/* As every runtime: such a rule adds nothing, and must not hide a later one of the same syscall. */
	if (action == profile->default_action)
		return 0;
	/* Tests of one argument can not all hold at once in the profiles that have them (family is 1, family is
	 * 2): runc and crun take each for a rule of its own, and so must we. */
	if (!one_index) {
		profile_add_rule(profile, name, action, first, n_tests);
		return 0;
	}
	for (unsigned int i = 0; i < n_tests; i++)
		profile_add_rule(profile, name, action, first + i, 1);
	return 0;
}

static int parse_rule(const struct json *rule, const struct profile_env *env, struct profile *profile)
{
	const struct json *names = NULL;
	const char *name = NULL;
	struct arg_test tests[SYSCALL_ARGS];
	unsigned int n;
	uint32_t action;
	bool one_index;
	int r;

	if ((r = json_expect(rule, JSON_OBJECT)) < 0 || (r = json_want_array(rule, "names", &names)) < 0 ||
	    (r = json_want_str(rule, "name", &name)) < 0 ||
	    (r = parse_action(rule, "action", "errnoRet", "errno", &action)) < 0 ||
	    (r = parse_args(rule, tests, &n, &one_index)) < 0 || (r = conditions_hold(rule, env)) < 0)
		return r;
	if (name && names)
		return json_refuse(rule, "has both name and names");
	if (!name && (!names || !names->count))
		return json_refuse(rule, "has no names");
	/* Checked whole even when its conditions leave it out: a mistake must not wait for another kernel. */
	struct profile scratch = {.default_action = profile->default_action};
	struct profile *into = r ? profile : &scratch;
	unsigned int first = profile_add_tests(into, tests, n);
	r = name ? add_rule(into, rule, name, action, first, n, one_index) : 0;
	json_each(item, names)
		if (r == 0 && (r = json_expect(item, JSON_STRING)) == 0)
			r = add_rule(into, rule, item->text, action, first, n, one_index);
	profile_free(&scratch);
	return r;
}

static int parse_arch(const struct json *item, struct profile *profile)
{
	int r = json_expect(item, JSON_STRING);

	if (r < 0)
		return r;
	uint32_t arch = arch_by_name(item->text);
	if (!arch)
		return json_refuse(item, "is \"%s\", which is not an architecture (SCMP_ARCH_*)", item->text);
	profile_add_arch(profile, arch);
	return 0;
}

/* docker's form: for each architecture of a host, those that its programs may use besides. */
static int parse_arch_map(const struct json *map, const struct profile_env *env, struct profile *profile)
{
	json_each(row, map) {
		const struct json *others = NULL;
		uint32_t arch;
		int r;

		if ((r = json_expect(row, JSON_OBJECT)) < 0 ||
		    (r = required_word(row, "architecture", archs, ARRAY_SIZE(archs), "an architecture (SCMP_ARCH_*)",
				       &arch)) < 0 ||
		    (r = json_want_array(row, "subArchitectures", &others)) < 0)
			return r;
		struct profile scratch = {0};
		struct profile *into = arch == env->arch ? profile : &scratch;
		profile_add_arch(into, arch);
		json_each(item, others)
			if ((r = parse_arch(item, into)) < 0)
				return r;
	}
	return 0;
}

static int parse_rules(const struct json *root, const struct profile_env *env, struct profile *profile)
{
	const struct json *list = NULL, *map = NULL, *rules = NULL;
	int r;

	if ((r = json_expect(root, JSON_OBJECT)) < 0 ||
	    (r = parse_action(root, "defaultAction", "defaultErrnoRet", "defaultErrno", &profile->default_action)) <
		    0 ||
	    (r = json_want_array(root, "architectures", &list)) < 0 ||
	    (r = json_want_array(root, "archMap", &map)) < 0 || (r = json_want_array(root, "syscalls", &rules)) < 0)
		return r;
	/* It would stop the container's start before anyone holds the listener. */
	if (profile->default_action == SECCOMP_RET_USER_NOTIF)
		return json_refuse(json_get(root, "defaultAction"), "must not be SCMP_ACT_NOTIFY");
	if (list && list->count && map && map->count)
		return json_refuse(root, "has both architectures and archMap");
	json_each(item, list)
		if ((r = parse_arch(item, profile)) < 0)
			return r;
	if ((r = parse_arch_map(map, env, profile)) < 0)
		return r;
	json_each(rule, rules)
		if ((r = parse_rule(rule, env, profile)) < 0)
			return r;
	return 0;
}

int profile_parse(const struct json *root, const struct profile_env *env, struct profile *profile)
{
	*profile = (struct profile){0};
	int r = parse_rules(root, env, profile);

	if (r < 0)
		profile_free(profile);
	return r;
}
