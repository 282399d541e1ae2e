/* Compressed archives: what comes out, its digests, and what is refused. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"
#include "images/ctr-images/stream.h"
#include "unit.h"

static const char *const filters[] = {"gzip", "zstd", "xz", "bzip2"};

static la_ssize_t collect(struct archive *a, void *arg, const void *data, size_t len)
{
	(void)a;
	strbuf_add(arg, data, len);
	return (la_ssize_t)len;
}

/* DATA, compressed by FILTER. */
static struct strbuf compressed(const char *filter, const void *data, size_t len)
{
	struct strbuf out = {0};
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();

	CHECK(archive_write_add_filter_by_name(a, filter) == ARCHIVE_OK);
	archive_write_set_format_raw(a);
	archive_write_set_bytes_per_block(a, 0);
	archive_write_open(a, &out, NULL, collect, NULL);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_write_header(a, e);
	CHECK(archive_write_data(a, data, len) == (la_ssize_t)len);
	archive_write_close(a);
	archive_entry_free(e);
	archive_write_free(a);
	return out;
}

/* Text that compresses, but not to nothing. */
static struct strbuf sample(size_t lines)
{
	struct strbuf b = {0};
	unsigned int n = 1;

	for (size_t i = 0; i < lines; i++) {
		n = n * 1103515245 + 12345;
		strbuf_printf(&b, "line %zu of a file, %u\n", i, n);
	}
	return b;
}

/* Reads the whole of IN, which is freed, through a stream; what came out is in OUT. */
static int pass(struct strbuf *in, struct stream_limits limits, struct strbuf *out, struct stream_sums *sums)
{
	_cleanup_(closep) int fd = memfd_create("packed", MFD_CLOEXEC);
	struct stream *s;
	const void *data;
	ssize_t n;

	*out = (struct strbuf){0};
	CHECK(write_all(fd, in->p, in->len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	strbuf_free(in);
	int r = stream_open(fd, &limits, &s);
	if (r < 0)
		return r;
	while ((n = stream_next(s, &data)) > 0)
		strbuf_add(out, data, (size_t)n);
	r = n < 0 ? (int)n : stream_finish(s, sums);
	stream_close(s);
	return r;
}

static bool has_digest(const char *hex, const void *data, size_t len)
{
	struct sha256 h;
	char is[65];

	sha256_init(&h);
	sha256_add(&h, data, len);
	sha256_hex(&h, is);
	return streq(is, hex);
}

static bool refused(struct strbuf *in, const char *why)
{
	struct strbuf out;
	struct stream_sums sums;
	int r = pass(in, (struct stream_limits){0}, &out, &sums);

	strbuf_free(&out);
	if (r < 0 && strstr(error_text(), why))
		return true;
	printf("# %d %s\n", r, r < 0 ? error_text() : "");
	return false;
}

TEST("every compression gives back what went in, and the digests of both sides")
{
	struct strbuf plain = sample(100000);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct strbuf in = compressed(filters[i], plain.p, plain.len), out;
		_cleanup_(freep) char *copy = xmalloc(in.len);
		size_t len = in.len;
		struct stream_sums sums;

		memcpy(copy, in.p, len);
		CHECK(pass(&in, (struct stream_limits){0}, &out, &sums) == 0);
		CHECK(out.len == plain.len && memcmp(out.p, plain.p, plain.len) == 0);
		CHECK(sums.bytes == plain.len && sums.packed_bytes == len);
		CHECK(has_digest(sums.digest, plain.p, plain.len) && has_digest(sums.packed_digest, copy, len));
		strbuf_free(&out);
	}
	strbuf_free(&plain);
}

TEST("members that follow each other are one stream")
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct strbuf in = compressed(filters[i], "one ", 4), two = compressed(filters[i], "two", 3), out;
		struct stream_sums sums;

		strbuf_add(&in, two.p, two.len);
		strbuf_free(&two);
		CHECK(pass(&in, (struct stream_limits){0}, &out, &sums) == 0);
		CHECK(out.len == 7 && memcmp(out.p, "one two", 7) == 0);
		strbuf_free(&out);
	}
}

