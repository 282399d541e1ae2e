#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "images/ctr-images/extract_private.h"

/* Appends component C of N bytes to OUT, of which *LEN bytes are in use. */
static int add_component(const struct extractor *x, char out[PATH_MAX], size_t *len, const char *c, size_t n)
{
	if (n == 2 && c[0] == '.' && c[1] == '.')
		return entry_refuse(x, -EINVAL, "a name with '..' in it may lead anywhere");
	if (n > NAME_MAX)
		return entry_refuse(x, -ENAMETOOLONG, "a part of the name has %zu bytes, more than a file's may", n);
	if (*len + n + 2 > PATH_MAX)
		return entry_refuse(x, -ENAMETOOLONG, "the name has more bytes than a path may");
	if (*len)
		out[(*len)++] = '/';
	memcpy(out + *len, c, n);
	*len += n;
	return 0;
}

int path_clean(const struct extractor *x, const char *name, char out[PATH_MAX])
{
	unsigned int depth = 0;
	size_t len = 0;

	if (!*name)
		return entry_refuse(x, -EINVAL, "the name is empty");
	while (*name) {
		size_t n = strcspn(name, "/");

		if (n > 0 && !(n == 1 && *name == '.')) {
			int r = add_component(x, out, &len, name, n);
			if (r < 0)
				return r;
			if (++depth > EXTRACT_DEPTH_MAX)
				return entry_refuse(x, -ENAMETOOLONG, "directories are nested more than %d deep",
						    EXTRACT_DEPTH_MAX);
		}
		name += n + (name[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

const char *path_split(const char *path, char parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	memcpy(parent, path, len);
	parent[len] = '\0';
	return slash ? slash + 1 : path;
}

int dir_open(const struct extractor *x, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_DIRECTORY | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};

	for (int tries = 0;; tries++) {
		int fd = sys_openat2(x->root, *path ? path : "/", &how);

		/* EAGAIN: a rename or mount elsewhere raced with a symlink's "..", see openat2(2). */
		if (fd >= 0 || errno != EAGAIN || tries == 100)
			return fd < 0 ? -errno : fd;
	}
}

int dir_leave(struct extractor *x)
{
	_cleanup_(closep) int dir = take_fd(&x->dir);

	if (dir < 0 || !x->dir_changed)
		return 0;
	x->dir_changed = false;
	const struct timespec times[] = {x->dir_stat.st_atim, x->dir_stat.st_mtim};
	return futimens(dir, times) < 0 ? fail(-errno, "set the times of directory %s", x->dir_path) : 0;
}

/* Takes the open directory FD, of PATH, as x->dir. */
static int dir_take(struct extractor *x, int fd, const char *path)
{
	int r = dir_leave(x);

	x->dir = fd;
	strcpy(x->dir_path, path);
	if (r == 0 && fstat(fd, &x->dir_stat) < 0)
		r = fail(-errno, "look at directory %s", path);
	return r;
}

static int parent_refuse(const struct extractor *x, int err, const char *path)
{
	switch (err) {
	case -ENOTDIR:
		return entry_refuse(x, err, "its parent %s is not a directory", path);
	case -ELOOP:
		return entry_refuse(x, err, "its parent %s leads through too many symbolic links", path);
	case -ENOENT:
	case -EEXIST:
		return entry_refuse(x, err, "its parent %s is a symbolic link that leads nowhere", path);
	case -EXDEV:
		return entry_refuse(x, err, "its parent %s is on another filesystem", path);
	default:
		return entry_fail(x, err, "open its parent");
	}
}

/* Makes the directory PATH, whose parent is there; the open fd, or negative errno, recorded. */
static int make_missing(struct extractor *x, const char *path)
{
	char parent[PATH_MAX];
	const char *name = path_split(path, parent);
	int fd = dir_open(x, parent, O_RDONLY);
	if (fd < 0)
		return parent_refuse(x, fd, parent);
	int r = dir_take(x, fd, parent);
	if (r < 0)
		return r;

	r = dir_make(x, name, 0755);
	if (r == -EEXIST)
		return parent_refuse(x, dir_open(x, path, O_PATH), path);
	if (r < 0)
		return r;
	/* It may have inherited a group or an ACL, which an archive that left it out did not mean. */
	bool inherits = x->default_acls || x->dir_stat.st_gid != x->gid || (x->dir_stat.st_mode & S_ISGID);
	if (r == 0 && inherits &&
	    (fchownat(x->dir, name, x->uid, x->gid, 0) < 0 || fchmodat(x->dir, name, 0755, 0) < 0))
		return entry_fail(x, -errno, "make its parent");
	fd = dir_open(x, path, O_RDONLY);
	return fd < 0 ? parent_refuse(x, fd, path) : fd;
}

/* Opens PATH, making what is missing of it from the front. */
static int open_or_make(struct extractor *x, const char *path)
{
	char prefix[PATH_MAX];
	int fd = dir_open(x, path, O_RDONLY);

	/* ENOTDIR: a whiteout may stand there, which a directory of this layer replaces. */
	if (fd != -ENOENT && !(fd == -ENOTDIR && x->options->layer))
		return fd < 0 ? parent_refuse(x, fd, path) : fd;
	for (size_t end = strcspn(path, "/");; end += 1 + strcspn(path + end + 1, "/")) {
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		fd = dir_open(x, prefix, O_RDONLY);
		if (fd < 0)
			fd = make_missing(x, prefix);
		if (fd < 0 || !path[end])
			return fd;
		close(fd);
	}
}

int dir_enter(struct extractor *x, const char *path)
{
	if (x->dir >= 0 && streq(path, x->dir_path))
		return 0;
	int fd = open_or_make(x, path);
	return fd < 0 ? fd : dir_take(x, fd, path);
}

int dir_make_opaque(struct extractor *x, const char *name)
{
	const char *attribute = x->options->user_xattrs ? "user.overlay.opaque" : "trusted.overlay.opaque";
	_cleanup_(closep) int fd = openat(x->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, attribute, "y", 1, 0) < 0)
		return entry_fail(x, -errno, "mark the directory as opaque");
	return 0;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

int dir_make(struct extractor *x, const char *name, mode_t mode)
{
	struct stat st;

	x->dir_changed = true;
	if (mkdirat(x->dir, name, mode) == 0)
		return 0;
	if (errno != EEXIST || fstatat(x->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_fail(x, -errno, "make the directory");
	if (S_ISDIR(st.st_mode))
		return 1;
	if (!x->options->layer || !is_whiteout(&st))
		return -EEXIST;
	if (unlinkat(x->dir, name, 0) < 0 || mkdirat(x->dir, name, mode) < 0)
		return entry_fail(x, -errno, "make the directory");
	return dir_make_opaque(x, name);
}

int entry_remove(struct extractor *x, const char *name)
{
	x->dir_changed = true;
	return remove_tree_at(x->dir, name);
}

int dir_work_in(struct extractor *x)
{
	if (x->cwd < 0) {
		x->cwd = openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (x->cwd < 0)
			return fail(-errno, "open the working directory");
	}
	return fchdir(x->dir) < 0 ? fail(-errno, "enter directory %s", x->dir_path) : 0;
}
