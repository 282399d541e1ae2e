/* The functions that a template can call; the table of them is at the end. */
#include "cli/template.h"

#include <errno.h>
#include <stdio.h>

#define WIDTH_MAX 1000

static int give(const struct tpl_call *c, const struct strbuf *text, const struct json **out)
{
	*out = tpl_new_text(c->t, JSON_STRING, strbuf_str(text), text->len);
	return 0;
}

/* Argument I as text; a list or a map is none. */
static int want_text(const struct tpl_call *c, size_t i, const char **out)
{
	const struct json *v = c->arg[i];

	if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
		return tpl_bad(c->t, c->at, "%s takes a text, not %s", c->name, tpl_type_name(v));
	*out = v->type == JSON_NULL ? "" : v->type == JSON_BOOL ? v->boolean ? "true" : "false" : v->text;
	return 0;
}

static int want_integer(const struct tpl_call *c, size_t i, int64_t min, int64_t max, int64_t *out)
{
	const struct json *v = c->arg[i];

	if (v->type != JSON_NUMBER || parse_i64(v->text, min, max, out) < 0)
		return tpl_bad(c->t, c->at, "%s takes a whole number from %lld to %lld there", c->name, (long long)min,
			       (long long)max);
	return 0;
}

static int call_json(const struct tpl_call *c, const struct json **out)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};

	json_put_node(&w, NULL, c->arg[0]);
	return give(c, &text, out);
}

static int call_join(const struct tpl_call *c, const struct json **out)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	const struct json *list = c->arg[0];
	const char *separator;
	int r = want_text(c, 1, &separator);
	if (r < 0)
		return r;

	if (list->type != JSON_ARRAY && list->type != JSON_NULL)
		return tpl_bad(c->t, c->at, "join takes a list, not %s", tpl_type_name(list));
	json_each(item, list) {
		if (item != list->child)
			strbuf_puts(&text, separator);
		tpl_put_text(&text, item, true);
		if (text.len > TPL_BYTES_MAX)
			break; /* the next step says so */
	}
	return give(c, &text, out);
}

