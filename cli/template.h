/*
 * What the parts of the template interpreter share: template.c reads and runs, template_call.c has the
 * functions, template_value.c makes values and turns them into text. table.h is the public face.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#define TPL_VARIABLES_MAX 32
#define TPL_ARGS_MAX 16
/* What one expansion may write, and hold in values made on the way. */
#define TPL_BYTES_MAX ((size_t)16 << 20)

enum tpl_stop { TPL_AT_TEXT_END, TPL_AT_ELSE, TPL_AT_END };

struct tpl_variable {
	const char *name; /* in the template, behind the '$' */
	size_t len;
	const struct json *value;
};

struct tpl {
	const char *start, *p;
	const struct json *root, *dot;
	struct strbuf *out;
	bool shown;         /* values pass text_show */
	bool dead;          /* only the syntax matters */
	bool trim;          /* the last action ended in "-}}" */
	enum tpl_stop stop; /* why the last list ended, and the word that ended it */
	const char *stop_at;
	unsigned int depth, steps;
	size_t bytes; /* of values made */
	struct tpl_variable variables[TPL_VARIABLES_MAX];
	size_t n_variables;
	void *made; /* what was allocated, linked by the first word */
};

/* Records what is wrong with the template at AT, a place in it, and returns -EINVAL. */
int tpl_bad(const struct tpl *t, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Zeroed memory that lives as long as T. */
void *tpl_make(struct tpl *t, size_t size);
void tpl_free(struct tpl *t);
const struct json *tpl_new_text(struct tpl *t, enum json_type type, const char *s, size_t len);
const struct json *tpl_new_bool(bool value);
const struct json *tpl_new_number(struct tpl *t, size_t value);

/* The value of a field that is not there: false for {{if}} and the like, an error where a value is
 * needed. AT is its place in the template, IN the map it was looked for in. */
const struct json *tpl_new_missing(struct tpl *t, const char *at, const struct json *in);
static inline bool tpl_is_missing(const struct json *v)
{
	return v->type == JSON_NULL && v->text;
}
/* An error when V is missing. */
int tpl_want_present(const struct tpl *t, const struct json *v);

/* "a list" and so on. */
const char *tpl_type_name(const struct json *v);
bool tpl_truth(const struct json *v);
/* Appends V as Go's %v has it: [a b], map[a:1 b:2]; NESTED: nil is "<nil>", else "<no value>". */
void tpl_put_text(struct strbuf *out, const struct json *v, bool nested);

struct tpl_member {
	const struct json *node;
	unsigned int index;
};

/* The members of a map by key, as Go walks one; of a key that stands twice the last. Caller frees. */
struct tpl_member *tpl_sorted_members(const struct json *map, size_t *n);

/* A function and a call of it. */
struct tpl_call {
	struct tpl *t;
	const char *at;   /* the function's name in the template */
	const char *name; /* the same by itself */
	size_t n;
	const struct json *arg[TPL_ARGS_MAX];
};

struct tpl_function {
	const char *name;
	unsigned int min, max; /* arguments */
	bool maybe;            /* takes fields that are not there */
	int (*call)(const struct tpl_call *c, const struct json **out);
};

const struct tpl_function *tpl_find_function(const char *name, size_t len);
/* The names of all functions, "json, join, ...". */
const char *tpl_function_names(char buf[256]);
/* The length of the name at S: letters, digits, '_'. */
size_t tpl_name_length(const char *s);
