/* Limits: what is written, and what is said where it cannot be. What needs a controller of cgroup2 is tested
 * where there is one: everything in the test machine, little on a host whose controllers are v1's. */
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroups/private.h"
#include "tests/unit/unit.h"

static bool host_has(const char *controller)
{
	_cleanup_(closep) int root = cgroup_open_root();
	char list[512];

	return read_line_at(root, "cgroup.controllers", list, sizeof(list)) > 0 && controller_listed(list, controller);
}

/* True, and said, when a test cannot be made on this host. */
static bool lacks(const char *controller)
{
	if (host_has(controller))
		return false;
	printf("# not tested: cgroup2 does not have the %s controller here\n", controller);
	return true;
}

static char *scratch(const char *below)
{
	return xasprintf("/ctr-unit-%d%s", (int)getpid(), below);
}

static int try_make(const char *below, const struct cgroup_limits *limits, struct cgroup *cg)
{
	_cleanup_(freep) char *path = scratch(below);
	int r = cgroup_create(path, limits, cg);

	if (r < 0)
		printf("# %s\n", error_text());
	return r;
}

/* A child inside CG; in the child, 0. It dies with us. */
static pid_t fork_in(const struct cgroup *cg)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)(unsigned int)cg->fd};
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid < 0) {
		printf("Bail out! cannot start a process in a cgroup\n");
		exit(1);
	}
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void sweep(void)
{
	_cleanup_(freep) char *path = scratch("");
	struct cgroup cg;

	if (cgroup_open(path, &cg) < 0)
		return;
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
}

/* The contents of an interface file, up to the first newline. */
static const char *value(const struct cgroup *cg, const char *file)
{
	static char text[256];

	if (read_line_at(cg->fd, file, text, sizeof(text)) < 0)
		return "(none)";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int set(const struct cgroup *cg, const struct cgroup_limits *limits)
{
	int r = cgroup_set_limits(cg, limits);

	if (r < 0)
		printf("# %s\n", error_text());
	return r;
}

/* CHECK_VALUE says what was there instead. */
#define CHECK_VALUE(cg, file, expected)                                                                                \
	do {                                                                                                           \
		const char *is_ = value(cg, file);                                                                     \
		if (!streq(is_, expected))                                                                             \
			printf("# %s is \"%s\"\n", file, is_);                                                         \
		CHECK(streq(is_, expected));                                                                           \
	} while (0)

TEST("a limit whose controller is missing names the limit, the controller and the way out")
{
	static const struct {
		const char *controller, *words;
	} of[] = {{"memory", "memory limit: the memory controller"},
		  {"pids", "pids limit: the pids controller"},
		  {"cpu", "cpu shares: the cpu controller"},
		  {"io", "io weight: the io controller"},
		  {"cpuset", "cpuset cpus: the cpuset controller"}};
	struct cgroup cg;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct cgroup_limits limits = CGROUP_LIMITS_NONE;

		if (host_has(of[i].controller))
			continue;
		limits.memory_max = i == 0 ? 64 << 20 : LIMIT_UNSET;
		limits.pids_max = i == 1 ? 10 : LIMIT_UNSET;
		limits.cpu_shares = i == 2 ? 512 : LIMIT_UNSET;
		limits.io_weight = i == 3 ? 500 : LIMIT_UNSET;
		limits.cpus = i == 4 ? "0" : NULL;
		CHECK(try_make("/x", &limits, &cg) == -EOPNOTSUPP);
		CHECK(strstr(error_text(), of[i].words) == error_text());
		CHECK(strstr(error_text(), "drop the limit") != NULL);
	}
	sweep();
}

TEST("a controller that no kernel has is refused by the key that names it")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	limits.unified = &(const struct key_value){"nosuch.max", "1"};
	limits.n_unified = 1;
	CHECK(try_make("/x", &limits, &cg) == -EOPNOTSUPP);
	CHECK(strstr(error_text(), "nosuch.max") && strstr(error_text(), "the nosuch controller"));
	sweep();
}