static int call_split(const struct tpl_call *c, const struct json **out)
{
	const char *text, *separator;
	int r = want_text(c, 0, &text);
	if (r == 0)
		r = want_text(c, 1, &separator);
	if (r < 0)
		return r;

	struct json *list = tpl_make(c->t, sizeof(*list));
	const struct json **end = &list->child;

	list->type = JSON_ARRAY;
	for (;;) {
		const char *cut = *separator ? strstr(text, separator) : NULL;
		size_t len = cut ? (size_t)(cut - text) : strlen(text);
		struct json *item = tpl_make(c->t, sizeof(*item));

		*item = *tpl_new_text(c->t, JSON_STRING, text, len);
		*end = item;
		end = &item->next;
		list->count++;
		if (!cut)
			break;
		text = cut + strlen(separator);
	}
	*out = list;
	return 0;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* lower, upper and title. */
static int call_case(const struct tpl_call *c, const struct json **out)
{
	_cleanup_(strbuf_free) struct strbuf copy = {0};
	const char *text;
	int r = want_text(c, 0, &text);
	if (r < 0)
		return r;

	for (char before = ' '; *text; before = *text++) {
		if (c->name[0] == 't')
			strbuf_putc(&copy, before == ' ' ? upper(*text) : *text);
		else
			strbuf_putc(&copy, c->name[0] == 'u' ? upper(*text) : lower(*text));
	}
	return give(c, &copy, out);
}

/* The bytes of S's first N characters, and how many characters that were. */
static size_t prefix_bytes(const char *s, size_t n, size_t *characters)
{
	size_t i = 0;

	for (*characters = 0; s[i]; i++) {
		if (((unsigned char)s[i] & 0xc0) == 0x80)
			continue;
		if (*characters == n)
			break;
		++*characters;
	}
	return i;
}

static int call_truncate(const struct tpl_call *c, const struct json **out)
{
	const char *text;
	int64_t length;
	size_t ignored;
	int r = want_text(c, 0, &text);
	if (r == 0)
		r = want_integer(c, 1, 0, INT64_MAX, &length);
	if (r < 0)
		return r;
	*out = tpl_new_text(c->t, JSON_STRING, text, prefix_bytes(text, (size_t)length, &ignored));
	return 0;
}

/* docker's pad TEXT BEFORE AFTER. */
static int call_pad(const struct tpl_call *c, const struct json **out)
{
	const char *text;
	int64_t before, after;
	int r = want_text(c, 0, &text);
	if (r == 0)
		r = want_integer(c, 1, 0, WIDTH_MAX, &before);
	if (r == 0)
		r = want_integer(c, 2, 0, WIDTH_MAX, &after);
	if (r < 0)
		return r;

	_cleanup_(strbuf_free) struct strbuf padded = {0};
	strbuf_printf(&padded, "%*s%s%*s", (int)before, "", text, (int)after, "");
	return give(c, &padded, out);
}

static int call_len(const struct tpl_call *c, const struct json **out)
{
	const struct json *v = c->arg[0];

	if (v->type == JSON_BOOL || v->type == JSON_NUMBER)
		return tpl_bad(c->t, c->at, "len takes a text, a list or a map, not %s", tpl_type_name(v));
	*out = tpl_new_number(c->t, v->type == JSON_STRING ? strlen(v->text) : v->type == JSON_NULL ? 0 : v->count);
	return 0;
}

/* A key that a map lacks gives "", as docker's typed maps do. */
static int call_index(const struct tpl_call *c, const struct json **out)
{
	static const struct json nothing = {.type = JSON_NULL}, empty = {.type = JSON_STRING, .text = ""};
	const struct json *v = c->arg[0];

	for (size_t i = 1; i < c->n; i++) {
		const struct json *key = c->arg[i];
		int64_t at;

		if (v->type == JSON_ARRAY) {
			int r = want_integer(c, i, 0, INT64_MAX, &at);
			if (r < 0)
				return r;
			if (at >= v->count)
				return tpl_bad(c->t, c->at, "index %lld is not in the list, which has %u items",
					       (long long)at, v->count);
			v = v->child;
			while (at-- > 0)
				v = v->next;
		} else if (v->type == JSON_OBJECT || v->type == JSON_NULL) {
			if (key->type != JSON_STRING)
				return tpl_bad(c->t, c->at, "index takes a text as the key of a map, not %s",
					       tpl_type_name(key));
			const struct json *member = json_get(v, key->text);
			v = member ? member : i + 1 < c->n ? &nothing : &empty;
		} else {
			return tpl_bad(c->t, c->at, "index takes a list or a map, not %s", tpl_type_name(v));
		}
	}
	*out = v;
	return 0;
}

/* print and println: Go puts spaces between all operands of println, and between those of print that
 * are no text. */
static int call_print(const struct tpl_call *c, const struct json **out)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	bool line = c->name[5] == 'l';

	for (size_t i = 0; i < c->n; i++) {
		if (i && (line || (c->arg[i]->type != JSON_STRING && c->arg[i - 1]->type != JSON_STRING)))
			strbuf_putc(&text, ' ');
		tpl_put_text(&text, c->arg[i], true);
	}
	if (line)
		strbuf_putc(&text, '\n');
	return give(c, &text, out);
}

/* One verb of a printf format. */
struct directive {
	bool minus, zero, plus;
	size_t width, precision;
	char letter;
};

static const char *parse_directive(const char *s, struct directive *d)
{
	*d = (struct directive){.precision = SIZE_MAX};
	for (; *s && strchr("-0+ ", *s); s++) {
		d->minus |= *s == '-';
		d->zero |= *s == '0';
		d->plus |= *s == '+';
	}
	for (; *s >= '0' && *s <= '9' && d->width < WIDTH_MAX; s++)
		d->width = d->width * 10 + (size_t)(*s - '0');
	if (*s == '.')
		for (s++, d->precision = 0; *s >= '0' && *s <= '9' && d->precision < WIDTH_MAX; s++)
			d->precision = d->precision * 10 + (size_t)(*s - '0');
	d->letter = *s;
	return *s ? s + 1 : s;
}

