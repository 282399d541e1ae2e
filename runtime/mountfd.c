#include "runtime/mountfd.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

/* The newest message of the filesystem context ("e tmpfs: Bad value for 'size'"), cleaned; "" if none. */
static const char *kernel_words(int fs, char *buf, size_t size)
{
	ssize_t n;

	buf[0] = '\0';
	while ((n = read(fs, buf, size - 1)) > 0)
		buf[n - (buf[n - 1] == '\n')] = '\0';
	return buf[0] && buf[1] == ' ' ? buf + 2 : buf;
}

static int fs_failed(int fs, int err, const char *type, const char *step)
{
	char buf[256];
	const char *words = kernel_words(fs, buf, sizeof(buf));

	return *words ? fail(err, "mount %s: %s (%s)", type, step, words) : fail(err, "mount %s: %s", type, step);
}

static int fs_option(int fs, const char *type, const char *option)
{
	const char *eq = strchr(option, '=');
	int r;

	if (eq) {
		_cleanup_(freep) char *key = xstrndup(option, (size_t)(eq - option));
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, key, eq + 1, 0);
	} else {
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	}
	return r < 0 ? fs_failed(fs, -errno, type, option) : 0;
}

int mountfd_new(const char *type, const char *source, const char *const *data, uint64_t attr)
{
	_cleanup_(closep) int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return errno == ENODEV ? refuse(-ENODEV, "mount %s: this kernel has no such filesystem", type)
				       : fail(-errno, "mount %s", type);
	if (source && !streq(source, type) && sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return fs_failed(fs, -errno, type, "source");
	for (; data && *data; data++) {
		int r = fs_option(fs, type, *data);
		if (r < 0)
			return r;
	}
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_failed(fs, -errno, type, "create");
	int fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)attr);
	return fd < 0 ? fs_failed(fs, -errno, type, "mount") : fd;
}

int mountfd_clone(int dirfd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int fd = sys_open_tree(dirfd, path, flags | (recursive ? AT_RECURSIVE : 0));

	return fd < 0 ? fail(-errno, "bind %s", path) : fd;
}

int mountfd_set(int fd, uint64_t set, uint64_t clear, unsigned long propagation, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = set, .attr_clr = clear, .propagation = propagation & ~(unsigned long)MS_REC};
	unsigned int flags = AT_EMPTY_PATH | (recursive || (propagation & MS_REC) ? AT_RECURSIVE : 0);

	return sys_mount_setattr(fd, "", flags, &attr) < 0 ? -errno : 0;
}

int mountfd_attach(int fd, int target)
{
	return sys_move_mount(fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}
