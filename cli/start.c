#include "cli/start.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/relay.h"
#include "images/rootfs.h"
#include "runtime/engine_spec.h"
#include "runtime/monitor.h"
#include "runtime/mountfd.h"

/* What the child needs to open a container's root filesystem from scratch: overlayfs takes only
 * directories that were opened in the mount namespace it is mounted from. */
struct root_plan {
	const struct engine *engine;
	const struct record *record;
	int user_ns;        /* >= 0: map ids of every layer by it */
	bool look;          /* read only: the writable layer is one more lower layer */
	struct strv mapped; /* paths on which an id-mapped copy of themselves is mounted */
};

/* Opens PATH as a directory; with a user namespace through an id-mapped copy of its mount. */
static int open_layer(struct root_plan *p, const char *path)
{
	if (p->user_ns < 0) {
		int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		return fd < 0 ? fail(-errno, "open %s", path) : fd;
	}
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)(unsigned int)p->user_ns};
	_cleanup_(closep) int tree = mountfd_clone(AT_FDCWD, path, false);
	if (tree < 0)
		return tree;
	if (sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return errno == EINVAL || errno == EOPNOTSUPP
			       ? refuse(-errno,
					"the filesystem under %s has no id-mapped mounts: move the store with --root, "
					"or run without --userns",
					path)
			       : fail(-errno, "map the ids of %s", path);
	/* In our own mount namespace, over the folder itself: overlayfs takes a detached mount only from Linux
	 * 6.15 on. */
	if (sys_move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail(-errno, "map the ids of %s", path);
	strv_add(&p->mapped, path);
	int fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(-errno, "open %s", path) : fd;
}

static int open_under(int base, const char *name)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail(-errno, "open the writable layer") : fd;
}

/* The writable layer: with the work directory it makes the mount writable, else it is the top of the
 * others. Upper and work must lie on one mount: both are reached through the same copy. */
static int mount_layers(struct root_plan *p, int *lower, size_t n)
{
	_cleanup_(freep) char *own = xasprintf("%s/containers/%s", p->engine->root, p->record->id);
	_cleanup_(closep) int base = open_layer(p, own);
	_cleanup_(closep) int upper = base < 0 ? -EBADF : open_under(base, "upper");
	if (base < 0 || upper < 0)
		return base < 0 ? base : upper;
	if (p->look) {
		lower[n] = upper;
		return rootfs_mount(lower, n + 1, -EBADF, -EBADF, 0, 0);
	}
	_cleanup_(closep) int work = open_under(base, "work");
	return work < 0 ? work : rootfs_mount(lower, n, upper, work, p->record->remove ? ROOTFS_VOLATILE : 0, 0);
}

static int open_root(void *arg)
{
	struct root_plan *p = arg;
	const struct strv *layers = &p->record->layers;
	_cleanup_(freep) int *fds = xcalloc(layers->n + 1, sizeof(*fds));
	size_t opened = 0;
	int r = 0;

	if (p->record->rootfs)
		return mountfd_clone(AT_FDCWD, p->record->rootfs, true);
	while (opened < layers->n && r >= 0) {
		_cleanup_(freep) char *path = xasprintf("%s/layers/%s/fs", p->engine->root, layers->v[opened]);

		r = open_layer(p, path);
		if (r >= 0)
			fds[opened++] = r;
	}
	if (r >= 0)
		r = mount_layers(p, fds, layers->n);
	for (size_t i = 0; i < opened; i++)
		close(fds[i]);
	/* The overlay has copies of its own; what lies over the container's folder would keep it from removal. */
	for (size_t i = 0; i < p->mapped.n; i++)
		umount2(p->mapped.v[i], MNT_DETACH);
	strv_free(&p->mapped);
	return r;
}

/* A user namespace with the container's maps, held by nothing but the fd. */
static int make_user_ns(const struct spec *spec)
{
	int gate[2], fd = -EBADF, r = 0;
	char path[64], byte;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return fail(-errno, "make a pipe");
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	close(gate[0]);
	if (pid < 0)
		r = fail(-errno, "make a user namespace");
	else if ((r = container_write_maps(spec, pid)) == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? fail(-errno, "open the user namespace") : 0;
	}
	close(gate[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r < 0 ? r : fd;
}

/*
 * What overlayfs makes in the work directory is made as who mounts it, and an id-mapped mount takes only ids that
 * its map has. The change of id takes the effective capabilities with it; they are put back.
 */
static int act_as(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	syscall(SYS_setfsgid, gid);
	syscall(SYS_setfsuid, uid);
	if (syscall(SYS_capget, &header, data) < 0)
		return fail(-errno, "read capabilities");
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	return syscall(SYS_capset, &header, data) < 0 ? fail(-errno, "set capabilities") : 0;
}

static uid_t root_of(const struct id_maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].container == 0)
			return maps->v[i].host;
	return 0;
}

