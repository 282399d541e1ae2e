/* Between a stream's thread and the decoders that run in it. */
#pragma once

#include <stddef.h>

#include "images/ctr-images/stream.h"

/*
 * A kind of compression, told by its first bytes. RUN decompresses until the input ends. It returns 0, or
 * a negative errno that stream_fail gave, or -ECANCELED when the reader has gone.
 */
struct decoder {
	const char *name;
	const char *magic;
	size_t magic_len;
	int (*run)(struct stream *s);
};

/* The decoder for data that begins with these bytes. */
const struct decoder *decoder_find(const char *data, size_t len);

/* The compressed bytes at hand: reads more when there are none. Their number, 0 at the end of the input,
 * or a negative errno. */
ssize_t stream_peek(struct stream *s, const char **data);
/* Says that N of them are done with. */
void stream_skip(struct stream *s, size_t n);
/* Reads straight into BUF when nothing is peeked: for input that is not compressed. */
ssize_t stream_read(struct stream *s, char *buf, size_t size);

/* A free block to decompress into; waits for one. -ECANCELED when nobody reads any more. */
int stream_room(struct stream *s, char **block, size_t *size);
/* Hands on the first N bytes of that block, which may be none. */
int stream_put(struct stream *s, size_t n);

/* Records for the reader why the stream ends here, and returns ERR. The thread must not use fail(): the
 * recorded description belongs to the main thread. */
int stream_fail(struct stream *s, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
