/*
 * The policy of a container that nobody wrote a profile for: what the field's engines give one, so
 * that an image that runs there runs here. A list of what is allowed; all else is EPERM, or ENOSYS
 * where it is newer than the list (compile.h says how).
 *
 * It is docker's and containerd's policy rather than podman's, which lets a container mount, unshare
 * and use keyrings. Where it differs from docker's, the row says so.
 *
 * A syscall that an architecture does not have is simply not there, so one list serves all.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>

#include "runtime/ctr-seccomp/profile.h"

/* clone's namespace flags but the time namespace's, which clone (unlike clone3) has no bit for. */
#define CLONE_NAMESPACES                                                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* The formatter would give each name a line of its own. */
/* clang-format off */
static const char *const files[] = {
	"access", "chdir", "chmod", "chown", "chown32", "close", "close_range", "creat", "dup", "dup2", "dup3",
	"faccessat", "faccessat2", "fallocate", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32",
	"fchownat", "fcntl", "fcntl64", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat",
	"fstat64", "fstatat64", "fstatfs", "fstatfs64", "ftruncate", "ftruncate64", "futimesat", "getcwd", "getdents",
	"getdents64", "getxattr", "getxattrat", "ioctl", "lchown", "lchown32", "lgetxattr", "link", "linkat",
	"listmount", "listxattr", "listxattrat", "llistxattr", "_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat",
	"lstat64", "mkdir", "mkdirat", "mknod", "mknodat", "name_to_handle_at", "newfstatat", "open", "openat",
	"openat2", "readlink", "readlinkat", "removexattr", "removexattrat", "rename", "renameat", "renameat2", "rmdir",
	"setxattr", "setxattrat", "stat", "stat64", "statfs", "statfs64", "statmount", "statx", "symlink", "symlinkat",
	"truncate", "truncate64", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimensat_time64", "utimes",
};

static const char *const input_output[] = {
	"arm_fadvise64_64", "arm_sync_file_range", "cachestat", "copy_file_range", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd",
	"eventfd2", "fadvise64", "fadvise64_64", "fanotify_mark", "fdatasync", "fsync", "inotify_add_watch",
	"inotify_init", "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
	"io_pgetevents_time64", "io_setup", "io_submit", "_newselect", "pipe", "pipe2", "poll", "ppoll", "ppoll_time64",
	"pread64", "preadv", "preadv2", "pselect6", "pselect6_time64", "pwrite64", "pwritev", "pwritev2", "read",
	"readahead", "readv", "select", "sendfile", "sendfile64", "splice", "sync", "sync_file_range",
	"sync_file_range2", "syncfs", "tee", "vmsplice", "write", "writev",
};

static const char *const memory[] = {
	"brk", "cacheflush", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret", "mincore",
	"mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync", "munlock", "munlockall",
	"munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "remap_file_pages", "riscv_flush_icache",
};

/* ptrace and its kin since Linux 4.8, before which a tracer could get round this very filter; no kernel
 * that ctr runs on is older. */
static const char *const processes[] = {
	"arch_prctl", "breakpoint", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork", "futex",
	"futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "getcpu", "getegid", "getegid32",
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getpgid", "getpgrp", "getpid",
	"getppid", "getpriority", "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit",
	"get_robust_list", "getrusage", "getsid", "get_thread_area", "gettid", "getuid", "getuid32", "ioprio_get",
	"ioprio_set", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "modify_ldt",
	"pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "process_mrelease", "process_vm_readv",
	"process_vm_writev", "ptrace", "riscv_hwprobe", "rseq", "sched_getaffinity", "sched_getattr", "sched_getparam",
	"sched_get_priority_max", "sched_get_priority_min", "sched_getscheduler", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
	"sched_yield", "seccomp", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setpgid", "setpriority", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid",
	"setresuid32", "setreuid", "setreuid32", "setrlimit", "set_robust_list", "setsid", "set_thread_area",
	"set_tid_address", "set_tls", "setuid", "setuid32", "sysinfo", "ugetrlimit", "uname", "uretprobe", "vfork",
	"wait4", "waitid", "waitpid",
};

