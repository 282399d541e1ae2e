#include <archive.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "images/ctr-images/stream_private.h"

/* Not compressed: what was peeked at to find that out, then straight into the blocks. */
static int run_plain(struct stream *s)
{
	const char *peeked;
	ssize_t n = stream_peek(s, &peeked);

	for (bool first = true; n > 0; first = false) {
		size_t size;
		char *block;
		int r = stream_room(s, &block, &size);

		if (r < 0)
			return r;
		if (first) { /* a read is never more than a block */
			memcpy(block, peeked, (size_t)n);
			stream_skip(s, (size_t)n);
		} else {
			n = stream_read(s, block, size);
		}
		if (n > 0 && (r = stream_put(s, (size_t)n)) < 0)
			return r;
	}
	return (int)n;
}

/* The rest of the input must be padding. */
static int expect_zeros(struct stream *s)
{
	const char *in;
	ssize_t n;

	while ((n = stream_peek(s, &in)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (in[i])
				return stream_fail(s, -EINVAL, "something follows the end of the compressed archive");
		stream_skip(s, (size_t)n);
	}
	return (int)n;
}

/* Decompresses what is at hand into one block. 1 when a member has ended. */
static int inflate_block(struct stream *s, z_stream *z, const char *in, size_t len)
{
	size_t size;
	char *block;
	int r = stream_room(s, &block, &size);
	if (r < 0)
		return r;

	z->next_in = (unsigned char *)(uintptr_t)in;
	z->avail_in = (unsigned int)len;
	z->next_out = (unsigned char *)block;
	z->avail_out = (unsigned int)size;
	int zr = inflate(z, Z_NO_FLUSH);
	stream_skip(s, len - z->avail_in);
	r = stream_put(s, size - z->avail_out);
	if (r < 0)
		return r;
	if (zr == Z_MEM_ERROR)
		return stream_fail(s, -ENOMEM, "not enough memory to uncompress the archive");
	if (zr != Z_OK && zr != Z_STREAM_END && zr != Z_BUF_ERROR)
		return stream_fail(s, -EINVAL, "the gzip archive is corrupt (%s)", z->msg ? z->msg : "no dictionary");
	return zr == Z_STREAM_END;
}

static int inflate_all(struct stream *s, z_stream *z)
{
	bool in_member = true;

	for (;;) {
		const char *in;
		ssize_t n = stream_peek(s, &in);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return in_member ? stream_fail(s, -EINVAL, "the gzip archive is cut short") : 0;
		if (!in_member) {
			if (*in != '\x1f')
				return expect_zeros(s);
			inflateReset(z);
		}
		int r = inflate_block(s, z, in, (size_t)n);
		if (r < 0)
			return r;
		in_member = r == 0;
	}
}

static int run_gzip(struct stream *s)
{
	z_stream z = {0};

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return stream_fail(s, -ENOMEM, "not enough memory to uncompress the archive");
	int r = inflate_all(s, &z);
	inflateEnd(&z);
	return r;
}

static int unzstd_all(struct stream *s, ZSTD_DCtx *z)
{
	for (size_t left = 1, full = 0;;) {
		ZSTD_inBuffer in = {0};
		ZSTD_outBuffer out = {0};
		const char *data = NULL;
		char *block;
		/* A full block may leave more to flush, without any new input. */
		ssize_t n = full ? 0 : stream_peek(s, &data);
		if (n < 0)
			return (int)n;
		if (n == 0 && !full)
			return left ? stream_fail(s, -EINVAL, "the zstd archive is cut short") : 0;
		int r = stream_room(s, &block, &out.size);
		if (r < 0)
			return r;
		in.src = data;
		in.size = (size_t)n;
		out.dst = block;
		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left))
			return stream_fail(s, -EINVAL, "the zstd archive is corrupt (%s)", ZSTD_getErrorName(left));
		stream_skip(s, in.pos);
		r = stream_put(s, out.pos);
		if (r < 0)
			return r;
		full = left && out.pos == out.size;
	}
}

static int run_zstd(struct stream *s)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (!z)
		return stream_fail(s, -ENOMEM, "not enough memory to uncompress the archive");
	int r = unzstd_all(s, z);
	ZSTD_freeDCtx(z);
	return r;
}

/* What libarchive reads from. */
struct packed {
	struct stream *s;
	int err; /* of the stream, which has described it */
};

static la_ssize_t give_packed(struct archive *a, void *arg, const void **data)
{
	struct packed *p = arg;
	const char *in = NULL;
	ssize_t n = stream_peek(p->s, &in);

	if (n < 0) {
		p->err = (int)n;
		archive_set_error(a, (int)-n, "read");
		return -1;
	}
	stream_skip(p->s, (size_t)n);
	*data = in;
	return n;
}

static int copy_out(struct stream *s, const char *data, size_t len)
{
	while (len) {
		size_t size;
		char *block;
		int r = stream_room(s, &block, &size);
		if (r < 0)
			return r;
		size_t n = len < size ? len : size;
		memcpy(block, data, n);
		r = stream_put(s, n);
		if (r < 0)
			return r;
		data += n;
		len -= n;
	}
	return 0;
}

static int run_filters(struct stream *s, struct archive *a)
{
	struct packed in = {.s = s};
	struct archive_entry *entry;
	const void *data;
	size_t len;
	la_int64_t at;
	int ar, r = 0;

	ar = archive_read_open(a, &in, NULL, give_packed, NULL);
	if (ar == ARCHIVE_OK)
		ar = archive_read_next_header(a, &entry);
	while (ar == ARCHIVE_OK && r == 0) {
		ar = archive_read_data_block(a, &data, &len, &at);
		if (ar == ARCHIVE_OK)
			r = copy_out(s, data, len);
	}
	if (in.err < 0)
		return in.err;
	if (r == 0 && ar != ARCHIVE_EOF)
		r = stream_fail(s, -EINVAL, "the archive is corrupt or cut short (%s)",
				archive_error_string(a) ? archive_error_string(a) : "no reason given");
	return r;
}

/* The compressions that are rare enough for libarchive's filters; those check their own sums. */
static int run_libarchive(struct stream *s)
{
	struct archive *a = archive_read_new();

	if (!a)
		return stream_fail(s, -ENOMEM, "not enough memory to uncompress the archive");
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_format_raw(a);
	int r = run_filters(s, a);
	archive_read_free(a);
	/* What libarchive left unread counts for the digest. */
	const char *in;
	ssize_t n = 0;
	while (r == 0 && (n = stream_peek(s, &in)) > 0)
		stream_skip(s, (size_t)n);
	return r == 0 ? (int)n : r;
}

static const struct decoder decoders[] = {
	{"gzip", "\x1f\x8b", 2, run_gzip},
	{"zstd", "\x28\xb5\x2f\xfd", 4, run_zstd},
	{"xz", "\xfd\x37zXZ\0", 6, run_libarchive},
	{"bzip2", "BZh", 3, run_libarchive},
	{"plain", "", 0, run_plain},
};

const struct decoder *decoder_find(const char *data, size_t len)
{
	const struct decoder *d = decoders;

	while (len < d->magic_len || memcmp(data, d->magic, d->magic_len) != 0)
		d++;
	return d;
}
