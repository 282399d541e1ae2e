#include "images/rootfs.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

/*
 * Set whatever the kernel's defaults are, because layers come from strangers and the defaults differ
 * between distributions:
 *   redirect_dir=nofollow  a layer cannot say that its directory shows another one, and renaming a
 *                          directory of a lower layer gives EXDEV, as with docker
 *   metacopy=off           a file without data cannot claim the data of another one
 *   index=off, nfs_export=off  nothing beyond the files is kept in the work directory
 */
static const char *const safe_options[][2] = {
	{"redirect_dir", "nofollow"},
	{"metacopy", "off"},
	{"index", "off"},
	{"nfs_export", "off"},
};

struct layers {
	const int *lower;
	size_t n;
	int upper, work;
	unsigned int flags, attr;
};

/* Fails with what the kernel wrote about filesystem context FD, if anything. */
static int fail_fs(int fd, int err, const char *what)
{
	char line[256];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	if (n <= 0)
		return fail(err, "%s", what);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return fail(err, "%s (%s)", what, n > 2 && line[1] == ' ' ? line + 2 : line);
}

static int set_layer(int fs, enum rootfs_way way, const char *key, int layer)
{
	char path[32];

	if (way == ROOTFS_BY_FD)
		return sys_fsconfig(fs, FSCONFIG_SET_FD, key, NULL, layer) < 0 ? -errno : 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", layer);
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0) < 0 ? -errno : 0;
}

/* The layers, topmost first, then the writable one. */
static int set_layers(int fs, enum rootfs_way way, const struct layers *l)
{
	int r = 0;

	for (size_t i = l->n; r == 0 && i--;)
		r = set_layer(fs, way, "lowerdir+", l->lower[i]);
	if (r == 0 && l->upper >= 0) {
		r = set_layer(fs, way, "upperdir", l->upper);
		if (r == 0)
			r = set_layer(fs, way, "workdir", l->work);
	}
	return r;
}

static int set_options(int fs, const struct layers *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(safe_options); i++)
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, safe_options[i][0], safe_options[i][1], 0) < 0)
			return fail_fs(fs, -errno, safe_options[i][0]);
	if ((l->flags & ROOTFS_VOLATILE) && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return fail_fs(fs, -errno, "volatile");
	if ((l->flags & ROOTFS_USERXATTR) && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fail_fs(fs, -errno, "userxattr");
	return 0;
}

/* By fsopen(2). *NEXT becomes another way when the kernel does not know this one to name layers. */
static int mount_by_fsconfig(enum rootfs_way way, const struct layers *l, enum rootfs_way *next)
{
	_cleanup_(closep) int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0 && errno == ENODEV)
		return refuse(-ENODEV, "this kernel has no overlayfs; load its module (modprobe overlay)");
	if (fs < 0)
		return fail(-errno, "open the filesystem type overlay");

	sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "ctr", 0);
	int r = set_layers(fs, way, l);
	/* EINVAL: no such key, or not with a descriptor. EOPNOTSUPP: before Linux 6.5, where overlayfs takes
	 * all its options as mount(2) has them. */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		*next = r == -EINVAL ? way + 1 : ROOTFS_BY_MOUNT;
	if (r < 0)
		return fail_fs(fs, r, "give overlayfs the image's layers");
	r = set_options(fs, l);
	if (r < 0)
		return r;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		/* Before Linux 6.5 an unknown key is met only here. */
		if (errno == EINVAL && way == ROOTFS_BY_PATH)
			*next = ROOTFS_BY_MOUNT;
		return fail_fs(fs, -errno, "mount the image's layers");
	}
	int mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, l->attr);
	return mnt < 0 ? fail_fs(fs, -errno, "mount the image's layers") : mnt;
}

static void add_path(struct strbuf *b, const char *before, int fd)
{
	strbuf_printf(b, "%s/proc/self/fd/%d", before, fd);
}

/* A detached copy of the mount or directory NAME under DIR_FD, with ATTR. */
static int detached_copy(int dir_fd, const char *name, unsigned int attr)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*name ? 0 : AT_EMPTY_PATH);
	_cleanup_(closep) int mnt = sys_open_tree(dir_fd, name, flags);
	if (mnt < 0)
		return fail(-errno, "detach the root filesystem");
	struct mount_attr set = {.attr_set = attr};
	if (attr && sys_mount_setattr(mnt, "", AT_EMPTY_PATH, &set) < 0)
		return fail(-errno, "set the root filesystem's mount attributes");
	return take_fd(&mnt);
}

