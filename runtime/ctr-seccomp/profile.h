/*
 * A seccomp profile as rules: what a profile's JSON, or the built-in policy, says, before anything is
 * known of syscall numbers.
 *
 * The JSON is the OCI runtime spec's linux.seccomp, or the format of docker's and podman's profile
 * files, which is the same with conditions (on capabilities, the architecture, the kernel) added.
 */
#pragma once

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* Architectures go by libseccomp's tokens: the kernel's AUDIT_ARCH_*, and one of its own for x32, which
 * the kernel does not tell from x86_64. */
#define ARCH_X32 (EM_X86_64 | __AUDIT_ARCH_LE)
#define ARCHS_MAX 32
#define SYSCALL_ARGS 6

enum arg_op { ARG_NE, ARG_LT, ARG_LE, ARG_EQ, ARG_GE, ARG_GT, ARG_MASKED_EQ };

/* "Argument INDEX OP VALUE"; for ARG_MASKED_EQ "(argument & VALUE) == VALUE_TWO". */
struct arg_test {
	unsigned int index;
	enum arg_op op;
	uint64_t value, value_two;
};

/* ACTION (a seccomp return value, its data included) for syscall NAME when all its tests hold. */
struct profile_rule {
	const char *name; /* not owned */
	uint32_t action;
	unsigned int first_test, n_tests; /* in profile.tests */
};

struct profile {
	uint32_t default_action;
	uint32_t archs[ARCHS_MAX];
	size_t n_archs;
	struct profile_rule *rules;
	size_t n_rules, cap_rules;
	struct arg_test *tests;
	size_t n_tests, cap_tests;
};

/* What the conditions of a profile file are asked about. */
struct profile_env {
	uint64_t caps; /* the container's bounding set, bit n is capability n */
	uint32_t arch; /* the host's */
	unsigned int kernel_major, kernel_minor;
};

/* Records the failure, which names the member. The rules point into ROOT's document. */
int profile_parse(const struct json *root, const struct profile_env *env, struct profile *profile);

/* The policy of a container that nobody wrote a profile for. */
void profile_default(const struct profile_env *env, struct profile *profile);

/* Adds a rule whose tests are the N_TESTS from FIRST_TEST on; several rules may share theirs. */
void profile_add_rule(struct profile *profile, const char *name, uint32_t action, unsigned int first_test,
		      unsigned int n_tests);
/* Where in profile.tests they are from then on. */
unsigned int profile_add_tests(struct profile *profile, const struct arg_test *tests, unsigned int n);
/* Adds one of arch_by_name's, which are fewer than ARCHS_MAX, unless it is there. */
void profile_add_arch(struct profile *profile, uint32_t arch);
void profile_free(struct profile *profile);

/* The token of "SCMP_ARCH_X86_64"; 0 when there is none. */
uint32_t arch_by_name(const char *name);

/*
 * Whether a rule with these conditions ("includes", "excludes": what must and what must not be so)
 * takes part: 1, 0, or negative errno, recorded.
 */
int conditions_hold(const struct json *rule, const struct profile_env *env);
