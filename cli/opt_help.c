/* --help, laid out for the terminal at hand. */
#include "cli/opt.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/table.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MAX 100
/* Names wider than this have their text on the next line. */
#define NAMES_MAX 30
/* Texts narrower than this are not worth a column of their own. */
#define TEXT_MIN 24

struct page {
	struct strbuf out;
	size_t width;
	bool colour;
};

static const char bold[] = "\033[1m", cyan[] = "\033[36m", plain[] = "\033[0m";

static void page_open(struct page *p)
{
	struct winsize ws = {0};
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool tty = isatty(STDOUT_FILENO);

	*p = (struct page){.width = WIDTH_DEFAULT};
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
		p->width = ws.ws_col < WIDTH_MAX ? ws.ws_col : WIDTH_MAX;
	/* https://no-color.org: set and not empty. */
	p->colour = tty && !(no_color && *no_color) && !(term && streq(term, "dumb"));
}

static void page_print(struct page *p)
{
	out_write(strbuf_str(&p->out), p->out.len);
	strbuf_free(&p->out);
}

static void put_styled(struct page *p, const char *style, const char *text, size_t len)
{
	if (p->colour)
		strbuf_puts(&p->out, style);
	strbuf_add(&p->out, text, len);
	if (p->colour)
		strbuf_puts(&p->out, plain);
}

static void put_spaces(struct page *p, size_t n)
{
	while (n-- > 0)
		strbuf_putc(&p->out, ' ');
}

/* A blank line, unless the page starts here, and "TEXT:". */
static void put_heading(struct page *p, const char *text)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%s:", text);

	if (p->out.len)
		strbuf_putc(&p->out, '\n');
	put_styled(p, bold, line, (size_t)n);
	strbuf_putc(&p->out, '\n');
}

/* Fills lines with the words of TEXT; the cursor is in COLUMN, and lines after the first start at INDENT. */
static void put_words(struct page *p, size_t column, size_t indent, const char *text, size_t len)
{
	const char *end = text + len;
	bool first = true;

	while (text < end) {
		size_t n = 0;

		while (text < end && *text == ' ')
			text++;
		while (text + n < end && text[n] != ' ')
			n++;
		if (!first && column + 1 + n > p->width) {
			strbuf_putc(&p->out, '\n');
			put_spaces(p, indent);
			column = indent;
		} else if (!first && n) {
			strbuf_putc(&p->out, ' ');
			column++;
		}
		strbuf_add(&p->out, text, n);
		column += n;
		text += n;
		first = false;
	}
	strbuf_putc(&p->out, '\n');
}

/* Paragraphs: each line of TEXT is filled by itself, but one that starts with a space stays as it is. */
static void put_paragraphs(struct page *p, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (*text == ' ') {
			strbuf_add(&p->out, text, len);
			strbuf_putc(&p->out, '\n');
		} else {
			put_words(p, 0, 0, text, len);
		}
		text += len + (text[len] == '\n');
	}
}

/* --- entries: a name and what it is -------------------------------------------------------------------- */

/* Where the texts start, given that the widest name takes NAMES columns. */
static size_t text_column(const struct page *p, size_t names)
{
	size_t column = (names < NAMES_MAX ? names : NAMES_MAX) + 4;

	return column + TEXT_MIN <= p->width ? column : 8;
}

/* NAME is styled, ARG, its argument, is not. */
static void put_entry(struct page *p, const char *name, const char *arg, const char *text, size_t column)
{
	size_t used = 2 + strlen(name) + (arg ? strlen(arg) + 1 : 0);
	size_t skip = strspn(name, " ");

	put_spaces(p, 2 + skip);
	put_styled(p, cyan, name + skip, strlen(name) - skip);
	if (arg)
		strbuf_printf(&p->out, " %s", arg);
	if (used + 2 > column) {
		strbuf_putc(&p->out, '\n');
		used = 0;
	}
	put_spaces(p, column - used);
	put_words(p, column, column, text, strlen(text));
}

static const char *option_name(const struct opt *o, char buf[80])
{
	if (o->letter)
		snprintf(buf, 80, "-%c, --%s", o->letter, o->name);
	else
		snprintf(buf, 80, "    --%s", o->name);
	return buf;
}

static size_t widest_option(const struct opt *table)
{
	size_t widest = strlen("-h, --help");

	for (const struct opt *o = table; o && o->name; o++) {
		size_t w = strlen("-x, --") + strlen(o->name) + (o->arg ? strlen(o->arg) + 1 : 0);

		/* One with its text on the next line does not push the others. */
		if (o->type != OPT_HEADING && o->help && w > widest && w <= NAMES_MAX)
			widest = w;
	}
	return widest;
}

