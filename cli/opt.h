/*
 * The command line, as data.
 *
 * A verb is a `struct verb`: its options are a table that says where each value goes, and that one
 * table gives parsing, `--help`, the manual page and shell completion (`ctr help --man|--completion`).
 *
 * Every verb answers --help, and -h too unless its table gives the letter another meaning.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum opt_type {
	OPT_FLAG,     /* bool; "--x" sets, "--x=false" clears */
	OPT_STR,      /* const char *, into argv; the last one wins */
	OPT_STRS,     /* struct strv; may be repeated */
	OPT_U64,      /* uint64_t, decimal */
	OPT_I64,      /* int64_t, decimal */
	OPT_BYTES,    /* uint64_t, "512m" */
	OPT_LIMIT,    /* int64_t, "512m", or "-1": no limit */
	OPT_DURATION, /* int64_t nanoseconds, "1m30s", "500ms" or plain seconds */
	OPT_HEADING,  /* no option: starts a group in --help ("Resources") */
};

struct opt {
	enum opt_type type;
	char letter;      /* 0: none */
	const char *name; /* long name without "--"; the text of a heading */
	/* "NAME", "HOST:CTR[:ro]", or the choices "always|missing|never"; NULL for a flag. Shell completion
	 * knows CONTAINER, IMAGE, NETWORK, VOLUME, FILE, DIR, HOST:CTR and so on, see opt_complete.c. */
	const char *arg;
	const char *help; /* one line, no full stop; NULL: accepted but not listed, for an alias */
	size_t offset;    /* in the verb's options structure */
};

#define OPT_END                                                                                                        \
	{                                                                                                              \
		.name = NULL                                                                                           \
	}

struct verb {
	const char *name;       /* one word, or two: "network create" */
	const char *usage;      /* what follows the name: "[OPTIONS] IMAGE [COMMAND [ARG...]]" */
	const char *summary;    /* one line for the list of verbs, no full stop; NULL: not for users, listed nowhere */
	const char *details;    /* further paragraphs for --help and the manual, or NULL; lines that start with
				 * a space are kept as they are */
	const char *examples;   /* lines "$ ctr run ...", one at least */
	const char *group;      /* heading in `ctr --help`: "Containers", "Images"; NULL: "Commands" */
	const struct opt *opts; /* ends with OPT_END; NULL: none */
	size_t opts_size;       /* of the options structure */
	const void *defaults;   /* what that structure is before parsing; NULL: zeroes. Its strvs are empty. */
	int min_args, max_args; /* positional; max -1: any number */
	bool rest_is_command;   /* no options are looked for behind the min_args-th positional (run, exec) */
	/* OPTS is the filled structure. Returns the exit status (0..255), or a negative errno, which the
	 * caller reports with error_text() and turns into 125. */
	int (*run)(void *opts, int argc, char **argv);
};

static inline bool opt_verb_listed(const struct verb *verb)
{
	return verb->summary;
}

static inline const char *opt_verb_group(const struct verb *verb)
{
	return verb->group ? verb->group : "Commands";
}

/* True for the first listed verb of its group in the array. */
bool opt_opens_group(const struct verb *const *verbs, size_t i);

/* NAME is the word before the verb in texts ("ctr" or "ctr-oci"), SUMMARY one line of what it is for.
 * Both are kept, not copied. */
void opt_set_program(const char *name, const char *summary);
const char *opt_program(void);
const char *opt_program_summary(void);

/*
 * Parses ARGV (argv[0] is the verb's name) into OPTS (verb->opts_size bytes) by VERB's table. Clusters
 * ("-it"), attached values ("-eA=B", "-e=A=B", "--env=A=B"), "--". On success *ARGC and *ARGV are the
 * positional arguments, NULL-terminated; the vector is rearranged in place. Returns 0, 1 when --help
 * was asked and printed, or -EINVAL, recorded: an unknown option names the nearest known one and says
 * how to get help. *ARGC is 1 at least. Unless 0 is returned there is nothing to free.
 */
int opt_parse(const struct verb *verb, void *opts, int *argc, char ***argv);

/* The same for the options before the verb; argv[0] is the program. 1 means that help was asked, and
 * nothing is printed: the caller has opt_print_overview. */
int opt_parse_globals(const struct opt *globals, void *opts, size_t opts_size, int *argc, char ***argv);

/* Frees the strv members of OPTS. */
void opt_free(const struct verb *verb, void *opts);

/*
 * Finds the verb whose one or two words ARGV starts with and moves *ARGC and *ARGV so that argv[0] is the
 * last word of its name. Returns 0, 1 when help about a group ("network --help") was asked and printed,
 * or -EINVAL, recorded, with what is near.
 */
int opt_find_verb(const struct verb *const *verbs, size_t n, int *argc, char ***argv, const struct verb **out);

void opt_print_help(const struct verb *verb);
void opt_print_overview(const struct verb *const *verbs, size_t n, const struct opt *globals);
/* The verbs whose first word is WORD. */
void opt_print_group(const struct verb *const *verbs, size_t n, const char *word);
/* roff(7) man page of all listed verbs. */
void opt_print_man(const struct verb *const *verbs, size_t n, const struct opt *globals);
/* The completion script for "bash", "zsh" or "fish"; -EINVAL, recorded, for another shell. */
int opt_print_completion(const struct verb *const *verbs, size_t n, const struct opt *globals, const char *shell);

/* The name in VERBS that is nearest to WORD, or NULL when none is near. */
const char *opt_nearest_verb(const struct verb *const *verbs, size_t n, const char *word);
