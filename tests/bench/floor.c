/* floor: one container run made of the necessary system calls only, the lower bound for a runtime.
 *
 *     floor [--bare] [--cgroup DIR] ROOTFS COMMAND [ARG...]
 *
 * It does, one after the other and hard-wired, what the config.json that `runc spec` writes asks for:
 * six namespaces, a cgroup with its device program, the seven mounts, device nodes, masked and
 * read-only paths, a read-only root, loopback, a host name, the capabilities, no_new_privs, a limit.
 * What a runtime must add (reading JSON, checking it, state on disk, resolving paths without trusting
 * the image, hooks, a monitor) is what the distance to this row is the price of.
 *
 * --cgroup DIR  make DIR, start the container in it, remove it
 * --bare        the minimal sandbox instead: six namespaces, root, /proc, /dev, /sys, exec
 *
 * A step that fails is named on stderr and the exit status is 125, so a row that did not do its work
 * is never timed.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sched.h>

enum { EXIT_FLOOR = 125, MOUNT_RESTRICTED = MS_NOSUID | MS_NOEXEC | MS_NODEV };

struct run {
	bool bare;
	const char *cgroup; /* NULL: stay in the caller's */
	const char *rootfs;
	char **argv;
};

static void die(const char *step, const char *on)
{
	fprintf(stderr, "floor: %s %s: %s\n", step, on, strerror(errno));
	_exit(EXIT_FLOOR);
}

static void check(int result, const char *step, const char *on)
{
	if (result < 0)
		die(step, on);
}

static void mount_new(const char *type, const char *target, unsigned long flags, const char *data)
{
	check(mount(type, target, type, flags, data), "mount", target);
}

/* --- the parent: cgroup and device program ------------------------------------------------------ */

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define LOAD_FIELD(reg, field) INSN(BPF_LDX | BPF_MEM | BPF_W, (reg), 1, offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define JUMP(op, reg, imm, off) INSN(BPF_JMP | (op) | BPF_K, (reg), 0, (off), (imm))
#define SET(reg, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, (reg), 0, 0, (imm))
#define RETURN() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Allows mknod, /dev/{null,zero,full,random,urandom}, tty, ptmx and pts; nothing else. */
static int load_device_program(void)
{
	const int memory_minors = 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9;
	struct bpf_insn code[] = {
		LOAD_FIELD(2, access_type), /* access << 16 | type */
		LOAD_FIELD(3, major),
		LOAD_FIELD(4, minor),
		SET(0, 1), /* allowed, unless a jump goes to the end */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, 5, 0, 0, 16),
		JUMP(BPF_JEQ, 5, BPF_DEVCG_ACC_MKNOD, 12), /* allow */
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
		JUMP(BPF_JNE, 2, BPF_DEVCG_DEV_CHAR, 11), /* deny */
		JUMP(BPF_JEQ, 3, 136, 9),                 /* pts: allow */
		JUMP(BPF_JNE, 3, 5, 2),
		JUMP(BPF_JEQ, 4, 0, 7),  /* tty: allow */
		JUMP(BPF_JEQ, 4, 2, 6),  /* ptmx: allow */
		JUMP(BPF_JNE, 3, 1, 6),  /* deny */
		JUMP(BPF_JGT, 4, 31, 5), /* deny */
		SET(2, memory_minors),
		INSN(BPF_ALU64 | BPF_RSH | BPF_X, 2, 4, 0, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 1),
		JUMP(BPF_JEQ, 2, 0, 1), /* deny */
		RETURN(),
		SET(0, 0),
		RETURN(),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uintptr_t) "GPL",
	};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	check(fd, "load", "device program");
	return fd;
}

static int make_cgroup(const char *dir)
{
	check(mkdir(dir, 0755), "mkdir", dir);
	int fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	check(fd, "open", dir);

	union bpf_attr attr = {
		.target_fd = (unsigned int)fd,
		.attach_bpf_fd = (unsigned int)load_device_program(),
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	check((int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)), "attach", "device program");
	return fd;
}

/* --- the child: from clone3 to exec ------------------------------------------------------------- */

static void enter_root(const struct run *run)
{
	/* Nothing that happens here may reach the host's mounts. */
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make private", "/");
	/* pivot_root needs the new root to be a mount. */
	check(mount(run->rootfs, run->rootfs, NULL, MS_BIND | MS_REC, NULL), "bind", run->rootfs);
	check(chdir(run->rootfs), "chdir", run->rootfs);
	/* The old root lands on top of the new one, and is let go. */
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root", run->rootfs);
	check(umount2(".", MNT_DETACH), "detach", "old root");
	check(chdir("/"), "chdir", "/");
}

