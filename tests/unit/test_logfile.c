/* The log of a container, read: the form, pieces of lines, what a crash may have left, the last lines. */
#include "cli/logfile.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define T0 "2026-11-21T15:40:00.123456789Z"
#define T1 "2026-11-21T15:40:01.000000000Z"
#define T2 "2026-11-21T15:40:02.000000000Z"

static struct log_record parse(const char *line)
{
	struct log_record rec;

	log_record_parse(line, strlen(line), &rec);
	return rec;
}

static bool text_is(const struct log_record *rec, const char *text)
{
	return rec->len == strlen(text) && memcmp(rec->text, text, rec->len) == 0;
}

TEST("a line of the log has a time, a stream and a text")
{
	struct log_record rec = parse(T0 " stdout F hello  world ");
	int64_t ns;

	CHECK(rec.valid && !rec.err && !rec.partial);
	CHECK(text_is(&rec, "hello  world "));
	CHECK(rec.time_len == strlen(T0) && memcmp(rec.time, T0, rec.time_len) == 0);
	CHECK(clock_parse(T0, &ns) == 0 && ns == rec.time_ns);
}

TEST("a piece of a line is marked P, and standard error is told apart")
{
	struct log_record rec = parse(T0 " stderr P half");

	CHECK(rec.valid && rec.err && rec.partial && text_is(&rec, "half"));
}

TEST("an empty text is a text, with or without the space before it")
{
	struct log_record a = parse(T0 " stdout F "), b = parse(T0 " stdout F"), c = parse(T0 " stdout P ");

	CHECK(a.valid && a.len == 0);
	CHECK(b.valid && b.len == 0);
	CHECK(c.valid && c.partial && c.len == 0);
}

TEST("times with an offset, with fewer digits and without a fraction are understood")
{
	static const char *const times[] = {
		"2026-11-21T15:40:00Z",         "2026-11-21T15:40:00.1Z", "2026-11-21T16:40:00+01:00",
		"2026-11-21T05:10:00.25-10:30", "1970-01-01T00:00:00Z",   "1969-12-31T23:59:59.5Z",
		"2024-02-29T12:00:00Z",         "2000-03-01T00:00:00Z",   "2100-12-31T23:59:59Z"};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		_cleanup_(freep) char *line = xasprintf("%s stdout F x", times[i]);
		struct log_record rec = parse(line);
		int64_t ns = 1;

		CHECK(rec.valid && clock_parse(times[i], &ns) == 0 && rec.time_ns == ns);
	}
}

TEST("tags behind a colon are skipped")
{
	struct log_record rec = parse(T0 " stdout F:x:y text");

	CHECK(rec.valid && text_is(&rec, "text"));
}

TEST("what is not in the form is a text as a whole")
{
	static const char *const lines[] = {
		"",
		" ",
		"hello",
		"2026-11-21",
		T0,
		T0 " ",
		T0 " stdout",
		T0 " stdout ",
		T0 " stdout X text",
		T0 " stdin F text",
		T0 "  stdout F text",
		T0 " stdout Fx text",
		"2026-13-21T15:40:00Z stdout F x",
		"2026-11-00T15:40:00Z stdout F x",
		"2026-11-21T24:40:00Z stdout F x",
		"2026-11-21T15:60:00Z stdout F x",
		"2026-11-21T15:40:00. stdout F x",
		"2026-11-21T15:40:00.Z stdout F x",
		"2026-11-21T15:40:00.1234567890Z stdout F x",
		"2026-11-21T15:40:00 stdout F x",
		"2026-11-21T15:40:00+1:00 stdout F x",
		"-026-11-21T15:40:00Z stdout F x",
		"0000-11-21T15:40:00Z stdout F x",
		"9999-11-21T15:40:00Z stdout F x",
		"10m stdout F x",
		"\xff\xfe\x1b[2J",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct log_record rec = parse(lines[i]);

		CHECK(!rec.valid && !rec.partial && text_is(&rec, lines[i]));
	}
}

