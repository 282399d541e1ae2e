/* The parent's side of a container's start. */
#include "runtime/container.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "runtime/child.h"
#include "runtime/init.h"
#include "runtime/listen.h"
#include "runtime/mountfd.h"
#include "runtime/sync.h"

/* Joining a pid namespace concerns only later children: ours joins it around the clone. */
struct pid_ns {
	int own;
};

static int pid_ns_enter(struct pid_ns *saved, int fd)
{
	saved->own = openat(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (saved->own < 0 || setns(fd, CLONE_NEWPID) < 0)
		return fail(-errno, "join the pid namespace");
	return 0;
}

static void pid_ns_leave(struct pid_ns *saved)
{
	if (saved->own >= 0 && setns(saved->own, CLONE_NEWPID) < 0)
		warning("cannot return to ctr's own pid namespace");
	closep(&saved->own);
}

static uint64_t clone_flags(const struct spec *spec)
{
	uint64_t flags = 0;

	for (int t = 0; t < NS_TYPES; t++)
		if (spec->ns[t].asked && !spec->ns[t].path && t != NS_CGROUP && t != NS_TIME)
			flags |= (uint64_t)(unsigned int)ns_info[t].flag;
	return flags;
}

pid_t clone_into(uint64_t flags, const struct cgroup *cg, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD};

	if (cg && cg->fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)(unsigned int)cg->fd;
	}
	return sys_clone3(&args, sizeof(args));
}

static int clone_failed(int err, const struct spec *spec)
{
	if (err == -EPERM)
		return refuse(err, "make the container's namespaces: permission denied: ctr needs root (or "
				   "CAP_SYS_ADMIN); run it with sudo");
	if (err == -EUSERS || err == -ENOSPC)
		return refuse(
			err,
			"make the container's namespaces: a limit is reached (see /proc/sys/user/max_*_namespaces)");
	if (err == -EINVAL && spec->ns[NS_USER].asked)
		return refuse(err, "make the container's namespaces: this kernel has no user namespaces");
	return fail(err, "make the container's process");
}

static int write_map(pid_t pid, const char *file, const struct id_maps *maps)
{
	struct strbuf text = {0};
	char path[64];

	for (size_t i = 0; i < maps->n; i++)
		strbuf_printf(&text, "%u %u %u\n", maps->v[i].container, maps->v[i].host, maps->v[i].size);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int r = write_text_at(AT_FDCWD, path, strbuf_str(&text));
	strbuf_free(&text);
	return r < 0 ? fail(r, "write %s of the user namespace", file) : 0;
}

int container_write_maps(const struct spec *spec, pid_t pid)
{
	int r;

	if (!spec->ns[NS_USER].asked || spec->ns[NS_USER].path)
		return 0;
	if ((r = write_map(pid, "uid_map", &spec->uid_maps)) < 0)
		return r;
	return write_map(pid, "gid_map", &spec->gid_maps);
}

static int tell(int sock, enum sync_tag tag)
{
	int r = sync_send(sock, tag, 0, NULL, NULL, 0);

	/* A child that is gone has said why, or says nothing: its end of the socket tells. */
	return r == -EPIPE || r == -ECONNRESET ? 0 : r < 0 ? fail(r, "talk to the container's first process") : 0;
}

static int died_silently(struct container *c)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid &&
	    info.si_code != CLD_EXITED)
		return refuse(-ECANCELED, "the container's first process was killed by signal %d%s", info.si_status,
			      info.si_status == SIGKILL ? " (out of memory? see the limits)" : "");
	return refuse(-ECANCELED, "the container's first process ended unexpectedly");
}

static int await_ready(const struct container_params *p, struct container *c, bool *exec_failed)
{
	const struct hook_list *hooks = p->spec->hooks;
	int fds[2] = {-EBADF, -EBADF}, r;
	size_t n = 2;

	if (p->spec->ns[NS_USER].asked &&
	    ((r = container_write_maps(p->spec, c->pid)) < 0 || (r = tell(c->sync, SYNC_CONTINUE)) < 0))
		return r;
	if (hooks[HOOK_PRESTART].n || hooks[HOOK_CREATE_RUNTIME].n) {
		r = sync_expect(c->sync, SYNC_HOOKS, exec_failed, NULL, NULL);
		if (r <= 0)
			return r < 0 ? r : died_silently(c);
		if ((r = p->runtime_hooks(c->pid, p->hooks_arg)) < 0 || (r = tell(c->sync, SYNC_CONTINUE)) < 0)
			return r;
	}
	r = sync_expect(c->sync, SYNC_READY, exec_failed, fds, &n);
	if (r <= 0)
		return r < 0 ? r : died_silently(c);
	size_t i = 0;
	if (p->spec->process.terminal && i < n)
		c->console = fds[i++];
	if (i < n)
		c->listener = fds[i];
	return 0;
}

