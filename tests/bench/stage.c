/* stage: the process under which a whole benchmark runs.
 *
 *     stage [--memlock] -- COMMAND [ARG...]
 *
 * It adopts every process that COMMAND's descendants leave behind (PR_SET_CHILD_SUBREAPER), reaps
 * them, and ends those still alive once COMMAND is gone, so that a benchmark leaves no process on the
 * host and never has to look for one by name. Its exit status is COMMAND's; 3 when COMMAND succeeded
 * but left processes alive, because a runtime that does that has a bug.
 *
 * --memlock answers prlimit64(pid, RLIMIT_MEMLOCK, new, ...) with success without doing it, for
 * everything below. Some runtimes raise that limit before they load a device program and give up when
 * they may not (no CAP_SYS_RESOURCE), although Linux 5.11 and later no longer charge BPF to it. The
 * filter is the same for every row, and the kernel's per-syscall cache makes it free for all others.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this architecture's AUDIT_ARCH"
#endif

enum { EXIT_USAGE = 2, EXIT_LEFTOVERS = 3, EXIT_STAGE = 125 };

extern char **environ;

static pid_t command_pid;
static volatile sig_atomic_t stop_requested;

static void die(const char *what)
{
	fprintf(stderr, "stage: %s: %s\n", what, strerror(errno));
	exit(EXIT_STAGE);
}

/* Little-endian: the low word of a 64-bit argument comes first. */
#define ARG_LOW(n) (offsetof(struct seccomp_data, args) + (n) * sizeof(__u64))
#define ARG_HIGH(n) (ARG_LOW(n) + sizeof(__u32))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no))

static void pretend_memlock_is_raised(void)
{
	struct sock_filter code[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF_EQUAL(NATIVE_ARCH, 0, 9),
		LOAD(offsetof(struct seccomp_data, nr)),
		IF_EQUAL(SYS_prlimit64, 0, 7),
		LOAD(ARG_LOW(1)),
		IF_EQUAL(RLIMIT_MEMLOCK, 0, 5),
		/* With a null "new" it only reads the limit: the answer to that stays true. */
		LOAD(ARG_LOW(2)),
		IF_EQUAL(0, 0, 2),
		LOAD(ARG_HIGH(2)),
		IF_EQUAL(0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	/* Loaded with CAP_SYS_ADMIN rather than no_new_privs, which would change what the rows do. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program))
		die("install the RLIMIT_MEMLOCK filter");
}

/* The children of one process, as pids; returns how many. */
static int children_of(pid_t pid, pid_t *list, int max)
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	for (int child; n < max && fscanf(f, "%d", &child) == 1;)
		list[n++] = child;
	fclose(f);
	return n;
}

static void print_name(pid_t pid)
{
	char path[64], name[64] = "?";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "re");
	if (f) {
		if (fgets(name, sizeof(name), f))
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	fprintf(stderr, "stage: left behind: %s (pid %d)\n", name, (int)pid);
}

/* Ends what COMMAND left behind. All of it is ours: only descendants are ever adopted. */
static int end_leftovers(void)
{
	enum { MAX = 1024 };
	pid_t list[MAX];
	int ended = 0;

	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		int n = children_of(getpid(), list, MAX);
		if (n == 0)
			return ended;
		for (int i = 0; i < n; i++) {
			if (ended + i < 10)
				print_name(list[i]);
			kill(list[i], SIGKILL);
		}
		ended += n;
		/* Their own children are adopted as they die, and are met in the next round. */
		for (int i = 0; i < n; i++)
			waitpid(list[i], NULL, 0);
	}
}

/* A shell acts on a signal only when what it waits for has ended: the deepest get it first. */
static void signal_tree(pid_t pid, int sig, int depth)
{
	pid_t list[64];
	int n = depth > 0 ? children_of(pid, list, 64) : 0;

	for (int i = 0; i < n; i++)
		signal_tree(list[i], sig, depth - 1);
	kill(pid, sig);
}

/* A request to stop goes to the command and below, not to what was handed over to us: the command
 * may want to end its containers in an orderly way. */
static void stop_command(void)
{
	signal_tree(command_pid, SIGTERM, 8);
}

static void on_stop(int sig)
{
	(void)sig;
	stop_requested = 1;
}

static int wait_for_command(void)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR) {
			if (stop_requested)
				stop_command();
			stop_requested = 0;
			continue;
		}
		if (pid < 0)
			die("wait");
		if (pid == command_pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

int main(int argc, char **argv)
{
	/* No SA_RESTART: the signal has to interrupt the wait. One that comes just before the wait is
	 * only acted on when a process ends, or at the next one. */
	const struct sigaction stop_action = {.sa_handler = on_stop};
	int i = 1;

	if (i < argc && !strcmp(argv[i], "--memlock")) {
		pretend_memlock_is_raised();
		i++;
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
		fprintf(stderr, "usage: stage [--memlock] -- COMMAND [ARG...]\n");
		return EXIT_USAGE;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("become a subreaper");
	errno = posix_spawnp(&command_pid, argv[i + 1], NULL, NULL, argv + i + 1, environ);
	if (errno)
		die(argv[i + 1]);
	sigaction(SIGINT, &stop_action, NULL);
	sigaction(SIGTERM, &stop_action, NULL);
	sigaction(SIGHUP, &stop_action, NULL);
	/* If whoever set the stage up is killed outright, the show is over too. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("ask for a signal when the parent ends");

	int status = wait_for_command();
	int left = end_leftovers();
	if (left > 10)
		fprintf(stderr, "stage: and %d more\n", left - 10);
	return status == 0 && left > 0 ? EXIT_LEFTOVERS : status;
}
