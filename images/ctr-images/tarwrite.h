/*
 * Writing tar archives: POSIX pax interchange format, byte for byte determined by what is put in.
 *
 * A ustar header where it says everything; else a pax header before it with what it cannot say: long names,
 * large numbers, nanoseconds, attributes (SCHILY.xattr.*, which GNU tar, bsdtar and Go read) and holes
 * (GNU.sparse 1.0). Nothing depends on time, locale or the names of users.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/str.h"

struct tar_writer {
	int fd;
	char *buf;
	size_t used;
	uint64_t written;
};

struct tar_attribute {
	char *name;
	void *value;
	size_t len;
};

/* A run of data in a sparse file. */
struct tar_extent {
	uint64_t at, len;
};

struct tar_entry {
	const char *name; /* relative; a directory's without a slash at the end; "." is the root */
	const char *link; /* of a symbolic link: its target; of any other type: what it is a hard link to */
	const struct stat *st;
	const struct tar_attribute *attributes;
	size_t n_attributes;
	const struct tar_extent *extents; /* of a sparse file, by rising offset */
	size_t n_extents;
	int sparse; /* EXTENTS tells where there is data; else all of the file is data */
};

void tar_open(struct tar_writer *w, int fd);

/* Writes an entry's headers. A regular file's data follows by tar_data: all extents' bytes, or the whole
 * file's, then tar_end_entry. Records a failure to write, or -EINVAL for a file type without a tar form. */
int tar_put(struct tar_writer *w, const struct tar_entry *e);
int tar_data(struct tar_writer *w, const void *data, size_t len);
int tar_end_entry(struct tar_writer *w);

/* A place in the buffer to read data into, and how much fits; tar_filled says how much came. */
char *tar_room(struct tar_writer *w, size_t *size);
int tar_filled(struct tar_writer *w, size_t len);

/* Writes the end marker and what is buffered; frees. */
int tar_close(struct tar_writer *w);
/* Frees, after a failure. */
void tar_abandon(struct tar_writer *w);
