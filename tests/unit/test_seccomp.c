/* Seccomp filters, tried on the kernel: a child loads one, makes a syscall, and tells what came of it. */
#include "runtime/seccomp.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "tests/unit/unit.h"

#define SYS_(name) __NR_##name
#define KILLED 1000
#define LOAD_FAILED 2000
#define CAP(name) (UINT64_C(1) << CAP_##name)

static const char *helper(void)
{
	const char *path = getenv("CTR_SECCOMP");

	return path ? path : "build/ctr-seccomp";
}

/* The filter of a profile's text (NULL: the default policy). */
static int make(const char *json, uint64_t caps, struct seccomp_filter *filter)
{
	struct json_doc doc = {0};
	int r = json ? json_parse(json, strlen(json), "profile", &doc) : 0;

	if (r == 0)
		r = seccomp_filter_get(doc.root, caps, NULL, helper(), filter);
	if (r < 0)
		printf("# %s\n", error_text());
	json_free(&doc);
	return r;
}

/* Not by _exit, before which the sanitizers make syscalls that a strict profile refuses. */
static _Noreturn void finish(int status)
{
	for (;;)
		syscall(SYS_(exit_group), status);
}

static _Noreturn void child(const struct seccomp_filter *filter, long nr, const long *args, bool int80)
{
	int listener;
	long r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_load(filter, &listener) < 0)
		_exit(255);
#if defined(__x86_64__)
	if (int80) {
		__asm__ volatile("int $0x80" : "=a"(r) : "0"(nr), "b"(args[0]), "c"(args[1]), "d"(args[2]) : "memory");
		finish(r < 0 && r > -4096 ? (int)-r : 0);
	}
#endif
	r = syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	finish(r < 0 ? errno : 0);
}

/* The errno of a syscall under the filter, 0 when it succeeds, KILLED and the signal when it is killed. */
static int try_call(const struct seccomp_filter *filter, bool int80, long nr, const long args[6])
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(filter, nr, args, int80);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status))
		return KILLED + WTERMSIG(status);
	return WEXITSTATUS(status) == 255 ? LOAD_FAILED : WEXITSTATUS(status);
}

#define CALL(filter, nr, ...) try_call(filter, false, nr, (const long[6]){__VA_ARGS__})
#define CALL32(filter, nr, ...) try_call(filter, true, nr, (const long[6]){__VA_ARGS__})

static bool kernel_runs_i386(void)
{
	struct seccomp_filter none = {0};

	return CALL32(&none, 20 /* getpid */, 0) == 0;
}

TEST("the default policy lets ordinary programs run")
{
	struct seccomp_filter f;

	CHECK(make(NULL, 0, &f) == 0);
	CHECK(f.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW && !f.listener_path);
	CHECK(CALL(&f, SYS_(getpid), 0) == 0);
	CHECK(CALL(&f, SYS_(personality), 0) == 0);
	CHECK(CALL(&f, SYS_(personality), 0xffffffff) == 0);
	CHECK(CALL(&f, SYS_(socket), AF_UNIX, SOCK_STREAM) == 0);
	CHECK(CALL(&f, SYS_(socket), AF_NETLINK, SOCK_RAW, 0) == 0);
	CHECK(CALL(&f, SYS_(clone), SIGCHLD) == 0);
	CHECK(CALL(&f, SYS_(ptrace), 0 /* PTRACE_TRACEME */) == 0);
	CHECK(CALL(&f, SYS_(openat2), -1, 0, 0, 0) == EINVAL);
	seccomp_filter_free(&f);
}