static void make_nodes(void)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} nodes[] = {
		{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
		{"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
	};
	static const struct {
		const char *path, *target;
	} links[] = {
		{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/ptmx", "pts/ptmx"},
	};

	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), "mknod",
		      nodes[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		check(symlink(links[i].target, links[i].path), "symlink", links[i].path);
	umask(022);
}

/* The seven mounts of the spec, in its order and with its options. */
static void mount_all(void)
{
	mount_new("proc", "/proc", 0, NULL);
	mount_new("tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	check(mkdir("/dev/pts", 0755), "mkdir", "/dev/pts");
	mount_new("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	check(mkdir("/dev/shm", 01777), "mkdir", "/dev/shm");
	mount_new("tmpfs", "/dev/shm", MOUNT_RESTRICTED, "mode=1777,size=65536k");
	check(mkdir("/dev/mqueue", 0755), "mkdir", "/dev/mqueue");
	mount_new("mqueue", "/dev/mqueue", MOUNT_RESTRICTED, NULL);
	mount_new("sysfs", "/sys", MOUNT_RESTRICTED | MS_RDONLY, NULL);
	mount_new("cgroup2", "/sys/fs/cgroup", MOUNT_RESTRICTED | MS_RELATIME | MS_RDONLY, NULL);
	make_nodes();
}

static void hide_paths(void)
{
	static const char *const masked[] = {
		"/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
	};
	static const char *const readonly[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};
	const char *empty = NULL;

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		/* A file is covered by /dev/null; the kernel says which are directories or absent. */
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			die("mask", masked[i]);
		/* One empty tmpfs covers the first directory, and through it all the others. */
		if (empty)
			check(mount(empty, masked[i], NULL, MS_BIND, NULL), "mask", masked[i]);
		else
			mount_new("tmpfs", masked[i], MS_RDONLY, "size=0k");
		empty = empty ? empty : masked[i];
	}
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		/* A bind mount takes MS_RDONLY only when it is mounted again. */
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) && errno == ENOENT)
			continue;
		check(mount(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "make read-only",
		      readonly[i]);
	}
	check(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "make read-only", "/");
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(fd, "socket", "AF_INET");
	check(ioctl(fd, SIOCSIFFLAGS, &request), "set up", "lo");
}

/* Keeps the three capabilities of the spec. It lists them as ambient too, but without them in the
 * inheritable set the kernel takes no ambient ones, and an inheritable set is empty on purpose. */
static void drop_privileges(void)
{
	const uint32_t kept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
	const struct rlimit files = {1024, 1024};

	check(setrlimit(RLIMIT_NOFILE, &files), "setrlimit", "RLIMIT_NOFILE");
	/* The first number that the kernel does not know is refused, and ends the loop. */
	for (int cap = 0; cap < 64; cap++)
		if ((cap >= 32 || !(kept & 1U << cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			break;
	/* The caller's supplementary groups; it is uid 0 and gid 0 already, as the spec says. */
	check((int)syscall(SYS_setgroups, 0, NULL), "setgroups", "");
	check((int)syscall(SYS_capset, &header, sets), "capset", "");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "no_new_privs");
}

static _Noreturn void become_container(const struct run *run)
{
	static char *const env[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"TERM=xterm",
		NULL,
	};

	enter_root(run);
	if (run->bare) {
		mount_new("proc", "/proc", MOUNT_RESTRICTED, NULL);
		mount_new("tmpfs", "/dev", MS_NOSUID, "mode=755");
		make_nodes();
		mount_new("sysfs", "/sys", MOUNT_RESTRICTED | MS_RDONLY, NULL);
	} else {
		mount_all();
		loopback_up();
		check(sethostname("runc", 4), "set", "host name");
		hide_paths();
		drop_privileges();
	}
	execve(run->argv[0], run->argv, env);
	die("exec", run->argv[0]);
	__builtin_unreachable();
}

/* --- both --------------------------------------------------------------------------------------- */

static pid_t spawn(int cgroup, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
			 CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int run_container(const struct run *run)
{
	int cgroup = run->cgroup ? make_cgroup(run->cgroup) : -1;
	int pidfd = -1;
	siginfo_t end = {0};

	pid_t pid = spawn(cgroup, &pidfd);
	if (pid == 0)
		become_container(run);
	int spawn_errno = errno;
	if (pid > 0)
		check(waitid(P_PIDFD, (id_t)pidfd, &end, WEXITED), "wait for", run->argv[0]);
	/* Also after a failed clone3: the cgroup is ours. */
	if (cgroup >= 0)
		check(rmdir(run->cgroup), "rmdir", run->cgroup);
	errno = spawn_errno;
	check(pid, "clone3", run->argv[0]);
	return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

int main(int argc, char **argv)
{
	struct run run = {0};
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--bare"))
			run.bare = true;
		else if (!strcmp(argv[i], "--cgroup") && i + 1 < argc)
			run.cgroup = argv[++i];
		else
			break;
	}
	if (argc - i < 2 || argv[i][0] == '-') {
		fprintf(stderr, "usage: floor [--bare] [--cgroup DIR] ROOTFS COMMAND [ARG...]\n");
		return 2;
	}
	run.rootfs = argv[i];
	run.argv = argv + i + 1;
	return run_container(&run);
}
