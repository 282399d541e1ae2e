/* Completion for fish 3. */
#include "cli/opt_complete.h"

#include <stdio.h>

static const char head[] = "# fish completion for @P@; to try it: @P@ help --completion fish | source\n"
			   "\n"
			   "# Prints the verb on the command line, its group while there is no more, or nothing.\n"
			   "function __@F@_verb\n"
			   "\tset -l tokens (commandline -opc)\n"
			   "\tset -l verb\n"
			   "\tset -l skip 0\n"
			   "\tfor token in $tokens[2..]\n"
			   "\t\tif test $skip = 1\n"
			   "\t\t\tset skip 0\n"
			   "\t\telse if string match -q -- '-*' $token\n"
			   "\t\t\tif test -z \"$verb\"; and contains -- $token";

static const char middle[] = "\n"
			     "\t\t\t\tset skip 1\n"
			     "\t\t\tend\n"
			     "\t\telse\n"
			     "\t\t\tset -a verb $token\n"
			     "\t\t\tcontains -- \"$verb\"";

static const char tail[] = "; or break\n"
			   "\t\tend\n"
			   "\tend\n"
			   "\techo \"$verb\"\n"
			   "end\n"
			   "\n"
			   "function __@F@_at\n"
			   "\tset -l verb (__@F@_verb)\n"
			   "\ttest \"$verb\" = \"$argv[1]\"\n"
			   "end\n"
			   "\n"
			   "# Prints the words of the kinds given.\n"
			   "function __@F@_ask\n"
			   "\tfor kind in $argv\n"
			   "\t\tswitch $kind\n";

static const char ask_end[] = "\t\tcase FILE\n"
			      "\t\t\t__fish_complete_path\n"
			      "\t\tcase DIR\n"
			      "\t\t\t__fish_complete_directories\n"
			      "\t\tcase VERB\n"
			      "\t\t\tcomplete -C '@P@ '\n"
			      "\t\tcase '*'\n"
			      "\t\t\techo $kind\n"
			      "\t\tend\n"
			      "\tend\n"
			      "end\n"
			      "\n"
			      "complete -c @P@ -f\n";

static void put_text(struct strbuf *out, const char *s)
{
	strbuf_putc(out, '\'');
	complete_put_quoted(out, s, "\\", "\\'");
	strbuf_putc(out, '\'');
}

/* "complete -c ctr -n '__ctr_at "VERB"'" */
static void put_start(struct strbuf *out, const char *verb)
{
	strbuf_printf(out, "complete -c @P@ -n '__@F@_at \"%s\"'", verb);
}

static void put_option(struct strbuf *out, const struct complete_verbs *v, const char *verb, const struct opt *o)
{
	put_start(out, verb);
	if (o->letter)
		strbuf_printf(out, " -s %c", o->letter);
	strbuf_printf(out, " -l %s -d ", o->name);
	put_text(out, o->help);
	if (o->type != OPT_FLAG) {
		_cleanup_(strbuf_free) struct strbuf kinds = {0};

		complete_put_kinds(&kinds, v, o->arg ? o->arg : "", o->arg ? strlen(o->arg) : 0, ' ');
		if (kinds.len)
			strbuf_printf(out, " -x -a '(__@F@_ask %s)'", kinds.p);
		else
			strbuf_puts(out, " -r -F");
	}
	strbuf_putc(out, '\n');
}

static void put_options(struct strbuf *out, const struct complete_verbs *v, const char *verb, const struct opt *table)
{
	struct opt help = {OPT_FLAG, complete_defines_h(table) ? 0 : 'h', "help", NULL, "Show this help", 0};

	for (const struct opt *o = table; o && o->name; o++)
		if (complete_lists(o))
			put_option(out, v, verb, o);
	put_option(out, v, verb, &help);
}

static void put_verb(struct strbuf *out, const struct complete_verbs *v, const struct verb *verb)
{
	const char *second = strchr(verb->name, ' '), *usage = verb->usage;
	char group[64] = "";
	struct complete_word w;

	if (second)
		snprintf(group, sizeof(group), "%.*s", (int)(second - verb->name), verb->name);
	put_start(out, group);
	strbuf_printf(out, " -a %s -d ", second ? second + 1 : verb->name);
	put_text(out, verb->summary);
	strbuf_putc(out, '\n');
	put_options(out, v, verb->name, verb->opts);
	for (int i = 0; complete_next_word(verb, &usage, &i, &w);) {
		_cleanup_(strbuf_free) struct strbuf kinds = {0};

		complete_put_word(&kinds, v, verb, &w, ' ');
		if (kinds.len == 0)
			continue;
		put_start(out, verb->name);
		strbuf_printf(out, " -a '(__@F@_ask %s)'\n", kinds.p);
	}
}

/* The first words of the two-word verbs, each with a space before it. */
static void put_groups(struct strbuf *out, const struct complete_verbs *v)
{
	size_t len;

	for (size_t i = 0; i < v->n; i++)
		if (complete_opens_group(v, i, &len))
			strbuf_printf(out, " %.*s", (int)len, v->list[i]->name);
}

void complete_fish(struct strbuf *out, const struct complete_verbs *v)
{
	_cleanup_(strbuf_free) struct strbuf script = {0};
	size_t len;

	strbuf_puts(&script, head);
	for (const struct opt *o = v->globals; o && o->name; o++) {
		if (!complete_lists(o) || o->type == OPT_FLAG)
			continue;
		strbuf_printf(&script, " --%s", o->name);
		if (o->letter)
			strbuf_printf(&script, " -%c", o->letter);
	}
	strbuf_puts(&script, middle);
	put_groups(&script, v);
	strbuf_puts(&script, tail);
	complete_put_questions(&script, v, "\t\tcase ", "\n\t\t\t", "\n");
	strbuf_puts(&script, ask_end);
	put_options(&script, v, "", v->globals);
	for (size_t i = 0; i < v->n; i++) {
		if (complete_opens_group(v, i, &len)) {
			put_start(&script, "");
			strbuf_printf(&script, " -a %.*s -d 'more commands'\n", (int)len, v->list[i]->name);
		}
		if (v->list[i]->group)
			put_verb(&script, v, v->list[i]);
	}
	complete_put_script(out, script.p);
}
