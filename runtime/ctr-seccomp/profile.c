#include "runtime/ctr-seccomp/profile.h"

void profile_add_rule(struct profile *profile, const char *name, uint32_t action, unsigned int first_test,
		      unsigned int n_tests)
{
	if (profile->n_rules == profile->cap_rules) {
		profile->cap_rules = profile->cap_rules ? profile->cap_rules * 2 : 512;
		profile->rules = xreallocarray(profile->rules, profile->cap_rules, sizeof(*profile->rules));
	}
	profile->rules[profile->n_rules++] =
		(struct profile_rule){.name = name, .action = action, .first_test = first_test, .n_tests = n_tests};
}

unsigned int profile_add_tests(struct profile *profile, const struct arg_test *tests, unsigned int n)
{
	size_t first = profile->n_tests;

	if (first + n > profile->cap_tests) {
		profile->cap_tests = (first + n) * 2;
		profile->tests = xreallocarray(profile->tests, profile->cap_tests, sizeof(*profile->tests));
	}
	for (unsigned int i = 0; i < n; i++)
		profile->tests[profile->n_tests++] = tests[i];
	return (unsigned int)first;
}

void profile_add_arch(struct profile *profile, uint32_t arch)
{
	for (size_t i = 0; i < profile->n_archs; i++)
		if (profile->archs[i] == arch)
			return;
	if (profile->n_archs < ARCHS_MAX)
		profile->archs[profile->n_archs++] = arch;
}

void profile_free(struct profile *profile)
{
	free(profile->rules);
	free(profile->tests);
	*profile = (struct profile){0};
}
