#include "cli/container_opts.h"

#define AT(field) offsetof(struct container_opts, field)

/* oom_score_adj, quota and pids limits have meaningful negative values; this one has not. */
#define UNSET INT64_MIN

const struct container_opts container_defaults = {
	.stop_timeout = 10,
	.cpu_quota = UNSET,
	.pids_limit = UNSET,
	.oom_score_adj = UNSET,
	.shm_size = 64 << 20,
};

#define COMMON_OPTIONS                                                                                                   \
	{OPT_STR, 0, "name", "NAME", "Name of the container (default: a generated one)", AT(name)},                      \
		{OPT_FLAG, 'i', "interactive", NULL, "Keep standard input open", AT(interactive)},                       \
		{OPT_FLAG, 't', "tty", NULL, "Give it a terminal", AT(tty)},                                             \
		{OPT_FLAG, 0, "rm", NULL, "Remove the container when it ends", AT(remove)},                              \
		{OPT_STR, 0, "cidfile", "FILE", "Write the container's id to FILE", AT(cidfile)},                        \
		{OPT_STRS, 'l', "label", "KEY=VALUE", "Set a label", AT(labels)},                                        \
		{OPT_STRS, 0, "label-file", "FILE", "Set the labels in FILE, one a line", AT(label_files)},              \
		{OPT_STRS, 0, "annotation", "KEY=VALUE", "Set an annotation of the OCI spec", AT(annotations)},          \
		{OPT_STR, 0, "stop-signal", "SIGNAL", "What `ctr stop` sends first (default TERM)", AT(stop_signal)},    \
		{OPT_U64,         0, "stop-timeout", "SECONDS", "How long `ctr stop` waits before KILL (default 10)",    \
		 AT(stop_timeout)},                                                                                      \
		{OPT_STR, 0, "log-driver", "DRIVER", "k8s-file (default) or none", AT(log_driver)},                      \
		{OPT_STRS,    0, "log-opt", "max-size=SIZE", "When to begin a new log file (default 16m, 0 never)",      \
		 AT(log_opts)},                                                                                          \
		{OPT_HEADING, 0, "Process", NULL, NULL, 0},                                                              \
		{OPT_STRS, 'e', "env", "NAME[=VALUE]", "Set a variable; without a value: ours", AT(env)},                \
		{OPT_STRS, 0, "env-file", "FILE", "Set the variables in FILE, one a line", AT(env_files)},               \
		{OPT_STR, 'w', "workdir", "DIR", "Working directory", AT(workdir)},                                      \
		{OPT_STR, 'u', "user", "USER[:GROUP]", "User and group, by name or number", AT(user)},                   \
		{OPT_STRS, 0, "group-add", "GROUP", "A further group, by number", AT(groups)},                           \
		{OPT_STR,       0, "entrypoint", "PROGRAM", "Instead of the image's entrypoint ('' for none)",           \
		 AT(entrypoint)},                                                                                        \
		{OPT_STRS, 0, "ulimit", "NAME=SOFT[:HARD]", "A resource limit (nofile=1024:4096)", AT(ulimits)},         \
		{OPT_STR, 0, "umask", "OCTAL", "File mode mask (default 0022)", AT(umask)},                              \
		{OPT_HEADING, 0, "Files", NULL, NULL, 0},                                                                \
		{OPT_FLAG, 0, "rootfs", NULL, "IMAGE is a directory of the host, used as it is", AT(rootfs)},            \
		{OPT_FLAG, 0, "read-only", NULL, "Make the root filesystem read-only", AT(read_only)},                   \
		{OPT_STRS,   'v', "volume", "HOST:CTR[:OPTS]", "Mount a directory or file of the host (ro, ...)",        \
		 AT(volumes)},                                                                                           \
		{OPT_STRS,  0, "mount", "type=...,...", "Mount: type=bind|tmpfs, source=, destination=, readonly",       \
		 AT(mounts)},                                                                                            \
		{OPT_STRS, 0, "tmpfs", "DIR[:OPTS]", "Mount a tmpfs (size=64m,mode=1777)", AT(tmpfs)},                   \
		{OPT_BYTES, 0, "shm-size", "SIZE", "Size of /dev/shm (default 64m)", AT(shm_size)},                      \
		{OPT_HEADING, 0, "Names and namespaces", NULL, NULL, 0},                                                 \
		{OPT_STR, 'h', "hostname", "NAME", "Host name (default: the short id)", AT(hostname)},                   \
		{OPT_STR, 0, "domainname", "NAME", "NIS domain name", AT(domainname)},                                   \
		{OPT_STR, 0, "network", "MODE", "none (default), host, container:NAME or ns:PATH", AT(network)},         \
		{OPT_STRS, 0, "add-host", "NAME:ADDRESS", "A line for /etc/hosts", AT(add_hosts)},                       \
		{OPT_STR, 0, "ipc", "MODE", "private (default), host, container:NAME or ns:PATH", AT(ipc)},              \
		{OPT_STR, 0, "pid", "MODE", "private (default), host, container:NAME or ns:PATH", AT(pid)},              \
		{OPT_STR, 0, "uts", "MODE", "private (default), host, container:NAME or ns:PATH", AT(uts)},              \
		{OPT_STR, 0, "cgroupns", "MODE", "private (default) or host", AT(cgroupns)},                             \
		{OPT_STR, 0, "userns", "MODE", "host (default) or auto: a range of ids of its own", AT(userns)},         \
		{OPT_STRS,    0, "uidmap", "CTR:HOST:SIZE", "Map ids (users and groups) in a user namespace",            \
		 AT(uid_maps)},                                                                                          \
		{OPT_I64,        0, "time-offset", "SECONDS", "A time namespace whose boot was that much earlier",       \
		 AT(time_offset)},                                                                                       \
		{OPT_STRS, 0, "sysctl", "NAME=VALUE", "Set a sysctl of the container's namespaces", AT(sysctls)},        \
		{OPT_HEADING, 0, "Privileges", NULL, NULL, 0},                                                           \
		{OPT_STRS, 0, "cap-add", "CAP", "Add a capability, or ALL", AT(cap_add)},                                \
		{OPT_STRS, 0, "cap-drop", "CAP", "Drop a capability, or ALL", AT(cap_drop)},                             \
		{OPT_FLAG,      0, "privileged", NULL, "All capabilities and devices, no seccomp, nothing masked",       \
		 AT(privileged)},                                                                                        \
		{OPT_STRS,                                                                                               \
		 0,                                                                                                      \
		 "security-opt",                                                                                         \
		 "OPTION",                                                                                               \
		 "seccomp=FILE|unconfined, no-new-privileges[=false], apparmor=PROFILE, systempaths=unconfined",         \
		 AT(security)},                                                                                          \
		{OPT_STRS, 0, "device", "HOST[:CTR][:rwm]", "Give it a device of the host", AT(devices)},                \
		{OPT_STRS, 0, "device-cgroup-rule", "RULE", "Allow devices: \"c 10:* rwm\"", AT(device_rules)},          \
		{OPT_HEADING, 0, "Resources", NULL, NULL, 0},                                                            \
		{OPT_BYTES, 'm', "memory", "SIZE", "Memory limit (512m)", AT(memory)},                                   \
		{OPT_STR, 0, "memory-swap", "SIZE", "Memory and swap together; -1: unlimited swap", AT(memory_swap)},    \
		{OPT_BYTES,                                                                                              \
		 0,                                                                                                      \
		 "memory-reservation",                                                                                   \
		 "SIZE",                                                                                                 \
		 "Memory that is kept from reclaim",                                                                     \
		 AT(memory_reservation)},                                                                                \
		{OPT_STR, 0, "cpus", "NUMBER", "How many CPUs' worth of time (1.5)", AT(cpus)},                          \
		{OPT_U64, 0, "cpu-shares", "N", "Weight against others, 2 to 262144 (1024 is usual)", AT(cpu_shares)},   \
		{OPT_I64, 0, "cpu-quota", "US", "CPU time in a period", AT(cpu_quota)},                                  \
		{OPT_U64, 0, "cpu-period", "US", "Length of the period (default 100000)", AT(cpu_period)},               \
		{OPT_STR, 0, "cpuset-cpus", "LIST", "CPUs it may use (0-2,4)", AT(cpuset_cpus)},                         \
		{OPT_STR, 0, "cpuset-mems", "LIST", "Memory nodes it may use", AT(cpuset_mems)},                         \
		{OPT_I64, 0, "pids-limit", "N", "How many processes and threads; -1: no limit", AT(pids_limit)},         \
		{OPT_U64, 0, "blkio-weight", "N", "I/O weight, 10 to 1000", AT(blkio_weight)},                           \
		{OPT_STRS, 0, "device-read-bps", "DEVICE:RATE", "Limit reading, bytes a second", AT(read_bps)},          \
		{OPT_STRS, 0, "device-write-bps", "DEVICE:RATE", "Limit writing, bytes a second", AT(write_bps)},        \
		{OPT_STRS, 0, "device-read-iops", "DEVICE:RATE", "Limit reading, operations a second", AT(read_iops)},   \
		{OPT_STRS, 0, "device-write-iops", "DEVICE:RATE", "Limit writing, operations a second", AT(write_iops)}, \
		{OPT_STRS, 0, "cgroup-conf", "FILE=VALUE", "Write a cgroup file as it is", AT(cgroup_conf)},             \
		{OPT_STR, 0, "cgroup-parent", "PATH", "Where its cgroup is made (default /ctr)", AT(cgroup_parent)},     \
		{OPT_I64, 0, "oom-score-adj", "N", "Out-of-memory preference, -1000 to 1000", AT(oom_score_adj)},        \
		OPT_END

const struct opt run_options[] = {
	{OPT_FLAG, 'd', "detach", NULL, "Run in the background and print the id", AT(detach)},
	COMMON_OPTIONS,
};

const struct opt create_options[] = {COMMON_OPTIONS};
