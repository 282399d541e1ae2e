/* Cgroups made, frozen, killed and removed; on a real hierarchy, below /ctr-unit-PID. */
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroups/private.h"
#include "tests/unit/unit.h"

#define TIMEOUT_MS 5000

/* --- without a kernel ----------------------------------------------------------------------------------- */

/* The first mount point in TEXT is POINT (NULL: there is none). */
static bool finds(const char *text, const char *point)
{
	_cleanup_(freep) char *found = mountinfo_cgroup2(&text);

	return point ? found && streq(found, point) : !found;
}

TEST("cgroup2 is found among the mounts")
{
	CHECK(finds("22 27 0:20 / /proc rw shared:5 - proc proc rw\n"
		    "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
		    "/sys/fs/cgroup"));
	CHECK(finds("1 2 0:3 / /cgroup2 rw - tmpfs cgroup2 rw\n"
		    "41 31 0:38 / /mnt/my\\040cg\\134roup rw shared:1 master:2 - cgroup2 none rw",
		    "/mnt/my cg\\roup"));
	CHECK(finds("32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n", NULL));
	CHECK(finds("", NULL) && finds("\n\n- cgroup2\n1 2 3 4 5 6 7\n - -\n", NULL));

	const char *two = "1 2 0:3 / /a rw - cgroup2 none rw\n1 2 0:3 / /b rw - cgroup2 none rw\n";
	_cleanup_(freep) char *a = mountinfo_cgroup2(&two), *b = mountinfo_cgroup2(&two);
	CHECK(a && streq(a, "/a") && b && streq(b, "/b") && finds(two, NULL));
}

TEST("shares become weights so that ends and defaults fall on each other")
{
	static const struct {
		int64_t shares;
		uint64_t weight;
	} of[] = {{INT64_MIN + 1, 1}, {0, 1},      {2, 1},       {3, 2},          {512, 59},       {1024, 100},
		  {2000, 170},        {2048, 174}, {10240, 639}, {262143, 10000}, {262144, 10000}, {INT64_MAX, 10000}};
	uint64_t before = 1;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		CHECK(cpu_weight_from_shares(of[i].shares) == of[i].weight);
	for (int64_t shares = 2; shares <= 262144; shares++) {
		uint64_t weight = cpu_weight_from_shares(shares);
		if (weight < before || weight > 10000)
			CHECK(!"the curve only rises");
		before = weight;
	}
}

TEST("block weights are converted both ways")
{
	CHECK(io_weight_from_blkio(10) == 1);
	CHECK(io_weight_from_blkio(1000) == 10000);
	CHECK(io_weight_from_blkio(500) == 4950);
	CHECK(blkio_weight_from_io(1) == 10);
	CHECK(blkio_weight_from_io(10000) == 1000);
}

TEST("swap is what remains of memory and swap together")
{
	int64_t swap;

	CHECK(swap_from_total(300, 100, &swap) == 0 && swap == 200);
	CHECK(swap_from_total(100, 100, &swap) == 0 && swap == 0);
	CHECK(swap_from_total(LIMIT_MAX, 100, &swap) == 0 && swap == LIMIT_MAX);
	CHECK(swap_from_total(LIMIT_UNSET, 100, &swap) == 0 && swap == LIMIT_UNSET);
	CHECK(swap_from_total(LIMIT_UNSET, LIMIT_UNSET, &swap) == 0 && swap == LIMIT_UNSET);
	/* No memory limit frees the swap too, unless that is limited. */
	CHECK(swap_from_total(LIMIT_UNSET, LIMIT_MAX, &swap) == 0 && swap == LIMIT_MAX);
	CHECK(swap_from_total(99, 100, &swap) == -EINVAL);
	CHECK(swap_from_total(99, LIMIT_MAX, &swap) == -EINVAL);
	CHECK(swap_from_total(99, LIMIT_UNSET, &swap) == -EINVAL);
}

