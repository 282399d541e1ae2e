#include "base/rootpath.h"

#include <limits.h>
#include <stdbool.h>
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

/* The deepest directory of PATH that exists; *REST is where the missing part of PATH starts. */
static int open_existing(int rootfd, const char *path, const char **rest)
{
	char prefix[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, path, len + 1);
	for (;;) {
		int fd = root_open(rootfd, rootpath(prefix), O_PATH | O_DIRECTORY, 0);

		if (fd != -ENOENT || len == 0) {
			*rest = path + len;
			return fd;
		}
		while (len && prefix[len - 1] == '/')
			len--;
		while (len && prefix[len - 1] != '/')
			len--;
		prefix[len] = '\0';
	}
}

/* mkdir of NAME (LEN bytes) in DIR, and an fd of it. A symlink there is dangling, or another process's
 * work: refused. */
static int make_and_open(int dir, const char *start, size_t len, mode_t mode)
{
	char name[NAME_MAX + 1];

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, len);
	name[len] = '\0';
	if (streq(name, "..") || streq(name, "."))
		return -EINVAL; /* after a directory that does not exist there is nothing to go up from */
	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int root_make_dirs(int rootfd, struct rootpath path, mode_t mode)
{
	const char *rest;
	_cleanup_(closep) int dir = open_existing(rootfd, path.p, &rest);
	if (dir < 0)
		return fail(dir, "open directory %s in the root filesystem", path.p);

	while (*rest) {
		size_t len = strcspn(rest, "/");

		if (len) {
			bool last = !rest[len + strspn(rest + len, "/")];
			int next = make_and_open(dir, rest, len, last ? mode : 0755);
			if (next < 0)
				return fail(next, "create directory %s in the root filesystem", path.p);
			closep(&dir);
			dir = next;
		}
		rest += len + strspn(rest + len, "/");
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
