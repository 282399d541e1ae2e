/* Completion for bash 4.3 and later; needs nothing of the bash-completion package. */
#include "cli/opt_complete.h"

static const char bash_head[] =
	"# bash completion for @P@; to try it: source <(@P@ help --completion bash)\n"
	"\n"
	"# Sets opts, args, rest and min, or subs for a group, of the verb $1. An option that takes a value\n"
	"# ends in = and what is known of the value; args has a word for each argument, + when it repeats.\n"
	"_@F@_table() {\n"
	"\topts='' args='' rest='' min=0 subs=''\n"
	"\tcase $1 in\n";

static const char bash_table_end[] = "\t*) return 1 ;;\n"
				     "\tesac\n"
				     "}\n"
				     "\n"
				     "# Prints the words of kind $1.\n"
				     "_@F@_ask() {\n"
				     "\tcase $1 in\n";

static const char bash_body[] =
	";;\n"
	"\t-) ;;\n"
	"\t*) printf '%s\\n' \"$1\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# Adds what starts with $2 of the kinds $1. Nothing is expanded: names are data.\n"
	"_@F@_add() {\n"
	"\tlocal kind line\n"
	"\tlocal -a kinds list\n"
	"\tIFS='|' read -ra kinds <<<\"$1\"\n"
	"\tfor kind in \"${kinds[@]}\"; do\n"
	"\t\tcase $kind in\n"
	"\t\tFILE) compopt -o filenames 2>/dev/null; mapfile -t list < <(compgen -f -- \"$2\") ;;\n"
	"\t\tDIR) compopt -o filenames 2>/dev/null; mapfile -t list < <(compgen -d -- \"$2\") ;;\n"
	"\t\t*) mapfile -t list < <(_@F@_ask \"$kind\") ;;\n"
	"\t\tesac\n"
	"\t\tfor line in \"${list[@]}\"; do\n"
	"\t\t\tif [[ $kind != FILE && $kind != DIR && $line == *[!A-Za-z0-9_.:/@+-]* ]]; then continue; fi\n"
	"\t\t\tif [[ $line == \"$2\"* ]]; then COMPREPLY+=(\"$line\"); fi\n"
	"\t\tdone\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# Puts the words up to the cursor into words, joining what bash took apart at : and =.\n"
	"_@F@_split() {\n"
	"\tlocal i before line=$COMP_LINE word\n"
	"\twords=()\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tbefore=${line%%[![:space:]]*}\n"
	"\t\tline=${line:${#before}}\n"
	"\t\tline=${line:${#word}}\n"
	"\t\tif [[ $i == 0 || -n $before ]]; then words+=(\"$word\"); else words[-1]+=$word; fi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# Sets value to the kind of the value that option word $1 wants in the next word; false for none.\n"
	"_@F@_wants() {\n"
	"\tlocal i o name=$1\n"
	"\tif [[ $1 != --* ]]; then\n"
	"\t\tfor ((i = 1; i < ${#1}; i++)); do\n"
	"\t\t\tname=-${1:i:1}\n"
	"\t\t\tif [[ \" $opts \" == *\" $name=\"* ]]; then break; fi\n"
	"\t\tdone\n"
	"\t\tif ((i < ${#1} - 1)); then return 1; fi\n"
	"\tfi\n"
	"\tfor o in $opts; do\n"
	"\t\tif [[ $o == \"$name=\"* ]]; then value=${o#*=}; return 0; fi\n"
	"\tdone\n"
	"\treturn 1\n"
	"}\n"
	"\n"
	"# Reads the words before the one to complete: verb, its table, count of arguments, pending value.\n"
	"_@F@_read() {\n"
	"\tlocal i word plain=''\n"
	"\tverb='' group='' count=0 pending='' inside=''\n"
	"\t_@F@_table ''\n"
	"\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tif [[ -n $pending ]]; then\n"
	"\t\t\tpending=''\n"
	"\t\telif [[ $word == -- && -z $plain ]]; then\n"
	"\t\t\tplain=1\n"
	"\t\telif [[ $word == -?* && -z $plain ]]; then\n"
	"\t\t\tif [[ $word != --*=* ]] && _@F@_wants \"$word\"; then pending=1; fi\n"
	"\t\telif [[ -n $verb ]]; then\n"
	"\t\t\t((++count))\n"
	"\t\t\tif [[ -n $rest && $count -ge $min ]]; then inside=1; return; fi\n"
	"\t\telif ! _@F@_table \"${group:+$group }$word\"; then\n"
	"\t\t\tinside=1; return\n"
	"\t\telif [[ -n $subs ]]; then\n"
	"\t\t\tgroup=$word\n"
	"\t\telse\n"
	"\t\t\tverb=${group:+$group }$word\n"
	"\t\tfi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# Completes an argument of the verb, or the verb.\n"
	"_@F@_argument() {\n"
	"\tlocal -a list\n"
	"\tif [[ -z $verb && -n $group ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$subs\" -- \"$1\")\n"
	"\telif [[ -z $verb ]]; then\n"
	"\t\t_@F@_add VERB \"$1\"\n"
	"\telse\n"
	"\t\tread -ra list <<<\"$args\"\n"
	"\t\tif ((count >= ${#list[@]})); then\n"
	"\t\t\tif [[ $args != *+ ]]; then return; fi\n"
	"\t\t\tcount=$((${#list[@]} - 1))\n"
	"\t\tfi\n"
	"\t\t_@F@_add \"${list[count]%+}\" \"$1\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_@F@() {\n"
	"\tlocal opts args rest min subs verb group count pending inside value='' cur o c breaks='' lead=''\n"
	"\tlocal -a words\n"
	"\tCOMPREPLY=()\n"
	"\t_@F@_split\n"
	"\t_@F@_read\n"
	"\tcur=${words[-1]}\n"
	"\tif [[ -n $inside ]]; then return; fi\n"
	"\tfor c in : = @; do if [[ $COMP_WORDBREAKS == *$c* ]]; then breaks+=$c; fi; done\n"
	"\tif [[ -n $pending ]]; then\n"
	"\t\t_@F@_add \"${value:--}\" \"$cur\"\n"
	"\telif [[ $cur == --*=* ]]; then\n"
	"\t\tif [[ $breaks != *=* ]]; then lead=${cur%%=*}=; fi\n"
	"\t\tif _@F@_wants \"${cur%%=*}\"; then _@F@_add \"${value:--}\" \"${cur#*=}\"; fi\n"
	"\t\tcur=${cur#*=}\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tfor o in $opts; do\n"
	"\t\t\tif [[ ${o%%=*} == \"$cur\"* ]]; then COMPREPLY+=(\"${o%%=*}\"); fi\n"
	"\t\tdone\n"
	"\telse\n"
	"\t\t_@F@_argument \"$cur\"\n"
	"\tfi\n"
	"\t# Readline replaces only what follows the last : or = of the word.\n"
	"\tif [[ -n $breaks && $cur == *[\"$breaks\"]* ]]; then\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*[\"$breaks\"]}\"}\"}\")\n"
	"\tfi\n"
	"\tCOMPREPLY=(\"${COMPREPLY[@]/#/$lead}\")\n"
	"}\n"
	"complete -F _@F@ @P@\n";