TEST("a line cut anywhere neither crashes nor reads past its end")
{
	static const char line[] = T0 " stderr P:tag text";

	for (size_t len = 0; len < sizeof(line); len++) {
		/* Exactly as long as needed, for the sanitizer. */
		_cleanup_(freep) char *copy = xmalloc(len ? len : 1);
		struct log_record rec;

		memcpy(copy, line, len);
		log_record_parse(copy, len, &rec);
		CHECK(rec.text >= copy && rec.text + rec.len == copy + len);
	}
}

/* Gives DATA to a reader in pieces of STEP bytes and joins what comes: "out:TEXT|", '+' for partial. */
static char *read_in_steps(const char *data, size_t len, size_t step)
{
	struct log_reader r = {0};
	struct log_record rec;
	struct strbuf all = {0};

	for (size_t at = 0, n; at <= len; at += n) {
		size_t room;
		char *space = log_reader_space(&r, &room);

		n = len - at < step ? len - at : step;
		n = n < room ? n : room;
		memcpy(space, data + at, n);
		log_reader_fill(&r, n);
		while (log_reader_next(&r, n == 0, &rec)) {
			strbuf_puts(&all, !rec.valid ? "bad:" : rec.err ? "err:" : "out:");
			strbuf_add(&all, rec.text, rec.len);
			strbuf_puts(&all, rec.partial ? "+" : "|");
		}
		if (n == 0)
			break;
	}
	log_reader_free(&r);
	return all.p ? all.p : xstrdup("");
}

TEST("records are the same however the bytes arrive")
{
	static const char data[] =
		T0 " stdout F one\n" T0 " stderr P tw\n\n" T0 " stderr F o\ngarbage\n" T0 " stdout F cut";

	for (size_t step = 1; step < sizeof(data) + 1; step++) {
		_cleanup_(freep) char *got = read_in_steps(data, strlen(data), step);

		CHECK(streq(got, "out:one|err:tw+bad:|err:o|bad:garbage|out:cut|"));
	}
}

TEST("an overlong line comes in pieces of the same stream")
{
	size_t len = LOG_LINE_MAX * 2 + 100;
	struct log_reader r = {0};
	struct log_record rec;
	size_t total = 0, pieces = 0, at = 0;
	_cleanup_(freep) char *data = xmalloc(len);
	static const char head[] = T0 " stderr F ";

	memset(data, 'x', len);
	memcpy(data, head, strlen(head));
	data[len - 1] = '\n';
	while (at < len) {
		size_t room;
		char *space = log_reader_space(&r, &room);
		size_t n = len - at < room ? len - at : room;

		memcpy(space, data + at, n);
		log_reader_fill(&r, n);
		at += n;
		while (log_reader_next(&r, false, &rec)) {
			CHECK(rec.valid && rec.err);
			CHECK(rec.resumed == (pieces > 0));
			CHECK(rec.partial == (at < len));
			total += rec.len;
			pieces++;
		}
	}
	CHECK(pieces == 3 && total == len - strlen(head) - 1);
	log_reader_free(&r);
}

static int file_of(const char *text)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	CHECK(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
	return fd;
}

/* What the last WANT lines of TEXT are. */
static char *tail_of(const char *text, uint64_t want)
{
	struct log_tail t = {.want = want, .until_ns = INT64_MAX};
	_cleanup_(closep) int fd = file_of(text);
	int64_t at = -1;

	CHECK(log_tail_find(&t, fd, (int64_t)strlen(text), &at) == 0);
	CHECK(at >= 0 && at <= (int64_t)strlen(text));
	return xstrdup(text + at);
}

static bool tail_is(const char *text, uint64_t want, const char *expected)
{
	_cleanup_(freep) char *got = tail_of(text, want);

	return streq(got, expected);
}

#define A T0 " stdout F a\n"
#define B T0 " stderr F b\n"
#define C T0 " stdout F c\n"
#define P1 T0 " stdout P p\n"
#define P2 T0 " stdout P q\n"
#define E1 T0 " stderr P e\n"

