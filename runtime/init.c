/* The container's first process, from the clone to the exec. */
#include "runtime/init.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "netns/loopback.h"
#include "runtime/child.h"
#include "runtime/hooks.h"
#include "runtime/mountfd.h"
#include "runtime/sync.h"

static int wait_for_parent(struct child *c)
{
	int r = sync_expect(c->sync, SYNC_CONTINUE, NULL, NULL, NULL);

	return r == 0 ? refuse(-ECANCELED, "ctr ended while the container was being made") : r;
}

/* The first moments in a user namespace: wait for the id maps, then be its root. */
static int enter_user_namespace(struct child *c)
{
	int r = wait_for_parent(c);
	if (r < 0)
		return r;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0 ||
	    syscall(SYS_setgroups, 0, NULL) < 0)
		return fail(-errno, "become root of the user namespace (does a map cover id 0?)");
	/* The change of ids made us dumpable as the system's default says; not before the exec. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

static int join_namespaces(struct child *c)
{
	for (int t = 0; t < NS_TYPES; t++) {
		const struct ns_spec *ns = &c->spec->ns[t];

		/* The pid namespace was joined by the parent: it counts for children only. */
		if (!ns->path || t == NS_PID)
			continue;
		_cleanup_(closep) int fd = openat(AT_FDCWD, ns->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, ns_info[t].flag) < 0)
			return fail(-errno, "join the %s namespace %s", ns_info[t].name, ns->path);
	}
	return 0;
}

/* The namespaces that cannot be asked of clone3: a cgroup namespace made there would show the parent's
 * cgroup as its root, and a time namespace takes its offsets only before anyone is in it. */
static int unshare_late(struct child *c)
{
	static const char *const clock[2] = {"monotonic", "boottime"};
	const struct spec *s = c->spec;

	if (s->ns[NS_CGROUP].asked && !s->ns[NS_CGROUP].path && unshare(CLONE_NEWCGROUP) < 0)
		return fail(-errno, "make a cgroup namespace");
	if (!s->ns[NS_TIME].asked || s->ns[NS_TIME].path)
		return 0;
	if (unshare(ns_info[NS_TIME].flag) < 0)
		return fail(-errno, "make a time namespace");
	for (int i = 0; i < 2; i++) {
		char text[96];

		snprintf(text, sizeof(text), "%s %lld %u\n", clock[i], (long long)s->time_offset_s[i],
			 s->time_offset_ns[i]);
		int r = write_text_at(AT_FDCWD, "/proc/self/timens_offsets", text);
		if (r < 0)
			return fail(r, "set the %s offset of the time namespace", clock[i]);
	}
	_cleanup_(closep) int fd = openat(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, ns_info[NS_TIME].flag) < 0)
		return fail(-errno, "enter the time namespace");
	return 0;
}