TEST("keys of the unified map that are no limits are refused")
{
	static const char *const bad[] = {"",
					  "memory",
					  "../x.max",
					  "a/b.c",
					  "mem ory.max",
					  "MEMORY.max",
					  "cgroup.procs",
					  "cgroup.kill",
					  "cgroup.freeze",
					  "memory.\nmax",
					  ".",
					  "..",
					  "averyveryverylongname.max"};
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		limits.unified = &(const struct key_value){bad[i], "1"};
		limits.n_unified = 1;
		CHECK(try_make("/x", &limits, &cg) == -EINVAL);
	}
	sweep();
}

TEST("a file of the cgroup core needs no controller")
{
	const struct key_value unified[] = {{"cgroup.max.depth", "7"}, {"cgroup.max.descendants", "9\n8\n"}};
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	limits.unified = unified;
	limits.n_unified = 2;
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "cgroup.max.depth", "7");
	CHECK_VALUE(&cg, "cgroup.max.descendants", "8");
	cgroup_close(&cg);
	sweep();
}

TEST("numbers out of range are refused")
{
	static const struct {
		size_t field;
		int64_t value;
	} bad[] = {{offsetof(struct cgroup_limits, memory_max), -2},
		   {offsetof(struct cgroup_limits, cpu_quota), 999},
		   {offsetof(struct cgroup_limits, cpu_period), 999},
		   {offsetof(struct cgroup_limits, cpu_period), 1000001},
		   {offsetof(struct cgroup_limits, cpu_idle), 2},
		   {offsetof(struct cgroup_limits, pids_max), -5},
		   {offsetof(struct cgroup_limits, io_weight), 9},
		   {offsetof(struct cgroup_limits, io_weight), 1001},
		   {offsetof(struct cgroup_limits, cpu_shares), -1},
		   {offsetof(struct cgroup_limits, cpu_burst), -1}};
	struct cgroup cg;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cgroup_limits limits = CGROUP_LIMITS_NONE;

		memcpy((char *)&limits + bad[i].field, &bad[i].value, sizeof(int64_t));
		CHECK(try_make("/x", &limits, &cg) == -EINVAL);
	}
	sweep();
}

TEST("no limit, and 0 for what a caller does not set, need no controller")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	limits.memory_max = limits.memory_swap = limits.pids_max = limits.cpu_quota = LIMIT_MAX;
	limits.memory_low = limits.cpu_shares = limits.cpu_period = limits.io_weight = 0;
	limits.cpus = limits.mems = "";
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK(set(&cg, &limits) == 0);
	cgroup_close(&cg);
	sweep();
}

TEST("a cgroup with processes cannot control those below it, and the message says so")
{
	const char *controller = host_has("pids") ? "pids" : "hugetlb";
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup busy, cg;

	if (lacks(controller))
		return;
	limits.unified = &(const struct key_value){host_has("pids") ? "pids.max" : "hugetlb.2MB.max", "max"};
	limits.n_unified = 1;
	CHECK(try_make("/busy", NULL, &busy) == 0);
	pid_t pid = fork_in(&busy);
	while (pid == 0)
		pause();
	CHECK(try_make("/busy/below", &limits, &cg) == -EBUSY);
	CHECK(strstr(error_text(), "/busy has processes of its own") != NULL);
	CHECK(cgroup_kill(&busy, 5000) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	cgroup_close(&busy);
	sweep();
}

TEST("huge pages are limited, also those reserved")
{
	const struct hugepage_limit pages[] = {{"2MB", 4 << 20}}, odd[] = {{"2mb", 0}}, none[] = {{"3MB", 0}};
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	if (lacks("hugetlb"))
		return;
	limits.n_hugepages = 1;
	limits.hugepages = pages;
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "hugetlb.2MB.max", "4194304");
	CHECK_VALUE(&cg, "hugetlb.2MB.rsvd.max", "4194304");
	limits.hugepages = odd;
	CHECK(set(&cg, &limits) == -EINVAL && strstr(error_text(), "page size"));
	limits.hugepages = none;
	CHECK(set(&cg, &limits) == -EINVAL && strstr(error_text(), "no pages of 3MB"));
	cgroup_close(&cg);
	sweep();
}

