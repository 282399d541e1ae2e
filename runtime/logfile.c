#include "runtime/logfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/fd.h"
#include "runtime/record.h"

static int open_file(int dir)
{
	int fd = openat(dir, RECORD_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

struct logfile logfile_start(int dir, uint64_t max)
{
	return (struct logfile){.dir = dir, .fd = -EBADF, .max = max};
}

/* False when there is nothing to write to. */
static bool ensure_open(struct logfile *l)
{
	struct stat st;

	if (l->fd >= 0)
		return true;
	if (l->dir < 0 || l->failed)
		return false;
	l->fd = open_file(l->dir);
	l->failed = l->fd < 0;
	if (l->fd >= 0 && fstat(l->fd, &st) == 0)
		l->size = (uint64_t)st.st_size;
	return l->fd >= 0;
}

static void rotate(struct logfile *l)
{
	int fd;

	/* A failure leaves the old file in use: better too long a log than none. */
	if (renameat(l->dir, RECORD_LOG, l->dir, RECORD_LOG_OLD) < 0)
		return;
	fd = open_file(l->dir);
	if (fd < 0)
		return;
	close(l->fd);
	l->fd = fd;
	l->size = 0;
}

static void write_line(struct logfile *l, const char *head, const char *data, size_t len, bool whole)
{
	char prefix[64], newline = '\n';
	int n = snprintf(prefix, sizeof(prefix), "%s %c ", head, whole ? 'F' : 'P');
	struct iovec v[3] = {{prefix, (size_t)n}, {(void *)(uintptr_t)data, len}, {&newline, 1}};
	ssize_t written = writev(l->fd, v, 3);

	if (written < 0 || (size_t)written != (size_t)n + len + 1)
		l->failed = true;
	if (written > 0)
		l->size += (uint64_t)written;
}

void logfile_write(struct logfile *l, const char *stream, const char *data, size_t len)
{
	char now[36], head[64];

	if (!ensure_open(l))
		return;
	clock_rfc3339(clock_now(), now);
	snprintf(head, sizeof(head), "%s %s", now, stream);
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		write_line(l, head, data, n, end != NULL);
		/* A line is not cut in two, unless it does not end. */
		if (l->max && (end ? l->size : l->size / 2) > l->max)
			rotate(l);
		n += end != NULL;
		data += n;
		len -= n;
	}
}

void logfile_close(struct logfile *l)
{
	closep(&l->fd);
	l->fd = -EBADF;
}
