#include "images/ctr-images/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "images/ctr-images/extract_private.h"

/* image-spec layer.md, "Whiteouts". */
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define WHITEOUT_META ".wh..wh." /* aufs's own files */

/* A name fit for a line: shortened at the front, control characters replaced. */
static void show_name(const char *name, char buf[256])
{
	size_t len = strlen(name), skip = len > 200 ? len - 200 : 0;

	snprintf(buf, 256, "%s%s", skip ? "..." : "", name + skip);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

int entry_refuse(const struct extractor *x, int err, const char *fmt, ...)
{
	char name[256], text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show_name(x->name, name);
	return refuse(err, "cannot unpack '%s': %s", name, text);
}

int entry_fail(const struct extractor *x, int err, const char *what)
{
	return entry_refuse(x, err, "%s: %s", what, strerror(-err));
}

void entry_warn(struct extractor *x, int kind, const char *fmt, ...)
{
	char name[256], text[512];
	va_list ap;

	x->stats->skipped++;
	if (x->warned[kind])
		return;
	x->warned[kind] = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show_name(x->name, name);
	warning("'%s': %s (further ones are not told)", name, text);
}

static la_ssize_t give(struct archive *a, void *arg, const void **data)
{
	struct extractor *x = arg;
	ssize_t n = stream_next(x->source, data);

	if (n < 0) {
		x->source_err = (int)n;
		archive_set_error(a, (int)-n, "read");
		return -1;
	}
	x->source_ended = n == 0;
	if (x->options->progress)
		x->options->progress(x->options->arg, stream_position(x->source));
	return n;
}

/* What libarchive says is wrong with the entry at hand, or after the last one. */
static int archive_refuse(const struct extractor *x)
{
	const char *why = archive_error_string(x->a);

	if (!why)
		why = "no reason given";
	if (x->source_err < 0)
		return x->last[0] ? fail_in(x->source_err, "after '%s'", x->last) : x->source_err;
	if (*x->name)
		return entry_refuse(x, -EINVAL, "the archive is damaged or cut short here (%s)", why);
	if (x->last[0])
		return refuse(-EINVAL, "the archive is damaged or cut short after '%s' (%s)", x->last, why);
	return refuse(-EINVAL, "this is not a tar archive, or a damaged one (%s)", why);
}

static int write_at(const struct extractor *x, int fd, const char *data, size_t len, int64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return entry_fail(x, -errno, "write its data");
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* Writes what the archive holds of the file; what it leaves out is a hole. */
static int write_data(const struct extractor *x, int fd, int64_t size)
{
	int64_t end = 0, at;
	const void *data;
	size_t len;
	int ar;

	while ((ar = archive_read_data_block(x->a, &data, &len, &at)) == ARCHIVE_OK) {
		if (at < end || at > size || (uint64_t)(size - at) < len)
			return entry_refuse(x, -EINVAL, "its data goes beyond its size of %lld", (long long)size);
		int r = write_at(x, fd, data, len, at);
		if (r < 0)
			return r;
		end = at + (int64_t)len;
	}
	if (ar != ARCHIVE_EOF)
		return archive_refuse(x);
	if (end < size && ftruncate(fd, size) < 0)
		return entry_fail(x, -errno, "set its size");
	return 0;
}

/* Makes room for NAME when MADE_ERRNO says that something stands there: of two entries the later counts.
 * 0 to try again, else the error, recorded. */
static int make_room(struct extractor *x, const char *name, int made_errno)
{
	if (made_errno != EEXIST)
		return entry_fail(x, -made_errno, "make it");
	int r = entry_remove(x, name);
	return r < 0 ? fail_in(r, "cannot replace '%.200s'", x->name) : 0;
}

static int put_file(struct extractor *x, struct archive_entry *e, const char *name)
{
	int64_t size = archive_entry_size(e);
	mode_t mode = meta_first_mode(x, e);
	uint64_t room = x->options->max_bytes ? x->options->max_bytes - x->stats->bytes : UINT64_MAX;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	if (size < 0 || (uint64_t)size > room)
		return entry_refuse(x, -EFBIG, "with it the archive has more than %llu bytes of files, the limit",
				    (unsigned long long)x->options->max_bytes);
	_cleanup_(closep) int fd = openat(x->dir, name, flags, mode);
	if (fd < 0) {
		int r = make_room(x, name, errno);
		if (r < 0)
			return r;
		fd = openat(x->dir, name, flags, mode);
		if (fd < 0)
			return entry_fail(x, -errno, "make it");
	}
	x->stats->bytes += (uint64_t)size;
	int r = write_data(x, fd, size);
	return r < 0 ? r : meta_apply(x, e, fd, name, mode);
}

static int put_directory(struct extractor *x, struct archive_entry *e, const char *name)
{
	mode_t mode = meta_first_mode(x, e);
	int r = dir_make(x, name, mode);

	if (r == -EEXIST) {
		r = make_room(x, name, EEXIST);
		if (r == 0)
			r = dir_make(x, name, mode);
	}
	return r < 0 ? r : meta_apply(x, e, -EBADF, name, r == 1 ? META_OLD : mode);
}

static int put_symlink(struct extractor *x, struct archive_entry *e, const char *name)
{
	const char *target = archive_entry_symlink(e);

	if (!target || !*target)
		return entry_refuse(x, -EINVAL, "it is a symbolic link to nothing");
	if (strlen(target) >= PATH_MAX)
		return entry_refuse(x, -ENAMETOOLONG,
				    "it is a symbolic link to a name that is longer than a path may be");
	while (symlinkat(target, x->dir, name) < 0) {
		int r = make_room(x, name, errno);
		if (r < 0)
			return r;
	}
	return meta_apply(x, e, -EBADF, name, 0777);
}

/* The same file under both names already: a hard link to itself. */
static bool same_file(int a, const char *a_name, int b, const char *b_name)
{
	struct stat s, t;

	return fstatat(a, a_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(b, b_name, &t, AT_SYMLINK_NOFOLLOW) == 0 &&
	       s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

/* A hard link shares the owner, mode and times of what it links to; what the entry says of them is not
 * looked at. */
static int put_hardlink(struct extractor *x, const char *target, const char *name)
{
	char path[PATH_MAX], parent[PATH_MAX];
	int r = path_clean(x, target, path);
	if (r < 0)
		return r;
	const char *to = path_split(path, parent);
	_cleanup_(closep) int dir = dir_open(x, parent, O_PATH);
	if (dir < 0 || !*to)
		return entry_refuse(x, dir < 0 ? dir : -EINVAL,
				    "it is a hard link to '%.200s', whose directory is not in the archive before it",
				    target);
	if (same_file(dir, to, x->dir, name))
		return 0;
	while (linkat(dir, to, x->dir, name, 0) < 0) {
		if (errno == ENOENT)
			return entry_refuse(x, -ENOENT,
					    "it is a hard link to '%.200s', which is not in the archive before it",
					    target);
		if (errno == EPERM)
			return entry_refuse(x, -EPERM, "it is a hard link to '%.200s', which cannot have any", target);
		r = make_room(x, name, errno);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_node(struct extractor *x, struct archive_entry *e, const char *name)
{
	unsigned int type = archive_entry_filetype(e);
	dev_t major = archive_entry_rdevmajor(e), minor = archive_entry_rdevminor(e), dev = 0;
	mode_t mode = meta_first_mode(x, e);

	if (type != AE_IFIFO) {
		/* 12 and 20 bits, include/linux/kdev_t.h */
		if (major >= 1 << 12 || minor >= 1 << 20)
			return entry_refuse(x, -EINVAL, "its device number %llu:%llu is out of range",
					    (unsigned long long)major, (unsigned long long)minor);
		dev = makedev((unsigned int)major, (unsigned int)minor);
		if (type == AE_IFCHR && dev == 0) {
			entry_warn(x, WARN_DEVICE, "the device 0:0 means a deleted file to overlayfs; left out");
			return 0;
		}
	}
	while (mknodat(x->dir, name, mode | type, dev) < 0) {
		if (errno == EPERM) {
			entry_warn(x, WARN_DEVICE, "device nodes cannot be made without privileges; left out");
			return 0;
		}
		int r = make_room(x, name, errno);
		if (r < 0)
			return r;
	}
	return meta_apply(x, e, -EBADF, name, mode);
}

/* A file of the layer that says that NAME of lower layers is gone. What this very layer has at NAME stays:
 * a directory then hides the lower one's content. */
static int put_whiteout(struct extractor *x, const char *name)
{
	struct stat st;

	if (!*name || streq(name, ".") || streq(name, ".."))
		return entry_refuse(x, -EINVAL, "it deletes nothing that can have a name");
	if (fstatat(x->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? dir_make_opaque(x, name) : 0;
	if (mknodat(x->dir, name, S_IFCHR, 0) < 0)
		return entry_fail(x, -errno, "make the whiteout");
	return 0;
}

/* 1 when the entry was one of a layer's marks, which are no files. */
static int put_mark(struct extractor *x, const char *name)
{
	const char *hidden = x->options->layer ? after_prefix(name, WHITEOUT) : NULL;
	int r = 0;

	if (!hidden)
		return 0;
	if (streq(name, OPAQUE))
		r = dir_make_opaque(x, ".");
	else if (!after_prefix(name, WHITEOUT_META))
		r = put_whiteout(x, hidden);
	return r < 0 ? r : 1;
}

/* The root itself: it keeps its content and takes the entry's owner, mode and times. */
static int put_root(struct extractor *x, struct archive_entry *e)
{
	if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
		return entry_refuse(x, -EINVAL, "the root must be a directory");
	int r = meta_apply(x, e, -EBADF, ".", META_OLD);
	x->dir_changed = false;
	if (r == 0 && fstat(x->dir, &x->dir_stat) < 0)
		r = entry_fail(x, -errno, "look at it");
	return r;
}

static int put_typed(struct extractor *x, struct archive_entry *e, const char *name)
{
	x->dir_changed = true;
	if (archive_entry_hardlink(e))
		return put_hardlink(x, archive_entry_hardlink(e), name);
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return put_file(x, e, name);
	case AE_IFDIR:
		return put_directory(x, e, name);
	case AE_IFLNK:
		return put_symlink(x, e, name);
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return put_node(x, e, name);
	case AE_IFSOCK:
		entry_warn(x, WARN_SOCKET, "a socket means nothing without its program; left out");
		return 0;
	default:
		return entry_refuse(x, -EINVAL, "its type is none that can be unpacked");
	}
}

static int put_entry(struct extractor *x, struct archive_entry *e)
{
	char path[PATH_MAX], parent[PATH_MAX];
	int r = path_clean(x, x->name, path);
	if (r < 0)
		return r;
	const char *name = path_split(path, parent);

	r = meta_check(x, e);
	if (r == 0)
		r = dir_enter(x, parent);
	if (r < 0)
		return r;
	if (!*name)
		return put_root(x, e);
	r = put_mark(x, name);
	if (r != 0) {
		x->dir_changed = true;
		return r < 0 ? r : 0;
	}
	return put_typed(x, e, name);
}

/*
 * True for a warning that loses nothing. In the C locale, which this program stays in, libarchive cannot
 * convert a name that is not ASCII, says so, and hands out its bytes as they are: just what is wanted,
 * since names are bytes to Linux, and any conversion would also normalise them.
 */
static bool is_harmless(struct archive *a, int ar)
{
	const char *why = archive_error_string(a);

	return ar == ARCHIVE_WARN && why && strstr(why, "can't be converted");
}

static int extract_entries(struct extractor *x)
{
	struct archive_entry *e;
	int ar;

	while ((ar = archive_read_next_header(x->a, &e)) != ARCHIVE_EOF) {
		const char *name = ar == ARCHIVE_OK || ar == ARCHIVE_WARN ? archive_entry_pathname(e) : NULL;

		x->name = name ? name : "";
		if (ar != ARCHIVE_OK && !is_harmless(x->a, ar))
			return archive_refuse(x);
		x->stats->entries++;
		if (x->options->max_entries && x->stats->entries > x->options->max_entries)
			return entry_refuse(x, -EFBIG, "with it the archive has more than %llu entries, the limit",
					    (unsigned long long)x->options->max_entries);
		int r = put_entry(x, e);
		if (r < 0)
			return r;
		show_name(x->name, x->last);
		x->name = "";
	}
	return dir_leave(x);
}

/* Reads to the end of the stream, whose digest is of all of it, and looks for the end marker. */
static int finish(struct extractor *x)
{
	bool cut = x->source_ended;
	const void *rest;
	ssize_t n;

	while ((n = stream_next(x->source, &rest)) > 0)
		;
	if (n < 0)
		return (int)n;
	if (x->options->need_end && cut && !stream_ends_in_zeros(x->source))
		return refuse(-EINVAL, "the archive has no end marker: it was cut short");
	return 0;
}

int extract_tar(struct stream *source, int rootfd, const struct extract_options *options, struct extract_stats *stats)
{
	struct extractor x = {
		.root = rootfd,
		.options = options,
		.stats = stats,
		.source = source,
		.dir = -EBADF,
		.cwd = -EBADF,
		.name = "",
		.uid = geteuid(),
		.gid = getegid(),
	};

	*stats = (struct extract_stats){0};
	x.a = archive_read_new();
	if (!x.a)
		return refuse(-ENOMEM, "not enough memory to read the archive");
	umask(0);
	archive_read_support_format_tar(x.a);
	/* Refuses data that is no tar archive at all. */
	int r = archive_read_open(x.a, &x, NULL, give, NULL) == ARCHIVE_OK ? extract_entries(&x) : archive_refuse(&x);
	if (r == 0)
		r = finish(&x);
	closep(&x.dir);
	if (x.cwd >= 0 && fchdir(x.cwd) < 0)
		debug("return to the working directory: %s", strerror(errno));
	closep(&x.cwd);
	archive_read_free(x.a);
	return r;
}
