/* The JSON reader's rules and bounds, the writer's escapes; another library's opinion over the fuzz corpora. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <limits.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "tests/unit/unit.h"

static bool accepts_bytes(const char *text, size_t len)
{
	struct json_doc doc;

	if (json_parse(text, len, "test.json", &doc) < 0)
		return false;
	json_free(&doc);
	return true;
}

static bool accepts(const char *text)
{
	return accepts_bytes(text, strlen(text));
}

/* The string that the one-element array TEXT holds, as the parser sees it. */
static bool string_is(const char *text, const char *want)
{
	struct json_doc doc;

	if (json_parse(text, strlen(text), "test.json", &doc) < 0)
		return false;
	bool same = doc.root->child && doc.root->child->type == JSON_STRING && streq(doc.root->child->text, want);
	json_free(&doc);
	return same;
}

TEST("every kind of value is read")
{
	static const char text[] = " {\"a\": [1, -2.5e+3, true, false, null, \"s\", {}, []]} ";
	static const enum json_type types[] = {JSON_NUMBER, JSON_NUMBER, JSON_BOOL,   JSON_BOOL,
					       JSON_NULL,   JSON_STRING, JSON_OBJECT, JSON_ARRAY};
	struct json_doc doc;
	const struct json *list = NULL;
	size_t i = 0;

	CHECK(json_parse(text, strlen(text), "test.json", &doc) == 0);
	CHECK(json_want_array(doc.root, "a", &list) == 0 && list && list->count == 8);
	json_each(item, list) {
		CHECK(i < 8 && item->type == types[i]);
		if (i == 1)
			CHECK(streq(item->text, "-2.5e+3"));
		if (i == 2)
			CHECK(item->boolean);
		if (i == 3)
			CHECK(!item->boolean);
		i++;
	}
	json_free(&doc);
}

TEST("what RFC 8259 does not allow is refused")
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1,]",
		"[,1]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"01",
		"-",
		"+1",
		".5",
		"1.",
		"1e",
		"1e+",
		"0x10",
		"NaN",
		"Infinity",
		"-Infinity",
		"nul",
		"tru",
		"True",
		"\"",
		"\"a",
		"\"\\\"",
		"\"\\x41\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\t\"",
		"\"\n\"",
		"[1 2]",
		"1 2",
		"{} {}",
		"[] x",
		"// c\n1",
		"/* c */ 1",
		"[1]]",
		"\xef\xbb\xbf{}",
		"{\"a\" 1}",
		"{1:2}",
		"[\"a\",",
		"\f1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (accepts(bad[i])) {
			printf("# accepted: %s\n", bad[i]);
			CHECK(false);
		}
}

TEST("a document cut anywhere is refused")
{
	static const char text[] = "{\"a\":[1,{\"b\":\"\\u00e9\\n\"},true,null]}";

	CHECK(accepts(text));
	for (size_t n = 0; n < strlen(text); n++) {
		/* A copy of exactly that length: reading past it is seen by the sanitizer. */
		_cleanup_(freep) char *cut = xmalloc(n);
		memcpy(cut, text, n);
		CHECK(!accepts_bytes(cut, n));
	}
}

TEST("NUL bytes are refused, as such and escaped")
{
	CHECK(!accepts_bytes("\"a\0b\"", 5));
	CHECK(!accepts_bytes("1\0", 2));
	CHECK(!accepts("\"a\\u0000b\""));
	CHECK(strstr(error_text(), "NUL"));
	CHECK(!accepts("{\"\\u0000\":1}"));
}

