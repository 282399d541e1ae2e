#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* --- output ------------------------------------------------------------------------------------------- */

static int out_error;

static void flush_stdio(void)
{
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && out_error == 0)
		out_error = errno ? -errno : -EIO;
}

void out_write(const char *data, size_t len)
{
	/* Not by stdio, which forgets why an earlier write failed. */
	flush_stdio();
	if (out_error == 0)
		out_error = write_all(STDOUT_FILENO, data, len);
}

int out_flush(void)
{
	flush_stdio();
	return out_error ? fail(out_error, "cannot write to the standard output") : 0;
}

/* --- text of strangers -------------------------------------------------------------------------------- */

/* Decodes one UTF-8 character: its length, 0 when S is none. */
static unsigned int decode(const char *s, unsigned int *out)
{
	const unsigned char *b = (const unsigned char *)s;
	unsigned int n = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned int c = n < 2 ? b[0] : b[0] & (0x7fu >> n);

	for (unsigned int i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return n;
}

/* C0, C1, DEL, and the marks that change the order of the text around them (Unicode UAX #9). */
static bool harmful(unsigned int c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void show(struct strbuf *out, const char *s, bool keep_newlines)
{
	unsigned int c, n;

	for (; *s; s += n ? n : 1) {
		n = decode(s, &c);
		if (n == 0)
			strbuf_printf(out, "\\x%02x", (unsigned char)*s);
		else if (!harmful(c) || (c == '\n' && keep_newlines))
			strbuf_add(out, s, n);
		else if (c == '\n' || c == '\t' || c == '\r')
			strbuf_puts(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else
			strbuf_printf(out, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
	}
}

void text_show(struct strbuf *out, const char *s)
{
	show(out, s, false);
}

void json_show(struct strbuf *out, const char *text)
{
	/* What is harmful in JSON text stands in a string, where \u means the same. */
	if (isatty(STDOUT_FILENO))
		show(out, text, true);
	else
		strbuf_puts(out, text);
}

static unsigned int char_width(unsigned int c)
{
	/* Two columns: the wide ranges of Unicode's EastAsianWidth.txt, in rough. */
	static const unsigned int wide[][2] = {
		{0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
		{0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
		{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
	};

	if (c >= 0x300 && c < 0x370) /* combining marks */
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (c >= wide[i][0] && c <= wide[i][1])
			return 2;
	return 1;
}

size_t text_width(const char *s)
{
	size_t width = 0;
	unsigned int c, n;

	for (; *s; s += n ? n : 1) {
		n = decode(s, &c);
		width += n ? char_width(c) : 1;
	}
	return width;
}

/* --- cells -------------------------------------------------------------------------------------------- */

static void put_json(struct strbuf *out, const struct json *node, unsigned int indent)
{
	struct json_writer w = {.out = out, .indent = indent};

	json_put_node(&w, NULL, node);
}

static void put_scalar(struct strbuf *out, const struct json *node)
{
	_cleanup_(strbuf_free) struct strbuf nested = {0};

	switch (node->type) {
	case JSON_NULL:
		break;
	case JSON_BOOL:
		strbuf_puts(out, node->boolean ? "true" : "false");
		break;
	case JSON_NUMBER:
	case JSON_STRING:
		text_show(out, node->text);
		break;
	default:
		put_json(&nested, node, 0);
		text_show(out, strbuf_str(&nested));
	}
}

/* A list as "a, b", a map as "a=1, b=2". */
static void put_cell(struct strbuf *out, const struct json *node)
{
	if (!node)
		return;
	if (node->type != JSON_ARRAY && node->type != JSON_OBJECT) {
		put_scalar(out, node);
		return;
	}
	json_each(item, node) {
		if (item != node->child)
			strbuf_puts(out, ", ");
		if (item->key) {
			text_show(out, item->key);
			strbuf_putc(out, '=');
		}
		put_scalar(out, item);
	}
}

/* --- alignment ---------------------------------------------------------------------------------------- */

#define COLUMNS_MAX 64
#define GAP 3

/* Moves *P behind the next cell, which it copies, and returns what ended it: a tab, a newline or NUL. */
static char next_cell(const char **p, struct strbuf *cell)
{
	size_t len = strcspn(*p, "\t\n");
	char end = (*p)[len];

	cell->len = 0;
	strbuf_add(cell, *p, len);
	*p += len + (end != '\0');
	return end;
}

/* Appends TEXT, lines of cells with tabs between them, so that the cells of a column stand one below the
 * other; cells past COLUMNS_MAX are merely set apart. */
static void align(const char *text, struct strbuf *out)
{
	size_t width[COLUMNS_MAX] = {0}, column = 0;
	_cleanup_(strbuf_free) struct strbuf cell = {0};

	for (const char *p = text; *p;) {
		char end = next_cell(&p, &cell);
		size_t w = text_width(cell.p);

		if (end == '\t' && column < COLUMNS_MAX && width[column] < w)
			width[column] = w;
		column = end == '\t' ? column + 1 : 0;
	}
	column = 0;
	for (const char *p = text; *p;) {
		char end = next_cell(&p, &cell);
		size_t w = text_width(cell.p), to = column < COLUMNS_MAX ? width[column] : w;

		strbuf_add(out, cell.p, cell.len);
		for (; end == '\t' && w < to + GAP; w++)
			strbuf_putc(out, ' ');
		if (end != '\t')
			while (out->len && out->p[out->len - 1] == ' ')
				out->p[--out->len] = '\0'; /* behind the last cell that is not empty */
		if (end == '\n')
			strbuf_putc(out, '\n');
		column = end == '\t' ? column + 1 : 0;
	}
}

static void print_aligned(const struct strbuf *cells)
{
	_cleanup_(strbuf_free) struct strbuf out = {0};

	align(strbuf_str(cells), &out);
	out_write(strbuf_str(&out), out.len);
}

static int print_columns(const struct json *rows, const struct column *columns, size_t n)
{
	_cleanup_(strbuf_free) struct strbuf cells = {0};

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&cells, "%s%s", i ? "\t" : "", columns[i].title);
	strbuf_putc(&cells, '\n');
	json_each(row, rows) {
		for (size_t i = 0; i < n; i++) {
			if (i)
				strbuf_putc(&cells, '\t');
			put_cell(&cells, json_get(row, columns[i].field));
		}
		strbuf_putc(&cells, '\n');
	}
	print_aligned(&cells);
	return 0;
}

/* --- templates ---------------------------------------------------------------------------------------- */

/* The title for a field that a "table" template names: its column's, else the name in capitals. */
static void put_title(struct strbuf *out, const struct column *columns, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strncasecmp(columns[i].field, name, len) == 0 && !columns[i].field[len]) {
			strbuf_puts(out, columns[i].title);
			return;
		}
	for (size_t i = 0; i < len; i++)
		strbuf_putc(out, name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i]);
}

static bool name_char(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The end of the action that starts at S, and the last part of the first field ("B" of .A.B) in it. */
static const char *scan_action(const char *s, const char **name, size_t *len)
{
	*len = 0;
	for (s += 2; *s && strncmp(s, "}}", 2) != 0;) {
		if (*s == '"' || *s == '`') {
			char quote = *s++;

			while (*s && *s != quote)
				s += *s == '\\' && s[1] && quote == '"' ? 2 : 1;
			s += *s == quote;
		} else if (*s == '.' && name_char(s[1]) && *len == 0) {
			while (*s == '.' && name_char(s[1])) {
				*name = ++s;
				while (name_char(*s))
					s++;
				*len = (size_t)(s - *name);
			}
		} else {
			s++;
		}
	}
	return *s ? s + 2 : s;
}

/* The first line of a "table" template: the template with each action replaced by a title. */
static void put_header(struct strbuf *out, const struct column *columns, size_t n, const char *template)
{
	const char *name = NULL, *last = NULL;
	size_t len, last_len = 0;

	for (const char *s = template; *s;) {
		if (strncmp(s, "{{", 2) == 0) {
			s = scan_action(s, &name, &len);
			/* {{if .A}}{{.A}}{{end}} is one column. */
			if (len && (len != last_len || strncmp(name, last, len) != 0))
				put_title(out, columns, n, name, len);
			if (len) {
				last = name;
				last_len = len;
			}
			continue;
		}
		if (*s == '\t' || strncmp(s, "\\t", 2) == 0) {
			strbuf_putc(out, '\t');
			last_len = 0;
			s += *s == '\t' ? 1 : 2;
			continue;
		}
		strbuf_putc(out, *s++);
	}
	strbuf_putc(out, '\n');
}

static int print_template_table(const struct json *rows, const struct column *columns, size_t n, const char *template)
{
	_cleanup_(strbuf_free) struct strbuf cells = {0};

	put_header(&cells, columns, n, template);
	json_each(row, rows) {
		int r = template_expand_shown(template, row, &cells);
		if (r < 0)
			return r;
		strbuf_putc(&cells, '\n');
	}
	print_aligned(&cells);
	return 0;
}

/* True for "{{range .}}...", which podman's users write to walk the rows themselves. */
static bool ranges_over_rows(const char *template)
{
	const char *s = after_prefix(template, "{{");

	if (!s)
		return false;
	s += strspn(s, "- ");
	s = after_prefix(s, "range");
	if (!s)
		return false;
	s += strspn(s, " ");
	return *s == '.' && (s[1] == ' ' || s[1] == '}');
}

static int print_lines(const struct json *rows, const char *template)
{
	bool tty = isatty(STDOUT_FILENO);
	_cleanup_(strbuf_free) struct strbuf out = {0};
	int (*expand)(const char *, const struct json *, struct strbuf *) =
		tty ? template_expand_shown : template_expand;

	if (ranges_over_rows(template)) {
		int r = expand(template, rows, &out);
		if (r < 0)
			return r;
		if (out.len && out.p[out.len - 1] != '\n')
			strbuf_putc(&out, '\n');
	} else {
		json_each(row, rows) {
			int r = expand(template, row, &out);
			if (r < 0)
				return r;
			strbuf_putc(&out, '\n');
		}
	}
	out_write(strbuf_str(&out), out.len);
	return 0;
}

static int print_json(const struct json *rows)
{
	_cleanup_(strbuf_free) struct strbuf text = {0}, out = {0};

	put_json(&text, rows, 2);
	json_show(&out, strbuf_str(&text));
	strbuf_putc(&out, '\n');
	out_write(out.p, out.len);
	return 0;
}

int table_print(const struct json *rows, const struct column *columns, size_t n, const char *format)
{
	if (!format || streq(format, "table"))
		return print_columns(rows, columns, n);
	if (streq(format, "json"))
		return print_json(rows);

	const char *template = after_prefix(format, "table");
	bool table = template && (*template == ' ' || *template == '\t');

	template = table ? template + 1 : format;
	if (!strstr(template, "{{"))
		return refuse(-EINVAL, "--format takes table, json or a template such as '{{.%s}}', not \"%.64s\"",
			      n ? columns[0].field : "ID", format);
	int r = template_check(template);
	if (r < 0)
		return r;
	return table ? print_template_table(rows, columns, n, template) : print_lines(rows, template);
}

int template_print(const char *template, const struct json *node)
{
	_cleanup_(strbuf_free) struct strbuf out = {0};
	int r = isatty(STDOUT_FILENO) ? template_expand_shown(template, node, &out)
				      : template_expand(template, node, &out);

	if (r < 0)
		return r;
	strbuf_putc(&out, '\n');
	out_write(out.p, out.len);
	return 0;
}