static void strbuf_cut(struct strbuf *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->p[len] = '\0';
	}
}

/* The argument of D as text, before it is padded. */
static int directive_text(const struct tpl_call *c, const struct directive *d, size_t i, struct strbuf *text)
{
	const struct json *v = c->arg[i];
	struct json_writer quoted = {.out = text};
	size_t precision = d->precision == SIZE_MAX ? 6 : d->precision, characters;
	int64_t number;

	switch (d->letter) {
	case 's':
	case 'v':
		tpl_put_text(text, v, true);
		if (d->precision != SIZE_MAX)
			strbuf_cut(text, prefix_bytes(strbuf_str(text), d->precision, &characters));
		return 0;
	case 'q':
		json_put_node(&quoted, NULL, v);
		return 0;
	case 't':
		if (v->type != JSON_BOOL)
			return tpl_bad(c->t, c->at, "%%t of printf takes true or false, not %s", tpl_type_name(v));
		tpl_put_text(text, v, true);
		return 0;
	case 'f':
		if (v->type != JSON_NUMBER)
			return tpl_bad(c->t, c->at, "%%f of printf takes a number, not %s", tpl_type_name(v));
		strbuf_printf(text, d->plus ? "%+.*f" : "%.*f", (int)precision, strtod(v->text, NULL));
		return 0;
	case 'd':
		if (want_integer(c, i, INT64_MIN, INT64_MAX, &number) < 0)
			return tpl_bad(c->t, c->at, "%%d of printf takes a whole number, not %s", tpl_type_name(v));
		strbuf_printf(text, d->plus ? "%+lld" : "%lld", (long long)number);
		return 0;
	default:
		return tpl_bad(c->t, c->at, "printf knows %%s %%v %%d %%q %%t %%f and %%%%, with width and precision");
	}
}

static int put_directive(const struct tpl_call *c, const struct directive *d, size_t i, struct strbuf *out)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	size_t width;
	int r = directive_text(c, d, i, &text);
	if (r < 0)
		return r;

	prefix_bytes(strbuf_str(&text), SIZE_MAX, &width);
	bool zero = d->zero && !d->minus && (d->letter == 'd' || d->letter == 'f');
	const char *s = strbuf_str(&text);
	size_t sign = zero && text.len && (*s == '-' || *s == '+');

	strbuf_add(out, s, sign);
	for (size_t w = width; !d->minus && w < d->width; w++)
		strbuf_putc(out, zero ? '0' : ' ');
	strbuf_add(out, s + sign, text.len - sign);
	for (size_t w = width; d->minus && w < d->width; w++)
		strbuf_putc(out, ' ');
	return 0;
}

static int call_printf(const struct tpl_call *c, const struct json **out)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	const char *format;
	size_t next = 1;
	struct directive d;
	int r = want_text(c, 0, &format);

	while (r == 0 && *format) {
		if (*format != '%') {
			strbuf_putc(&text, *format++);
		} else if (format[1] == '%') {
			strbuf_putc(&text, '%');
			format += 2;
		} else {
			format = parse_directive(format + 1, &d);
			if (next >= c->n)
				return tpl_bad(c->t, c->at, "printf has fewer values than its format asks for");
			r = put_directive(c, &d, next++, &text);
		}
	}
	if (r < 0)
		return r;
	if (next < c->n)
		return tpl_bad(c->t, c->at, "printf has more values than its format asks for");
	return give(c, &text, out);
}