/* In a user namespace the child may not map the layers' ids: the root is made here, in a mount namespace
 * of our own so that nothing shows on the host. */
static int open_root_for_user_ns(const struct spec *spec, struct root_plan *plan)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return fail(-errno, "make a mount namespace");
	plan->user_ns = plan->record->rootfs ? -EBADF : make_user_ns(spec);
	if (plan->user_ns < 0 && !plan->record->rootfs)
		return plan->user_ns;
	bool mapped = plan->user_ns >= 0;
	int r = mapped ? act_as(root_of(&spec->uid_maps), root_of(&spec->gid_maps)) : 0;
	int root = r < 0 ? r : open_root(plan);
	if (mapped && (r = act_as(0, 0)) < 0 && root >= 0) {
		close(root);
		root = r;
	}
	if (mapped)
		close(plan->user_ns);
	return root;
}

int start_mount_root(const struct record *record)
{
	struct root_plan plan = {.engine = cli_engine(), .record = record, .user_ns = -EBADF, .look = true};

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return fail(-errno, "make a mount namespace");
	return open_root(&plan);
}

static int stay(int client, const struct record *record, const struct start_how *how, int signals)
{
	struct attach a = {.sock = client,
			   .tty = record->tty,
			   .input = how->input && record->interactive,
			   .forward = true,
			   .detach_keys = how->detach_keys};
	int status = attach_wait(&a, signals);

	if (status == ATTACH_DETACHED) {
		fprintf(stderr, "\r\n");
		return 0;
	}
	/* The monitor's last word is sent when everything is put away; its own end is nobody's business. */
	if (status == ATTACH_LOST)
		return refuse(-EPIPE, "the monitor of container %s was killed, and the container with it",
			      record->name);
	return status;
}

static int start_with(struct monitor_params *p, const struct start_how *how, int signals, int *lock)
{
	int pair[2] = {-EBADF, -EBADF};
	bool exec_failed;

	if (how->attach && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(-errno, "make a socket pair");
	p->client = pair[1];
	p->maker_client = pair[0];
	pid_t monitor = monitor_start(p, &exec_failed);
	closep(&pair[1]);
	int r = monitor;
	/* From here the lock is the monitor's alone: free the moment it ends, not when we do. */
	if (monitor >= 0)
		close(take_fd(lock));
	if (monitor < 0 && exec_failed) {
		report_error();
		r = exec_exit_status(monitor);
	} else if (monitor >= 0) {
		r = how->attach ? stay(pair[0], p->record, how, signals) : 0;
	}
	closep(&pair[0]);
	return r;
}

int start_container(int dir, int *lock, const struct record *record, const struct start_how *how)
{
	struct root_plan plan = {.engine = cli_engine(), .record = record, .user_ns = -EBADF};
	_cleanup_(freep) char *cache = xasprintf("%s/seccomp", globals.state);
	_cleanup_(closep) int signals = how->attach ? relay_signals() : -EBADF;
	struct monitor_params p = {.engine = cli_engine(),
				   .record = record,
				   .argv0 = cli_argv0,
				   .dir = dir,
				   .lock = *lock,
				   .root_fd = -EBADF,
				   .open_root = open_root,
				   .open_root_arg = &plan,
				   .cache_dir = cache};
	struct spec spec;
	int r = how->attach && signals < 0 ? signals : spec_load(dir, STATE_CONFIG, &spec, NULL, NULL);

	if (r < 0)
		return r;
	engine_apply(&spec);
	p.spec = &spec;
	p.user = engine_user(&spec);
	if (spec.ns[NS_USER].asked)
		p.root_fd = r = open_root_for_user_ns(&spec, &plan);
	else if (record->rootfs)
		p.root_fd = r = open_root(&plan);
	if (r >= 0)
		r = start_with(&p, how, signals, lock);
	closep(&p.root_fd);
	spec_free(&spec);
	return r;
}
