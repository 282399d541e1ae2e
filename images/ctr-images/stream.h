/*
 * The bytes of an archive, uncompressed and hashed as they pass.
 *
 * A thread of its own reads and decompresses, some megabytes ahead at most, while the caller unpacks. The
 * compression (gzip, zstd, xz, bzip2 or none) is told by the first bytes. Every member or frame is checked
 * as its format provides; bytes that follow the last one are an error, unless they are zeros.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;

/* Caps against bombs; 0 is none. */
struct stream_limits {
	uint64_t max_bytes; /* uncompressed */
	/* Uncompressed bytes per compressed byte, looked at once there are more than STREAM_RATIO_FROM. */
	unsigned int max_ratio;
};
#define STREAM_RATIO_FROM (UINT64_C(4) << 30)

/* What passed, known after stream_finish. Digests are 64 hex digits of sha256. */
struct stream_sums {
	char packed_digest[65], digest[65];
	uint64_t packed_bytes, bytes;
};

/* Begins to read FD, which stays the caller's, from where it is. Records the failure. */
int stream_open(int fd, const struct stream_limits *limits, struct stream **out);

/* The next uncompressed bytes, valid until the next call: their number, 0 at the end, or a negative errno,
 * recorded. */
ssize_t stream_next(struct stream *s, const void **data);

/* Reads what is left and gives the sums. Records the failure. */
int stream_finish(struct stream *s, struct stream_sums *sums);

/* The compressed bytes read so far, for a progress bar. */
uint64_t stream_position(const struct stream *s);

/* True when the last 512 uncompressed bytes so far were all zero: a tar archive ends so. */
bool stream_ends_in_zeros(const struct stream *s);

/* Ends the thread and frees; NULL is fine. */
void stream_close(struct stream *s);
