/* File descriptors: ownership, whole-file reads and writes, passing over a socket. */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * In a process that is about to execute something else, closing each descriptor is a system call for
 * nothing: they are close-on-exec. With fd_lazy_close set, closep leaves those below FD_LAZY_MAX alone.
 */
#define FD_LAZY_MAX 256
extern bool fd_lazy_close;

/* Closes what an fd variable holds when that is >= 0, for `_cleanup_(closep)`. errno is kept. */
static inline void closep(int *fd)
{
	int keep = errno;

	if (*fd >= (fd_lazy_close ? FD_LAZY_MAX : 0))
		close(*fd);
	errno = keep;
}

/*
 * Files are opened with openat(AT_FDCWD, ...), never open(): musl's open() follows each call with an
 * fcntl(F_SETFD) for kernels of long ago.
 */

/* The fd of a variable, which becomes -EBADF. */
static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -EBADF;
	return v;
}

/* Writes all of DATA; 0 or negative errno, nothing recorded. */
int write_all(int fd, const void *data, size_t len);

/* Reads up to the end of file into a new NUL-terminated buffer (caller frees). More than MAX bytes is
 * -EFBIG. *LEN may be NULL. Nothing recorded. */
int read_all(int fd, size_t max, char **out, size_t *len);

/* The same for a path under DIRFD; opens without following a final symlink. */
int read_file_at(int dirfd, const char *path, size_t max, char **out, size_t *len);

/* Reads a small kernel file (proc, sysfs, cgroupfs) into BUF, NUL-terminated, the last newline cut.
 * Returns the length or negative errno, nothing recorded. */
ssize_t read_line_at(int dirfd, const char *path, char *buf, size_t size);

/* One write(2) of TEXT to an existing kernel file; 0 or negative errno, nothing recorded. */
int write_text_at(int dirfd, const char *path, const char *text);

/*
 * Replaces file NAME in DIRFD by DATA so that a reader, or a crash at any instant, sees the old or the
 * new content and nothing else: temporary file, fsync when DURABLE, rename. Records the failure.
 */
int replace_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode, bool durable);

/* mkdir that is content with an existing directory; 0 or negative errno, nothing recorded. */
int make_dir_at(int dirfd, const char *path, mode_t mode);
/* mkdir -p of an absolute host path (a store or state directory of ours), mode for what is made. */
int make_dirs(const char *path, mode_t mode);

/* Removes the tree NAME in DIRFD without following a symlink or leaving the filesystem that it is on;
 * a missing tree is a success. Records the failure. */
int remove_tree_at(int dirfd, const char *name);

/* Sends or receives LEN bytes and up to N descriptors in one SCM_RIGHTS message. fd_recv sets
 * *N to how many came (they are close-on-exec) and returns the bytes, 0 at end of stream. */
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n);
ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t *n);

/* Makes 0, 1 and 2 be open (on /dev/null), so that no file of ours ever lands there. */
int ensure_stdio(void);