TEST("a word is found in a list of controllers")
{
	CHECK(controller_listed("cpuset cpu io", "cpu"));
	CHECK(controller_listed("cpu", "cpu"));
	CHECK(controller_listed("memory  io", "io"));
	CHECK(!controller_listed("cpuset cpuacct", "cpu"));
	CHECK(!controller_listed("", "cpu"));
}

/* --- with one --------------------------------------------------------------------------------------------- */

/* The absolute file name of a cgroup, for looking at it without the code under test. */
static char *on_disk(const char *path)
{
	return xasprintf("%s%s", cgroup_mount_point(), path);
}

static bool exists(const char *path)
{
	_cleanup_(freep) char *file = on_disk(path);

	return access(file, F_OK) == 0;
}

static bool make_on_disk(const char *path)
{
	_cleanup_(freep) char *file = on_disk(path);

	return mkdir(file, 0755) == 0;
}

/* Ends all: what would come is about a process or a cgroup that is not there, and kill(-1) is everybody. */
static void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, error_text());
	exit(1);
}

static char *scratch(const char *below)
{
	return xasprintf("/ctr-unit-%d%s", (int)getpid(), below);
}

static struct cgroup make(const char *below)
{
	_cleanup_(freep) char *path = scratch(below);
	struct cgroup cg;
	int r = cgroup_create(path, NULL, &cg);

	if (r < 0)
		bail_out("cannot make a cgroup");
	return cg;
}

/* Removes the cgroup of this test and all below it. */
static void sweep(void)
{
	_cleanup_(freep) char *path = scratch("");
	struct cgroup cg;

	if (cgroup_open(path, &cg) < 0)
		return;
	int r = cgroup_remove(&cg);
	if (r < 0)
		printf("# %s\n", error_text());
	CHECK(r == 0 && !exists(path));
	cgroup_close(&cg);
}

/* A child inside CG; in the child, 0. It dies with us. */
static pid_t fork_in(const struct cgroup *cg)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)(unsigned int)cg->fd};
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid < 0)
		bail_out("cannot start a process in a cgroup");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* One that does nothing. */
static pid_t start_in(const struct cgroup *cg)
{
	pid_t pid = fork_in(cg);

	while (pid == 0)
		pause();
	return pid;
}

static bool died_of(pid_t pid, int sig)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

TEST("a path that could lead elsewhere is refused")
{
	static const char *const bad[] = {"",       "relative", "/",     "///",   "/a/../b", "/..",
					  "/a/./b", "/a/..",    "/a\nb", "/\x7f", "/."};
	struct cgroup cg;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(cgroup_create(bad[i], NULL, &cg) == -EINVAL);
		CHECK(cgroup_open(bad[i], &cg) == -EINVAL && cg.fd == -EBADF);
	}
	_cleanup_(freep) char *longest = xmalloc(5000);
	memset(longest, 'a', 4999);
	longest[0] = '/';
	longest[4999] = '\0';
	CHECK(cgroup_create(longest, NULL, &cg) == -ENAMETOOLONG);
	longest[400] = '\0';
	CHECK(cgroup_create(longest, NULL, &cg) == -ENAMETOOLONG);
}

TEST("a cgroup is made with its parents, opened, and removed without them")
{
	_cleanup_(freep) char *path = scratch("/a//b/c/"), *parent = scratch("/a/b"), *leaf = scratch("/a/b/c");
	struct cgroup cg, again;

	CHECK(cgroup_open(leaf, &cg) == -ENOENT);
	CHECK(cgroup_create(path, NULL, &cg) == 0);
	CHECK(cg.fd >= 0 && streq(cg.path, path) && exists(leaf));
	CHECK(cgroup_open(leaf, &again) == 0);
	cgroup_close(&again);
	CHECK(again.fd == -EBADF && !again.path);
	CHECK(cgroup_remove(&cg) == 0);
	CHECK(!exists(leaf) && exists(parent));
	CHECK(cgroup_remove(&cg) == 0);
	cgroup_close(&cg);
	sweep();
}