TEST("the last lines are found from the end")
{
	CHECK(tail_is(A B C, 0, ""));
	CHECK(tail_is(A B C, 1, C));
	CHECK(tail_is(A B C, 2, B C));
	CHECK(tail_is(A B C, 3, A B C));
	CHECK(tail_is(A B C, 100, A B C));
	CHECK(tail_is("", 5, ""));
}

TEST("a line in pieces counts once, also one that has no end yet")
{
	CHECK(tail_is(A P1 P2 C, 1, P1 P2 C));
	CHECK(tail_is(A P1 P2 C, 2, A P1 P2 C));
	CHECK(tail_is(A B P1 P2, 1, P1 P2));
	CHECK(tail_is(A B P1 E1 P2, 2, P1 E1 P2));
	CHECK(tail_is(A B P1 E1 P2, 3, B P1 E1 P2));
}

TEST("damaged lines and a cut end count as lines")
{
	CHECK(tail_is(A "garbage\n" C, 2, "garbage\n" C));
	CHECK(tail_is(A C "2026-11-2", 1, "2026-11-2"));
	CHECK(tail_is(A C "2026-11-2", 2, C "2026-11-2"));
	CHECK(tail_is("no newline", 1, "no newline"));
	CHECK(tail_is(A "\n\n" C, 2, A "\n\n" C));
}

TEST("lines after --until do not count")
{
	static const char text[] = T0 " stdout F a\n" T1 " stdout F b\n" T2 " stdout F c\n";
	struct log_tail t = {.want = 1};
	_cleanup_(closep) int fd = file_of(text);
	int64_t at;

	CHECK(clock_parse(T1, &t.until_ns) == 0);
	CHECK(log_tail_find(&t, fd, (int64_t)strlen(text), &at) == 0);
	CHECK(at == (int64_t)strlen(T0 " stdout F a\n"));
}

TEST("a line that ends after --until counts by its beginning")
{
	static const char text[] = T0 " stdout F a\n" T0 " stdout P b\n" T1 " stdout P c\n" T2 " stdout F d\n";
	struct log_tail t = {.want = 1};
	_cleanup_(closep) int fd = file_of(text);
	int64_t at;

	CHECK(clock_parse(T1, &t.until_ns) == 0);
	CHECK(log_tail_find(&t, fd, (int64_t)strlen(text), &at) == 0);
	CHECK(at == (int64_t)strlen(T0 " stdout F a\n"));
}

TEST("what the newest file lacks is looked for in the older one")
{
	struct log_tail t = {.want = 3, .until_ns = INT64_MAX};
	_cleanup_(closep) int new = file_of(P2 C), old = file_of(A B C P1);
	int64_t at;

	CHECK(log_tail_find(&t, new, (int64_t)strlen(P2 C), &at) == 0 && at == 0 && !t.done);
	CHECK(log_tail_find(&t, old, (int64_t)strlen(A B C P1), &at) == 0);
	CHECK(at == (int64_t)strlen(A) && t.done);
}

TEST("a tail in a file of many blocks is where the lines are counted to be")
{
	struct strbuf text = {0};
	size_t starts[3001], n = 3000;

	srand(1);
	for (size_t i = 0; i < n; i++) {
		starts[i] = text.len;
		strbuf_puts(&text, i % 3 ? T0 " stdout F " : T0 " stderr F ");
		for (int k = rand() % 300; k > 0; k--)
			strbuf_putc(&text, 'x');
		strbuf_putc(&text, '\n');
	}
	_cleanup_(closep) int fd = file_of(text.p);
	for (size_t want = 1; want <= n; want += 7) {
		struct log_tail t = {.want = want, .until_ns = INT64_MAX};
		int64_t at;

		CHECK(log_tail_find(&t, fd, (int64_t)text.len, &at) == 0);
		CHECK(at == (int64_t)starts[n - want]);
	}
	strbuf_free(&text);
}

UNIT_MAIN