TEST("a stream that is cut short is refused")
{
	struct strbuf plain = sample(1000);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		for (size_t cut = 1; cut < 20; cut += 3) {
			struct strbuf in = compressed(filters[i], plain.p, plain.len);

			in.len -= cut;
			CHECK(refused(&in, "cut short"));
		}
	strbuf_free(&plain);
}

/* zstd with the checksum that its own program adds; libarchive does not. */
static struct strbuf compressed_zstd(const void *data, size_t len)
{
	struct strbuf out = {.cap = ZSTD_compressBound(len) + 1};
	ZSTD_CCtx *z = ZSTD_createCCtx();

	out.p = xmalloc(out.cap);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	out.len = ZSTD_compress2(z, out.p, out.cap, data, len);
	ZSTD_freeCCtx(z);
	return out;
}

TEST("a stream with a wrong byte is refused")
{
	struct strbuf plain = sample(1000);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct strbuf in = streq(filters[i], "zstd") ? compressed_zstd(plain.p, plain.len)
							     : compressed(filters[i], plain.p, plain.len);

		in.p[in.len / 2] ^= 0x10;
		CHECK(refused(&in, "corrupt"));
	}
	strbuf_free(&plain);
}

TEST("gzip's own checksum is checked")
{
	struct strbuf in = compressed("gzip", "some text", 9);

	in.p[in.len - 6] ^= 1;
	CHECK(refused(&in, "incorrect data check"));
}

TEST("zeros after a gzip stream are padding, anything else is refused")
{
	struct strbuf in = compressed("gzip", "some text", 9), out;
	struct stream_sums sums;
	static const char zeros[512];

	strbuf_add(&in, zeros, sizeof(zeros));
	CHECK(pass(&in, (struct stream_limits){0}, &out, &sums) == 0 && out.len == 9);
	strbuf_free(&out);
	in = compressed("gzip", "some text", 9);
	strbuf_puts(&in, "more");
	CHECK(refused(&in, "something follows the end"));
	in = compressed("zstd", "some text", 9);
	strbuf_puts(&in, "more");
	CHECK(refused(&in, "corrupt"));
}

TEST("a stream may not grow beyond the limit")
{
	char *zeros = xcalloc(1, 64 << 20);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct strbuf in = compressed(filters[i], zeros, 64 << 20), out;
		struct stream_sums sums;

		CHECK(in.len < 1 << 20);
		CHECK(pass(&in, (struct stream_limits){.max_bytes = 1 << 20}, &out, &sums) == -EFBIG);
		CHECK(strstr(error_text(), "more than 1048576 bytes"));
		strbuf_free(&out);
	}
	free(zeros);
}

TEST("an empty stream is refused")
{
	struct strbuf in = {0};

	strbuf_puts(&in, "");
	CHECK(refused(&in, "the archive is empty"));
}

TEST("bytes that trickle in are read as they come")
{
	struct strbuf in = compressed("gzip", "some text", 9);
	struct stream *s;
	struct stream_sums sums;
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		for (size_t i = 0; i < in.len; i++)
			if (write(ends[1], in.p + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	CHECK(stream_open(ends[0], &(struct stream_limits){0}, &s) == 0);
	CHECK(stream_finish(s, &sums) == 0 && sums.bytes == 9 && sums.packed_bytes == in.len);
	stream_close(s);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	strbuf_free(&in);
}

TEST("a reader may go away while the writer is silent, or far ahead")
{
	struct strbuf plain = sample(400000);
	struct stream *s;
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	CHECK(write(ends[1], "plain text", 10) == 10);
	CHECK(stream_open(ends[0], &(struct stream_limits){0}, &s) == 0);
	stream_close(s); /* its thread waits for more, or is not there yet */
	close(ends[0]);
	close(ends[1]);

	_cleanup_(closep) int fd = memfd_create("plain", MFD_CLOEXEC);
	CHECK(write_all(fd, plain.p, plain.len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(stream_open(fd, &(struct stream_limits){0}, &s) == 0);
	stream_close(s);
	strbuf_free(&plain);
}

UNIT_MAIN