TEST("nothing is left of a cgroup that could not be made")
{
	_cleanup_(freep) char *path = scratch("/a/b"), *top = scratch("");
	struct cgroup_limits limits = CGROUP_LIMITS_NONE;
	struct cgroup cg;

	limits.unified = &(const struct key_value){"cgroup.procs", "1"};
	limits.n_unified = 1;
	CHECK(cgroup_create(path, &limits, &cg) == -EINVAL && cg.fd == -EBADF);
	CHECK(!exists(top));

	/* Parents are made, and then the name is that of an interface file. */
	_cleanup_(freep) char *taken = xasprintf("%s/cgroup.procs/c", path);
	CHECK(cgroup_create(taken, NULL, &cg) == -ENOTDIR);
	CHECK(!exists(top));

	/* Parents that existed stay. */
	CHECK(make_on_disk(top));
	CHECK(cgroup_create(path, &limits, &cg) == -EINVAL);
	CHECK(exists(top));
	sweep();
}

TEST("an existing cgroup is taken over, thawed, but not from processes")
{
	_cleanup_(freep) char *path = scratch("/x");
	struct cgroup cg = make("/x"), second;

	CHECK(cgroup_freeze(&cg, true) == 0);
	CHECK(cgroup_create(path, NULL, &second) == 0);
	CHECK(cgroup_is_frozen(&second) == 0);
	cgroup_close(&second);
	pid_t pid = start_in(&cg);
	CHECK(cgroup_create(path, NULL, &second) == -EBUSY && strstr(error_text(), "has processes"));
	CHECK(exists(path));
	CHECK(cgroup_kill(&cg, TIMEOUT_MS) == 0);
	CHECK(died_of(pid, SIGKILL));
	cgroup_close(&cg);
	sweep();
}

TEST("processes are listed, also those of cgroups below")
{
	struct cgroup top = make("/x"), low = make("/x/y/z");
	pid_t one = start_in(&top), two = start_in(&low), *pids;
	size_t n;

	CHECK(cgroup_pids(&top, &pids, &n) == 0);
	CHECK(n == 2 && pids[0] == one && pids[1] == two);
	free(pids);
	CHECK(cgroup_kill(&top, TIMEOUT_MS) == 0);
	CHECK(died_of(one, SIGKILL) && died_of(two, SIGKILL));
	CHECK(cgroup_pids(&top, &pids, &n) == 0 && n == 0);
	free(pids);
	cgroup_close(&top);
	cgroup_close(&low);
	sweep();
}

TEST("a frozen process stops, and resumes")
{
	struct cgroup cg = make("/x");
	int pipes[2];

	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	pid_t pid = fork_in(&cg);
	if (pid == 0)
		while (write(pipes[1], "x", 1) == 1)
			;
	close(pipes[1]);
	CHECK(cgroup_is_frozen(&cg) == 0);
	CHECK(cgroup_freeze(&cg, true) == 0);
	CHECK(cgroup_is_frozen(&cg) == 1);
	/* Everything there was is read; then nothing more comes. */
	_cleanup_(freep) char *buf = xmalloc(1 << 20);
	struct pollfd p = {.fd = pipes[0], .events = POLLIN};
	while (poll(&p, 1, 0) == 1 && read(pipes[0], buf, 1 << 20) > 0)
		;
	CHECK(poll(&p, 1, 30) == 0);
	CHECK(cgroup_freeze(&cg, false) == 0);
	CHECK(cgroup_is_frozen(&cg) == 0);
	CHECK(poll(&p, 1, TIMEOUT_MS) == 1);
	/* A frozen one can be killed. */
	CHECK(cgroup_freeze(&cg, true) == 0);
	CHECK(cgroup_kill(&cg, TIMEOUT_MS) == 0);
	CHECK(died_of(pid, SIGKILL));
	close(pipes[0]);
	cgroup_close(&cg);
	sweep();
}