/* A tmpfs on top of directory ON, with one folder "m": a place to mount at that an fd leads to. An fd of
 * a directory leads below what is mounted on it, and so would be no use afterwards. */
static int mount_scaffold(int on)
{
	_cleanup_(closep) int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(-errno, "make a tmpfs to mount the image's layers at");
	_cleanup_(closep) int mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0 || mkdirat(mnt, "m", 0700) < 0)
		return fail(-errno, "make a tmpfs to mount the image's layers at");
	if (sys_move_mount(mnt, "", on, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail(-errno, "mount a tmpfs to mount the image's layers at");
	return take_fd(&mnt);
}

static int mount_options(const struct layers *l, struct strbuf *options)
{
	for (size_t i = l->n; i--;)
		add_path(options, i + 1 == l->n ? "lowerdir=" : ":", l->lower[i]);
	if (l->upper >= 0) {
		add_path(options, ",upperdir=", l->upper);
		add_path(options, ",workdir=", l->work);
	}
	for (size_t i = 0; i < ARRAY_SIZE(safe_options); i++)
		strbuf_printf(options, ",%s=%s", safe_options[i][0], safe_options[i][1]);
	strbuf_puts(options, l->flags & ROOTFS_VOLATILE ? ",volatile" : "");
	strbuf_puts(options, l->flags & ROOTFS_USERXATTR ? ",userxattr" : "");
	if (options->len >= (size_t)sysconf(_SC_PAGESIZE))
		return refuse(-E2BIG, "the image has %zu layers, more than this kernel can join", l->n);
	return 0;
}

/* By mount(2), which needs a place in the mount namespace for as long as it takes to get a detached copy. */
static int mount_by_mount(const struct layers *l)
{
	_cleanup_(strbuf_free) struct strbuf options = {0};
	char tmpfs[32], at[40];
	int r = mount_options(l, &options);
	if (r < 0)
		return r;

	_cleanup_(closep) int scaffold = mount_scaffold(l->upper >= 0 ? l->work : l->lower[0]);
	if (scaffold < 0)
		return scaffold;
	snprintf(tmpfs, sizeof(tmpfs), "/proc/self/fd/%d", scaffold);
	snprintf(at, sizeof(at), "%s/m", tmpfs);
	if (mount("ctr", at, "overlay", 0, options.p) < 0)
		r = fail(-errno, "mount the image's layers");
	else
		r = detached_copy(scaffold, "m", l->attr);
	if (umount2(tmpfs, MNT_DETACH) < 0)
		debug("unmount %s: %s", tmpfs, strerror(errno));
	return r;
}

static int mount_by(enum rootfs_way way, const struct layers *l, enum rootfs_way *next)
{
	*next = way;
	return way == ROOTFS_BY_MOUNT ? mount_by_mount(l) : mount_by_fsconfig(way, l, next);
}

int rootfs_mount_by(enum rootfs_way way, const int *lower_fds, size_t n, int upper_fd, int work_fd, unsigned int flags,
		    unsigned int attr)
{
	const struct layers l = {
		.lower = lower_fds, .n = n, .upper = upper_fd, .work = work_fd, .flags = flags, .attr = attr};
	enum rootfs_way next;

	return mount_by(way, &l, &next);
}

int rootfs_mount(const int *lower_fds, size_t n, int upper_fd, int work_fd, unsigned int flags, unsigned int attr)
{
	const struct layers l = {
		.lower = lower_fds, .n = n, .upper = upper_fd, .work = work_fd, .flags = flags, .attr = attr};

	if (n == 0)
		return refuse(-EINVAL, "the image has no layers to mount");
	/* overlayfs does not join a single directory with nothing. */
	if (n == 1 && upper_fd < 0)
		return detached_copy(lower_fds[0], "", attr | MOUNT_ATTR_RDONLY);

	for (enum rootfs_way way = ROOTFS_BY_FD, next;; way = next) {
		int mnt = mount_by(way, &l, &next);

		if (next == way)
			return mnt;
		debug("overlayfs, layers %s: not known here (%s)", way == ROOTFS_BY_FD ? "by descriptor" : "one by one",
		      error_text());
	}
}
