/* Completion for fish 3. */
#include "cli/opt_complete.h"

#include <stdio.h>

static const char head[] = "# fish completion for @P@; to try it: @P@ help --completion fish | source\n"
			   "\n"
			   "# Prints the options of verb $argv[1] that take a value.\n"
			   "function __@F@_values\n"
			   "\tswitch $argv[1]\n";

static const char values_end[] =
	"\tend\n"
	"end\n"
	"\n"
	"# Prints how many arguments verb $argv[1] has before the command for the container starts.\n"
	"function __@F@_before\n"
	"\tswitch $argv[1]\n";

static const char before_end[] =
	"\tcase '*'\n"
	"\t\techo 1000\n"
	"\tend\n"
	"end\n"
	"\n"
	"# Prints the verb on the command line, its group while there is no more, or nothing; \"inside\" in the\n"
	"# command for the container.\n"
	"function __@F@_verb\n"
	"\tset -l tokens (commandline -opc)\n"
	"\tset -l verb\n"
	"\tset -l skip 0\n"
	"\tset -l count 0\n"
	"\tfor token in $tokens[2..]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\telse if string match -q -- '-*' $token\n"
	"\t\t\tcontains -- $token (__@F@_values \"$verb\"); and set skip 1\n"
	"\t\telse if test -z \"$verb\"; or contains -- \"$verb\"";

static const char verb_end[] = "\n"
			       "\t\t\tset -a verb $token\n"
			       "\t\telse\n"
			       "\t\t\tset count (math $count + 1)\n"
			       "\t\t\tif test $count -ge (__@F@_before \"$verb\")\n"
			       "\t\t\t\techo inside\n"
			       "\t\t\t\treturn\n"
			       "\t\t\tend\n"
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
			      "\t\t\t# by -F\n"
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

/* What a value can be; ALONE says that files are no choice. */
static void put_kinds(struct strbuf *out, const struct strbuf *kinds, const char *alone)
{
	strbuf_puts(out, strstr(strbuf_str(kinds), "FILE") ? " -r -F" : alone);
	if (kinds->len)
		strbuf_printf(out, " -a '(__@F@_ask %s)'", kinds->p);
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
		put_kinds(out, &kinds, " -x");
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
		put_kinds(out, &kinds, "");
		strbuf_putc(out, '\n');
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

static void put_values(struct strbuf *out, const char *verb, const struct opt *table)
{
	strbuf_printf(out, "\tcase '%s'\n\t\tstring split ' ' -- '", verb);
	for (const struct opt *o = table; o && o->name; o++) {
		if (!complete_lists(o) || o->type == OPT_FLAG)
			continue;
		strbuf_printf(out, " --%s", o->name);
		if (o->letter)
			strbuf_printf(out, " -%c", o->letter);
	}
	strbuf_puts(out, "'\n");
}

/* The functions that find out where on the command line the cursor is. */
static void put_functions(struct strbuf *out, const struct complete_verbs *v)
{
	strbuf_puts(out, head);
	put_values(out, "", v->globals);
	for (size_t i = 0; i < v->n; i++)
		if (opt_verb_listed(v->list[i]))
			put_values(out, v->list[i]->name, v->list[i]->opts);
	strbuf_puts(out, values_end);
	for (size_t i = 0; i < v->n; i++)
		if (opt_verb_listed(v->list[i]) && v->list[i]->rest_is_command)
			strbuf_printf(out, "\tcase '%s'\n\t\techo %d\n", v->list[i]->name, v->list[i]->min_args);
	strbuf_puts(out, before_end);
	put_groups(out, v);
	strbuf_puts(out, verb_end);
	complete_put_questions(out, v, "\t\tcase ", "\n\t\t\t", "\n");
	strbuf_puts(out, ask_end);
}

void complete_fish(struct strbuf *out, const struct complete_verbs *v)
{
	/* Gathered with @F@ in it, then written at once. */
	_cleanup_(strbuf_free) struct strbuf script = {0};
	size_t len;

	put_functions(&script, v);
	put_options(&script, v, "", v->globals);
	for (size_t i = 0; i < v->n; i++) {
		if (complete_opens_group(v, i, &len)) {
			put_start(&script, "");
			strbuf_printf(&script, " -a %.*s -d 'more commands'\n", (int)len, v->list[i]->name);
		}
		if (opt_verb_listed(v->list[i]))
			put_verb(&script, v, v->list[i]);
	}
	complete_put_script(out, script.p);
}