TEST("an old kernel's way to kill works too, against processes that fork")
{
	struct cgroup cg = make("/x"), low = make("/x/y");
	pid_t quiet = start_in(&cg), pid = fork_in(&low);

	if (pid == 0) {
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			if (fork() == 0)
				_exit(0);
	}
	CHECK(cgroup_kill_each(&cg) == 0);
	CHECK(cgroup_wait(cg.fd, "populated", false, TIMEOUT_MS) == 0);
	CHECK(died_of(pid, SIGKILL) && died_of(quiet, SIGKILL));
	cgroup_close(&cg);
	cgroup_close(&low);
	sweep();
}

TEST("waiting ends when it must")
{
	struct cgroup cg = make("/x");
	pid_t pid = start_in(&cg);

	CHECK(cgroup_wait(cg.fd, "populated", false, 20) == -ETIMEDOUT);
	CHECK(cgroup_wait(cg.fd, "populated", true, 0) == 0);
	CHECK(cgroup_wait(cg.fd, "no_such_event", true, 0) == -EOPNOTSUPP);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(cgroup_wait(cg.fd, "populated", false, -1) == 0);
	CHECK(died_of(pid, SIGKILL));
	CHECK(cgroup_remove(&cg) == 0);
	CHECK(cgroup_wait(cg.fd, "populated", false, -1) == -ENODEV);
	CHECK(cgroup_kill(&cg, TIMEOUT_MS) == 0);
	CHECK(cgroup_is_frozen(&cg) < 0);
	cgroup_close(&cg);
	sweep();
}

TEST("waiting for several processes ends with the last")
{
	struct cgroup cg = make("/x"), low = make("/x/y");
	pid_t pids[] = {start_in(&cg), start_in(&low), start_in(&cg), start_in(&cg)};

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		CHECK(cgroup_event(cg.fd, "populated") == 1);
		CHECK(kill(pids[i], SIGKILL) == 0 && (i == 2 || died_of(pids[i], SIGKILL)));
	}
	CHECK(cgroup_wait(cg.fd, "populated", false, TIMEOUT_MS) == 0);
	/* A zombie does not count. */
	CHECK(cgroup_remove(&low) == 0 && cgroup_remove(&cg) == 0);
	CHECK(died_of(pids[2], SIGKILL));
	cgroup_close(&cg);
	cgroup_close(&low);
	sweep();
}

TEST("what a container nested below its cgroup goes with it, however deep and wide")
{
	struct cgroup cg = make("/x");
	int here = openat(cg.fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int depth = 0; depth < 300; depth++) {
		char wide[16];

		snprintf(wide, sizeof(wide), "w%d", depth);
		CHECK(mkdirat(here, wide, 0755) == 0 && mkdirat(here, "d", 0755) == 0);
		int below = openat(here, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(here);
		here = below;
	}
	close(here);
	pid_t *pids;
	size_t n;
	CHECK(cgroup_pids(&cg, &pids, &n) == -ELOOP);
	CHECK(cgroup_remove(&cg) == 0);
	CHECK(!exists(cg.path));
	cgroup_close(&cg);
	sweep();
}

TEST("statistics are numbers where there is a controller, and unknown elsewhere")
{
	struct cgroup cg = make("/x");
	struct cgroup_stats s;

	CHECK(cgroup_read_stats(&cg, &s) == 0);
	CHECK(s.cpu_usage_us != CGROUP_UNKNOWN);
	CHECK(s.memory_current == CGROUP_UNKNOWN);
	CHECK(s.pids_current == CGROUP_UNKNOWN);
	CHECK(s.io_reads == CGROUP_UNKNOWN);
	CHECK(cgroup_remove(&cg) == 0);
	CHECK(cgroup_read_stats(&cg, &s) < 0);
	cgroup_close(&cg);
	sweep();
}

UNIT_MAIN