static void bash_options(struct strbuf *out, const struct complete_verbs *v, const struct opt *table)
{
	strbuf_puts(out, "opts='");
	for (const struct opt *o = table; o && o->name; o++) {
		if (!complete_lists(o))
			continue;
		for (int letter = o->letter != 0; letter >= 0; letter--) {
			if (letter)
				strbuf_printf(out, "-%c", o->letter);
			else
				strbuf_printf(out, "--%s", o->name);
			if (o->type != OPT_FLAG) {
				strbuf_putc(out, '=');
				complete_put_kinds(out, v, o->arg ? o->arg : "", o->arg ? strlen(o->arg) : 0, '|');
			}
			strbuf_putc(out, ' ');
		}
	}
	strbuf_puts(out, complete_defines_h(table) ? "--help'" : "-h --help'");
}

static void bash_verb(struct strbuf *out, const struct complete_verbs *v, const struct verb *verb)
{
	const char *usage = verb->usage;
	struct complete_word w;

	strbuf_printf(out, "\t'%s')\n\t\t", verb->name);
	bash_options(out, v, verb->opts);
	strbuf_puts(out, "\n\t\targs='");
	for (int i = 0; complete_next_word(verb, &usage, &i, &w);) {
		_cleanup_(strbuf_free) struct strbuf kinds = {0};

		complete_put_word(&kinds, v, verb, &w, '|');
		strbuf_printf(out, "%s%s%s", i > 1 ? " " : "", kinds.len ? kinds.p : "-", w.repeated ? "+" : "");
	}
	strbuf_printf(out, "'%s min=%d\n\t\t;;\n", verb->rest_is_command ? " rest=1" : "", verb->min_args);
}

/* What one types as first words: verbs of one word, and groups. */
static void bash_first_words(struct strbuf *out, const struct complete_verbs *v)
{
	for (size_t i = 0; i < v->n; i++) {
		size_t len;
		bool group = complete_opens_group(v, i, &len);

		if (group || (opt_verb_listed(v->list[i]) && !v->list[i]->name[len]))
			strbuf_printf(out, "%.*s ", (int)len, v->list[i]->name);
	}
}

static void bash_group(struct strbuf *out, const struct complete_verbs *v, const char *name, size_t len)
{
	strbuf_printf(out, "\t'%.*s') subs='", (int)len, name);
	for (size_t i = 0; i < v->n; i++)
		if (complete_in_group(v, i, name, len))
			strbuf_printf(out, "%s ", v->list[i]->name + len + 1);
	strbuf_puts(out, "' ;;\n");
}

void complete_bash(struct strbuf *out, const struct complete_verbs *v)
{
	complete_put_script(out, bash_head);
	strbuf_puts(out, "\t'')\n\t\t");
	bash_options(out, v, v->globals);
	strbuf_puts(out, "\n\t\t;;\n");
	for (size_t i = 0; i < v->n; i++) {
		size_t len;

		if (complete_opens_group(v, i, &len))
			bash_group(out, v, v->list[i]->name, len);
		if (opt_verb_listed(v->list[i]))
			bash_verb(out, v, v->list[i]);
	}
	complete_put_script(out, bash_table_end);
	complete_put_questions(out, v, "\t", ") ", " ;;\n");
	strbuf_puts(out, "\tVERB) printf '%s\\n' ");
	bash_first_words(out, v);
	complete_put_script(out, bash_body);
}
