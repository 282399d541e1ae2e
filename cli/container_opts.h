/* The options of `run` and `create`. */
#pragma once

#include "cli/opt.h"

struct container_opts {
	/* how it runs */
	bool detach, interactive, tty, remove;
	const char *name, *cidfile, *stop_signal;
	uint64_t stop_timeout;
	struct strv labels, label_files, annotations;
	/* the process */
	struct strv env, env_files, groups, ulimits;
	const char *workdir, *user, *entrypoint, *umask;
	/* the root filesystem and mounts */
	bool rootfs, read_only;
	struct strv volumes, mounts, tmpfs;
	uint64_t shm_size;
	/* names and namespaces */
	const char *hostname, *domainname, *network, *ipc, *pid, *uts, *userns, *cgroupns, *cgroup_parent;
	struct strv add_hosts, uid_maps, sysctls;
	int64_t time_offset;
	/* privileges */
	bool privileged;
	struct strv cap_add, cap_drop, security, devices, device_rules;
	/* resources */
	uint64_t memory, memory_reservation, cpu_shares, cpu_period, blkio_weight;
	int64_t cpu_quota, pids_limit, oom_score_adj;
	const char *memory_swap, *cpus, *cpuset_cpus, *cpuset_mems;
	struct strv read_bps, write_bps, read_iops, write_iops, cgroup_conf;
	/* the log */
	struct strv log_opts;
	const char *log_driver;
};

extern const struct opt run_options[], create_options[];
extern const struct container_opts container_defaults;
