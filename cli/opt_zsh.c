/* Completion for zsh, by its _arguments and _describe. */
#include "cli/opt_complete.h"

static const char zsh_head[] = "#compdef @P@\n"
			       "# zsh completion for @P@; to try it: source <(@P@ help --completion zsh)\n"
			       "compdef _@F@ @P@\n"
			       "\n"
			       "# Adds the words of the kinds given.\n"
			       "_@F@_ask() {\n"
			       "\tlocal kind\n"
			       "\tfor kind; do\n"
			       "\t\tcase $kind in\n";

static const char zsh_ask_end[] = "\t\tFILE) _files ;;\n"
				  "\t\tDIR) _files -/ ;;\n"
				  "\t\tVERB) _@F@_group '' ;;\n"
				  "\t\t*) compadd -- $kind ;;\n"
				  "\t\tesac\n"
				  "\tdone\n"
				  "}\n"
				  "\n"
				  "# Completes a verb of group $1; '' is those of one word, and the groups.\n"
				  "_@F@_group() {\n"
				  "\tlocal -a list\n"
				  "\tcase $1 in\n";

static const char zsh_group_end[] = "\tesac\n"
				    "\t_describe command list\n"
				    "}\n"
				    "\n"
				    "# Completes the options and arguments of verb $1.\n"
				    "_@F@_verb() {\n"
				    "\tcase $1 in\n";

static const char zsh_verb_end[] = "\tesac\n"
				   "}\n"
				   "\n"
				   "_@F@() {\n"
				   "\tlocal state line verb groups='";

static const char zsh_tail[] = " \\\n\t\t'1:command: _@F@_ask VERB' '*:: :->verb' && return\n"
			       "\tverb=$words[1]\n"
			       "\tif [[ \" $groups \" == *\" $verb \"* ]]; then\n"
			       "\t\tif ((CURRENT == 2)); then _@F@_group $verb; return; fi\n"
			       "\t\tverb=\"$verb $words[2]\"\n"
			       "\t\tshift words\n"
			       "\t\t((CURRENT--))\n"
			       "\tfi\n"
			       "\t_@F@_verb \"$verb\"\n"
			       "}\n"
			       "\n"
			       "if [[ $funcstack[1] == _@F@ ]]; then _@F@ \"$@\"; fi\n";

static const char zsh_special[] = "[]:\\", zsh_quote[] = "'\\''";

/* "\t\t'NAME:SUMMARY'" for _describe. */
static void zsh_choice(struct strbuf *out, const char *name, size_t len, const char *summary)
{
	strbuf_printf(out, "\t\t\t'%.*s:", (int)len, name);
	complete_put_quoted(out, summary, zsh_special, zsh_quote);
	strbuf_puts(out, "'\n");
}

static void zsh_groups(struct strbuf *out, const struct complete_verbs *v)
{
	size_t len;

	strbuf_puts(out, "\t'') list=(\n");
	for (size_t i = 0; i < v->n; i++) {
		const struct verb *verb = v->list[i];
		bool group = complete_opens_group(v, i, &len);

		if (group || (opt_verb_listed(verb) && !verb->name[len]))
			zsh_choice(out, verb->name, len, group ? "more commands" : verb->summary);
	}
	strbuf_puts(out, "\t\t) ;;\n");
	for (size_t i = 0; i < v->n; i++) {
		if (!complete_opens_group(v, i, &len))
			continue;
		strbuf_printf(out, "\t%.*s) list=(\n", (int)len, v->list[i]->name);
		for (size_t j = i; j < v->n; j++) {
			const char *second = v->list[j]->name + len + 1;

			if (complete_in_group(v, j, v->list[i]->name, len))
				zsh_choice(out, second, strlen(second), v->list[j]->summary);
		}
		strbuf_puts(out, "\t\t) ;;\n");
	}
}

