/* Fills a tmpfs with what the image has at its place (the mount option tmpcopyup). */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/child.h"

#define COPY_DEPTH_MAX 64

static int copy_children(int from, int to, unsigned int depth);

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	_cleanup_(closep) int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	_cleanup_(closep) int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (from < 0 || to < 0)
		return -errno;
	for (off_t left = st->st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		left -= n;
	}
	/* The owner first: chown clears the set-id bits. */
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0 ||
	    futimens(to, (struct timespec[]){st->st_atim, st->st_mtim}) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_dir(int from_dir, int to_dir, const char *name, const struct stat *st, unsigned int depth)
{
	if (depth >= COPY_DEPTH_MAX)
		return -ELOOP;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	_cleanup_(closep) int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(closep) int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return -errno;
	int r = copy_children(take_fd(&from), to, depth + 1);
	if (r < 0)
		return r;
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_entry(int from, int to, const char *name, unsigned int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_dir(from, to, name, &st, depth);
	case S_IFREG:
		return copy_file(from, to, name, &st);
	case S_IFLNK:
		return copy_link(from, to, name, &st);
	default:
		return 0; /* sockets, fifos and devices of an image have no meaning in a fresh tmpfs */
	}
}

/* Consumes FROM. */
static int copy_children(int from, int to, unsigned int depth)
{
	DIR *dir = fdopendir(from);
	int r = 0;

	if (!dir) {
		close(from);
		return -errno;
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = copy_entry(from, to, e->d_name, depth);
	closedir(dir);
	return r;
}

int copy_up(int from, int to)
{
	struct stat st;
	int dup_from = fcntl(from, F_DUPFD_CLOEXEC, 0);

	if (dup_from < 0)
		return fail(-errno, "copy the image's files");
	int r = copy_children(dup_from, to, 0);
	if (r == 0 &&
	    (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0))
		r = -errno;
	return r < 0 ? fail(r, "copy the image's files into a tmpfs") : 0;
}