TEST("the default policy refuses what can break out")
{
	struct seccomp_filter f;

	CHECK(make(NULL, 0, &f) == 0);
	CHECK(CALL(&f, SYS_(mount), 0) == EPERM);
	CHECK(CALL(&f, SYS_(fsopen), 0) == EPERM);
	CHECK(CALL(&f, SYS_(unshare), CLONE_NEWUSER) == EPERM);
	CHECK(CALL(&f, SYS_(setns), -1) == EPERM);
	CHECK(CALL(&f, SYS_(clone), CLONE_NEWUSER | SIGCHLD) == EPERM);
	CHECK(CALL(&f, SYS_(clone3), 0, 0) == ENOSYS);
	CHECK(CALL(&f, SYS_(bpf), 0) == EPERM);
	CHECK(CALL(&f, SYS_(userfaultfd), 0) == EPERM);
	CHECK(CALL(&f, SYS_(io_uring_setup), 1, 0) == EPERM);
	CHECK(CALL(&f, SYS_(keyctl), 0) == EPERM);
	CHECK(CALL(&f, SYS_(add_key), 0) == EPERM);
	CHECK(CALL(&f, SYS_(request_key), 0) == EPERM);
	CHECK(CALL(&f, SYS_(kexec_load), 0) == EPERM);
	CHECK(CALL(&f, SYS_(open_by_handle_at), -1) == EPERM);
	CHECK(CALL(&f, SYS_(personality), 0xdead) == EPERM);
	CHECK(CALL(&f, SYS_(reboot), 0) == EPERM);
	seccomp_filter_free(&f);
}

TEST("a syscall newer than the default policy is ENOSYS, so that a libc falls back")
{
	struct seccomp_filter f;

	CHECK(make(NULL, 0, &f) == 0);
	CHECK(CALL(&f, 600, 0) == ENOSYS);
	CHECK(CALL(&f, 469 /* file_setattr */, 0) == ENOSYS);
	/* fchmodat2 and mseal are in it, whatever the libseccomp at hand knows. */
	CHECK(CALL(&f, 452, -1, 0, 0, 0) != EPERM);
	CHECK(CALL(&f, 462, 1, 1, 1) != EPERM);
	seccomp_filter_free(&f);
}

TEST("the default policy refuses AF_ALG and AF_VSOCK, also with the upper half of the register set")
{
	struct seccomp_filter f;

	CHECK(make(NULL, 0, &f) == 0);
	CHECK(CALL(&f, SYS_(socket), AF_ALG, SOCK_SEQPACKET) == EPERM);
	CHECK(CALL(&f, SYS_(socket), AF_VSOCK, SOCK_STREAM) == EPERM);
	CHECK(CALL(&f, SYS_(socket), (1L << 32) | AF_ALG, SOCK_SEQPACKET) == EPERM);
	CHECK(CALL(&f, SYS_(socket), (long)(1UL << 63) | AF_VSOCK, SOCK_STREAM) == EPERM);
	CHECK(CALL(&f, SYS_(socket), (1L << 32) | AF_UNIX, SOCK_STREAM) == 0);
	for (int family = 1; family < 46; family++)
		CHECK((CALL(&f, SYS_(socket), family, 99) == EPERM) == (family == AF_ALG || family == AF_VSOCK));
	/* NETLINK_AUDIT looks like a kernel without auditing to those who may not use it. */
	CHECK(CALL(&f, SYS_(socket), AF_NETLINK, SOCK_RAW, 9) == EINVAL);
	seccomp_filter_free(&f);
	CHECK(make(NULL, CAP(AUDIT_WRITE), &f) == 0);
	CHECK(CALL(&f, SYS_(socket), AF_NETLINK, SOCK_RAW, 9) != EINVAL);
	seccomp_filter_free(&f);
}

TEST("the default policy opens with the container's capabilities")
{
	struct seccomp_filter f;

	CHECK(make(NULL, CAP(SYS_ADMIN), &f) == 0);
	CHECK(CALL(&f, SYS_(mount), 1, 1, 1) == EFAULT);
	CHECK(CALL(&f, SYS_(clone3), 0, 0) == EINVAL);
	CHECK(CALL(&f, SYS_(setns), -1, 0) == EBADF);
	CHECK(CALL(&f, SYS_(clone), CLONE_NEWUTS | SIGCHLD) != ENOSYS);
	CHECK(CALL(&f, SYS_(open_by_handle_at), -1) == EPERM);
	CHECK(CALL(&f, SYS_(init_module), 0) == EPERM);
	seccomp_filter_free(&f);
	CHECK(make(NULL, CAP(DAC_READ_SEARCH) | CAP(SYS_PTRACE), &f) == 0);
	CHECK(CALL(&f, SYS_(open_by_handle_at), -1, 1, 0) == EFAULT);
	CHECK(CALL(&f, SYS_(kcmp), 0, 0, 99, 0, 0) != EPERM);
	CHECK(CALL(&f, SYS_(process_madvise), -1, 0, 0, 0, 0) == EBADF);
	CHECK(CALL(&f, SYS_(mount), 0) == EPERM);
	seccomp_filter_free(&f);
}