/* A procfs of our own for what has to be written there; only made when something has. */
static int open_proc(struct child *c)
{
	const struct process_spec *p = &c->spec->process;

	if (!c->spec->n_sysctls && !p->has_oom_score_adj && !(p->apparmor && *p->apparmor))
		return 0;
	c->proc = mountfd_new("proc", "proc", NULL, 0);
	if (c->proc != -EPERM)
		return c->proc < 0 ? c->proc : 0;
	/* Not allowed with a shared pid namespace in a user namespace: the host's, which no image touched. */
	struct statfs fs;
	debug("%s: using the host's", error_text());
	c->proc = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->proc < 0 || fstatfs(c->proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return refuse(-EINVAL, "/proc of the host is not a procfs");
	return 0;
}

static int set_names(const struct spec *s)
{
	if (s->ns[NS_UTS].asked && s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
		return fail(-errno, "set the hostname");
	if (s->ns[NS_UTS].asked && s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
		return fail(-errno, "set the domain name");
	return 0;
}

static int set_identity(struct child *c)
{
	const struct spec *s = c->spec;
	int r;

	if (setsid() < 0)
		return fail(-errno, "start a session");
	if (!c->params->no_new_keyring && syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, c->params->id) < 0)
		debug("no session keyring of its own: %s", strerror(errno)); /* ENOSYS, EDQUOT: as runc, go on */
	if ((r = join_namespaces(c)) < 0 || (r = unshare_late(c)) < 0 || (r = set_names(s)) < 0)
		return r;
	if (s->ns[NS_NET].asked && !s->ns[NS_NET].path && (r = loopback_up()) < 0)
		return r;
	if ((r = open_proc(c)) < 0)
		return r;
	if (s->process.has_oom_score_adj) {
		char text[16];

		snprintf(text, sizeof(text), "%d", s->process.oom_score_adj);
		r = write_text_at(c->proc, "self/oom_score_adj", text);
		if (r < 0)
			return fail(r, "set oom_score_adj to %s", text);
	}
	return child_write_sysctls(c);
}

static int build_root(struct child *c, int *master)
{
	const struct hook_list *hooks = c->spec->hooks;
	int r;

	if ((r = child_attach_root(c)) < 0 || (r = child_mount_all(c)) < 0 || (r = child_make_devices(c)) < 0)
		return r;
	if ((r = child_resolve_process(c)) < 0 || (c->process.terminal && (r = child_open_console(c, master)) < 0))
		return r;
	if ((r = child_mask_paths(c)) < 0)
		return r;
	if (hooks[HOOK_PRESTART].n || hooks[HOOK_CREATE_RUNTIME].n) {
		if ((r = sync_send(c->sync, SYNC_HOOKS, 0, NULL, NULL, 0)) < 0)
			return fail(r, "ask for the runtime hooks");
		if ((r = wait_for_parent(c)) < 0)
			return r;
	}
	if ((r = hooks_run(&hooks[HOOK_CREATE_CONTAINER], c->params->hook_state, c->params->hook_state_len)) < 0)
		return r;
	return child_enter_root(c);
}

static int take_terminal(struct child *c)
{
	if (c->console < 0)
		return use_stdio(c->params->stdio);
	if (ioctl(c->console, TIOCSCTTY, 0) < 0)
		return fail(-errno, "take the terminal");
	return use_stdio((int[]){c->console, c->console, c->console});
}

/* Waits until the caller of `start` connects, and keeps the connection as the channel for errors. */
static int wait_for_start(struct child *c)
{
	if (c->params->listen_fd < 0) {
		int r = sync_expect(c->sync, SYNC_START, NULL, NULL, NULL);

		return r == 0 ? refuse(-ECANCELED, "ctr ended before the container was started") : r;
	}
	/* This may take days, and other containers may share the pid namespace: hold nothing of the host's. The
	 * creating process goes away now, and its end of the channel with it. */
	int r = close_others((int[]){c->params->listen_fd, c->console}, 2, c->params->preserve_fds);
	if (r < 0)
		return r;
	int fd = accept4(c->params->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return fail(-errno, "wait for start");
	c->sync = fd;
	close(c->params->listen_fd);
	return 0;
}

static int report_ready(struct child *c, int master, int listener)
{
	int fds[2];
	size_t n = 0;

	if (master >= 0)
		fds[n++] = master;
	if (listener >= 0)
		fds[n++] = listener;
	int r = sync_send(c->sync, SYNC_READY, (master >= 0) | (listener >= 0) << 1, NULL, fds, n);
	return r < 0 ? fail(r, "report to ctr") : 0;
}

static int set_up(struct child *c, int *master, int *listener)
{
	const struct process_spec *p = &c->process;
	int r;

	if (c->new_user_ns && (r = enter_user_namespace(c)) < 0)
		return r;
	if ((r = set_identity(c)) < 0 || (r = build_root(c, master)) < 0)
		return r;
	if (c->spec->has_personality && personality(c->spec->personality) < 0)
		return fail(-errno, "set the personality");
	if ((r = process_become(p, c->proc, c->params->seccomp, listener)) < 0)
		return r;
	/* The change of user cleared both; a parent that died before this shows as the end of SYNC. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (c->params->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail(-errno, "tie the container to its monitor");
	return 0;
}

static _Noreturn void die(int sock, enum sync_tag tag, int err)
{
	sync_send(sock, tag, err, error_text(), NULL, 0);
	_exit(1);
}

_Noreturn void init_main(const struct container_params *params, int sync)
{
	struct child c = {.params = params,
			  .spec = params->spec,
			  .sync = sync,
			  .root = -EBADF,
			  .process = params->spec->process,
			  .proc = -EBADF,
			  .console = -EBADF,
			  .new_user_ns = params->spec->ns[NS_USER].asked && !params->spec->ns[NS_USER].path};
	const struct process_spec *p = &c.process;
	int master = -EBADF, listener = -EBADF;

	fd_lazy_close = true;
	process_reset_signals();
	int r = set_up(&c, &master, &listener);
	if (r < 0)
		die(c.sync, SYNC_ERROR, r);
	char **env = process_env(p, c.root);
	char *path = process_find(p);
	if (!path)
		die(c.sync, SYNC_EXEC_ERROR, -errno);
	if ((r = report_ready(&c, master, listener)) < 0 || (r = wait_for_start(&c)) < 0)
		die(c.sync, SYNC_ERROR, r);
	if ((r = take_terminal(&c)) < 0 ||
	    (r = hooks_run(&params->spec->hooks[HOOK_START_CONTAINER], params->hook_state, params->hook_state_len)) < 0)
		die(c.sync, SYNC_ERROR, r);
	r = process_execute(p, path, env, params->seccomp, params->preserve_fds, c.sync);
	die(c.sync, SYNC_EXEC_ERROR, r);
}