TEST("memory and swap are limited, updated, and checked against what is used")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup_stats stats;
	struct cgroup cg;

	if (lacks("memory"))
		return;
	limits.memory_max = 64 << 20;
	limits.memory_swap = 96 << 20;
	limits.memory_low = 1 << 20;
	CHECK(try_make("/a/b/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "memory.max", "67108864");
	CHECK_VALUE(&cg, "memory.swap.max", "33554432");
	CHECK_VALUE(&cg, "memory.low", "1048576");
	CHECK(cgroup_read_stats(&cg, &stats) == 0);
	CHECK(stats.memory_max == 64 << 20 && stats.memory_current != CGROUP_UNKNOWN && stats.oom_kills == 0);

	/* The sum alone is against the limit that there is. */
	limits = CGROUP_LIMITS_NONE;
	limits.memory_swap = 65 << 20;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "memory.swap.max", "1048576");
	limits.memory_swap = 1 << 20;
	CHECK(set(&cg, &limits) == -EINVAL);
	limits.memory_swap = LIMIT_MAX;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "memory.swap.max", "max");
	CHECK_VALUE(&cg, "memory.max", "67108864");
	limits.memory_max = LIMIT_MAX;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "memory.max", "max");
	CHECK(cgroup_read_stats(&cg, &stats) == 0 && stats.memory_max == CGROUP_UNLIMITED);
	cgroup_close(&cg);
	sweep();
}

TEST("a memory limit below what is used is refused when asked to check")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;
	int ready[2];
	char byte;

	if (lacks("memory"))
		return;
	limits.memory_max = 64 << 20;
	CHECK(try_make("/x", &limits, &cg) == 0 && pipe2(ready, O_CLOEXEC) == 0);
	pid_t pid = fork_in(&cg);
	if (pid == 0) {
		mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		for (;;)
			if (write(ready[1], "x", 1) == 1)
				pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	limits.memory_max = 4 << 20;
	limits.memory_check_before_update = true;
	CHECK(set(&cg, &limits) == -EBUSY && strstr(error_text(), "below what cgroup"));
	CHECK_VALUE(&cg, "memory.max", "67108864");
	limits.memory_check_before_update = false;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "memory.max", "4194304");
	CHECK(cgroup_kill(&cg, 5000) == 0 && waitpid(pid, NULL, 0) == pid);
	close(ready[0]);
	close(ready[1]);
	cgroup_close(&cg);
	sweep();
}

TEST("the processor is shared and limited")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup_stats stats;
	struct cgroup cg;

	if (lacks("cpu"))
		return;
	limits.cpu_shares = 512;
	limits.cpu_quota = 50000;
	limits.cpu_period = 200000;
	limits.cpu_burst = 40000;
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "cpu.weight", "59");
	CHECK_VALUE(&cg, "cpu.max", "50000 200000");
	CHECK_VALUE(&cg, "cpu.max.burst", "40000");
	CHECK(cgroup_read_stats(&cg, &stats) == 0 && stats.cpu_periods != CGROUP_UNKNOWN);

	/* Each part alone leaves the other as it is. */
	limits = CGROUP_LIMITS_NONE;
	limits.cpu_quota = 60000;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.max", "60000 200000");
	limits.cpu_quota = LIMIT_UNSET;
	limits.cpu_period = 100000;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.max", "60000 100000");
	/* Burst and quota may go up and down together. */
	limits = CGROUP_LIMITS_NONE;
	limits.cpu_quota = 10000;
	limits.cpu_burst = 5000;
	CHECK(set(&cg, &limits) == 0);
	limits.cpu_quota = limits.cpu_burst = 90000;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.max.burst", "90000");
	limits.cpu_quota = LIMIT_MAX;
	limits.cpu_burst = 0;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.max", "max 100000");
	CHECK_VALUE(&cg, "cpu.max.burst", "0");

	limits = CGROUP_LIMITS_NONE;
	limits.cpu_idle = 1;
	limits.cpu_shares = 1024;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.idle", "1");
	limits.cpu_idle = 0;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "cpu.weight", "100");
	cgroup_close(&cg);
	sweep();
}

