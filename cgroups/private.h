/* What the files of cgroups/ share with each other, and with their unit tests; nobody else includes it. */
#pragma once

#include <linux/bpf.h>
#include <stdlib.h>

#include "cgroups/cgroup.h"

/* --- mount.c, cgroup.c ------------------------------------------------------------------------------ */

/* The mount point of the next cgroup2 that *TEXT, in the format of /proc/PID/mountinfo, lists, past which *TEXT
 * is moved; the caller frees it. NULL when there is none. */
char *mountinfo_cgroup2(const char **text);

/* An O_PATH fd of the hierarchy's root. Records the failure. */
int cgroup_open_root(void);

/* A directory below DIRFD by RELATIVE path, which may lead over no symlink, no "..", no other mount.
 * Records nothing. */
int cgroup_open_below(int dirfd, const char *relative);

/* PATH as seen from the root: without the leading slashes. */
const char *cgroup_relative(const char *path);

/* --- controllers.c ---------------------------------------------------------------------------------- */

#define CONTROLLER_NAME_MAX 15
#define CONTROLLERS_MAX 16

/* The controllers that a set of limits needs; each with the limit that needs it, for the message. */
struct controller_needs {
	struct {
		char name[CONTROLLER_NAME_MAX + 1];
		const char *limit; /* borrowed: "memory limit" */
	} v[CONTROLLERS_MAX];
	size_t n;
};

/* Adds the controller whose name is the first LEN bytes of NAME. -EINVAL, recorded, when that is no name
 * of a controller. */
int controller_need(struct controller_needs *needs, const char *name, size_t len, const char *limit);

/* Makes every controller of NEEDS available in CG, enabling it in the ancestors that lack it. Records. */
int controllers_enable(const struct cgroup *cg, const struct controller_needs *needs);

/* True when LIST, words with spaces between, has the word NAME. */
bool controller_listed(const char *list, const char *name);

/* --- convert.c: the OCI spec speaks cgroup v1, these say it in v2's units ------------------------------ */

/* cpu.weight (1..10000) for v1's cpu.shares (2..262144; others are brought into the range). */
uint64_t cpu_weight_from_shares(int64_t shares);

/* io.weight (1..10000) for v1's blkio.weight (10..1000), and back. */
uint64_t io_weight_from_blkio(int64_t weight);
uint64_t blkio_weight_from_io(int64_t weight);

/* memory.swap.max for OCI's TOTAL of memory and swap beside a memory limit of MEMORY bytes, where
 * LIMIT_UNSET leaves *SWAP unset. -EINVAL, recorded, when the two do not fit together. */
int swap_from_total(int64_t total, int64_t memory, int64_t *swap);

/* --- limits.c ----------------------------------------------------------------------------------------- */

/* Applies LIMITS; FRESH says that the cgroup was made just now, so that nothing of an earlier
 * configuration has to be read or replaced. */
int limits_apply(const struct cgroup *cg, const struct cgroup_limits *limits, bool fresh);

/* The files for which a table does not do: limits_io.c. */
int limits_apply_io(const struct cgroup *cg, const struct cgroup_limits *limits);

/* Writes VALUE to an interface file. Records the failure. */
int limit_write(const struct cgroup *cg, const char *file, const char *value);
/* The same, where a file that this kernel lacks is -ENOENT, not recorded. */
int limit_try_write(const struct cgroup *cg, const char *file, const char *value);

/* --- devices.c, device_filter.c -------------------------------------------------------------------------- */

/* More rules than any caller has; bounds the program's size and the verifier's work. */
#define DEVICE_RULES_MAX 1024

struct device_program {
	struct bpf_insn *insns; /* owned */
	size_t n;
	bool allows_all; /* refuses nothing: as good as none */
};

/* Translates RULES. Records the failure. */
int device_program_build(const struct device_rule *rules, size_t n, struct device_program *program);

static inline void device_program_free(struct device_program *program)
{
	free(program->insns);
}

/* Puts the filter that RULES describe on CG, in the place of an earlier one of ours unless FRESH. */
int device_filter_set(const struct cgroup *cg, const struct device_rule *rules, size_t n, bool fresh);
/* Takes our filters off. */
int device_filter_clear(const struct cgroup *cg);

/* --- control.c ------------------------------------------------------------------------------------------ */

/* Waits until KEY ("populated", "frozen") of DIRFD's cgroup.events is WANT: 0, -ETIMEDOUT, -ENODEV when the
 * cgroup is gone, or another errno. A negative TIMEOUT_MS waits for ever. Records nothing. */
int cgroup_wait(int dirfd, const char *key, bool want, int timeout_ms);

/* The value of KEY in cgroup.events, or as cgroup_wait. */
int cgroup_event(int dirfd, const char *key);

/* How cgroup_kill works where there is no cgroup.kill (Linux before 5.14): freeze, then SIGKILL to each. */
int cgroup_kill_each(const struct cgroup *cg);
