/* Strict numbers, sizes, edit distance, growable buffers and vectors. */
#include <errno.h>

#include "base/str.h"
#include "tests/unit/unit.h"

TEST("numbers are digits only and within their range")
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "-0", "0x1", "1a", "1.0", "\xd9\xa1", "1\n"};
	uint64_t v = 7;

	CHECK(parse_u64("0", 10, &v) == 0 && v == 0);
	CHECK(parse_u64("010", 10, &v) == 0 && v == 10);
	CHECK(parse_u64("11", 10, &v) == -ERANGE && v == 10);
	CHECK(parse_u64("18446744073709551615", UINT64_MAX, &v) == 0 && v == UINT64_MAX);
	CHECK(parse_u64("18446744073709551616", UINT64_MAX, &v) == -ERANGE);
	CHECK(parse_u64("99999999999999999999999999", UINT64_MAX, &v) == -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(parse_u64(bad[i], UINT64_MAX, &v) == -EINVAL);
}

TEST("signed numbers reach both ends")
{
	int64_t v = 7;

	CHECK(parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v) == 0 && v == INT64_MIN);
	CHECK(parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v) == 0 && v == INT64_MAX);
	CHECK(parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v) == -ERANGE);
	CHECK(parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &v) == -ERANGE);
	CHECK(parse_i64("-1", 0, 5, &v) == -ERANGE);
	CHECK(parse_i64("6", 0, 5, &v) == -ERANGE);
	CHECK(parse_i64("--1", INT64_MIN, INT64_MAX, &v) == -EINVAL);
	CHECK(parse_i64("-", INT64_MIN, INT64_MAX, &v) == -EINVAL);
	CHECK(parse_i64("", INT64_MIN, INT64_MAX, &v) == -EINVAL);
}

TEST("modes are octal")
{
	unsigned int v = 7;

	CHECK(parse_octal("0755", 07777, &v) == 0 && v == 0755);
	CHECK(parse_octal("1777", 07777, &v) == 0 && v == 01777);
	CHECK(parse_octal("8", 07777, &v) == -EINVAL);
	CHECK(parse_octal("10000", 07777, &v) == -ERANGE);
	CHECK(parse_octal("", 07777, &v) == -EINVAL);
}

TEST("sizes with a unit are in powers of 1024")
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"512", 512},
		{"512b", 512},
		{"1k", 1024},
		{"1K", 1024},
		{"1kb", 1024},
		{"1KiB", 1024},
		{"64m", 64ull << 20},
		{"1.5g", 3ull << 29},
		{"2GiB", 2ull << 30},
		{"1t", 1ull << 40},
		{"1p", 1ull << 50},
		{"0.5k", 512},
		{"1.25m", 5ull << 18},
		{"16382p", 16382ull << 50},
		{"1.0000001k", 1024},
	};
	static const char *const bad[] = {"",   "k",  "1x",  "1kk", "1ki", "-1",  "1 k",
					  " 1", "1.", ".5g", "1e3", "1bb", "1ib", "1kibi"};
	uint64_t v = 7;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (parse_bytes(good[i].text, &v) != 0 || v != good[i].bytes) {
			printf("# %s gives %llu\n", good[i].text, (unsigned long long)v);
			CHECK(false);
		}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(parse_bytes(bad[i], &v) == -EINVAL);
	CHECK(parse_bytes("16384p", &v) == -ERANGE);
	CHECK(parse_bytes("99999999999999999999", &v) == -ERANGE);
	CHECK(parse_bytes("18014398509481984k", &v) == -ERANGE);
}

TEST("sizes are printed short, in powers of 1000")
{
	char buf[16];

	CHECK(streq(format_bytes(0, buf), "0B"));
	CHECK(streq(format_bytes(999, buf), "999B"));
	CHECK(streq(format_bytes(1000, buf), "1.00kB"));
	CHECK(streq(format_bytes(12345, buf), "12.3kB"));
	CHECK(streq(format_bytes(123456789, buf), "123MB"));
	CHECK(streq(format_bytes(1980000, buf), "1.98MB"));
	CHECK(strlen(format_bytes(UINT64_MAX, buf)) < sizeof(buf));
}

TEST("edit distance counts what must be typed differently")
{
	char long_word[70];

	memset(long_word, 'a', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	CHECK(edit_distance("run", "run") == 0);
	CHECK(edit_distance("rnu", "run") == 2);
	CHECK(edit_distance("runn", "run") == 1);
	CHECK(edit_distance("ru", "run") == 1);
	CHECK(edit_distance("", "run") == 3);
	CHECK(edit_distance("run", "") == 3);
	CHECK(edit_distance("kitten", "sitting") == 3);
	CHECK(edit_distance("stop", "start") == edit_distance("start", "stop"));
	CHECK(edit_distance(long_word, long_word) >= 64);
	CHECK(edit_distance(long_word + 6, long_word + 6) == 0);
}

TEST("control characters are found, UTF-8 is none")
{
	CHECK(has_control("a\nb") && has_control("\x7f") && has_control("\x1b[0m") && has_control("tab\t"));
	CHECK(!has_control("") && !has_control("caf\xc3\xa9 ~"));
}

TEST("prefixes and suffixes")
{
	CHECK(streq(after_prefix("CAP_KILL", "CAP_"), "KILL"));
	CHECK(after_prefix("CAP", "CAP_") == NULL);
	CHECK(has_suffix("layer.tar", ".tar") && has_suffix(".tar", ".tar") && !has_suffix("tar", ".tar"));
	CHECK(has_suffix("x", ""));
}

TEST("a buffer grows and stays a string")
{
	struct strbuf b = {0};

	CHECK(streq(strbuf_str(&b), ""));
	strbuf_printf(&b, "%s", "");
	for (int i = 0; i < 10000; i++)
		strbuf_printf(&b, "%04d", i);
	CHECK(b.len == 40000 && strlen(b.p) == 40000);
	CHECK(memcmp(b.p + 4 * 1234, "1234", 4) == 0);
	strbuf_add(&b, "\0x", 2);
	strbuf_putc(&b, '!');
	CHECK(b.len == 40003 && b.p[40002] == '!' && b.p[40003] == '\0');
	strbuf_free(&b);
	CHECK(b.p == NULL && b.len == 0);
}

TEST("vectors are NULL-terminated at every length")
{
	struct strv l = {0};
	char word[16];

	CHECK(!strv_has(&l, "0"));
	for (int i = 0; i < 300; i++) {
		snprintf(word, sizeof(word), "%d", i);
		strv_add(&l, word);
		CHECK(l.n == (size_t)i + 1 && l.v[l.n] == NULL);
	}
	CHECK(streq(l.v[299], "299") && strv_has(&l, "17") && !strv_has(&l, "300"));
	strv_free(&l);
	CHECK(l.v == NULL && l.n == 0);
}

TEST("splitting keeps empty pieces")
{
	struct strv l = {0};

	strv_split(&l, ":a::b:", ':');
	CHECK(l.n == 5 && streq(l.v[0], "") && streq(l.v[1], "a") && streq(l.v[2], "") && streq(l.v[3], "b") &&
	      streq(l.v[4], ""));
	strv_free(&l);
	strv_split(&l, "", ',');
	CHECK(l.n == 1 && streq(l.v[0], ""));
	strv_free(&l);
}

UNIT_MAIN