TEST("processors, memory nodes and processes are limited")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup_stats stats;
	struct cgroup cg;

	if (lacks("cpuset") || lacks("pids"))
		return;
	limits.cpus = limits.mems = "0";
	limits.pids_max = 20;
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "cpuset.cpus", "0");
	CHECK_VALUE(&cg, "cpuset.mems", "0");
	CHECK_VALUE(&cg, "pids.max", "20");
	CHECK(cgroup_read_stats(&cg, &stats) == 0 && stats.pids_max == 20 && stats.pids_current == 0);
	limits = CGROUP_LIMITS_NONE;
	limits.pids_max = 0;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "pids.max", "1");
	limits.pids_max = LIMIT_MAX;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "pids.max", "max");
	limits.cpus = "0;rm";
	CHECK(set(&cg, &limits) == -EINVAL && strstr(error_text(), "0-3,7"));
	cgroup_close(&cg);
	sweep();
}

/* The numbers of any whole disk. */
static bool find_disk(uint32_t *major, uint32_t *minor)
{
	DIR *dir = opendir("/sys/block");
	bool found = false;

	for (struct dirent *e; !found && dir && (e = readdir(dir));) {
		_cleanup_(freep) char *file = xasprintf("/sys/block/%s/dev", e->d_name);
		char text[32];

		if ((after_prefix(e->d_name, "vd") || after_prefix(e->d_name, "sd")) &&
		    read_line_at(AT_FDCWD, file, text, sizeof(text)) > 0)
			found = sscanf(text, "%u:%u", major, minor) == 2;
	}
	if (dir)
		closedir(dir);
	return found;
}

TEST("the rates of a disk are limited")
{
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct io_limit io = {
		.rbps = 1 << 20, .wbps = LIMIT_MAX, .riops = LIMIT_UNSET, .wiops = 100, .weight = LIMIT_UNSET};
	struct cgroup cg;

	if (lacks("io") || !find_disk(&io.major, &io.minor))
		return;
	_cleanup_(freep) char *first = xasprintf("%u:%u rbps=1048576 wbps=max riops=max wiops=100", io.major, io.minor);
	_cleanup_(freep) char *then = xasprintf("%u:%u rbps=max wbps=max riops=max wiops=7", io.major, io.minor);
	limits.io = &io;
	limits.n_io = 1;
	CHECK(try_make("/x", &limits, &cg) == 0);
	CHECK_VALUE(&cg, "io.max", first);
	io.rbps = 0;
	io.wiops = 7;
	CHECK(set(&cg, &limits) == 0);
	CHECK_VALUE(&cg, "io.max", then);
	io.wiops = -7;
	CHECK(set(&cg, &limits) == -EINVAL);
	io = (struct io_limit){.major = 4000, .rbps = 1, .wbps = 1, .riops = 1, .wiops = 1, .weight = LIMIT_UNSET};
	CHECK(set(&cg, &limits) == -ENODEV && strstr(error_text(), "4000:0"));
	limits.n_io = 0;
	limits.io_weight = 500;
	/* Not every kernel has either of the mechanisms. */
	if (set(&cg, &limits) == 0)
		CHECK(streq(value(&cg, "io.weight"), "default 4950") ||
		      streq(value(&cg, "io.bfq.weight"), "default 500"));
	cgroup_close(&cg);
	sweep();
}

UNIT_MAIN