static const char *const signals_and_time[] = {
	"adjtimex", "alarm", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "getitimer", "getrandom", "gettimeofday",
	"kill", "nanosleep", "pause", "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64",
	"rt_tgsigqueueinfo", "setitimer", "sigaltstack", "signalfd", "signalfd4", "sigprocmask", "sigreturn", "tgkill",
	"time", "timer_create", "timer_delete", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
	"timerfd_settime", "timerfd_settime64", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
	"timer_settime64", "times", "tkill",
};

/* socketcall takes its arguments from memory, so that no filter can refuse a family there; without it
 * 32-bit programs of a C library built for kernels before 4.3 (Debian's) have no network at all. */
static const char *const sockets_and_ipc[] = {
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "ipc", "listen",
	"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
	"mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "recv", "recvfrom", "recvmmsg",
	"recvmmsg_time64", "recvmsg", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send",
	"sendmmsg", "sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "socketcall",
	"socketpair",
};

/* Nobody's profile but podman's has pivot_root, and docker's no open_tree_attr; who may mount gains nothing by
 * them, and a nested container engine or an init system needs them. */
static const char *const with_sys_admin[] = {
	"bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie",
	"lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "mount", "mount_setattr", "move_mount",
	"open_tree", "open_tree_attr", "perf_event_open", "pivot_root", "quotactl", "quotactl_fd", "setdomainname",
	"sethostname", "setns", "syslog", "umount", "umount2", "unshare",
};

