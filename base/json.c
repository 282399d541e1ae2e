#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

/* Nodes and strings live in chunks that are freed together. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

/* The first document's: most processes parse one or two small ones, and this spares them the allocator. */
static struct {
	struct chunk chunk;
	_Alignas(16) char data[48 * 1024];
} first;
static bool first_used;

static struct chunk *new_chunk(size_t size)
{
	struct chunk *c;

	if (!first_used && size <= sizeof(first.data)) {
		first_used = true;
		first.chunk.size = sizeof(first.data);
		return &first.chunk;
	}
	c = xmalloc(sizeof(*c) + (size > 8000 ? size : 8000));
	c->size = size > 8000 ? size : 8000;
	return c;
}

struct parser {
	const char *start, *p, *end;
	const char *what;
	struct chunk *chunk;
	unsigned int depth, values;
};

static void *arena_alloc(struct parser *ps, size_t size)
{
	struct chunk *c = ps->chunk;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		c = new_chunk(size);
		c->next = ps->chunk;
		c->used = 0;
		ps->chunk = c;
	}
	void *p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

static int syntax(struct parser *ps, const char *problem)
{
	unsigned int line = 1;

	for (const char *q = ps->start; q < ps->p; q++)
		line += *q == '\n';
	return refuse(-EINVAL, "%s is not valid JSON: line %u: %s", ps->what, line, problem);
}

static void skip_space(struct parser *ps)
{
	while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\t' || *ps->p == '\r'))
		ps->p++;
}

static bool eat(struct parser *ps, char c)
{
	if (ps->p < ps->end && *ps->p == c) {
		ps->p++;
		return true;
	}
	return false;
}

static int hex4(struct parser *ps, unsigned int *out)
{
	unsigned int v = 0;

	if (ps->end - ps->p < 4)
		return syntax(ps, "cut \\u escape");
	for (int i = 0; i < 4; i++) {
		char c = *ps->p++;
		unsigned int d = c >= '0' && c <= '9'   ? (unsigned int)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (unsigned int)(c - 'A' + 10)
							: 16;
		if (d == 16)
			return syntax(ps, "bad \\u escape");
		v = v * 16 + d;
	}
	*out = v;
	return 0;
}

static char *put_utf8(char *o, unsigned int c)
{
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	return o;
}