TEST("the default policy holds for 32-bit programs too")
{
	struct seccomp_filter f;

	if (!kernel_runs_i386()) {
		printf("# this kernel runs no 32-bit programs\n");
		return;
	}
	CHECK(make(NULL, 0, &f) == 0);
	CHECK(CALL32(&f, 20 /* getpid */, 0) == 0);
	CHECK(CALL32(&f, 21 /* mount */, 0) == EPERM);
	CHECK(CALL32(&f, 286 /* add_key */, 0) == EPERM);
	CHECK(CALL32(&f, 359 /* socket */, AF_ALG, SOCK_SEQPACKET) == EPERM);
	CHECK(CALL32(&f, 435 /* clone3 */, 0) == ENOSYS);
	CHECK(CALL32(&f, 600, 0) == ENOSYS);
	seccomp_filter_free(&f);
}

/* A profile that allows all but getppid, which it gives ACTION with the members MORE. */
static char *one_rule(const char *action, const char *more)
{
	return xasprintf("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":"
			 "[{\"names\":[\"getppid\"],\"action\":\"%s\"%s}]}",
			 action, more);
}

TEST("each action does what its name says")
{
	static const struct {
		const char *action, *more;
		int result;
	} cases[] = {
		{"SCMP_ACT_ALLOW", "", 0},
		{"SCMP_ACT_LOG", "", 0},
		{"SCMP_ACT_ERRNO", "", EPERM},
		{"SCMP_ACT_ERRNO", ",\"errnoRet\":99", 99},
		{"SCMP_ACT_ERRNO", ",\"errnoRet\":0", 0},
		{"SCMP_ACT_ERRNO", ",\"errno\":\"ENOSYS\"", ENOSYS},
		{"SCMP_ACT_KILL", "", KILLED + SIGSYS},
		{"SCMP_ACT_KILL_THREAD", "", KILLED + SIGSYS},
		{"SCMP_ACT_KILL_PROCESS", "", KILLED + SIGSYS},
		{"SCMP_ACT_TRAP", "", KILLED + SIGSYS},
		/* Without a tracer, see seccomp(2). */
		{"SCMP_ACT_TRACE", ",\"errnoRet\":3", ENOSYS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *json = one_rule(cases[i].action, cases[i].more);
		struct seccomp_filter f;

		CHECK(make(json, 0, &f) == 0);
		CHECK(CALL(&f, SYS_(getppid), 0) == cases[i].result);
		seccomp_filter_free(&f);
	}
}

TEST("each comparison compares all 64 bits")
{
	static const struct {
		const char *op;
		uint64_t value, two, arg;
		bool holds;
	} cases[] = {
		{"EQ", 5, 0, 5, true},
		{"EQ", 5, 0, 0x100000005, false},
		{"EQ", 0x500000000, 0, 0x500000000, true},
		{"EQ", UINT64_MAX, 0, UINT64_MAX, true},
		{"NE", 5, 0, 5, false},
		{"NE", 5, 0, 6, true},
		{"NE", 5, 0, 0x100000005, true},
		{"LT", 5, 0, 4, true},
		{"LT", 5, 0, 5, false},
		{"LT", 5, 0, 0x100000004, false},
		{"LT", 0x100000000, 0, 0xffffffff, true},
		{"LE", 5, 0, 5, true},
		{"LE", 5, 0, 6, false},
		{"LE", 0x200000005, 0, 0x1ffffffff, true},
		{"LE", 0x200000005, 0, 0x200000006, false},
		{"GT", 5, 0, 6, true},
		{"GT", 5, 0, 5, false},
		{"GT", 5, 0, 0x100000000, true},
		{"GE", 5, 0, 5, true},
		{"GE", 5, 0, 4, false},
		{"GE", 0x100000005, 0, 0x100000004, false},
		{"GE", 0x100000005, 0, 0x200000000, true},
		{"MASKED_EQ", 0xf0, 0x20, 0x2f, true},
		{"MASKED_EQ", 0xf0, 0x20, 0x3f, false},
		{"MASKED_EQ", 0xf0, 0x2f, 0x21, true},
		{"MASKED_EQ", 0xf000000000, 0x2000000000, 0x2100000005, true},
		{"MASKED_EQ", 0xf000000000, 0x2000000000, 0x1100000005, false},
		{"MASKED_EQ", 0, 0, 77, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *more = xasprintf(
			",\"errnoRet\":99,\"args\":[{\"index\":%zu,\"op\":\"SCMP_CMP_%s\",\"value\":%llu,"
			"\"valueTwo\":%llu}]",
			i % 6, cases[i].op, (unsigned long long)cases[i].value, (unsigned long long)cases[i].two);
		_cleanup_(freep) char *json = one_rule("SCMP_ACT_ERRNO", more);
		struct seccomp_filter f;
		long args[6] = {1, 1, 1, 1, 1, 1};

		args[i % 6] = (long)cases[i].arg;
		CHECK(make(json, 0, &f) == 0);
		int r = try_call(&f, false, SYS_(getppid), args);
		if (r != (cases[i].holds ? 99 : 0))
			printf("# case %zu: %s: %d\n", i, cases[i].op, r);
		CHECK(r == (cases[i].holds ? 99 : 0));
		seccomp_filter_free(&f);
	}
}

#define ARG(i, op, v) "{\"index\":" #i ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #v "}"
#define RULES(rules) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" rules "]}"
#define GETPPID(action, more) "{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_" action "\"" more "}"

TEST("all tests of a rule must hold, unless two look at one argument")
{
	struct seccomp_filter f;

	CHECK(make(RULES(GETPPID("ERRNO", ",\"args\":[" ARG(0, "EQ", 1) "," ARG(2, "GT", 5) "]")), 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 1, 0, 6) == EPERM);
	CHECK(CALL(&f, SYS_(getppid), 1, 0, 5) == 0);
	CHECK(CALL(&f, SYS_(getppid), 2, 0, 6) == 0);
	seccomp_filter_free(&f);
	CHECK(make(RULES(GETPPID("ERRNO", ",\"args\":[" ARG(0, "EQ", 1) "," ARG(0, "EQ", 2) "]")), 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 1) == EPERM && CALL(&f, SYS_(getppid), 2) == EPERM);
	CHECK(CALL(&f, SYS_(getppid), 3) == 0);
	seccomp_filter_free(&f);
}

TEST("of contradicting rules the strictest with tests, else the first without, decides")
{
	struct seccomp_filter f;

	CHECK(make(RULES(GETPPID("LOG", "") "," GETPPID("ERRNO", ",\"args\":[" ARG(0, "EQ", 1) "]")), 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 1) == EPERM && CALL(&f, SYS_(getppid), 2) == 0);
	seccomp_filter_free(&f);
	CHECK(make(RULES(GETPPID("ERRNO", "") "," GETPPID("LOG", ",\"args\":[" ARG(0, "EQ", 1) "]")), 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 1) == EPERM);
	seccomp_filter_free(&f);
	CHECK(make(RULES(GETPPID("LOG", "") "," GETPPID("ERRNO", "")), 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 0) == 0);
	seccomp_filter_free(&f);
	CHECK(make(RULES(GETPPID("ERRNO", ",\"args\":[" ARG(0, "GE", 1) "]") "," GETPPID(
			   "KILL_PROCESS", ",\"args\":[" ARG(0, "EQ", 2) "]")),
		   0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 1) == EPERM && CALL(&f, SYS_(getppid), 2) == KILLED + SIGSYS);
	seccomp_filter_free(&f);
}

TEST("a profile that names few syscalls answers ENOSYS past them, when it answers an errno at all")
{
#define FEW "\"syscalls\":[{\"names\":[\"getppid\",\"exit_group\",\"nosuchcall\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"
	struct seccomp_filter f;

	CHECK(make("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13," FEW, 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 0) == 0);
	CHECK(CALL(&f, SYS_(getpid), 0) == EACCES);
	CHECK(CALL(&f, SYS_(statx), 0) == ENOSYS);
	seccomp_filter_free(&f);
	CHECK(make("{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\"," FEW, 0, &f) == 0);
	CHECK(CALL(&f, SYS_(getppid), 0) == 0);
	CHECK(CALL(&f, SYS_(statx), 0) == KILLED + SIGSYS);
	seccomp_filter_free(&f);
}

TEST("a syscall that libseccomp does not know can be forbidden")
{
	struct seccomp_filter f;

	CHECK(make(RULES("{\"names\":[\"listmount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":99}"), 0, &f) == 0);
	CHECK(CALL(&f, 458, 0) == 99);
	seccomp_filter_free(&f);
}

TEST("a socket rule reaches 32-bit programs through socketcall")
{
	struct seccomp_filter f;

	if (!kernel_runs_i386())
		return;
	CHECK(make("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":"
		   "[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":99,"
		   "\"args\":[" ARG(0, "EQ", 38) "]}]}",
		   0, &f) == 0);
	CHECK(CALL32(&f, 359, AF_ALG) == 99 && CALL32(&f, 359, AF_UNIX, SOCK_STREAM) == 0);
	CHECK(CALL32(&f, 102 /* socketcall */, 1 /* SYS_SOCKET */, 0) == 99);
	CHECK(CALL32(&f, 102, 2 /* SYS_BIND */, 0) == EFAULT);
	seccomp_filter_free(&f);
	/* An architecture that is not in the profile is not in the container. */
	CHECK(make(RULES(""), 0, &f) == 0);
	CHECK(CALL32(&f, 20, 0) == KILLED + SIGSYS);
	seccomp_filter_free(&f);
}

TEST("the conditions of docker's profile files are decided for the container")
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\","
		"\"subArchitectures\":[\"SCMP_ARCH_X86\"]},{\"architecture\":\"SCMP_ARCH_S390X\",\"subArchitectures\":"
		"null}],\"syscalls\":[{\"names\":[\"exit_group\",\"statx\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_TIME\"]}},"
		"{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_SYS_TIME\"]}},"
		"{\"name\":\"getuid\",\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
		"{\"names\":[\"getgid\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"99.1\"}},"
		"{\"names\":[\"geteuid\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"amd64\",\"arm64\"]}"
		"},"
		"{\"names\":[\"getegid\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"s390x\"]}}]}";
	struct seccomp_filter f;

	for (int has = 0; has < 2; has++) {
		CHECK(make(profile, has ? CAP(SYS_TIME) : 0, &f) == 0);
		CHECK(CALL(&f, SYS_(getppid), 0) == (has ? 0 : EPERM));
		CHECK(CALL(&f, SYS_(getpid), 0) == (has ? EPERM : 0));
		CHECK(CALL(&f, SYS_(getuid), 0) == 0);
		CHECK(CALL(&f, SYS_(getgid), 0) == EPERM);
		CHECK(CALL(&f, SYS_(geteuid), 0) == 0);
		CHECK(CALL(&f, SYS_(getegid), 0) == EPERM);
		seccomp_filter_free(&f);
	}
}

TEST("a mistake in a profile is named")
{
#define DEFAULT "\"defaultAction\":\"SCMP_ACT_ALLOW\","
#define ONE(rule) "{" DEFAULT "\"syscalls\":[" rule "]}"
	static const struct {
		const char *json, *says;
	} cases[] = {
		{"{}", "has no defaultAction"},
		{"[]", "must be an object"},
		{"{\"defaultAction\":\"SCMP_ACT_FOO\"}", "defaultAction is \"SCMP_ACT_FOO\""},
		{"{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/x\"}", "must not be SCMP_ACT_NOTIFY"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", "takes no errno"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":70000}", "defaultErrnoRet"},
		{"{" DEFAULT "\"architectures\":[\"SCMP_ARCH_PDP11\"]}", "SCMP_ARCH_PDP11"},
		{"{" DEFAULT
		 "\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}",
		 "both architectures and archMap"},
		{"{" DEFAULT "\"flags\":[\"SECCOMP_FILTER_FLAG_FOO\"]}", "flags[0] is \"SECCOMP_FILTER_FLAG_FOO\""},
		{"{" DEFAULT "\"listenerMetadata\":\"x\"}", "listenerMetadata needs a listenerPath"},
		{ONE("{\"names\":[\"read\"]}"), "syscalls[0] has no action"},
		{ONE("{\"names\":[\"read\"],\"action\":\"ALLOW\"}"), "syscalls[0].action is \"ALLOW\""},
		{ONE("{\"names\":[],\"action\":\"SCMP_ACT_KILL\"}"), "has no names"},
		{ONE("{\"action\":\"SCMP_ACT_KILL\"}"), "has no names"},
		{ONE("{\"names\":[\"\"],\"action\":\"SCMP_ACT_KILL\"}"), "none of a syscall"},
		{ONE("{\"names\":[\"a\\nb\"],\"action\":\"SCMP_ACT_KILL\"}"), "none of a syscall"},
		{ONE("{\"names\":[7],\"action\":\"SCMP_ACT_KILL\"}"), "syscalls[0].names[0] must be a string"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1}"), "takes no errno"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"EFOO\"}"), "not an errno"},
		{ONE("{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}"), "SCMP_ACT_NOTIFY for write"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_NOTIFY\"}"), "no listenerPath"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,\"value\":0,\"op\":"
		     "\"SCMP_CMP_EQ\"}]}"),
		 "syscalls[0].args[0].index"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"value\":0,\"op\":\"SCMP_CMP_EQ\"}"
		     "]}"),
		 "has no index"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"="
		     "\"}]}"),
		 "args[0].op is \"=\""},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[0,0,0,0,0,0,0]}"),
		 "at most 6 arguments"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"caps\":[\"CAP_FOO\"]}}"),
		 "CAP_FOO"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"excludes\":{\"moon\":1}}"), "moon"},
		{ONE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"minKernel\":\"-4.8\"}}"),
		 "-4.8"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_doc doc = {0};
		struct seccomp_filter f;

		CHECK(json_parse(cases[i].json, strlen(cases[i].json), "profile", &doc) == 0);
		CHECK(seccomp_filter_get(doc.root, 0, NULL, helper(), &f) == -EINVAL);
		if (!strstr(error_text(), cases[i].says))
			printf("# case %zu: %s\n", i, error_text());
		CHECK(strstr(error_text(), cases[i].says));
		CHECK(!f.code && !f.listener_path);
		json_free(&doc);
	}
}

