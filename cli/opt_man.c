/* The manual page, in roff for man(7) as mandoc and groff both read it. */
#include "cli/opt.h"

#include "cli/table.h"

/* Text that stands for itself, such as an option or an example: no dash or quote may turn into another. */
static void put_literal(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *escape = s[i] == '\\'   ? "\\e"
				     : s[i] == '-'  ? "\\-"
				     : s[i] == '\'' ? "\\(aq"
				     : s[i] == '`'  ? "\\(ga"
				     : s[i] == '^'  ? "\\(ha"
				     : s[i] == '~'  ? "\\(ti"
						    : NULL;

		/* A dot or quote that starts a line would be a request. */
		if (i == 0 && s[i] == '.')
			strbuf_puts(out, "\\&");
		if (escape)
			strbuf_puts(out, escape);
		else
			strbuf_putc(out, s[i]);
	}
}

static void put_font(struct strbuf *out, char font, const char *s, size_t len)
{
	strbuf_printf(out, "\\f%c", font);
	put_literal(out, s, len);
	strbuf_puts(out, "\\fR");
}

/* A sentence: words in `backquotes` and options become bold. */
static void put_prose(struct strbuf *out, const char *s, size_t len)
{
	const char *end = s + len;
	bool word_start = true;

	if (len && (*s == '.' || *s == '\''))
		strbuf_puts(out, "\\&");
	while (s < end) {
		const char *close = *s == '`' ? memchr(s + 1, '`', (size_t)(end - s - 1)) : NULL;
		size_t n = 0;

		if (close) {
			put_font(out, 'B', s + 1, (size_t)(close - s - 1));
			s = close + 1;
			continue;
		}
		if (word_start && *s == '-')
			while (s + n < end && (s[n] == '-' || (s[n] >= 'a' && s[n] <= 'z')))
				n++;
		if (n > 1) {
			put_font(out, 'B', s, n);
			s += n;
		} else if (*s == '\\') {
			strbuf_puts(out, "\\e");
			s++;
		} else {
			strbuf_putc(out, *s++);
		}
		word_start = s < end && (s[-1] == ' ' || s[-1] == '(');
	}
	strbuf_putc(out, '\n');
}

/* Lines kept as they are: those of TEXT up to its end, or to the first that does not start with a space. */
static const char *put_verbatim(struct strbuf *out, const char *text, bool all)
{
	strbuf_puts(out, ".PP\n.RS 4\n.EX\n");
	while (*text && (all || *text == ' ')) {
		size_t len = strcspn(text, "\n");

		put_literal(out, text, len);
		strbuf_putc(out, '\n');
		text += len + (text[len] == '\n');
	}
	strbuf_puts(out, ".EE\n.RE\n");
	return text;
}

static void put_paragraphs(struct strbuf *out, const char *text)
{
	while (*text) {
		if (*text == ' ') {
			text = put_verbatim(out, text, false);
			continue;
		}
		size_t len = strcspn(text, "\n");
		if (len) {
			strbuf_puts(out, ".PP\n");
			put_prose(out, text, len);
		}
		text += len + (text[len] == '\n');
	}
}

static void put_options(struct strbuf *out, const struct opt *table)
{
	for (const struct opt *o = table; o && o->name; o++) {
		if (o->type == OPT_HEADING) {
			strbuf_puts(out, ".PP\n");
			put_font(out, 'I', o->name, strlen(o->name));
			strbuf_puts(out, ":\n");
			continue;
		}
		if (!o->help)
			continue;
		strbuf_puts(out, ".TP\n");
		if (o->letter)
			strbuf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
		strbuf_puts(out, "\\fB\\-\\-");
		put_literal(out, o->name, strlen(o->name));
		strbuf_puts(out, "\\fR");
		if (o->arg) {
			strbuf_putc(out, ' ');
			put_font(out, 'I', o->arg, strlen(o->arg));
		}
		strbuf_putc(out, '\n');
		put_prose(out, o->help, strlen(o->help));
	}
}

static void put_verb(struct strbuf *out, const struct verb *verb)
{
	strbuf_puts(out, ".SS ");
	put_literal(out, verb->name, strlen(verb->name));
	strbuf_puts(out, "\n\\fB");
	put_literal(out, opt_program(), strlen(opt_program()));
	strbuf_putc(out, ' ');
	put_literal(out, verb->name, strlen(verb->name));
	strbuf_puts(out, "\\fR ");
	put_literal(out, verb->usage, strlen(verb->usage));
	strbuf_puts(out, "\n.PP\n");
	put_prose(out, verb->summary, strlen(verb->summary));
	out->len--; /* the newline, for a full stop */
	strbuf_puts(out, ".\n");
	if (verb->details)
		put_paragraphs(out, verb->details);
	put_options(out, verb->opts);
	if (verb->examples) {
		strbuf_puts(out, ".PP\nExamples:\n");
		put_verbatim(out, verb->examples, true);
	}
}

static void put_capitals(struct strbuf *out, const char *s)
{
	for (; *s; s++)
		strbuf_putc(out, *s >= 'a' && *s <= 'z' ? (char)(*s - 32) : *s);
}

static void put_head(struct strbuf *out, const struct opt *globals)
{
	const char *program = opt_program(), *summary = opt_program_summary();

	strbuf_puts(out, ".TH ");
	put_capitals(out, program);
	strbuf_printf(out, " 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", program, CTR_VERSION);
	put_literal(out, program, strlen(program));
	strbuf_puts(out, " \\- ");
	put_prose(out, summary, strlen(summary));
	strbuf_puts(out, ".SH SYNOPSIS\n\\fB");
	put_literal(out, program, strlen(program));
	strbuf_puts(out, "\\fR [OPTIONS] COMMAND [ARG...]\n.SH OPTIONS\nThese stand before the command.\n");
	put_options(out, globals);
	strbuf_puts(out, ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow help; behind a command, the help of that "
			 "command\n");
}

/* The engine's exit statuses are docker's; the OCI face's are runc's. */
static void put_tail(struct strbuf *out, bool engine)
{
	strbuf_puts(out, ".SH EXIT STATUS\n.TP\n0\nThe command did what was asked.\n");
	strbuf_printf(out, ".TP\n%s\nThe command failed; the reason is on the standard error.\n", engine ? "125" : "1");
	if (engine)
		strbuf_puts(out, ".TP\n126\nThe program in the container cannot be executed.\n"
				 ".TP\n127\nThe program was not found in the container.\n");
	strbuf_puts(out, ".TP\nother\nThe exit status of the program in the container, or 128+N when signal N "
			 "ended it.\n"
			 ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen it is set and not empty, help has no colours.\n");
}

void opt_print_man(const struct verb *const *verbs, size_t n, const struct opt *globals)
{
	_cleanup_(strbuf_free) struct strbuf out = {0};
	bool engine = false;

	put_head(&out, globals);
	for (size_t i = 0; i < n; i++) {
		engine |= verbs[i]->rest_is_command && streq(verbs[i]->name, "run");
		if (!opt_opens_group(verbs, i))
			continue;
		strbuf_puts(&out, ".SH ");
		put_capitals(&out, opt_verb_group(verbs[i]));
		strbuf_putc(&out, '\n');
		for (size_t j = i; j < n; j++)
			if (opt_verb_listed(verbs[j]) && streq(opt_verb_group(verbs[j]), opt_verb_group(verbs[i])))
				put_verb(&out, verbs[j]);
	}
	put_tail(&out, engine);
	out_write(out.p, out.len);
}
