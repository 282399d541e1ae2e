#include "base/proc.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

static int proc_stat(pid_t pid, char *state, uint64_t *start)
{
	char path[32], buf[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ssize_t n = read_line_at(AT_FDCWD, path, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	/* The name may hold spaces and parentheses; the last ')' ends it. */
	char *p = strrchr(buf, ')');
	unsigned long long v;
	if (!p || sscanf(p, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", state,
			 &v) != 2)
		return -EINVAL;
	*start = v;
	return 0;
}

int proc_start_time(pid_t pid, uint64_t *start)
{
	char state;

	return proc_stat(pid, &state, start);
}

bool proc_alive(struct proc_id id)
{
	uint64_t start;
	char state;

	return id.pid > 0 && proc_stat(id.pid, &state, &start) == 0 && start == id.start && state != 'Z' &&
	       state != 'X';
}

int proc_open(struct proc_id id)
{
	if (id.pid <= 0)
		return -ESRCH;
	_cleanup_(closep) int fd = sys_pidfd_open(id.pid, 0);
	if (fd < 0)
		return -errno;
	/* Asked after the open: the pidfd pins the process that had the pid then. */
	return proc_alive(id) ? take_fd(&fd) : -ESRCH;
}

int proc_wait_gone(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int proc_run(char *const argv[], int *status)
{
	pid_t pid = vfork();
	if (pid < 0)
		return fail(-errno, "start %s", argv[0]);
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return fail(-errno, "wait for %s", argv[0]);
	return 0;
}
