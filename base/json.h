/*
 * JSON, read and written.
 *
 * The reader is strict RFC 8259 with bounds: at most JSON_DEPTH_MAX levels, no NUL in a string (every
 * string here ends up as a C string), whole documents only. Numbers keep their text, so that a 64-bit
 * limit survives; they are converted, with a range, where they are asked for. Of a key that stands
 * twice the last wins, as with Go's decoder, which the callers of an OCI runtime use.
 *
 * The json_want_* functions give a typed member of an object. An absent member or null leaves *OUT as
 * it was; another type is -EINVAL with a sentence that names the member's whole path
 * ("process.user.uid must be a number between 0 and 4294967295").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define JSON_DEPTH_MAX 64
/* Values in one document: what a few bytes of text can cost in memory has a bound, too (16 MiB). */
#define JSON_VALUES_MAX 200000

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	unsigned int count;        /* of an array or object */
	const char *key;           /* in an object; else NULL */
	const char *text;          /* of a string or number */
	const struct json *child;  /* first element or member */
	const struct json *next;   /* sibling */
	const struct json *parent; /* NULL at the top */
};

/* A parsed document; owns every node and string in it. */
struct json_doc {
	const struct json *root;
	void *arena;
};

/* Parses LEN bytes. WHAT names the document in messages ("config.json"). 0 or -EINVAL, recorded. */
int json_parse(const char *text, size_t len, const char *what, struct json_doc *doc);
void json_free(struct json_doc *doc);

#define json_each(item, list) for (const struct json *item = (list) ? (list)->child : NULL; item; item = item->next)

/* The member KEY, or NULL when absent or null. No type check. */
const struct json *json_get(const struct json *obj, const char *key);

int json_want_str(const struct json *obj, const char *key, const char **out);
int json_want_bool(const struct json *obj, const char *key, bool *out);
int json_want_u64(const struct json *obj, const char *key, uint64_t max, uint64_t *out);
int json_want_i64(const struct json *obj, const char *key, int64_t min, int64_t max, int64_t *out);
int json_want_u32(const struct json *obj, const char *key, uint32_t *out);
int json_want_array(const struct json *obj, const char *key, const struct json **out);
int json_want_object(const struct json *obj, const char *key, const struct json **out);
/* An array of strings, as a NULL-terminated vector that the caller frees (the strings stay the
 * document's). An absent member gives NULL. */
int json_want_strs(const struct json *obj, const char *key, const char ***out, size_t *n);

/* Checks a node that is not a member (an array's element, the root). */
int json_expect(const struct json *node, enum json_type type);

/* Records "PATH of NODE: FMT" and returns -EINVAL: for values of the right type that make no sense. */
int json_refuse(const struct json *node, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The writer appends to a strbuf. Open and close calls must pair; KEY is NULL inside an array. Strings
 * are escaped; bytes that are not UTF-8 become U+FFFD. INDENT > 0 writes one member a line.
 */
struct json_writer {
	struct strbuf *out;
	unsigned int indent, depth;
	bool comma;
};

void json_open(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_put_str(struct json_writer *w, const char *key, const char *value);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_i64(struct json_writer *w, const char *key, int64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_strs(struct json_writer *w, const char *key, const char *const *values, size_t n);
/* Copies a parsed subtree. */
void json_put_node(struct json_writer *w, const char *key, const struct json *node);