static const char *const with_sys_ptrace[] = {"kcmp", "pidfd_getfd", "process_madvise"};
static const char *const with_sys_module[] = {"delete_module", "finit_module", "init_module"};
static const char *const with_sys_time[] = {"clock_settime", "clock_settime64", "settimeofday", "stime"};
static const char *const with_sys_nice[] = {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"};
static const char *const with_sys_rawio[] = {"ioperm", "iopl"};
static const char *const with_sys_boot[] = {"reboot"};
static const char *const with_sys_chroot[] = {"chroot"};
static const char *const with_sys_pacct[] = {"acct"};
static const char *const with_sys_tty_config[] = {"vhangup"};
static const char *const with_dac_read_search[] = {"open_by_handle_at"};
static const char *const with_syslog[] = {"syslog"};
static const char *const with_bpf[] = {"bpf"};
static const char *const with_perfmon[] = {"perf_event_open"};
/* clang-format on */

#define ALWAYS (-1)
#define NAMES(list) list, ARRAY_SIZE(list)

static const struct {
	int cap; /* the capability it takes, or ALWAYS */
	const char *const *names;
	size_t n;
} allowed[] = {
	{ALWAYS, NAMES(files)},
	{ALWAYS, NAMES(input_output)},
	{ALWAYS, NAMES(memory)},
	{ALWAYS, NAMES(processes)},
	{ALWAYS, NAMES(signals_and_time)},
	{ALWAYS, NAMES(sockets_and_ipc)},
	{CAP_SYS_ADMIN, NAMES(with_sys_admin)},
	{CAP_SYS_PTRACE, NAMES(with_sys_ptrace)},
	{CAP_SYS_MODULE, NAMES(with_sys_module)},
	{CAP_SYS_TIME, NAMES(with_sys_time)},
	{CAP_SYS_NICE, NAMES(with_sys_nice)},
	{CAP_SYS_RAWIO, NAMES(with_sys_rawio)},
	{CAP_SYS_BOOT, NAMES(with_sys_boot)},
	{CAP_SYS_CHROOT, NAMES(with_sys_chroot)},
	{CAP_SYS_PACCT, NAMES(with_sys_pacct)},
	{CAP_SYS_TTY_CONFIG, NAMES(with_sys_tty_config)},
	{CAP_DAC_READ_SEARCH, NAMES(with_dac_read_search)},
	{CAP_SYSLOG, NAMES(with_syslog)},
	{CAP_BPF, NAMES(with_bpf)},
	{CAP_PERFMON, NAMES(with_perfmon)},
};

/* An int argument: the kernel does not look at the upper half of its register, so neither must a test,
 * or a program gets past it by setting a bit there. */
#define INT_IS(arg, number)                                                                                            \
	{                                                                                                              \
		.index = (arg), .op = ARG_MASKED_EQ, .value = UINT32_MAX, .value_two = (number)                        \
	}
/* The same with the lowest BITS free. */
#define INT_UNDER(arg, number, bits)                                                                                   \
	{                                                                                                              \
		.index = (arg), .op = ARG_MASKED_EQ, .value = UINT32_MAX & ~((1U << (bits)) - 1),                      \
		.value_two = (number)                                                                                  \
	}

/* Linux, or Linux 32-bit, each also as UNAME26; and the question which one it is (personality(2)). */
static const struct arg_test personalities[] = {
	INT_IS(0, 0), INT_IS(0, 0x0008), INT_IS(0, 0x20000), INT_IS(0, 0x20008), INT_IS(0, 0xffffffff),
};

/*
 * Every socket family but AF_ALG (38; the kernel's crypto code, no use in a container and a way out of
 * one more than once) and AF_VSOCK (40; it has no namespaces and reaches the host from any of them).
 * docker's policy allows all above 40 too; new families can wait for a list that has them.
 */
static const struct arg_test families[] = {
	INT_UNDER(0, 0, 5), INT_UNDER(0, 32, 2), INT_UNDER(0, 36, 1), INT_IS(0, 39),
	INT_IS(0, 41),      INT_UNDER(0, 42, 1), INT_UNDER(0, 44, 1),
};
_Static_assert(AF_ALG == 38 && AF_VSOCK == 40, "the families left out");

/* Without its capability the audit socket can be opened but not used, which libaudit and so PAM take
 * for a failed login; EINVAL is how a kernel without auditing answers. podman's policy. */
static const struct arg_test audit_socket[] = {INT_IS(0, AF_NETLINK), INT_IS(2, NETLINK_AUDIT)};

static const struct arg_test clone_plain[] = {
	{.index = 0, .op = ARG_MASKED_EQ, .value = CLONE_NAMESPACES, .value_two = 0},
};

static void add_tested(struct profile *profile, const char *name, uint32_t action, const struct arg_test *tests,
		       unsigned int n)
{
	profile_add_rule(profile, name, action, profile_add_tests(profile, tests, n), n);
}

/* One rule for each of the tests. */
static void allow_any(struct profile *profile, const char *name, const struct arg_test *tests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_tested(profile, name, SECCOMP_RET_ALLOW, &tests[i], 1);
}

static bool has_cap(const struct profile_env *env, int cap)
{
	return cap == ALWAYS || env->caps >> cap & 1;
}

/* Namespaces are for those with CAP_SYS_ADMIN: a user namespace gives anybody every capability against
 * kernel code that was written for root. clone3 has its flags in memory; ENOSYS sends a C library back
 * to clone. */
static void restrict_clone(struct profile *profile)
{
	add_tested(profile, "clone", SECCOMP_RET_ALLOW, clone_plain, ARRAY_SIZE(clone_plain));
	profile_add_rule(profile, "clone3", SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

void profile_default(const struct profile_env *env, struct profile *profile)
{
	*profile = (struct profile){.default_action = SECCOMP_RET_ERRNO | EPERM};
	profile_add_arch(profile, AUDIT_ARCH_X86_64);
	profile_add_arch(profile, AUDIT_ARCH_I386);
	profile_add_arch(profile, ARCH_X32);
	profile_add_arch(profile, AUDIT_ARCH_AARCH64);
	profile_add_arch(profile, AUDIT_ARCH_ARM);
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		for (size_t k = 0; has_cap(env, allowed[i].cap) && k < allowed[i].n; k++)
			profile_add_rule(profile, allowed[i].names[k], SECCOMP_RET_ALLOW, 0, 0);
	if (!has_cap(env, CAP_SYS_ADMIN))
		restrict_clone(profile);
	allow_any(profile, "personality", personalities, ARRAY_SIZE(personalities));
	allow_any(profile, "socket", families, ARRAY_SIZE(families));
	if (!has_cap(env, CAP_AUDIT_WRITE))
		add_tested(profile, "socket", SECCOMP_RET_ERRNO | EINVAL, audit_socket, ARRAY_SIZE(audit_socket));
}
