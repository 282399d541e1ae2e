/*
 * Shell completion. The scripts hold the tables of the verbs; what changes from day to day (names of
 * containers, images) they ask the program for, and take the answer as data, never to be expanded.
 */
#include "cli/opt_complete.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/table.h"

/* What a word of a usage line, or of an option's argument, stands for. */
static const struct kind {
	const char *word;
	const char *as;   /* FILE or DIR, which the shells know; NULL: ask the program */
	const char *verb; /* the verb that is asked; without it the kind is unknown */
	const char *ask;  /* its words on the command line */
} kinds[] = {
	{"CONTAINER", NULL, "ps", "ps -a --format '{{.Names}}'"},
	{"IMAGE", NULL, "images", "images --format '{{.Repository}}:{{.Tag}}'"},
	{"NETWORK", NULL, "network ls", "network ls --format '{{.Name}}'"},
	{"VOLUME", NULL, "volume ls", "volume ls --format '{{.Name}}'"},
	{"ID", NULL, "list", "list -q"},
	{"FILE", "FILE", NULL, NULL},
	{"PATH", "FILE", NULL, NULL},
	{"SRC", "FILE", NULL, NULL},
	{"DEST", "FILE", NULL, NULL},
	{"HOST:CTR", "FILE", NULL, NULL},
	{"HOST[:CTR", "FILE", NULL, NULL},
	{"DEVICE", "FILE", NULL, NULL},
	{"DIR", "DIR", NULL, NULL},
	{"BUNDLE", "DIR", NULL, NULL},
};

static bool has_verb(const struct complete_verbs *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->list[i]->name, name))
			return true;
	return false;
}

/* The kind that TEXT starts with, or NULL. */
static const struct kind *find_kind(const struct complete_verbs *v, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = after_prefix(text, kinds[i].word);

		if (rest && (*rest < 'A' || *rest > 'Z'))
			return !kinds[i].verb || has_verb(v, kinds[i].verb) ? &kinds[i] : NULL;
	}
	return NULL;
}

void complete_put_kinds(struct strbuf *out, const struct complete_verbs *v, const char *text, size_t len, char sep)
{
	const char *end = text + len;
	bool first = true;

	while (text < end) {
		const char *bar = memchr(text, '|', (size_t)(end - text));
		size_t piece = (size_t)((bar ? bar : end) - text);
		size_t lower = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
		const struct kind *kind = find_kind(v, text);

		if (kind || (piece && lower == piece)) {
			if (!first)
				strbuf_putc(out, sep);
			if (kind)
				strbuf_puts(out, kind->as ? kind->as : kind->word);
			else
				strbuf_add(out, text, piece);
			first = false;
		}
		text += piece + (bar != NULL);
	}
}

void complete_put_questions(struct strbuf *out, const struct complete_verbs *v, const char *start, const char *middle,
			    const char *end)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].ask && has_verb(v, kinds[i].verb))
			strbuf_printf(out, "%s%s%s%s %s 2>/dev/null%s", start, kinds[i].word, middle, opt_program(),
				      kinds[i].ask, end);
}

bool complete_next_word(const struct verb *verb, const char **usage, int *index, struct complete_word *w)
{
	/* What follows is for the program in the container. */
	if (verb->rest_is_command && *index >= verb->min_args)
		return false;
	for (;;) {
		const char *s = *usage + strspn(*usage, " [");
		size_t whole = strcspn(s, " ");

		if (!*s)
			return false;
		*usage = s + whole;
		*w = (struct complete_word){s, strcspn(s, " ]."), memmem(s, whole, "...", 3) != NULL};
		if (w->len != 7 || memcmp(s, "OPTIONS", 7) != 0) {
			++*index;
			return true;
		}
	}
}

void complete_put_word(struct strbuf *out, const struct complete_verbs *v, const struct verb *verb,
		       const struct complete_word *w, char sep)
{
	/* "ctr help COMMAND" means ours, "ctr exec CONTAINER COMMAND" does not. */
	if (w->len != 7 || memcmp(w->text, "COMMAND", 7) != 0)
		complete_put_kinds(out, v, w->text, w->len, sep);
	else if (!verb->rest_is_command)
		strbuf_puts(out, "VERB");
}

bool complete_lists(const struct opt *o)
{
	return o->type != OPT_HEADING && o->help;
}

bool complete_defines_h(const struct opt *table)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->letter == 'h')
			return true;
	return false;
}

bool complete_in_group(const struct complete_verbs *v, size_t i, const char *name, size_t len)
{
	const char *other = v->list[i]->name;

	return opt_verb_listed(v->list[i]) && strncmp(other, name, len) == 0 && other[len] == ' ';
}

bool complete_opens_group(const struct complete_verbs *v, size_t i, size_t *len)
{
	const char *name = v->list[i]->name;

	*len = strcspn(name, " ");
	if (!name[*len] || !opt_verb_listed(v->list[i]))
		return false;
	for (size_t j = 0; j < i; j++)
		if (complete_in_group(v, j, name, *len))
			return false;
	return true;
}

void complete_put_quoted(struct strbuf *out, const char *s, const char *special, const char *quote)
{
	for (; *s; s++) {
		if (*s == '\'') {
			strbuf_puts(out, quote);
			continue;
		}
		if (strchr(special, *s))
			strbuf_putc(out, '\\');
		strbuf_putc(out, *s);
	}
}

void complete_put_script(struct strbuf *out, const char *template)
{
	for (const char *s = template; *s;) {
		bool function = after_prefix(s, "@F@");

		if (!function && !after_prefix(s, "@P@")) {
			strbuf_putc(out, *s++);
			continue;
		}
		for (const char *c = opt_program(); *c; c++)
			strbuf_putc(out, function && strchr("- .", *c) ? '_' : *c);
		s += 3;
	}
}

int opt_print_completion(const struct verb *const *verbs, size_t n, const struct opt *globals, const char *shell)
{
	static const struct {
		const char *shell;
		void (*write)(struct strbuf *out, const struct complete_verbs *v);
	} writers[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
	const struct complete_verbs v = {verbs, n, globals};
	_cleanup_(strbuf_free) struct strbuf out = {0};

	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		if (!streq(shell, writers[i].shell))
			continue;
		writers[i].write(&out, &v);
		out_write(out.p, out.len);
		return 0;
	}
	return refuse(-EINVAL, "completion is there for bash, zsh and fish, not for \"%.64s\"", shell);
}
