#include "base/fd.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/str.h"
#include "base/sys.h"

bool fd_lazy_close;

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int read_all(int fd, size_t max, char **out, size_t *len)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;

	/* One more than the size says, so that the usual file needs no second allocation. */
	size_t cap = st.st_size > 0 && (size_t)st.st_size < max ? (size_t)st.st_size + 1 : 4096;
	size_t used = 0;
	_cleanup_(freep) char *buf = xmalloc(cap + 1);

	for (;;) {
		ssize_t n = read(fd, buf + used, cap - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return -EFBIG;
		/* All that a regular file had when it was opened: no read to be told so. */
		if (S_ISREG(st.st_mode) && st.st_size > 0 && used == (size_t)st.st_size)
			break;
		if (used == cap) {
			cap *= 2;
			buf = xreallocarray(buf, cap + 1, 1);
		}
	}
	buf[used] = '\0';
	*out = take_ptr(&buf);
	if (len)
		*len = used;
	return 0;
}

int read_file_at(int dirfd, const char *path, size_t max, char **out, size_t *len)
{
	_cleanup_(closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	return read_all(fd, max, out, len);
}

ssize_t read_line_at(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_(closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int write_text_at(int dirfd, const char *path, const char *text)
{
	_cleanup_(closep) int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int replace_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode, bool durable)
{
	_cleanup_(freep) char *tmp = xasprintf("%s.tmp.%d", name, (int)getpid());
	int r;
	{
		_cleanup_(closep) int fd =
			openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

		if (fd < 0)
			return fail(-errno, "create %s", name);
		r = write_all(fd, data, len);
		if (r == 0 && durable && fsync(fd) < 0)
			r = -errno;
	}
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r == 0 && durable && fsync(dirfd) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return fail(r, "write %s", name);
	}
	return 0;
}

int make_dir_at(int dirfd, const char *path, mode_t mode)
{
	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int make_dirs(const char *path, mode_t mode)
{
	_cleanup_(freep) char *copy = xstrdup(path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		int r = make_dir_at(AT_FDCWD, copy, mode);
		if (r < 0)
			return fail(r, "create %s", copy);
		*p = '/';
	}
	int r = make_dir_at(AT_FDCWD, copy, mode);
	return r < 0 ? fail(r, "create %s", path) : 0;
}

/*
 * A container may have left a tree of any depth. Each level costs an fd and a stack frame, so below
 * REMOVE_DEPTH_MAX a directory is not descended into but moved up to the top of the tree, where the next
 * round finds it.
 */
#define REMOVE_DEPTH_MAX 64

struct removal {
	int top;
	dev_t dev;
	unsigned long moved; /* directories brought to the top, for their names */
	bool again;
};

static int remove_children(struct removal *r, int fd, unsigned int depth);

static int move_to_top(struct removal *r, int dirfd, const char *name)
{
	char moved[48];

	do {
		snprintf(moved, sizeof(moved), ".ctr-removed-%lu", r->moved++);
		if (sys_renameat2(dirfd, name, r->top, moved, RENAME_NOREPLACE) == 0) {
			r->again = true;
			return 0;
		}
	} while (errno == EEXIST);
	return fail(-errno, "remove %s", name);
}

/* Removes one entry of DIRFD, a directory with all below it. */
static int remove_entry(struct removal *r, int dirfd, const char *name, unsigned int depth)
{
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fail(-errno, "remove %s", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (depth == REMOVE_DEPTH_MAX)
		return move_to_top(r, dirfd, name);

	_cleanup_(closep) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : fail(-errno, "remove %s", name);
	if (st.st_dev != r->dev)
		return refuse(-EXDEV, "not removing %s: something is mounted there", name);
	int e = remove_children(r, take_fd(&fd), depth + 1);
	if (e < 0)
		return e;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fail(-errno, "remove %s", name);
	return 0;
}

/* Consumes FD. */
static int remove_children(struct removal *r, int fd, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	int e = 0;

	if (!dir) {
		close(fd);
		return fail(-errno, "read directory");
	}
	for (struct dirent *d; e == 0 && (d = readdir(dir));)
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			e = remove_entry(r, fd, d->d_name, depth);
	closedir(dir);
	return e;
}

int remove_tree_at(int dirfd, const char *name)
{
	struct stat st;

	/* An empty directory is the usual case. */
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT || unlinkat(dirfd, name, 0) == 0)
		return 0;
	_cleanup_(closep) int top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return errno == ENOENT ? 0 : fail(-errno, "remove %s", name);

	struct removal r = {.top = top, .dev = st.st_dev};
	do {
		/* A description of its own: the last round's stands at the directory's end. */
		int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), e;

		r.again = false;
		e = fd < 0 ? fail(-errno, "remove %s", name) : remove_children(&r, fd, 1);
		if (e < 0)
			return e;
	} while (r.again);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fail(-errno, "remove %s", name);
	return 0;
}

#define FD_PASS_MAX 8

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > FD_PASS_MAX)
		return -E2BIG;
	if (n) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EMSGSIZE;
}

ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t *n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = data, .iov_len = len};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf)};
	size_t room = n ? *n : 0, got = 0;
	ssize_t r;

	do
		r = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (got < room)
				fds[got++] = fd;
			else
				close(fd);
		}
	}
	if (n)
		*n = got;
	return r;
}

int ensure_stdio(void)
{
	for (;;) {
		int fd = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return fail(-errno, "open /dev/null");
		if (fd > STDERR_FILENO) {
			close(fd);
			return 0;
		}
		fcntl(fd, F_SETFD, 0);
	}
}
