/*
 * exec: a further process in a running container.
 *
 * A process that is visible in the container's pid namespace can be traced by one inside that has
 * CAP_SYS_PTRACE, whatever its dumpable flag says. So the work is done by a process that is not: it joins
 * the other namespaces, becomes the container's user with the container's capabilities, closes every
 * descriptor of ours, and only then clones the one that is in the pid namespace and executes the program.
 * That one is the caller's child (CLONE_PARENT), as if there had been no other.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "runtime/child.h"
#include "runtime/sync.h"

struct joiner {
	const struct exec_params *p;
	int sync;
	int master; /* of the terminal; -EBADF without */
	char **env, *path;
};

static int join_namespaces(const struct exec_params *p)
{
	int flags = 0;

	for (int t = 0; t < NS_TYPES; t++)
		if (p->spec->ns[t].asked)
			flags |= ns_info[t].flag;
	/* All at once by the init's pidfd: no path of /proc, no moment in between (setns(2)). */
	if (setns(p->init_pidfd, flags) < 0)
		return fail(-errno, "join the container's namespaces");
	if (p->spec->ns[NS_USER].asked && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return fail(-errno, "become root of the user namespace");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Not the caller's keys: a session keyring of its own. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		debug("no session keyring of its own: %s", strerror(errno));
	return 0;
}

static int take_streams(struct joiner *j)
{
	const struct exec_params *p = j->p;
	int slave;

	if (!p->process->terminal)
		return use_stdio(p->stdio);
	_cleanup_(closep) int pts = openat(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (pts < 0)
		return fail(-errno, "a terminal needs a devpts on /dev/pts");
	int r = open_terminal(pts, p->process, &j->master, &slave);
	return r < 0 ? r : use_stdio((int[]){slave, slave, slave});
}

/* Everything but the pid namespace. Sets *EXEC_FAILED when it is the program's fault. */
static int become_container(struct joiner *j, int proc, bool *exec_failed)
{
	const struct exec_params *p = j->p;
	int listener = -EBADF, r;

	if ((r = join_namespaces(p)) < 0 || (r = take_streams(j)) < 0 ||
	    (r = process_become(p->process, proc, p->seccomp, &listener)) < 0)
		return r;
	/* The change of user cleared it. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	_cleanup_(closep) int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	j->env = process_env(p->process, root);
	j->path = process_find(p->process);
	*exec_failed = !j->path;
	return j->path ? 0 : -errno;
}

static _Noreturn void give_up(int sync, enum sync_tag tag, int err)
{
	sync_send(sync, tag, err, error_text(), NULL, 0);
	_exit(1);
}

/* In the pid namespace now, with nothing that the container has not. */
static _Noreturn void run_program(const struct joiner *j)
{
	const struct process_spec *p = j->p->process;
	int r;

	if (j->master >= 0)
		close(j->master);
	if (setsid() < 0)
		give_up(j->sync, SYNC_ERROR, fail(-errno, "start a session"));
	if (p->terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		give_up(j->sync, SYNC_ERROR, fail(-errno, "take the terminal"));
	/* Not before ctr knows this process's pid. */
	r = sync_expect(j->sync, SYNC_START, NULL, NULL, NULL);
	if (r <= 0)
		_exit(1);
	r = process_execute(p, j->path, j->env, j->p->seccomp, j->p->preserve_fds, j->sync);
	give_up(j->sync, SYNC_EXEC_ERROR, r);
}

static _Noreturn void joiner_main(const struct exec_params *p, int sync, int proc)
{
	struct joiner j = {.p = p, .sync = sync, .master = -EBADF};
	bool exec_failed = false;
	int pidfd = -EBADF, fds[2];

	process_reset_signals();
	int r = become_container(&j, proc, &exec_failed);
	if (r < 0)
		give_up(sync, exec_failed ? SYNC_EXEC_ERROR : SYNC_ERROR, r);
	if ((r = close_others((int[]){sync, j.master}, 2, p->preserve_fds)) < 0)
		give_up(sync, SYNC_ERROR, r);
	/* clone, not clone3: a filter that is loaded already may refuse the latter (it cannot look into it). */
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD, 0, &pidfd, 0, 0);
	if (pid == 0)
		run_program(&j);
	if (pid < 0)
		give_up(sync, SYNC_ERROR, fail(-errno, "make a process in the container"));
	fds[0] = pidfd;
	fds[1] = j.master;
	sync_send(sync, SYNC_READY, pid, NULL, fds, j.master >= 0 ? 2 : 1);
	_exit(0);
}

/* The joiner's work is done, or has failed; either way it ends. */
static int await_joiner(struct container *c, bool *exec_failed)
{
	int fds[2] = {-EBADF, -EBADF}, pid = 0;
	size_t n = 2;
	int r = sync_expect_value(c->sync, SYNC_READY, exec_failed, &pid, fds, &n);

	if (r == 0)
		r = refuse(-ECANCELED, "the process that was to join the container ended unexpectedly");
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	closep(&c->pidfd);
	c->pid = r > 0 ? pid : -1;
	c->pidfd = fds[0];
	c->console = fds[1];
	return r;
}

int container_exec(const struct exec_params *p, struct container *c, bool *exec_failed)
{
	_cleanup_(closep) int proc = -EBADF;
	int pair[2];

	*c = CONTAINER_NONE;
	*exec_failed = false;
	/* For AppArmor's attribute; ours, opened before any of the container's is in sight. */
	if (p->process->apparmor && *p->process->apparmor)
		proc = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(-errno, "make a socket pair");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	c->pid = clone_into(0, p->cgroup, &c->pidfd);
	if (c->pid == 0) {
		close(pair[0]);
		joiner_main(p, pair[1], proc);
	}
	close(pair[1]);
	c->sync = pair[0];
	int r = c->pid < 0 ? fail(-errno, "make a process in the container") : await_joiner(c, exec_failed);
	if (r > 0)
		r = container_start(c, exec_failed);
	if (r < 0)
		container_abort(c);
	return r;
}
