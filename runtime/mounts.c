/* The mounts of the spec, each from an fd to an fd. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "base/sys.h"
#include "runtime/child.h"
#include "runtime/mountfd.h"

/* Files of /proc that callers (lxcfs, podman) may replace; everything else in it is the kernel's word. */
static const char *const proc_replaceable[] = {"/proc/cpuinfo",
					       "/proc/diskstats",
					       "/proc/meminfo",
					       "/proc/stat",
					       "/proc/swaps",
					       "/proc/uptime",
					       "/proc/loadavg",
					       "/proc/slabinfo",
					       "/proc/sys/kernel/ns_last_pid",
					       "/proc/sys/crypto/fips_enabled"};

static bool on_filesystem(int fd, unsigned int magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned int)fs.f_type == magic;
}

/*
 * A mount whose target lies in a procfs would replace what the kernel says about the container
 * (CVE-2019-16884 and its kin). The target's filesystem decides, not its name.
 */
static int check_target(const struct mount_spec *m, int target)
{
	if (!on_filesystem(target, PROC_SUPER_MAGIC) || (streq(m->type, "proc") && !(m->special & MOUNT_BIND)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(proc_replaceable); i++)
		if (streq(m->destination, proc_replaceable[i]))
			return 0;
	return refuse(-EPERM, "mount on %s refused: it lies inside /proc", m->destination);
}

/* The directory or file to mount on. proc, sysfs and /dev go on a real directory, never through a symlink of
 * the image's, which would leave masked paths elsewhere. */
static int open_target(struct child *c, const struct mount_spec *m, mode_t type)
{
	bool kernel_fs = streq(m->type, "proc") || streq(m->type, "sysfs") || streq(m->destination, "/dev");

	if (kernel_fs) {
		struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
		int fd = sys_openat2(c->root, m->destination, &how);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return fail(-errno, "mount %s on %s: the image has something else there", m->type,
				    m->destination);
	}
	return root_make_target(c->root, rootpath(m->destination), type);
}

static int bind_source(struct child *c, const struct mount_spec *m)
{
	char link[64], bundle[PATH_MAX];

	if (c->params->bind_fds)
		return take_fd((int *)(uintptr_t)&c->params->bind_fds[m - c->spec->mounts]);
	if (m->source[0] == '/')
		return mountfd_clone(AT_FDCWD, m->source, m->special & MOUNT_RECURSIVE);
	/* By the bundle's path: a mount that was opened in our maker's namespace cannot be cloned in ours. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", c->params->bundle_fd);
	ssize_t n = readlink(link, bundle, sizeof(bundle) - 1);
	if (n < 0)
		return fail(-errno, "find the bundle, for the mount source %s", m->source);
	bundle[n] = '\0';
	_cleanup_(freep) char *source = xasprintf("%s/%s", bundle, m->source);
	return mountfd_clone(AT_FDCWD, source, m->special & MOUNT_RECURSIVE);
}

/* A copy of a mount of the host's, where a new instance is not to be had, with the asked-for attributes. */
static int clone_instead(const struct mount_spec *m, const char *path)
{
	_cleanup_(closep) int fd = mountfd_clone(AT_FDCWD, path, true);
	if (fd < 0)
		return fd;
	int r = mountfd_set(fd, m->attr_set, m->attr_clear, 0, true);
	return r < 0 ? fail(r, "set the options of the mount on %s", m->destination) : take_fd(&fd);
}

/* cgroup2, as the container's cgroup namespace shows it; without one, just the container's own part. */
static int make_cgroup_mount(struct child *c, const struct mount_spec *m)
{
	if (c->spec->ns[NS_CGROUP].asked)
		return mountfd_new("cgroup2", "cgroup", NULL, m->attr_set);
	if (!c->params->cgroup || c->params->cgroup->fd < 0)
		return clone_instead(m, cgroup_mount_point());
	_cleanup_(freep) char *path = xasprintf("%s%s", cgroup_mount_point(), c->params->cgroup->path);
	return clone_instead(m, path);
}

static int make_filesystem(struct child *c, const struct mount_spec *m)
{
	if (streq(m->type, "cgroup") || streq(m->type, "cgroup2"))
		return make_cgroup_mount(c, m);
	int fd = mountfd_new(m->type, m->source && *m->source ? m->source : m->type, m->data, m->attr_set);
	/* The kernel gives a sysfs only to the owner of the network namespace, and a procfs only with the
	 * pid namespace: with the host's, the host's own mount is what the caller means. */
	if (fd == -EPERM && (streq(m->type, "sysfs") || streq(m->type, "proc"))) {
		debug("%s: binding the host's instead", error_text());
		fd = clone_instead(m, streq(m->type, "proc") ? "/proc" : "/sys");
	}
	return fd;
}

/* Attributes that a new mount did not get when it was made. A bind keeps its source's others. */
static int apply_attributes(const struct mount_spec *m, int fd)
{
	int r;

	if ((m->attr_set || m->attr_clear) && (m->special & (MOUNT_BIND | MOUNT_REMOUNT)) &&
	    (r = mountfd_set(fd, m->attr_set, m->attr_clear, 0, false)) < 0)
		return fail(r, "set the options of the mount on %s", m->destination);
	if ((m->rec_attr_set || m->rec_attr_clear) &&
	    (r = mountfd_set(fd, m->rec_attr_set, m->rec_attr_clear, 0, true)) < 0)
		return fail(r, "set the recursive options of the mount on %s", m->destination);
	return 0;
}

static int remount(struct child *c, const struct mount_spec *m)
{
	_cleanup_(closep) int fd = root_open(c->root, rootpath(m->destination), O_PATH, 0);

	return fd < 0 ? fail(fd, "remount %s", m->destination) : apply_attributes(m, fd);
}

static int fill_from_image(struct child *c, const struct mount_spec *m, int mount_fd)
{
	_cleanup_(closep) int from = root_open(c->root, rootpath(m->destination), O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(closep) int to = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (from == -ENOENT || from == -ENOTDIR)
		return 0;
	if (from < 0 || to < 0)
		return fail(from < 0 ? from : -errno, "copy the image's %s", m->destination);
	return copy_up(from, to);
}

/* A detached mount for M; *TYPE says whether its root is a directory. */
static int make_mount(struct child *c, const struct mount_spec *m, mode_t *type)
{
	*type = S_IFDIR;
	if (!(m->special & MOUNT_BIND))
		return make_filesystem(c, m);

	struct stat st;
	_cleanup_(closep) int fd = bind_source(c, m);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return fail(-errno, "bind %s", m->source);
	*type = st.st_mode & S_IFMT;
	return take_fd(&fd);
}

static int mount_one(struct child *c, const struct mount_spec *m)
{
	mode_t type;
	int r;

	if (m->special & MOUNT_REMOUNT)
		return remount(c, m);
	if (m->special & MOUNT_IDMAP)
		return json_refuse(m->node, "asks for an id-mapped mount, which this version of ctr does not do");
	_cleanup_(closep) int fd = make_mount(c, m, &type);
	if (fd < 0)
		return fd;
	if ((m->special & MOUNT_COPY_UP) && (r = fill_from_image(c, m, fd)) < 0)
		return r;
	_cleanup_(closep) int target = open_target(c, m, type);
	if (target < 0)
		return target;
	if ((r = check_target(m, target)) < 0 || (r = apply_attributes(m, fd)) < 0)
		return r;
	r = mountfd_attach(fd, target);
	if (r == -ENOTDIR)
		return refuse(r, "mount on %s: one of source and target is a directory and the other is not",
			      m->destination);
	if (r < 0)
		return fail(r, "mount %s on %s", m->type, m->destination);
	if (m->propagation && (r = mountfd_set(fd, 0, 0, m->propagation, false)) < 0)
		return fail(r, "set the propagation of the mount on %s", m->destination);
	return 0;
}

int child_mount_all(struct child *c)
{
	for (size_t i = 0; i < c->spec->n_mounts; i++) {
		int r = mount_one(c, &c->spec->mounts[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The host's /dev/null, checked: a masked file must really be empty. */
static int null_device(void)
{
	struct stat st;
	_cleanup_(closep) int fd = mountfd_clone(AT_FDCWD, "/dev/null", false);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return refuse(-EINVAL, "/dev/null of the host is not the null device");
	return take_fd(&fd);
}

static int mask(int target, int *null_fd, int *empty_fd)
{
	struct stat st;

	if (fstat(target, &st) < 0)
		return -errno;
	int *model = S_ISDIR(st.st_mode) ? empty_fd : null_fd;
	bool first = *model < 0;
	if (first)
		*model = S_ISDIR(st.st_mode) ? mountfd_new("tmpfs", "tmpfs", NULL, MOUNT_ATTR_RDONLY) : null_device();
	if (*model < 0)
		return *model;
	/* One empty mount serves all: it goes on the first target, and the others get copies, which Linux
	 * before 6.15 makes only of a mount that is attached. */
	if (first)
		return mountfd_attach(*model, target);
	_cleanup_(closep) int copy = sys_open_tree(*model, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return copy < 0 ? -errno : mountfd_attach(copy, target);
}

static int make_readonly(struct child *c, const char *path)
{
	_cleanup_(closep) int target = root_open(c->root, rootpath(path), O_PATH, 0);
	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return fail(target, "make %s read-only", path);
	_cleanup_(closep) int copy = mountfd_clone(target, "", true);
	if (copy < 0)
		return fail_in(copy, "make %s read-only", path);
	int r = mountfd_set(copy, MOUNT_ATTR_RDONLY, 0, 0, true);
	if (r == 0)
		r = mountfd_attach(copy, target);
	return r < 0 ? fail(r, "make %s read-only", path) : 0;
}

int child_mask_paths(struct child *c)
{
	_cleanup_(closep) int null_fd = -EBADF;
	_cleanup_(closep) int empty_fd = -EBADF;
	int r;

	for (size_t i = 0; i < c->spec->n_readonly; i++)
		if ((r = make_readonly(c, c->spec->readonly_paths[i])) < 0)
			return r;
	for (size_t i = 0; i < c->spec->n_masked; i++) {
		const char *path = c->spec->masked_paths[i];
		_cleanup_(closep) int target = root_open(c->root, rootpath(path), O_PATH, 0);

		if (target == -ENOENT || target == -ENOTDIR)
			continue;
		r = target < 0 ? target : mask(target, &null_fd, &empty_fd);
		if (r < 0)
			return fail(r, "mask %s", path);
	}
	return 0;
}
