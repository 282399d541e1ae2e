#include "base/error.h"
#include "runtime/caps.h"
#include "runtime/ctr-seccomp/profile.h"

/* The words of profile files for a host's architecture. */
static const struct {
	const char *name;
	uint32_t arch;
} hosts[] = {
	{"amd64", AUDIT_ARCH_X86_64},
	{"x86", AUDIT_ARCH_I386},
	{"x32", ARCH_X32},
	{"arm64", AUDIT_ARCH_AARCH64},
	{"arm", AUDIT_ARCH_ARM},
	{"riscv64", AUDIT_ARCH_RISCV64},
	{"s390x", AUDIT_ARCH_S390X},
	{"s390", AUDIT_ARCH_S390},
	{"ppc64le", AUDIT_ARCH_PPC64LE},
	{"ppc64", AUDIT_ARCH_PPC64},
	{"ppc", AUDIT_ARCH_PPC},
	{"mips", AUDIT_ARCH_MIPS},
	{"mips64", AUDIT_ARCH_MIPS64},
	{"mips64n32", AUDIT_ARCH_MIPS64N32},
	{"mipsel", AUDIT_ARCH_MIPSEL},
	{"mipsel64", AUDIT_ARCH_MIPSEL64},
	{"mipsel64n32", AUDIT_ARCH_MIPSEL64N32},
	{"loong64", AUDIT_ARCH_LOONGARCH64},
};

/* How the members of one "includes" or "excludes" turned out. */
struct outcome {
	bool any, all;
};

static void count(struct outcome *o, bool holds)
{
	o->any |= holds;
	o->all &= holds;
}

static int check_caps(const struct json *list, const struct profile_env *env, struct outcome *o)
{
	json_each(item, list) {
		int r = json_expect(item, JSON_STRING);

		if (r < 0)
			return r;
		int cap = cap_by_name(item->text);
		if (cap < 0)
			return json_refuse(item, "is \"%s\", which is not a capability", item->text);
		count(o, env->caps >> cap & 1);
	}
	return 0;
}

/* One architecture of the list is enough. */
static int check_arches(const struct json *list, const struct profile_env *env, struct outcome *o)
{
	bool found = false;

	json_each(item, list) {
		int r = json_expect(item, JSON_STRING);
		size_t i = 0;

		if (r < 0)
			return r;
		while (i < ARRAY_SIZE(hosts) && !streq(hosts[i].name, item->text))
			i++;
		if (i == ARRAY_SIZE(hosts))
			return json_refuse(item, "is \"%s\", which is not an architecture (amd64, arm64, ...)",
					   item->text);
		found |= hosts[i].arch == env->arch;
	}
	if (list && list->count)
		count(o, found);
	return 0;
}

static int check_kernel(const struct json *where, const struct profile_env *env, struct outcome *o)
{
	const char *text = NULL;
	uint64_t major, minor;
	int r = json_want_str(where, "minKernel", &text);

	if (r < 0 || !text || !*text)
		return r;
	_cleanup_(freep) char *copy = xstrdup(text);
	char *dot = strchr(copy, '.');
	if (dot)
		*dot = '\0';
	if (!dot || parse_u64(copy, UINT32_MAX, &major) < 0 || parse_u64(dot + 1, UINT32_MAX, &minor) < 0)
		return json_refuse(json_get(where, "minKernel"), "is \"%s\", which is not a version like 4.8", text);
	count(o, env->kernel_major > major || (env->kernel_major == major && env->kernel_minor >= minor));
	return 0;
}

static int check(const struct json *where, const struct profile_env *env, struct outcome *o)
{
	const struct json *caps = NULL, *arches = NULL;
	int r;

	*o = (struct outcome){.all = true};
	/* A condition that is not understood must not be taken for met. */
	json_each(member, where)
		if (!streq(member->key, "caps") && !streq(member->key, "arches") && !streq(member->key, "minKernel"))
			return json_refuse(member, "is not a condition (caps, arches, minKernel)");
	if ((r = json_want_array(where, "caps", &caps)) < 0 || (r = json_want_array(where, "arches", &arches)) < 0 ||
	    (r = check_caps(caps, env, o)) < 0 || (r = check_arches(arches, env, o)) < 0)
		return r;
	return check_kernel(where, env, o);
}

int conditions_hold(const struct json *rule, const struct profile_env *env)
{
	const struct json *includes = NULL, *excludes = NULL;
	struct outcome in, out;
	int r;

	if ((r = json_want_object(rule, "includes", &includes)) < 0 ||
	    (r = json_want_object(rule, "excludes", &excludes)) < 0 || (r = check(includes, env, &in)) < 0 ||
	    (r = check(excludes, env, &out)) < 0)
		return r;
	return in.all && !out.any;
}
