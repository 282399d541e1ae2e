/*
 * Control groups, version 2 (Documentation/admin-guide/cgroup-v2.rst).
 *
 * A container has one cgroup, named by a path below the root of the cgroup2 hierarchy ("/ctr/ID").
 * Everything is done from directory fds. On a hybrid host cgroup2 has no controllers, but freezing,
 * killing, device programs and CLONE_INTO_CGROUP work; asking there for a limit is an error that names
 * the controller and the way out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroups/limits.h"

struct cgroup {
	int fd;     /* O_DIRECTORY fd of the cgroup, for clone3's CLONE_INTO_CGROUP; -EBADF when none */
	char *path; /* owned; as given to cgroup_create */
};

#define CGROUP_NONE ((struct cgroup){.fd = -EBADF})

/* Where cgroup2 is mounted ("/sys/fs/cgroup" or, on a hybrid host, ".../unified"); found once and kept.
 * NULL, recorded, when there is no cgroup2 mount. */
const char *cgroup_mount_point(void);

/*
 * Makes the cgroup at PATH (and its parents, enabling in each of them the controllers that LIMITS
 * needs, no others) and applies LIMITS (NULL: none). An existing cgroup is -EBUSY when it has processes,
 * else taken over: thawed, and rid of our device filter. On failure nothing that was made is left. Records
 * the failure; -EOPNOTSUPP when a limit's controller is not to be had, -EBUSY when an ancestor has processes
 * of its own, -EINVAL for a path that does not begin with a slash, is the root, or has "." or ".." or control
 * characters in it.
 */
int cgroup_create(const char *path, const struct cgroup_limits *limits, struct cgroup *cg);

/* Opens an existing cgroup; -ENOENT when it is gone. */
int cgroup_open(const char *path, struct cgroup *cg);

/* Applies the fields of LIMITS that are set to an existing cgroup; device rules replace the filter that
 * there was. What was applied before a failure stays. */
int cgroup_set_limits(const struct cgroup *cg, const struct cgroup_limits *limits);

/* Stops or resumes every process and returns when the kernel says that they are (cgroup.events): -ETIMEDOUT
 * after 10 s, and what could not be frozen runs again. */
int cgroup_freeze(const struct cgroup *cg, bool frozen);
/* 1 frozen, 0 not, or negative errno. */
int cgroup_is_frozen(const struct cgroup *cg);

/* Kills every process below, frozen ones too, and waits until none is left (at most TIMEOUT_MS, then
 * -ETIMEDOUT; negative: for ever). A cgroup that is gone is a success. */
int cgroup_kill(const struct cgroup *cg, int timeout_ms);

/* Removes the cgroup and those below it, not its parents; waits up to 5 s for the last processes to be gone,
 * then -EBUSY. A cgroup that is gone already is a success. */
int cgroup_remove(const struct cgroup *cg);

/* The usual end in one system call: removes the cgroup at PATH when nothing is in it, -EBUSY (nothing
 * recorded) when something is. */
int cgroup_remove_empty(const char *path);

/* The pids of every process in the cgroup and below that this pid namespace sees; caller frees *PIDS (NULL
 * when there are none). */
int cgroup_pids(const struct cgroup *cg, pid_t **pids, size_t *n);

/* Numbers for `stats`; a field whose controller is missing is CGROUP_UNKNOWN. */
#define CGROUP_UNKNOWN UINT64_MAX
/* The value of memory_max and pids_max when there is no limit. */
#define CGROUP_UNLIMITED (UINT64_MAX - 1)
struct cgroup_stats {
	uint64_t cpu_usage_us, cpu_user_us, cpu_system_us, cpu_periods, cpu_throttled, cpu_throttled_us;
	uint64_t memory_current, memory_peak, memory_max, memory_anon, memory_file, oom_kills;
	uint64_t pids_current, pids_max;
	uint64_t io_read_bytes, io_write_bytes, io_reads, io_writes;
};
int cgroup_read_stats(const struct cgroup *cg, struct cgroup_stats *stats);

void cgroup_close(struct cgroup *cg);