static int compare(const struct tpl_call *c, size_t i, size_t j, int *out)
{
	const struct json *a = c->arg[i], *b = c->arg[j];
	int64_t x, y;

	if (a->type != b->type || a->type == JSON_ARRAY || a->type == JSON_OBJECT)
		return tpl_bad(c->t, c->at, "%s cannot compare %s with %s", c->name, tpl_type_name(a),
			       tpl_type_name(b));
	if (a->type == JSON_STRING) {
		*out = strcmp(a->text, b->text);
	} else if (a->type != JSON_NUMBER) {
		*out = (int)a->boolean - (int)b->boolean;
	} else if (parse_i64(a->text, INT64_MIN, INT64_MAX, &x) == 0 &&
		   parse_i64(b->text, INT64_MIN, INT64_MAX, &y) == 0) {
		*out = (x > y) - (x < y);
	} else {
		double p = strtod(a->text, NULL), q = strtod(b->text, NULL);

		*out = (p > q) - (p < q);
	}
	return 0;
}

/* eq A B... is true when A equals any of the others. */
static int call_eq(const struct tpl_call *c, const struct json **out)
{
	bool equal = false;

	for (size_t i = 1; i < c->n; i++) {
		bool one_null = (c->arg[0]->type == JSON_NULL) != (c->arg[i]->type == JSON_NULL);
		int order = 1;
		int r = one_null ? 0 : compare(c, 0, i, &order);
		if (r < 0)
			return r;
		equal |= order == 0;
	}
	*out = tpl_new_bool(equal != (c->name[0] == 'n'));
	return 0;
}

/* lt, le, gt, ge. */
static int call_order(const struct tpl_call *c, const struct json **out)
{
	int order;
	int r = compare(c, 0, 1, &order);
	if (r < 0)
		return r;
	*out = tpl_new_bool((c->name[0] == 'l' ? order < 0 : order > 0) || (c->name[1] == 'e' && order == 0));
	return 0;
}

/* and: the first false value or the last; or: the first true one or the last. */
static int call_logic(const struct tpl_call *c, const struct json **out)
{
	size_t i = 0;

	while (i + 1 < c->n && tpl_truth(c->arg[i]) == (c->name[0] == 'a'))
		i++;
	*out = c->arg[i];
	return 0;
}

static int call_not(const struct tpl_call *c, const struct json **out)
{
	*out = tpl_new_bool(!tpl_truth(c->arg[0]));
	return 0;
}

static const struct tpl_function functions[] = {
	{"json", 1, 1, false, call_json},
	{"join", 2, 2, false, call_join},
	{"split", 2, 2, false, call_split},
	{"lower", 1, 1, false, call_case},
	{"upper", 1, 1, false, call_case},
	{"title", 1, 1, false, call_case},
	{"truncate", 2, 2, false, call_truncate},
	{"pad", 3, 3, false, call_pad},
	{"len", 1, 1, false, call_len},
	{"index", 1, TPL_ARGS_MAX, false, call_index},
	{"print", 0, TPL_ARGS_MAX, false, call_print},
	{"println", 0, TPL_ARGS_MAX, false, call_print},
	{"printf", 1, TPL_ARGS_MAX, false, call_printf},
	{"eq", 2, TPL_ARGS_MAX, false, call_eq},
	{"ne", 2, 2, false, call_eq},
	{"lt", 2, 2, false, call_order},
	{"le", 2, 2, false, call_order},
	{"gt", 2, 2, false, call_order},
	{"ge", 2, 2, false, call_order},
	{"and", 1, TPL_ARGS_MAX, true, call_logic},
	{"or", 1, TPL_ARGS_MAX, true, call_logic},
	{"not", 1, 1, true, call_not},
};

const struct tpl_function *tpl_find_function(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strncmp(functions[i].name, name, len) == 0 && !functions[i].name[len])
			return &functions[i];
	return NULL;
}

const char *tpl_function_names(char buf[256])
{
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(functions) && used < 256; i++)
		used += (size_t)snprintf(buf + used, 256 - used, "%s%s", used ? ", " : "", functions[i].name);
	return buf;
}
