/*
 * Unpacking a tar archive from a stranger into a directory.
 *
 * The format is read by libarchive; everything that touches the filesystem is ours. Each entry's parent is
 * opened from the root's descriptor with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
 * and the entry itself is made with O_EXCL, mkdirat and the like, which follow nothing. So a symlink that
 * the archive made may lead an entry elsewhere in the root, as on the system that the archive shows, but
 * never out of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "images/ctr-images/stream.h"

/* Deeper than any real tree; the one that removes a tree holds a descriptor a level. */
#define EXTRACT_DEPTH_MAX 256

struct extract_options {
	/* The archive is a layer: whiteouts (image-spec layer.md) are turned into overlayfs's. Without it
	 * ".wh." is a name like any other. */
	bool layer;
	/* A layer's opaque directories are marked for overlayfs's userxattr mode. */
	bool user_xattrs;
	/* The archive must have its end marker, since no digest says whether it is whole. */
	bool need_end;
	uint64_t max_bytes;   /* of all files' sizes; 0: no limit */
	uint64_t max_entries; /* 0: no limit */
	void (*progress)(void *arg, uint64_t packed_bytes);
	void *arg;
};

struct extract_stats {
	uint64_t entries;
	uint64_t bytes;   /* of the files' sizes, holes included, hard links once */
	uint64_t skipped; /* entries or attributes that were left out, with a warning */
};

/*
 * Unpacks what SOURCE gives under directory ROOTFD (not O_PATH), which is owned by the caller alone
 * meanwhile. The process's umask is set to 0. Records a failure, with the entry's name and what is wrong
 * with it; what was unpacked until then stays, for the caller to remove.
 */
int extract_tar(struct stream *source, int rootfd, const struct extract_options *options, struct extract_stats *stats);