static int parse_unicode(struct parser *ps, char **out)
{
	unsigned int c, low;
	int r = hex4(ps, &c);
	if (r < 0)
		return r;
	if (c == 0)
		return syntax(ps, "a string holds a NUL byte");
	if (c >= 0xd800 && c < 0xdc00 && ps->end - ps->p >= 6 && ps->p[0] == '\\' && ps->p[1] == 'u') {
		const char *before = ps->p;

		ps->p += 2;
		r = hex4(ps, &low);
		if (r < 0)
			return r;
		if (low >= 0xdc00 && low < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		else
			ps->p = before;
	}
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd; /* a lone surrogate has no UTF-8 form */
	*out = put_utf8(*out, c);
	return 0;
}

static int parse_escape(struct parser *ps, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (ps->p == ps->end)
		return syntax(ps, "string without an end");
	char c = *ps->p++;
	if (c == 'u')
		return parse_unicode(ps, out);
	const char *at = c ? strchr(from, c) : NULL;
	if (!at)
		return syntax(ps, "unknown escape in a string");
	*(*out)++ = to[at - from];
	return 0;
}

/* After the opening quote. An escape is never shorter than what it stands for. */
static int parse_string(struct parser *ps, const char **out)
{
	const char *close = ps->p;

	while (close < ps->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= ps->end)
		return syntax(ps, "string without an end");
	char *o = arena_alloc(ps, (size_t)(close - ps->p) + 1);

	*out = o;
	while (ps->p < close) {
		unsigned char c = (unsigned char)*ps->p++;

		if (c < 0x20)
			return syntax(ps, "control character in a string");
		if (c != '\\') {
			*o++ = (char)c;
			continue;
		}
		int r = parse_escape(ps, &o);
		if (r < 0)
			return r;
	}
	ps->p++;
	return 0;
}

static bool digits(struct parser *ps)
{
	const char *from = ps->p;

	while (ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9')
		ps->p++;
	return ps->p > from;
}

static int parse_number(struct parser *ps, struct json *node)
{
	const char *from = ps->p;
	bool ok;

	eat(ps, '-');
	ok = eat(ps, '0') || digits(ps);
	if (ok && eat(ps, '.'))
		ok = digits(ps);
	if (ok && ps->p < ps->end && (*ps->p == 'e' || *ps->p == 'E')) {
		ps->p++;
		if (!eat(ps, '+'))
			eat(ps, '-');
		ok = digits(ps);
	}
	if (!ok)
		return syntax(ps, "unexpected character");
	char *text = arena_alloc(ps, (size_t)(ps->p - from) + 1);
	memcpy(text, from, (size_t)(ps->p - from));
	node->type = JSON_NUMBER;
	node->text = text;
	return 0;
}

static int parse_value(struct parser *ps, struct json *node);

static int parse_member(struct parser *ps, struct json *node)
{
	skip_space(ps);
	if (!eat(ps, '"'))
		return syntax(ps, "a member must start with a quoted name");
	int r = parse_string(ps, &node->key);
	if (r < 0)
		return r;
	skip_space(ps);
	return eat(ps, ':') ? 0 : syntax(ps, "':' is missing after a name");
}

static int parse_container(struct parser *ps, struct json *node, char close)
{
	struct json *last = NULL;

	if (++ps->depth > JSON_DEPTH_MAX)
		return syntax(ps, "nested too deeply");
	skip_space(ps);
	if (!eat(ps, close)) {
		do {
			if (++ps->values > JSON_VALUES_MAX)
				return syntax(ps, "too many values");
			struct json *item = arena_alloc(ps, sizeof(*item));

			item->parent = node;
			int r = close == '}' ? parse_member(ps, item) : 0;
			if (r == 0)
				r = parse_value(ps, item);
			if (r < 0)
				return r;
			if (last)
				last->next = item;
			else
				node->child = item;
			last = item;
			node->count++;
			skip_space(ps);
		} while (eat(ps, ','));
		if (!eat(ps, close))
			return syntax(ps, close == '}' ? "',' or '}' expected" : "',' or ']' expected");
	}
	ps->depth--;
	return 0;
}

static bool eat_word(struct parser *ps, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, word, n) != 0)
		return false;
	ps->p += n;
	return true;
}

static int parse_value(struct parser *ps, struct json *node)
{
	skip_space(ps);
	if (eat(ps, '{')) {
		node->type = JSON_OBJECT;
		return parse_container(ps, node, '}');
	}
	if (eat(ps, '[')) {
		node->type = JSON_ARRAY;
		return parse_container(ps, node, ']');
	}
	if (eat(ps, '"')) {
		node->type = JSON_STRING;
		return parse_string(ps, &node->text);
	}
	if (eat_word(ps, "null"))
		return 0;
	if (eat_word(ps, "true") || eat_word(ps, "false")) {
		node->type = JSON_BOOL;
		node->boolean = ps->p[-2] == 'u';
		return 0;
	}
	return parse_number(ps, node);
}

int json_parse(const char *text, size_t len, const char *what, struct json_doc *doc)
{
	struct parser ps = {.start = text, .p = text, .end = text + len, .what = what};
	struct json *root = arena_alloc(&ps, sizeof(*root));
	int r = parse_value(&ps, root);

	skip_space(&ps);
	if (r == 0 && ps.p != ps.end)
		r = syntax(&ps, "something follows the document");
	*doc = (struct json_doc){.root = root, .arena = ps.chunk};
	if (r < 0)
		json_free(doc);
	return r;
}

void json_free(struct json_doc *doc)
{
	for (struct chunk *c = doc->arena, *next; c; c = next) {
		next = c->next;
		if (c == &first.chunk)
			first_used = false;
		else
			free(c);
	}
	*doc = (struct json_doc){0};
}

