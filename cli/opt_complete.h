/* What the writers of the completion scripts share: opt_bash.c, opt_zsh.c, opt_fish.c. */
#pragma once

#include "cli/opt.h"

struct complete_verbs {
	const struct verb *const *list;
	size_t n;
	const struct opt *globals;
};

void complete_bash(struct strbuf *out, const struct complete_verbs *v);
void complete_zsh(struct strbuf *out, const struct complete_verbs *v);
void complete_fish(struct strbuf *out, const struct complete_verbs *v);

/*
 * Appends the kinds and choices in TEXT ("always|missing|never", "CONTAINER|IMAGE", "CONTAINER[:PATH]")
 * with SEP between them; nothing for a free text. Besides the kinds in opt_complete.c there is VERB.
 */
void complete_put_kinds(struct strbuf *out, const struct complete_verbs *v, const char *text, size_t len, char sep);
/* For each kind that the program is asked for: START KIND MIDDLE, the command line, END. */
void complete_put_questions(struct strbuf *out, const struct complete_verbs *v, const char *start, const char *middle,
			    const char *end);

/* A positional argument in a usage line. */
struct complete_word {
	const char *text;
	size_t len;
	bool repeated;
};

/* The next argument of VERB that can be completed, without brackets and dots; *INDEX counts from 0.
 * *USAGE starts as verb->usage. False at the end. */
bool complete_next_word(const struct verb *verb, const char **usage, int *index, struct complete_word *w);
/* Appends the kinds and choices of one of VERB's arguments. */
void complete_put_word(struct strbuf *out, const struct complete_verbs *v, const struct verb *verb,
		       const struct complete_word *w, char sep);

/* Options that are shown, and whether -h is the table's own. */
bool complete_lists(const struct opt *o);
bool complete_defines_h(const struct opt *table);

/* True for the first verb of a two-word group; *LEN is the length of its first word. */
bool complete_opens_group(const struct complete_verbs *v, size_t i, size_t *len);
/* True when verb I belongs to the group whose name is the first LEN bytes of NAME. */
bool complete_in_group(const struct complete_verbs *v, size_t i, const char *name, size_t len);

/* S for a place between single quotes: each character of SPECIAL gets a backslash, a quote becomes QUOTE. */
void complete_put_quoted(struct strbuf *out, const char *s, const char *special, const char *quote);
/* Appends TEMPLATE with @F@ replaced by a name for functions and @P@ by the program. */
void complete_put_script(struct strbuf *out, const char *template);
