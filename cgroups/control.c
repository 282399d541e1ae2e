/* What is done to all processes of a cgroup: listed, frozen, killed, waited for. */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroups/private.h"

/* The kernel stops processes in microseconds, unless one is in a system call that cannot be interrupted. */
#define FREEZE_TIMEOUT_MS 10000

/* Containers make cgroups below their own; who nests them deeper than this does it to be a nuisance. */
#define NESTING_MAX 64
#define PROCS_MAX (64u << 20)

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The value of KEY in the open cgroup.events. */
static int read_event(int fd, const char *key)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *value = after_prefix(line, key);
		if (value && *value == ' ')
			return value[1] == '1';
	}
	return -EOPNOTSUPP;
}

static int open_events(int dirfd)
{
	int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	return fd;
}

int cgroup_event(int dirfd, const char *key)
{
	_cleanup_(closep) int fd = open_events(dirfd);

	return fd < 0 ? fd : read_event(fd, key);
}

/* A pidfd of a process in the cgroup, or negative errno. */
static int open_any_process(int dirfd)
{
	char text[64];
	int64_t pid;
	ssize_t n = read_line_at(dirfd, "cgroup.procs", text, sizeof(text));

	if (n < 0)
		return (int)n;
	text[strcspn(text, "\n")] = '\0';
	/* 0 stands for a process that this pid namespace does not see. */
	if (parse_i64(text, 1, INT32_MAX, &pid) < 0)
		return -ESRCH;
	int fd = sys_pidfd_open((pid_t)pid, 0);
	return fd < 0 ? -errno : fd;
}

int cgroup_wait(int dirfd, const char *key, bool want, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	bool emptying = !want && streq(key, "populated");
	_cleanup_(closep) int fd = open_events(dirfd);

	if (fd < 0)
		return fd;
	for (;;) {
		/* The kernel notifies of changes since the last read: what happens between the read and the
		 * poll is not missed. */
		int value = read_event(fd, key);
		if (value < 0 || (value == 1) == want)
			return value < 0 ? value : 0;
		int64_t left = timeout_ms < 0 ? -1 : deadline - now_ms();
		if (timeout_ms >= 0 && left <= 0)
			return -ETIMEDOUT;
		/* But it does so only every 10 ms (CGROUP_FILE_NOTIFY_MIN_INTV), while the end of a process is
		 * known at once. */
		_cleanup_(closep) int process = emptying ? open_any_process(dirfd) : -EBADF;
		struct pollfd events[] = {{.fd = fd, .events = POLLPRI}, {.fd = process, .events = POLLIN}};
		if (poll(events, ARRAY_SIZE(events), (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

int cgroup_is_frozen(const struct cgroup *cg)
{
	int r = cgroup_event(cg->fd, "frozen");

	return r < 0 ? fail(r, "read cgroup.events of cgroup %s", cg->path) : r;
}

int cgroup_freeze(const struct cgroup *cg, bool frozen)
{
	const char *what = frozen ? "freeze" : "thaw";
	int r = write_text_at(cg->fd, "cgroup.freeze", frozen ? "1" : "0");

	if (r == 0)
		r = cgroup_wait(cg->fd, "frozen", frozen, FREEZE_TIMEOUT_MS);
	if (r != -ETIMEDOUT)
		return r < 0 ? fail(r, "%s cgroup %s", what, cg->path) : 0;
	if (!frozen)
		return refuse(r, "cgroup %s is still frozen, because one above it is; thaw that", cg->path);
	/* Half frozen is worse than running. */
	write_text_at(cg->fd, "cgroup.freeze", "0");
	return refuse(r, "cgroup %s could not be frozen: a process in it is in an uninterruptible system call",
		      cg->path);
}

struct pid_list {
	pid_t *v;
	size_t n, cap;
};

static void add_pids(struct pid_list *list, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int64_t pid;

		/* 0 stands for a process that this pid namespace does not see. */
		if (parse_i64(line, 1, INT32_MAX, &pid) < 0)
			continue;
		if (list->n == list->cap) {
			list->cap = list->cap ? list->cap * 2 : 64;
			list->v = xreallocarray(list->v, list->cap, sizeof(*list->v));
		}
		list->v[list->n++] = (pid_t)pid;
	}
}

static int collect_pids(int dirfd, unsigned int depth, struct pid_list *list);

static int collect_below(int dirfd, unsigned int depth, struct pid_list *list)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int r = 0;

	if (!dir) {
		r = -errno;
		closep(&copy);
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		_cleanup_(closep) int child = cgroup_open_below(dirfd, e->d_name);
		if (child < 0)
			r = child == -ENOENT ? 0 : child;
		else
			r = collect_pids(child, depth + 1, list);
	}
	closedir(dir);
	return r;
}

static int collect_pids(int dirfd, unsigned int depth, struct pid_list *list)
{
	_cleanup_(freep) char *text = NULL;

	if (depth > NESTING_MAX)
		return -ELOOP;
	int r = read_file_at(dirfd, "cgroup.procs", PROCS_MAX, &text, NULL);
	if (r == 0)
		add_pids(list, text);
	/* A cgroup that was removed meanwhile has no processes; the root of its domain lists those of a
	 * threaded one (-EOPNOTSUPP). */
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	return collect_below(dirfd, depth, list);
}

int cgroup_pids(const struct cgroup *cg, pid_t **pids, size_t *n)
{
	struct pid_list list = {.n = 0};
	int r = collect_pids(cg->fd, 0, &list);

	*pids = NULL;
	*n = 0;
	if (r < 0) {
		free(list.v);
		if (r == -ELOOP)
			return refuse(r, "the cgroups below %s are nested deeper than %d", cg->path, NESTING_MAX);
		return fail(r, "list the processes of cgroup %s", cg->path);
	}
	*pids = list.v;
	*n = list.n;
	return 0;
}

int cgroup_kill_each(const struct cgroup *cg)
{
	_cleanup_(freep) pid_t *pids = NULL;
	size_t n;

	/* Frozen processes do not fork, so that one round is enough; and they die of SIGKILL all the same. */
	int r = cgroup_freeze(cg, true);
	if (r == 0)
		r = cgroup_pids(cg, &pids, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (kill(pids[i], SIGKILL) < 0 && errno != ESRCH)
			r = fail(-errno, "kill process %d of cgroup %s", (int)pids[i], cg->path);
	write_text_at(cg->fd, "cgroup.freeze", "0");
	return r;
}

int cgroup_kill(const struct cgroup *cg, int timeout_ms)
{
	int r = write_text_at(cg->fd, "cgroup.kill", "1");

	if (r == -ENOENT && cgroup_event(cg->fd, "populated") >= 0) {
		debug("no cgroup.kill in this kernel; killing the processes of cgroup %s one by one", cg->path);
		r = cgroup_kill_each(cg);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = cgroup_wait(cg->fd, "populated", false, timeout_ms);
	/* Nobody is in a cgroup that is gone. */
	if (r == -ENODEV || r == -ENOENT)
		return 0;
	if (r == -ETIMEDOUT)
		return refuse(r, "processes of cgroup %s are still there %d ms after SIGKILL", cg->path, timeout_ms);
	return r < 0 ? fail(r, "kill the processes of cgroup %s", cg->path) : 0;
}