/* " \" and a new line with one _arguments specification for one spelling of O. */
static void zsh_option(struct strbuf *out, const struct complete_verbs *v, const struct opt *o, bool letter)
{
	strbuf_puts(out, " \\\n\t\t'");
	if (o->type == OPT_STRS)
		strbuf_putc(out, '*');
	else if (o->letter)
		strbuf_printf(out, "(-%c --%s)", o->letter, o->name);
	if (letter)
		strbuf_printf(out, "-%c%s[", o->letter, o->type == OPT_FLAG ? "" : "+");
	else
		strbuf_printf(out, "--%s%s[", o->name, o->type == OPT_FLAG ? "" : "=");
	complete_put_quoted(out, o->help, zsh_special, zsh_quote);
	strbuf_putc(out, ']');
	if (o->type != OPT_FLAG) {
		_cleanup_(strbuf_free) struct strbuf kind = {0};
		const char *arg = o->arg ? o->arg : "VALUE";

		complete_put_kinds(&kind, v, arg, strlen(arg), ' ');
		strbuf_putc(out, ':');
		complete_put_quoted(out, arg, zsh_special, zsh_quote);
		strbuf_putc(out, ':');
		if (kind.len)
			strbuf_printf(out, " _@F@_ask %s", kind.p);
	}
	strbuf_putc(out, '\'');
}

static void zsh_options(struct strbuf *out, const struct complete_verbs *v, const struct opt *table)
{
	static const struct opt help = {OPT_FLAG, 'h', "help", NULL, "Show this help", 0};

	for (const struct opt *o = table; o && o->name; o++) {
		if (complete_lists(o) && o->letter)
			zsh_option(out, v, o, true);
		if (complete_lists(o))
			zsh_option(out, v, o, false);
	}
	if (!complete_defines_h(table))
		zsh_option(out, v, &help, true);
	zsh_option(out, v, &help, false);
}

static void zsh_verb(struct strbuf *out, const struct complete_verbs *v, const struct verb *verb)
{
	const char *usage = verb->usage;
	struct complete_word w;

	strbuf_printf(out, "\t'%s')\n\t\t_arguments -s -S%s", verb->name, verb->rest_is_command ? " -A '-*'" : "");
	zsh_options(out, v, verb->opts);
	for (int i = 0; complete_next_word(verb, &usage, &i, &w);) {
		_cleanup_(strbuf_free) struct strbuf kinds = {0};

		complete_put_word(&kinds, v, verb, &w, ' ');
		if (w.repeated)
			strbuf_puts(out, " \\\n\t\t'*:");
		else
			strbuf_printf(out, " \\\n\t\t'%d:", i);
		strbuf_printf(out, "%.*s:%s%s'", (int)strspn(w.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ|-"), w.text,
			      kinds.len ? " _@F@_ask " : " ", strbuf_str(&kinds));
	}
	strbuf_puts(out, "\n\t\t;;\n");
}

void complete_zsh(struct strbuf *out, const struct complete_verbs *v)
{
	/* Gathered with @F@ in it, then written at once. */
	_cleanup_(strbuf_free) struct strbuf script = {0};
	size_t len;

	strbuf_puts(&script, zsh_head);
	complete_put_questions(&script, v, "\t\t", ") compadd -- ${(f)\"$(", ")\"} ;;\n");
	strbuf_puts(&script, zsh_ask_end);
	zsh_groups(&script, v);
	strbuf_puts(&script, zsh_group_end);
	for (size_t i = 0; i < v->n; i++)
		if (opt_verb_listed(v->list[i]))
			zsh_verb(&script, v, v->list[i]);
	strbuf_puts(&script, zsh_verb_end);
	for (size_t i = 0; i < v->n; i++)
		if (complete_opens_group(v, i, &len))
			strbuf_printf(&script, "%.*s ", (int)len, v->list[i]->name);
	strbuf_puts(&script, "'\n\t_arguments -C -s -S -A '-*'");
	zsh_options(&script, v, v->globals);
	strbuf_puts(&script, zsh_tail);
	complete_put_script(out, script.p);
}
