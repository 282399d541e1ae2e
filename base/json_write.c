#include "base/json.h"

/* The length of the UTF-8 sequence at S, 0 when it is none (overlong forms and surrogates too). */
static unsigned int utf8_len(const unsigned char *s)
{
	unsigned int n = s[0] < 0x80                   ? 1
			 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
			 : (s[0] & 0xf0) == 0xe0       ? 3
			 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						       : 0;

	for (unsigned int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

static void put_quoted(struct strbuf *out, const char *s)
{
	strbuf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		unsigned int n = utf8_len(p);

		if (n == 0) {
			strbuf_puts(out, "\\ufffd");
			p++;
			continue;
		}
		if (*p == '"' || *p == '\\')
			strbuf_printf(out, "\\%c", *p);
		else if (*p == '\n')
			strbuf_puts(out, "\\n");
		else if (*p == '\t')
			strbuf_puts(out, "\\t");
		else if (*p < 0x20 || *p == 0x7f)
			strbuf_printf(out, "\\u%04x", *p);
		else
			strbuf_add(out, p, n);
		p += n;
	}
	strbuf_putc(out, '"');
}

static void new_line(struct json_writer *w)
{
	if (!w->indent)
		return;
	strbuf_putc(w->out, '\n');
	for (unsigned int i = 0; i < w->indent * w->depth; i++)
		strbuf_putc(w->out, ' ');
}

static void begin_value(struct json_writer *w, const char *key)
{
	if (w->comma)
		strbuf_putc(w->out, ',');
	if (w->depth)
		new_line(w);
	if (key) {
		put_quoted(w->out, key);
		strbuf_puts(w->out, w->indent ? ": " : ":");
	}
	w->comma = true;
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	begin_value(w, key);
	strbuf_putc(w->out, bracket);
	w->depth++;
	w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	w->depth--;
	if (w->comma)
		new_line(w);
	strbuf_putc(w->out, bracket);
	w->comma = true;
}

void json_put_str(struct json_writer *w, const char *key, const char *value)
{
	begin_value(w, key);
	if (value)
		put_quoted(w->out, value);
	else
		strbuf_puts(w->out, "null");
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	strbuf_printf(w->out, "%llu", (unsigned long long)value);
}

void json_put_i64(struct json_writer *w, const char *key, int64_t value)
{
	begin_value(w, key);
	strbuf_printf(w->out, "%lld", (long long)value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	begin_value(w, key);
	strbuf_puts(w->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
	json_put_str(w, key, NULL);
}

void json_put_strs(struct json_writer *w, const char *key, const char *const *values, size_t n)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(w, NULL, values[i]);
	json_close(w, ']');
}

void json_put_node(struct json_writer *w, const char *key, const struct json *node)
{
	switch (node->type) {
	case JSON_NULL:
		json_put_null(w, key);
		break;
	case JSON_BOOL:
		json_put_bool(w, key, node->boolean);
		break;
	case JSON_STRING:
		json_put_str(w, key, node->text);
		break;
	case JSON_NUMBER:
		begin_value(w, key);
		strbuf_puts(w->out, node->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_open(w, key, node->type == JSON_ARRAY ? '[' : '{');
		json_each(item, node)
			json_put_node(w, item->key, item);
		json_close(w, node->type == JSON_ARRAY ? ']' : '}');
		break;
	}
}
