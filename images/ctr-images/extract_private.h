/* What the parts of the extractor share. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <sys/stat.h>

#include "images/ctr-images/extract.h"

struct extractor {
	int root;
	const struct extract_options *options;
	struct extract_stats *stats;
	struct stream *source;
	struct archive *a;

	/*
	 * The directory that entries are being put into. Its times are put back when it is left, so that
	 * nothing about directories has to be remembered until the end: memory does not grow with the
	 * archive.
	 */
	int dir;
	char dir_path[PATH_MAX];
	struct stat dir_stat; /* as it was when it was entered */
	bool dir_changed;

	const char *name; /* of the entry at hand, as the archive has it; "" between entries */
	char last[256];   /* the one before, fit for a message */
	uid_t uid;        /* ours: what is made belongs to them */
	gid_t gid;
	bool default_acls; /* a directory may have handed its default ACL down */
	bool warned[8];    /* one warning of a kind is enough */
	int cwd;           /* to return to; -EBADF while it was not left */
	int source_err;    /* what stream_next failed with, which it has recorded */
	bool source_ended; /* stream_next has nothing more */
};

/* Kinds of warnings, of which the first of an archive is shown. */
enum { WARN_OVERLAY_XATTR, WARN_XATTR, WARN_UNSUPPORTED_XATTR, WARN_DEVICE, WARN_SOCKET, WARN_ACL };

/* Records "NAME: FMT" for the entry at hand and returns ERR. */
int entry_refuse(const struct extractor *x, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int entry_fail(const struct extractor *x, int err, const char *what);
/* Counts something left out, and warns of the first of its KIND. */
void entry_warn(struct extractor *x, int kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- extract_path.c --- */

/*
 * The entry's name as a path relative to the root, without "." components and doubled slashes; an absolute
 * name means the same below the root. "" is the root itself. -EINVAL for ".." and what no file can be
 * named.
 */
int path_clean(const struct extractor *x, const char *name, char out[PATH_MAX]);

/* Splits a clean path; the name points into PATH. */
const char *path_split(const char *path, char parent[PATH_MAX]);

/* An fd of directory PATH under the root, or negative errno, nothing recorded. */
int dir_open(const struct extractor *x, const char *path, int flags);

/* Makes x->dir the directory PATH, with missing ones made (ours, 0755). */
int dir_enter(struct extractor *x, const char *path);
/* Puts back the times of x->dir and closes it. */
int dir_leave(struct extractor *x);

/* Makes directory NAME in x->dir. 1 when it was there already, -EEXIST, nothing recorded, when something
 * else is; a whiteout is replaced by an opaque directory. */
int dir_make(struct extractor *x, const char *name, mode_t mode);

/* Marks directory NAME in x->dir ("." for itself) as hiding what lower layers have there. */
int dir_make_opaque(struct extractor *x, const char *name);

/* Removes what is at NAME in x->dir, with all below it. */
int entry_remove(struct extractor *x, const char *name);

/* Makes x->dir the working directory, for calls that take no descriptor. */
int dir_work_in(struct extractor *x);

/* --- extract_meta.c --- */

/* The mode to make a file or directory with: its own where nothing changes it afterwards, else one that
 * lets nobody in meanwhile. */
mode_t meta_first_mode(const struct extractor *x, struct archive_entry *e);

#define META_OLD ((mode_t)-1)

/*
 * Gives NAME in x->dir its owner, attributes, mode and times, in the order in which none undoes another.
 * FD is of it when it is a regular file, else -EBADF, and it is reached by name without being followed.
 * MADE_MODE is what it was made with; META_OLD when it was there before, of anybody.
 */
int meta_apply(struct extractor *x, struct archive_entry *e, int fd, const char *name, mode_t made_mode);

/* Checks owner and group, which the kernel takes 32 bits of. */
int meta_check(const struct extractor *x, struct archive_entry *e);