/*
 * The root of a user namespace may not look into the host's private directories: what is bound for it is opened
 * here. As a slave: the copy would be a peer of the host's shared mount, and the container's mounts show there.
 */
static int open_bind_sources(const struct container_params *p, int *fds)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct mount_spec *m = &p->spec->mounts[i];
		int r;

		if (!(m->special & MOUNT_BIND) || m->special & MOUNT_REMOUNT)
			continue;
		fds[i] = mountfd_clone(m->source[0] == '/' ? AT_FDCWD : p->bundle_fd, m->source,
				       m->special & MOUNT_RECURSIVE);
		if (fds[i] < 0)
			return fds[i];
		if ((r = mountfd_set(fds[i], 0, 0, MS_SLAVE, true)) < 0)
			return fail(r, "bind %s", m->source);
	}
	return 0;
}

/* A mount is consumed by the child; what the child must not share, it does not get. */
static int clone_init(const struct container_params *p, struct container *c)
{
	_cleanup_(closep) int pid_ns = -EBADF;
	struct pid_ns saved = {.own = -EBADF};
	int pair[2], r;

	if (p->spec->ns[NS_USER].path)
		return refuse(-EOPNOTSUPP,
			      "joining an existing user namespace (%s) is not supported by this version of ctr",
			      p->spec->ns[NS_USER].path);
	if (p->spec->ns[NS_MOUNT].path || !p->spec->ns[NS_MOUNT].asked)
		return refuse(-EOPNOTSUPP, "a container needs a mount namespace of its own");
	if (p->spec->ns[NS_PID].path) {
		pid_ns = openat(AT_FDCWD, p->spec->ns[NS_PID].path, O_RDONLY | O_CLOEXEC);
		if (pid_ns < 0)
			return fail(-errno, "join the pid namespace %s", p->spec->ns[NS_PID].path);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(-errno, "make a socket pair");
	/* Before the clone, so that no moment of the child can be traced or opened through /proc. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = pid_ns >= 0 ? pid_ns_enter(&saved, pid_ns) : 0;
	if (r == 0) {
		c->pid = clone_into(clone_flags(p->spec), p->cgroup, &c->pidfd);
		if (c->pid == 0) {
			close(pair[0]);
			init_main(p, pair[1]);
		}
		r = c->pid < 0 ? clone_failed(-errno, p->spec) : 0;
	}
	if (pid_ns >= 0)
		pid_ns_leave(&saved);
	close(pair[1]);
	c->sync = pair[0];
	return r;
}

static int clone_init_with_sources(const struct container_params *p, struct container *c)
{
	struct container_params with = *p;
	size_t n = p->spec->n_mounts;
	_cleanup_(freep) int *fds = xcalloc(n + 1, sizeof(*fds));

	for (size_t i = 0; i < n; i++)
		fds[i] = -EBADF;
	with.bind_fds = fds;
	int r = open_bind_sources(p, fds);
	if (r == 0)
		r = clone_init(&with, c);
	for (size_t i = 0; i < n; i++)
		closep(&fds[i]);
	return r;
}

int container_create(const struct container_params *p, struct container *c, bool *exec_failed)
{
	*c = CONTAINER_NONE;
	*exec_failed = false;
	bool user_ns = p->spec->ns[NS_USER].asked && !p->spec->ns[NS_USER].path;
	int r = user_ns ? clone_init_with_sources(p, c) : clone_init(p, c);

	if (r == 0)
		r = await_ready(p, c, exec_failed);
	if (r < 0)
		container_abort(c);
	return r;
}

/* The end of the stream is success: the exec closed it. */
static int await_exec(int sync, bool *exec_failed)
{
	int r = sync_expect(sync, 0, exec_failed, NULL, NULL);

	return r == 1 ? -EPROTO : r;
}

int container_start(struct container *c, bool *exec_failed)
{
	int r = tell(c->sync, SYNC_START);

	*exec_failed = false;
	if (r == 0)
		r = await_exec(c->sync, exec_failed);
	if (r == 0)
		close(take_fd(&c->sync));
	return r;
}

int container_start_remote(int dirfd, const char *name, bool *exec_failed)
{
	_cleanup_(closep) int sock = socket_connect_at(dirfd, name);

	*exec_failed = false;
	if (sock == -ECONNREFUSED || sock == -ENOENT)
		return refuse(-EBUSY, "the container is not waiting to be started (it was started, or it ended)");
	if (sock < 0)
		return fail(sock, "reach the container's first process");
	return await_exec(sock, exec_failed);
}

void container_abort(struct container *c)
{
	if (c->pidfd >= 0)
		sys_pidfd_send_signal(c->pidfd, SIGKILL);
	while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	container_close(c);
}

void container_close(struct container *c)
{
	closep(&c->pidfd);
	closep(&c->sync);
	closep(&c->console);
	closep(&c->listener);
	*c = CONTAINER_NONE;
}