TEST("escapes give their characters")
{
	CHECK(string_is("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "\"\\/\b\f\n\r\t"));
	CHECK(string_is("[\"\\u0041\\u00e9\\u20AC\"]", "A\xc3\xa9\xe2\x82\xac"));
	CHECK(string_is("[\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"]", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
}

TEST("surrogate pairs are one character, a lone surrogate is U+FFFD")
{
	CHECK(string_is("[\"\\ud83d\\ude00\"]", "\xf0\x9f\x98\x80"));
	CHECK(string_is("[\"\\ud800\\udc00\"]", "\xf0\x90\x80\x80"));
	CHECK(string_is("[\"\\udbff\\udfff\"]", "\xf4\x8f\xbf\xbf"));
	CHECK(string_is("[\"\\ud83d\"]", "\xef\xbf\xbd"));
	CHECK(string_is("[\"\\ude00x\"]", "\xef\xbf\xbdx"));
	CHECK(string_is("[\"\\ud83dx\"]", "\xef\xbf\xbdx"));
	CHECK(string_is("[\"\\ud83d\\u0041\"]", "\xef\xbf\xbd"
						"A"));
	CHECK(string_is("[\"\\ud83d\\ud83d\\ude00\"]", "\xef\xbf\xbd\xf0\x9f\x98\x80"));
	CHECK(!accepts("[\"\\ud83d\\u00\"]"));
}

static char *nested(unsigned int depth)
{
	char *text = xmalloc(depth * 2 + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[depth * 2] = '\0';
	return text;
}

TEST("nesting has a limit")
{
	_cleanup_(freep) char *deepest = nested(JSON_DEPTH_MAX);
	_cleanup_(freep) char *deeper = nested(JSON_DEPTH_MAX + 1);
	_cleanup_(freep) char *absurd = nested(1000000);

	CHECK(accepts(deepest));
	CHECK(!accepts(deeper));
	CHECK(strstr(error_text(), "too deep"));
	CHECK(!accepts(absurd));
}

TEST("wide is not deep: siblings do not add up")
{
	struct strbuf text = {0};

	strbuf_putc(&text, '[');
	for (int i = 0; i < 1000; i++)
		strbuf_puts(&text, "[{}],");
	strbuf_puts(&text, "[]]");
	CHECK(accepts(strbuf_str(&text)));
	strbuf_free(&text);
}

TEST("the number of values has a limit")
{
	struct strbuf text = {0};

	strbuf_putc(&text, '[');
	for (int i = 0; i < 3000000; i++)
		strbuf_puts(&text, "0,");
	strbuf_puts(&text, "0]");
	CHECK(!accepts(strbuf_str(&text)));
	CHECK(strstr(error_text(), "too many"));
	strbuf_free(&text);
}

TEST("a syntax error names the document and the line")
{
	CHECK(!accepts("{\n\n \"a\": bad }"));
	CHECK(strstr(error_text(), "test.json"));
	CHECK(strstr(error_text(), "line 3"));
}

TEST("of a key that stands twice the last wins")
{
	static const char text[] = "{\"a\":1,\"a\":\"two\",\"b\":3,\"b\":null}";
	struct json_doc doc;
	const char *s = NULL;

	CHECK(json_parse(text, strlen(text), "test.json", &doc) == 0);
	CHECK(json_want_str(doc.root, "a", &s) == 0 && s && streq(s, "two"));
	CHECK(!json_get(doc.root, "b"));
	json_free(&doc);
}

static int u64_of(const char *text, uint64_t max, uint64_t *out)
{
	struct json_doc doc;
	_cleanup_(freep) char *whole = xasprintf("{\"n\":%s}", text);

	if (json_parse(whole, strlen(whole), "test.json", &doc) < 0)
		return -EILSEQ;
	int r = json_want_u64(doc.root, "n", max, out);
	json_free(&doc);
	return r;
}

static int i64_of(const char *text, int64_t *out)
{
	struct json_doc doc;
	_cleanup_(freep) char *whole = xasprintf("{\"n\":%s}", text);

	if (json_parse(whole, strlen(whole), "test.json", &doc) < 0)
		return -EILSEQ;
	int r = json_want_i64(doc.root, "n", INT64_MIN, INT64_MAX, out);
	json_free(&doc);
	return r;
}

TEST("64-bit numbers keep every digit, and no more fit")
{
	uint64_t u = 7;
	int64_t i = 7;

	CHECK(u64_of("18446744073709551615", UINT64_MAX, &u) == 0 && u == UINT64_MAX);
	CHECK(u64_of("18446744073709551616", UINT64_MAX, &u) == -EINVAL && u == UINT64_MAX);
	CHECK(u64_of("9007199254740993", UINT64_MAX, &u) == 0 && u == 9007199254740993ull);
	CHECK(u64_of("100000000000000000000000000000000000", UINT64_MAX, &u) == -EINVAL);
	CHECK(u64_of("10", 9, &u) == -EINVAL);
	CHECK(u64_of("-1", UINT64_MAX, &u) == -EINVAL);
	CHECK(u64_of("1.0", UINT64_MAX, &u) == -EINVAL);
	CHECK(u64_of("1e3", UINT64_MAX, &u) == -EINVAL);
	CHECK(u64_of("\"1\"", UINT64_MAX, &u) == -EINVAL);
	CHECK(i64_of("9223372036854775807", &i) == 0 && i == INT64_MAX);
	CHECK(i64_of("9223372036854775808", &i) == -EINVAL);
	CHECK(i64_of("-9223372036854775808", &i) == 0 && i == INT64_MIN);
	CHECK(i64_of("-9223372036854775809", &i) == -EINVAL);
}

TEST("a member of the wrong type is named with its whole path")
{
	static const char text[] = "{\"process\":{\"user\":{\"uid\":\"root\"},\"args\":[\"a\",{\"b\":[1]}],\"t\":1}}";
	struct json_doc doc;
	const struct json *process = NULL, *user = NULL;
	const char **args = NULL;
	uint32_t uid = 5;
	bool t = true;

	CHECK(json_parse(text, strlen(text), "test.json", &doc) == 0);
	CHECK(json_want_object(doc.root, "process", &process) == 0 && json_want_object(process, "user", &user) == 0);
	CHECK(json_want_u32(user, "uid", &uid) == -EINVAL && uid == 5);
	CHECK(strstr(error_text(), "process.user.uid must be a number"));
	CHECK(json_want_strs(process, "args", &args, NULL) == -EINVAL && !args);
	CHECK(strstr(error_text(), "process.args[1] must be a string"));
	CHECK(json_want_bool(process, "t", &t) == -EINVAL && t);
	CHECK(strstr(error_text(), "process.t must be true or false"));
	CHECK(json_want_array(doc.root, "process", &user) == -EINVAL);
	CHECK(json_want_str(doc.root, "process", NULL) == -EINVAL);
	CHECK(json_expect(doc.root, JSON_ARRAY) == -EINVAL && strstr(error_text(), "the document must be an array"));
	json_free(&doc);
}

TEST("a path too long for the message is cut, not overrun")
{
	struct strbuf text = {0};
	struct json_doc doc;

	for (int i = 0; i < 40; i++)
		strbuf_printf(&text, "{\"%0100d\":", i);
	strbuf_puts(&text, "[1]");
	for (int i = 0; i < 40; i++)
		strbuf_putc(&text, '}');
	CHECK(json_parse(strbuf_str(&text), text.len, "test.json", &doc) == 0);
	const struct json *n = doc.root;
	while (n->child)
		n = n->child;
	CHECK(json_expect(n, JSON_STRING) == -EINVAL);
	json_free(&doc);
	strbuf_free(&text);
}

TEST("absent and null members leave the default, of no object too")
{
	static const char text[] = "{\"n\":null}";
	struct json_doc doc;
	const char *s = "default";
	const char **list = NULL;
	uint64_t u = 3;

	CHECK(json_parse(text, strlen(text), "test.json", &doc) == 0);
	CHECK(json_want_str(doc.root, "n", &s) == 0 && streq(s, "default"));
	CHECK(json_want_str(doc.root, "m", &s) == 0 && streq(s, "default"));
	CHECK(json_want_u64(NULL, "n", 9, &u) == 0 && u == 3);
	CHECK(json_want_strs(doc.root, "n", &list, NULL) == 0 && !list);
	json_free(&doc);
}

TEST("several documents can be open at once")
{
	struct json_doc doc[3];

	for (int i = 0; i < 3; i++) {
		_cleanup_(freep) char *text = xasprintf("[\"document %d\"]", i);
		CHECK(json_parse(text, strlen(text), "test.json", &doc[i]) == 0);
	}
	json_free(&doc[0]);
	CHECK(streq(doc[1].root->child->text, "document 1") && streq(doc[2].root->child->text, "document 2"));
	CHECK(accepts("[3]"));
	CHECK(streq(doc[1].root->child->text, "document 1") && streq(doc[2].root->child->text, "document 2"));
	json_free(&doc[1]);
	json_free(&doc[2]);
	json_free(&doc[2]);
}

static void write_sample(struct json_writer *w)
{
	json_open(w, NULL, '{');
	json_put_str(w, "s", "q\" b\\ n\n t\t \x01 \x7f \xc3\xa9 \xff <");
	json_put_u64(w, "u", UINT64_MAX);
	json_put_i64(w, "i", INT64_MIN);
	json_put_bool(w, "t", true);
	json_put_null(w, "z");
	json_open(w, "l", '[');
	json_put_u64(w, NULL, 1);
	json_open(w, NULL, '{');
	json_close(w, '}');
	json_close(w, ']');
	json_close(w, '}');
}

TEST("what is written is read back the same, compact and indented")
{
	for (unsigned int indent = 0; indent <= 4; indent += 2) {
		struct strbuf text = {0}, again = {0};
		struct json_writer w = {.out = &text, .indent = indent};
		struct json_doc doc;
		const char *s = NULL;
		uint64_t u = 0;
		int64_t i = 0;

		write_sample(&w);
		CHECK(json_parse(strbuf_str(&text), text.len, "test.json", &doc) == 0);
		CHECK(json_want_str(doc.root, "s", &s) == 0 && s);
		CHECK(streq(s, "q\" b\\ n\n t\t \x01 \x7f \xc3\xa9 \xef\xbf\xbd <"));
		CHECK(json_want_u64(doc.root, "u", UINT64_MAX, &u) == 0 && u == UINT64_MAX);
		CHECK(json_want_i64(doc.root, "i", INT64_MIN, INT64_MAX, &i) == 0 && i == INT64_MIN);
		w = (struct json_writer){.out = &again, .indent = indent};
		json_put_node(&w, NULL, doc.root);
		json_free(&doc);
		/* Not the same bytes: U+FFFD was an escape at first. */
		CHECK(json_parse(strbuf_str(&again), again.len, "test.json", &doc) == 0);
		const char *copied = NULL;
		CHECK(json_want_str(doc.root, "s", &copied) == 0 && copied && strstr(copied, "\xef\xbf\xbd <"));
		CHECK(doc.root->count == 6 && json_get(doc.root, "l")->count == 2 &&
		      json_get(doc.root, "l")->child->next);
		json_free(&doc);
		strbuf_free(&text);
		strbuf_free(&again);
	}
}

/* The two libraries see the same tree. cJSON's numbers are doubles, so only the type is compared. */
static bool same_tree(const struct json *ours, const cJSON *theirs)
{
	switch (ours->type) {
	case JSON_NULL:
		return cJSON_IsNull(theirs);
	case JSON_BOOL:
		return cJSON_IsBool(theirs) && cJSON_IsTrue(theirs) == ours->boolean;
	case JSON_NUMBER:
		return cJSON_IsNumber(theirs);
	case JSON_STRING:
		return cJSON_IsString(theirs) && streq(ours->text, theirs->valuestring);
	default:
		break;
	}
	if (ours->type == JSON_ARRAY ? !cJSON_IsArray(theirs) : !cJSON_IsObject(theirs))
		return false;
	const cJSON *other = theirs->child;
	for (const struct json *n = ours->child; n; n = n->next, other = other->next)
		if (!other || (n->key && !streq(n->key, other->string)) || !same_tree(n, other))
			return false;
	return !other;
}

/* What we accept, cJSON accepts and reads alike (it is the laxer one: it takes control characters). */
static void compare(const char *name, const char *text, size_t len)
{
	struct json_doc doc;

	if (json_parse(text, len, name, &doc) < 0)
		return;
	cJSON *theirs = cJSON_ParseWithLength(text, len);
	bool lone = memmem(text, len, "\\ud", 3) || memmem(text, len, "\\uD", 3); /* cJSON refuses a lone surrogate */
	if (theirs ? !same_tree(doc.root, theirs) : !lone) {
		printf("# %s is read differently by cJSON\n", name);
		CHECK(false);
	}
	cJSON_Delete(theirs);
	json_free(&doc);
}

TEST("cJSON reads the same from all of the fuzzers' seeds")
{
	static const char *const dirs[] = {"tests/fuzz/corpus/spec", "tests/fuzz/corpus/image_config",
					   "tests/fuzz/corpus/seccomp"};
	int compared = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		DIR *dir = opendir(dirs[i]);
		CHECK(dir);
		for (struct dirent *e; dir && (e = readdir(dir));) {
			_cleanup_(freep) char *text = NULL;
			size_t len;

			if (e->d_name[0] != '.' && read_file_at(dirfd(dir), e->d_name, 1 << 20, &text, &len) == 0) {
				compare(e->d_name, text, len);
				compared++;
			}
		}
		if (dir)
			closedir(dir);
	}
	CHECK(compared >= 10);
}

UNIT_MAIN
