#include "base/rootpath.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

int root_open(int rootfd, struct rootpath path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	/* An empty path and "/" both mean the root itself. */
	const char *p = *path.p ? path.p : "/";
	for (int tries = 0;; tries++) {
		int fd = sys_openat2(rootfd, p, &how);

		/* EAGAIN: a rename or mount elsewhere raced with "..", see openat2(2); bounded all the same. */
		if (fd >= 0 || errno != EAGAIN || tries == 100)
			return fd < 0 ? -errno : fd;
	}
}

/* Splits PATH into its parent and its last component (trailing slashes cut). */
static int split_last(const char *path, char *parent, size_t size, char *name)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	size_t start = len;
	while (start && path[start - 1] != '/')
		start--;
	if (len == start || len - start > NAME_MAX || start >= size)
		return len - start > NAME_MAX || start >= size ? -ENAMETOOLONG : -EINVAL;
	memcpy(name, path + start, len - start);
	name[len - start] = '\0';
	memcpy(parent, path, start);
	parent[start] = '\0';
	return streq(name, ".") || streq(name, "..") ? -EINVAL : 0;
}

int root_make_dirs(int rootfd, struct rootpath path, mode_t mode)
{
	int fd = root_open(rootfd, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return fail(fd, "open directory %s in the root filesystem", path.p);

	char prefix[PATH_MAX];
	size_t len = strlen(path.p);
	if (len >= sizeof(prefix))
		return fail(-ENAMETOOLONG, "create %s in the root filesystem", path.p);

	/* From the front: each existing prefix is resolved anew, so a symlink on the way stays inside. */
	_cleanup_(closep) int dir = root_open(rootfd, rootpath("/"), O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return fail(dir, "open the root filesystem");
	for (size_t i = 0; i < len;) {
		while (path.p[i] == '/')
			i++;
		size_t start = i;
		while (i < len && path.p[i] != '/')
			i++;
		if (i == start)
			break;
		memcpy(prefix, path.p, i);
		prefix[i] = '\0';

		int next = root_open(rootfd, rootpath(prefix), O_PATH | O_DIRECTORY, 0);
		if (next == -ENOENT) {
			const char *name = prefix + start;
			if (mkdirat(dir, name, i == len ? mode : 0755) < 0 && errno != EEXIST)
				return fail(-errno, "create %s in the root filesystem", prefix);
			next = root_open(rootfd, rootpath(prefix), O_PATH | O_DIRECTORY, 0);
		}
		if (next < 0)
			return fail(next, "open %s in the root filesystem", prefix);
		close(dir);
		dir = next;
	}
	return take_fd(&dir);
}

int root_open_parent(int rootfd, struct rootpath path, int make, char *name)
{
	char parent[PATH_MAX];
	int r = split_last(path.p, parent, sizeof(parent), name);
	if (r < 0)
		return fail(r, "path %s in the root filesystem", path.p);
	if (make)
		return root_make_dirs(rootfd, rootpath(parent), 0755);
	int fd = root_open(rootfd, rootpath(parent), O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? fail(fd, "open %s in the root filesystem", parent) : fd;
}

int root_make_target(int rootfd, struct rootpath path, mode_t type)
{
	if (S_ISDIR(type))
		return root_make_dirs(rootfd, path, 0755);

	int fd = root_open(rootfd, path, O_PATH, 0);
	if (fd != -ENOENT)
		return fd < 0 ? fail(fd, "open %s in the root filesystem", path.p) : fd;

	char name[NAME_MAX + 1];
	_cleanup_(closep) int parent = root_open_parent(rootfd, path, true, name);
	if (parent < 0)
		return parent;
	/* O_EXCL: a dangling symlink that was put there is refused, not followed. */
	int made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_RDONLY, 0644);
	if (made < 0 && errno != EEXIST)
		return fail(-errno, "create %s in the root filesystem", path.p);
	if (made >= 0)
		close(made);
	fd = root_open(rootfd, path, O_PATH, 0);
	return fd < 0 ? fail(fd, "open %s in the root filesystem", path.p) : fd;
}
