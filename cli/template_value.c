#include "cli/template.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/table.h"

/* --- errors ------------------------------------------------------------------------------------------- */

int tpl_bad(const struct tpl *t, const char *at, const char *fmt, ...)
{
	char problem[512];
	size_t len = strcspn(at, " \t\r\n})|");
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(problem, sizeof(problem), fmt, ap);
	va_end(ap);
	if (len == 0 && *at)
		len = at[0] == '}' && at[1] == '}' ? 2 : 1;
	if (len == 0)
		return refuse(-EINVAL, "the template is wrong at its end: %s", problem);
	return refuse(-EINVAL, "the template is wrong at character %zu, \"%.*s\": %s", (size_t)(at - t->start) + 1,
		      (int)(len < 40 ? len : 40), at, problem);
}

const char *tpl_type_name(const struct json *v)
{
	static const char *const name[] = {"nothing", "true or false", "a number", "a text", "a list", "a map"};

	return name[v->type];
}

size_t tpl_name_length(const char *s)
{
	size_t n = 0;

	while (s[n] == '_' || (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
	       (n && s[n] >= '0' && s[n] <= '9'))
		n++;
	return n;
}

/* --- made values -------------------------------------------------------------------------------------- */

void *tpl_make(struct tpl *t, size_t size)
{
	struct {
		void *next;
		_Alignas(16) char data[];
	} *m = xcalloc(1, sizeof(*m) + size);

	m->next = t->made;
	t->made = m;
	t->bytes += sizeof(*m) + size;
	return m->data;
}

void tpl_free(struct tpl *t)
{
	for (void *m = t->made, *next; m; m = next) {
		next = *(void **)m;
		free(m);
	}
}

const struct json *tpl_new_text(struct tpl *t, enum json_type type, const char *s, size_t len)
{
	struct json *v = tpl_make(t, sizeof(*v) + len + 1);
	char *text = (char *)(v + 1);

	if (len)
		memcpy(text, s, len);
	*v = (struct json){.type = type, .text = text};
	return v;
}

const struct json *tpl_new_bool(bool value)
{
	static const struct json values[] = {{.type = JSON_BOOL}, {.type = JSON_BOOL, .boolean = true}};

	return &values[value];
}

const struct json *tpl_new_number(struct tpl *t, size_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%zu", value);

	return tpl_new_text(t, JSON_NUMBER, digits, (size_t)n);
}

const struct json *tpl_new_missing(struct tpl *t, const char *at, const struct json *in)
{
	struct json *v = tpl_make(t, sizeof(*v));

	*v = (struct json){.type = JSON_NULL, .text = at, .parent = in};
	return v;
}

int tpl_want_present(const struct tpl *t, const struct json *v)
{
	if (!tpl_is_missing(v))
		return 0;

	_cleanup_(freep) char *name = xstrndup(v->text + 1, tpl_name_length(v->text + 1));
	_cleanup_(strbuf_free) struct strbuf near = {0}, list = {0};
	unsigned int limit = strlen(name) < 4 ? 1 : 2;

	json_each(member, v->parent) {
		if (edit_distance(member->key, name) <= limit && near.len == 0)
			text_show(&near, member->key);
		if (list.len < 200) {
			strbuf_puts(&list, list.len ? ", " : "");
			text_show(&list, member->key);
		}
	}
	if (near.len)
		return tpl_bad(t, v->text, "there is no such field (did you mean .%s?)", near.p);
	if (list.len)
		return tpl_bad(t, v->text, "there is no such field here, but %.240s", list.p);
	return tpl_bad(t, v->text, "there is no such field");
}

/* --- values as text ----------------------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const struct tpl_member *x = a, *y = b;
	int r = strcmp(x->node->key, y->node->key);

	return r ? r : (x->index > y->index) - (x->index < y->index);
}

struct tpl_member *tpl_sorted_members(const struct json *map, size_t *n)
{
	struct tpl_member *list = xcalloc(map->count, sizeof(*list));
	unsigned int count = 0;

	json_each(item, map) {
		list[count] = (struct tpl_member){item, count};
		count++;
	}
	qsort(list, count, sizeof(*list), compare_members);
	*n = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (*n && streq(list[*n - 1].node->key, list[i].node->key))
			--*n;
		list[(*n)++] = list[i];
	}
	return list;
}

void tpl_put_text(struct strbuf *out, const struct json *v, bool nested)
{
	switch (v->type) {
	case JSON_NULL:
		strbuf_puts(out, nested ? "<nil>" : "<no value>");
		break;
	case JSON_BOOL:
		strbuf_puts(out, v->boolean ? "true" : "false");
		break;
	case JSON_NUMBER:
	case JSON_STRING:
		strbuf_puts(out, v->text);
		break;
	case JSON_ARRAY:
		strbuf_putc(out, '[');
		json_each(item, v) {
			if (item != v->child)
				strbuf_putc(out, ' ');
			tpl_put_text(out, item, true);
		}
		strbuf_putc(out, ']');
		break;
	case JSON_OBJECT: {
		size_t n;
		_cleanup_(freep) struct tpl_member *list = tpl_sorted_members(v, &n);

		strbuf_puts(out, "map[");
		for (size_t i = 0; i < n; i++) {
			strbuf_printf(out, "%s%s:", i ? " " : "", list[i].node->key);
			tpl_put_text(out, list[i].node, true);
		}
		strbuf_putc(out, ']');
	}
	}
}

bool tpl_truth(const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->boolean;
	case JSON_NUMBER:
		return strtod(v->text, NULL) != 0;
	case JSON_STRING:
		return v->text[0] != '\0';
	default:
		return v->count != 0;
	}
}