const struct json *json_get(const struct json *obj, const char *key)
{
	const struct json *found = NULL;

	if (!obj || obj->type != JSON_OBJECT)
		return NULL;
	json_each(member, obj)
		if (streq(member->key, key))
			found = member;
	return found && found->type != JSON_NULL ? found : NULL;
}

static void node_path(const struct json *node, char *buf, size_t size)
{
	if (!node->parent) {
		snprintf(buf, size, "%s", "");
		return;
	}
	node_path(node->parent, buf, size);
	size_t len = strlen(buf);
	if (node->key) {
		snprintf(buf + len, size - len, "%s%s", len ? "." : "", node->key);
		return;
	}
	unsigned int index = 0;
	for (const struct json *n = node->parent->child; n != node; n = n->next)
		index++;
	snprintf(buf + len, size - len, "[%u]", index);
}

int json_refuse(const struct json *node, const char *fmt, ...)
{
	char path[256], line[512];
	va_list ap;

	node_path(node, path, sizeof(path));
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return refuse(-EINVAL, "%s %s", path[0] ? path : "the document", line);
}

int json_expect(const struct json *node, enum json_type type)
{
	static const char *const name[] = {"null", "true or false", "a number", "a string", "an array", "an object"};

	return node->type == type ? 0 : json_refuse(node, "must be %s", name[type]);
}

/* Member KEY when present; 1, or 0 when absent, or -EINVAL for another type. */
static int typed_member(const struct json *obj, const char *key, enum json_type type, const struct json **out)
{
	*out = json_get(obj, key);
	if (!*out)
		return 0;
	int r = json_expect(*out, type);
	return r < 0 ? r : 1;
}

int json_want_str(const struct json *obj, const char *key, const char **out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_STRING, &m);

	if (r > 0)
		*out = m->text;
	return r < 0 ? r : 0;
}

int json_want_bool(const struct json *obj, const char *key, bool *out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_BOOL, &m);

	if (r > 0)
		*out = m->boolean;
	return r < 0 ? r : 0;
}

int json_want_u64(const struct json *obj, const char *key, uint64_t max, uint64_t *out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_NUMBER, &m);

	if (r > 0 && parse_u64(m->text, max, out) < 0)
		return json_refuse(m, "must be a whole number between 0 and %llu, not %.40s", (unsigned long long)max,
				   m->text);
	return r < 0 ? r : 0;
}

int json_want_i64(const struct json *obj, const char *key, int64_t min, int64_t max, int64_t *out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_NUMBER, &m);

	if (r > 0 && parse_i64(m->text, min, max, out) < 0)
		return json_refuse(m, "must be a whole number between %lld and %lld, not %.40s", (long long)min,
				   (long long)max, m->text);
	return r < 0 ? r : 0;
}

int json_want_u32(const struct json *obj, const char *key, uint32_t *out)
{
	uint64_t v = *out;
	int r = json_want_u64(obj, key, UINT32_MAX, &v);

	if (r == 0)
		*out = (uint32_t)v;
	return r;
}

int json_want_array(const struct json *obj, const char *key, const struct json **out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_ARRAY, &m);

	if (r > 0)
		*out = m;
	return r < 0 ? r : 0;
}

int json_want_object(const struct json *obj, const char *key, const struct json **out)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_OBJECT, &m);

	if (r > 0)
		*out = m;
	return r < 0 ? r : 0;
}

int json_want_strs(const struct json *obj, const char *key, const char ***out, size_t *n)
{
	const struct json *m;
	int r = typed_member(obj, key, JSON_ARRAY, &m);
	if (r <= 0)
		return r;

	_cleanup_(freep) const char **list = xcalloc(m->count + 1, sizeof(*list));
	size_t i = 0;
	json_each(item, m) {
		r = json_expect(item, JSON_STRING);
		if (r < 0)
			return r;
		list[i++] = item->text;
	}
	*out = take_ptr(&list);
	if (n)
		*n = i;
	return 0;
}