static void put_help_option(struct page *p, const struct opt *table, size_t column)
{
	bool taken = false;

	for (const struct opt *o = table; o && o->name; o++)
		taken |= o->letter == 'h';
	put_entry(p, taken ? "    --help" : "-h, --help", NULL, "Show this help", column);
}

/* All groups of TABLE. --help stands in the first, or in its own when the table starts with a heading. */
static void put_options(struct page *p, const struct opt *table, const char *title)
{
	size_t column = text_column(p, widest_option(table));
	const struct opt *o = table;
	char name[80];

	put_heading(p, title);
	for (; o && o->name && o->type != OPT_HEADING; o++)
		if (o->help)
			put_entry(p, option_name(o, name), o->arg, o->help, column);
	put_help_option(p, table, column);
	for (; o && o->name; o++) {
		if (o->type == OPT_HEADING)
			put_heading(p, o->name);
		else if (o->help)
			put_entry(p, option_name(o, name), o->arg, o->help, column);
	}
}

/* --- the screens -------------------------------------------------------------------------------------- */

static void put_usage(struct page *p, const char *verb, const char *usage)
{
	char start[160];
	int n = snprintf(start, sizeof(start), "%s%s%s ", opt_program(), *verb ? " " : "", verb);

	put_styled(p, bold, "Usage:", 6);
	strbuf_printf(&p->out, " %s", start);
	put_words(p, 7 + (size_t)n, 7 + (size_t)n, usage, strlen(usage));
}

static void put_sentence(struct page *p, const char *text)
{
	strbuf_putc(&p->out, '\n');
	put_words(p, 0, 0, text, strlen(text));
}

static void put_examples(struct page *p, const char *text)
{
	put_heading(p, "Examples");
	while (*text) {
		size_t len = strcspn(text, "\n");

		put_spaces(p, len ? 2 : 0);
		strbuf_add(&p->out, text, len);
		strbuf_putc(&p->out, '\n');
		text += len + (text[len] == '\n');
	}
}

void opt_print_help(const struct verb *verb)
{
	struct page p;

	page_open(&p);
	put_usage(&p, verb->name, verb->usage);
	if (verb->summary)
		put_sentence(&p, verb->summary);
	if (verb->details) {
		strbuf_putc(&p.out, '\n');
		put_paragraphs(&p, verb->details);
	}
	put_options(&p, verb->opts, "Options");
	if (verb->examples)
		put_examples(&p, verb->examples);
	page_print(&p);
}

static size_t verb_column(const struct page *p, const struct verb *const *verbs, size_t n)
{
	size_t widest = 0;

	for (size_t i = 0; i < n; i++)
		if (opt_verb_listed(verbs[i]) && strlen(verbs[i]->name) > widest)
			widest = strlen(verbs[i]->name);
	return text_column(p, widest);
}

void opt_print_overview(const struct verb *const *verbs, size_t n, const struct opt *globals)
{
	char last[160];
	struct page p;

	page_open(&p);
	size_t column = verb_column(&p, verbs, n);
	put_usage(&p, "", "[OPTIONS] COMMAND [ARG...]");
	put_sentence(&p, opt_program_summary());
	for (size_t i = 0; i < n; i++) {
		if (!opt_opens_group(verbs, i))
			continue;
		put_heading(&p, opt_verb_group(verbs[i]));
		for (size_t j = i; j < n; j++)
			if (opt_verb_listed(verbs[j]) && streq(opt_verb_group(verbs[j]), opt_verb_group(verbs[i])))
				put_entry(&p, verbs[j]->name, NULL, verbs[j]->summary, column);
	}
	put_options(&p, globals, "Options");
	snprintf(last, sizeof(last), "Run `%s COMMAND --help` for the options and examples of a command.",
		 opt_program());
	put_sentence(&p, last);
	page_print(&p);
}

void opt_print_group(const struct verb *const *verbs, size_t n, const char *word)
{
	char last[160];
	struct page p;

	page_open(&p);
	size_t column = verb_column(&p, verbs, n);
	put_usage(&p, word, "COMMAND [ARG...]");
	put_heading(&p, "Commands");
	for (size_t i = 0; i < n; i++) {
		const char *rest = opt_verb_listed(verbs[i]) ? after_prefix(verbs[i]->name, word) : NULL;

		if (rest && *rest == ' ')
			put_entry(&p, verbs[i]->name, NULL, verbs[i]->summary, column);
	}
	snprintf(last, sizeof(last), "Run `%s %s COMMAND --help` for the options and examples of a command.",
		 opt_program(), word);
	put_sentence(&p, last);
	page_print(&p);
}