TEST("what stands twice is no mistake")
{
	struct seccomp_filter f;

	CHECK(make("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X86\"],"
		   "\"flags\":"
		   "[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"],"
		   "\"syscalls\":[{\"names\":[\"getppid\",\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\"},{\"names\":"
		   "[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
		   0, &f) == 0);
	CHECK(f.flags == SECCOMP_FILTER_FLAG_LOG);
	CHECK(CALL(&f, SYS_(getppid), 0) == EPERM);
	seccomp_filter_free(&f);
}

/* Answers one notification with errno 77. */
static int answer(int listener)
{
	struct seccomp_notif request = {0};
	struct seccomp_notif_resp response = {.error = -77};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return -errno;
	response.id = request.id;
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 ? -errno : 0;
}

TEST("a notifying profile gives a listener")
{
	struct seccomp_filter f;
	int status;

	CHECK(make("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/"
		   "agent\",\"listenerMetadata\":\"meta\","
		   "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],"
		   "\"syscalls\":[" GETPPID("NOTIFY", "") "]}",
		   0, &f) == 0);
	CHECK(f.listener_path && streq(f.listener_path, "/run/agent") && streq(f.listener_metadata, "meta"));
	CHECK(f.flags == (SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	pid_t pid = fork();
	if (pid == 0) {
		int listener;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (seccomp_filter_load(&f, &listener) < 0 || listener < 0 || !(fcntl(listener, F_GETFD) & FD_CLOEXEC))
			_exit(1);
		pid_t caller = fork();
		if (caller == 0)
			_exit(syscall(SYS_(getppid)) == -1 && errno == 77 ? 0 : 2);
		if (answer(listener) < 0)
			_exit(3);
		_exit(waitpid(caller, &status, 0) == caller && status == 0 ? 0 : 4);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	seccomp_filter_free(&f);
	/* Without SCMP_ACT_NOTIFY the path is ignored, as the spec says. */
	CHECK(make("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/agent\"}", 0, &f) == 0);
	CHECK(!f.listener_path && f.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_filter_free(&f);
}

/* A directory with a helper that counts its runs and notes the descriptors it was given. */
struct place {
	char dir[64], cache[80], helper[80];
};

static void place_make(struct place *p)
{
	char real[4096];

	strcpy(p->dir, "/tmp/test_seccomp.XXXXXX");
	CHECK(mkdtemp(p->dir) && realpath(helper(), real));
	snprintf(p->cache, sizeof(p->cache), "%s/cache/deep", p->dir);
	snprintf(p->helper, sizeof(p->helper), "%s/helper", p->dir);
	_cleanup_(freep) char *script = xasprintf(
		"#!/bin/sh\necho run >>%s/runs\n/bin/ls /proc/self/fd >%s/fds\nexec %s \"$@\"\n", p->dir, p->dir, real);
	CHECK(replace_file_at(AT_FDCWD, p->helper, script, strlen(script), 0700, false) == 0);
}

static void place_remove(struct place *p)
{
	CHECK(remove_tree_at(AT_FDCWD, p->dir) == 0);
}

/* How many times the helper ran since the last question. */
static size_t runs(const struct place *p)
{
	_cleanup_(freep) char *path = xasprintf("%s/runs", p->dir), *text = NULL;
	size_t len = 0;

	if (read_file_at(AT_FDCWD, path, 1000, &text, &len) < 0)
		return 0;
	unlink(path);
	return len / 4;
}

/* The one file in the cache. */
static char *cached_file(const struct place *p)
{
	DIR *dir = opendir(p->cache);
	char *path = NULL;

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.') {
			CHECK(!path);
			free(path);
			path = xasprintf("%s/%s", p->cache, e->d_name);
		}
	if (dir)
		closedir(dir);
	return path;
}

static bool get_works(const struct place *p, const char *cache)
{
	struct seccomp_filter f;
	bool ok = seccomp_filter_get(NULL, 0, cache, p->helper, &f) == 0 && f.len > 50 &&
		  CALL(&f, SYS_(mount), 0) == EPERM && CALL(&f, SYS_(getppid), 0) == 0;

	if (!f.code)
		printf("# %s\n", error_text());
	seccomp_filter_free(&f);
	return ok;
}

TEST("the second start finds the filter in the cache")
{
	struct place p;
	struct seccomp_filter f;

	place_make(&p);
	CHECK(get_works(&p, p.cache) && runs(&p) == 1);
	CHECK(get_works(&p, p.cache) && runs(&p) == 0);
	_cleanup_(freep) char *file = cached_file(&p);
	struct stat st;
	CHECK(file && stat(file, &st) == 0 && (st.st_mode & 07777) == 0600);
	/* Other capabilities, another profile, another helper: other filters. */
	CHECK(seccomp_filter_get(NULL, 1, p.cache, p.helper, &f) == 0 && runs(&p) == 1);
	seccomp_filter_free(&f);
	struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	CHECK(utimensat(AT_FDCWD, p.helper, old, 0) == 0 && get_works(&p, p.cache) && runs(&p) == 1);
	place_remove(&p);
}

TEST("a profile's filter is cached by its meaning, not its spaces")
{
	static const char *const texts[] = {"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
					    "{ \"defaultAction\" :\n\"SCMP_ACT_ALLOW\" }",
					    "{\"defaultAction\":\"SCMP_ACT_LOG\"}"};
	struct place p;

	place_make(&p);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct json_doc doc;
		struct seccomp_filter f;

		CHECK(json_parse(texts[i], strlen(texts[i]), "profile", &doc) == 0);
		CHECK(seccomp_filter_get(doc.root, 0, p.cache, p.helper, &f) == 0 && f.code);
		CHECK(runs(&p) == (i != 1));
		seccomp_filter_free(&f);
		json_free(&doc);
	}
	place_remove(&p);
}

/* Spoils the byte at OFFSET, from the end when that is negative. */
static void flip_byte(const char *file, off_t offset)
{
	_cleanup_(closep) int fd = open(file, O_RDWR | O_CLOEXEC);
	off_t at = lseek(fd, offset, offset < 0 ? SEEK_END : SEEK_SET);
	unsigned char byte = 0;

	CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= 0x40;
	CHECK(pwrite(fd, &byte, 1, at) == 1);
}

TEST("a damaged cache is ignored and written anew")
{
	static const off_t flips[] = {0, 10, 72, 80, 90, -1, -8};
	static const off_t sizes[] = {0, 5, 87, 88, 95, 96, 104};
	struct place p;

	place_make(&p);
	CHECK(get_works(&p, p.cache) && runs(&p) == 1);
	_cleanup_(freep) char *file = cached_file(&p);
	for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
		flip_byte(file, flips[i]);
		CHECK(get_works(&p, p.cache) && runs(&p) == 1);
		CHECK(get_works(&p, p.cache) && runs(&p) == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CHECK(truncate(file, sizes[i]) == 0);
		CHECK(get_works(&p, p.cache) && runs(&p) == 1);
		CHECK(get_works(&p, p.cache) && runs(&p) == 0);
	}
	CHECK(truncate(file, 1 << 20) == 0 && get_works(&p, p.cache) && runs(&p) == 1);
	/* What others may write, and what is no file, is not trusted. */
	CHECK(chmod(file, 0622) == 0 && get_works(&p, p.cache) && runs(&p) == 1);
	CHECK(unlink(file) == 0 && symlink("/etc/passwd", file) == 0 && get_works(&p, p.cache) && runs(&p) == 1);
	CHECK(unlink(file) == 0 && mkfifo(file, 0600) == 0 && get_works(&p, p.cache) && runs(&p) == 1);
	place_remove(&p);
}

TEST("a cache directory that cannot be used costs time only")
{
	struct place p;

	place_make(&p);
	_cleanup_(freep) char *under_a_file = xasprintf("%s/x", p.helper);
	CHECK(get_works(&p, under_a_file) && runs(&p) == 1);
	CHECK(get_works(&p, "/proc/no/such") && runs(&p) == 1);
	CHECK(get_works(&p, "/proc/self") && runs(&p) == 1);
	CHECK(get_works(&p, NULL) && runs(&p) == 1);
	place_remove(&p);
}

TEST("the helper is waited for where SIGCHLD is ignored or blocked")
{
	struct place p;
	sigset_t set, before;

	place_make(&p);
	void (*handler)(int) = signal(SIGCHLD, SIG_IGN);
	struct seccomp_filter f;
	CHECK(seccomp_filter_get(NULL, 0, NULL, p.helper, &f) == 0 && f.len > 50);
	seccomp_filter_free(&f);
	signal(SIGCHLD, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &before);
	CHECK(seccomp_filter_get(NULL, 0, NULL, p.helper, &f) == 0 && f.len > 50);
	seccomp_filter_free(&f);
	/* Nor does its end look like that of a child of the caller's. */
	CHECK(sigtimedwait(&set, NULL, &(struct timespec){0}) < 0 && errno == EAGAIN);
	sigprocmask(SIG_SETMASK, &before, NULL);
	place_remove(&p);
}

TEST("no descriptor reaches the helper, and none is left behind")
{
	struct place p;
	struct seccomp_filter f;

	place_make(&p);
	int leaked = fcntl(STDIN_FILENO, F_DUPFD, 77), before = dup(STDIN_FILENO);
	close(before);
	CHECK(seccomp_filter_get(NULL, 0, p.cache, p.helper, &f) == 0);
	seccomp_filter_free(&f);
	int after = dup(STDIN_FILENO);
	CHECK(before == after);
	close(after);
	close(leaked);
	_cleanup_(freep) char *path = xasprintf("%s/fds", p.dir), *text = NULL;
	CHECK(read_file_at(AT_FDCWD, path, 1000, &text, NULL) == 0);
	/* The fourth is where ls reads them. */
	CHECK(text && streq(text, "0\n1\n2\n3\n"));
	place_remove(&p);
}

TEST("a helper that fails is named")
{
	static const struct {
		const char *helper, *says;
	} cases[] = {
		{"/no/such/helper", "/no/such/helper"},
		{"/bin/false", "/bin/false failed with status 1"},
		{"/bin/true", "/bin/true gave 0 bytes"},
		{"/bin/echo", "/bin/echo gave"},
	};
	struct seccomp_filter f;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK(seccomp_filter_get(NULL, 0, NULL, cases[i].helper, &f) < 0);
		CHECK(strstr(error_text(), cases[i].says) && !f.code);
	}
}

UNIT_MAIN
