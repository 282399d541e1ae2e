#include "runtime/hooks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"

/* The state document as a file at offset 0: no pipe to fill, no writer to wait for. */
static int state_file(const char *state, size_t len)
{
	_cleanup_(closep) int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, state, len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(-errno, "pass the state to a hook");
	return take_fd(&fd);
}

static _Noreturn void become_hook(const struct hook_spec *h, int input)
{
	static const char *const no_env[] = {NULL};
	const char *args[] = {h->path, NULL};

	if (dup2(input, STDIN_FILENO) < 0 || chdir("/") < 0)
		_exit(125);
	/* Really closed: a startContainer hook is the image's file, and its `#!` line could name one of them. */
	if (sys_close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		_exit(125);
	execve(h->path, (char *const *)(h->args && h->args[0] ? h->args : args),
	       (char *const *)(h->env ? h->env : no_env));
	_exit(127);
}

static int run_hook(const struct hook_spec *h, const char *state, size_t len)
{
	_cleanup_(closep) int input = state_file(state, len);
	if (input < 0)
		return input;
	pid_t pid = fork();
	if (pid < 0)
		return fail(-errno, "start hook %s", h->path);
	if (pid == 0)
		become_hook(h, input);

	_cleanup_(closep) int pidfd = sys_pidfd_open(pid, 0);
	int status = 0;
	bool late = h->timeout_s && pidfd >= 0 && proc_wait_gone(pidfd, (int)h->timeout_s * 1000) == 0;
	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(-errno, "wait for hook %s", h->path);
	if (late)
		return refuse(-ETIMEDOUT, "hook %s took longer than %llu s", h->path, (unsigned long long)h->timeout_s);
	if (WIFSIGNALED(status))
		return refuse(-ECANCELED, "hook %s was killed by signal %d", h->path, WTERMSIG(status));
	if (WEXITSTATUS(status) == 127)
		return refuse(-ENOENT, "hook %s failed with exit status 127 (is it there and executable?)", h->path);
	if (WEXITSTATUS(status))
		return refuse(-ECANCELED, "hook %s failed with exit status %d", h->path, WEXITSTATUS(status));
	return 0;
}

int hooks_run(const struct hook_list *hooks, const char *state, size_t len)
{
	for (size_t i = 0; i < hooks->n; i++) {
		int r = run_hook(&hooks->v[i], state, len);
		if (r < 0)
			return r;
	}
	return 0;
}
