/* What may be limited in a cgroup: the C form of the OCI spec's linux.resources. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An unset number; the interface file is then left alone. So it is for a 0, which callers written in Go give
 * for what they do not set, wherever 0 makes no sense: memory, shares, quota, period, weight. */
#define LIMIT_UNSET INT64_MIN
/* A limit that is explicitly none (written as "max"); this needs no controller. */
#define LIMIT_MAX (-1)

struct io_limit {
	uint32_t major, minor;
	int64_t rbps, wbps, riops, wiops; /* LIMIT_UNSET, or a rate; 0 lifts the limit */
	int64_t weight;                   /* 1..10000 in cgroup2's scale, or LIMIT_UNSET */
};

struct hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};

struct key_value {
	const char *key, *value;
};

/* One rule of the device filter. For each of the accesses by itself, the last rule that matches decides; what
 * none matches is refused. One of read, write and mknod must be set. The filter needs root on the host: in a
 * user namespace, where nobody can make device nodes, leave the rules out. */
struct device_rule {
	bool allow;
	char type;            /* 'b', 'c' or 'a' for both */
	int64_t major, minor; /* -1: any */
	bool read, write, mknod;
};

/* All pointers are borrowed from the caller. Initialise with CGROUP_LIMITS_NONE. */
struct cgroup_limits {
	int64_t memory_max, memory_low, memory_swap; /* bytes; memory_swap = memory + swap as in OCI */
	bool memory_check_before_update;
	int64_t cpu_shares;                       /* the v1 scale 2..262144, converted to cpu.weight */
	int64_t cpu_quota, cpu_period, cpu_burst; /* microseconds */
	int64_t cpu_idle;
	const char *cpus, *mems; /* cpuset lists, NULL unset */
	int64_t pids_max;        /* 0 is taken as 1, which inside is the same */
	int64_t io_weight;       /* v1 scale 10..1000 as in OCI blockIO.weight */
	const struct io_limit *io;
	size_t n_io;
	const struct hugepage_limit *hugepages;
	size_t n_hugepages;
	const struct key_value *unified; /* file name -> text, written line by line */
	size_t n_unified;
	const struct device_rule *devices;
	size_t n_devices; /* 0: no device program at all */
};

#define CGROUP_LIMITS_NONE                                                                                             \
	((struct cgroup_limits){.memory_max = LIMIT_UNSET,                                                             \
				.memory_low = LIMIT_UNSET,                                                             \
				.memory_swap = LIMIT_UNSET,                                                            \
				.cpu_shares = LIMIT_UNSET,                                                             \
				.cpu_quota = LIMIT_UNSET,                                                              \
				.cpu_period = LIMIT_UNSET,                                                             \
				.cpu_burst = LIMIT_UNSET,                                                              \
				.cpu_idle = LIMIT_UNSET,                                                               \
				.pids_max = LIMIT_UNSET,                                                               \
				.io_weight = LIMIT_UNSET})
