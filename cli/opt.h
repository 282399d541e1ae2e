/*
 * The command line, as data.
 *
 * A verb is a `struct verb`: its options are a table that says where each value goes, and that one
 * table gives parsing, `--help`, the manual page and shell completion (`ctr help --man|--completion`).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum opt_type {
	OPT_FLAG,	/* bool; "--x" sets, "--x=false" clears */
	OPT_STR,	/* const char *; the last one wins */
	OPT_STRS,	/* struct strv; may be repeated */
	OPT_U64,	/* uint64_t, decimal */
	OPT_I64,	/* int64_t, decimal */
	OPT_BYTES,	/* uint64_t, "512m" */
	OPT_HEADING,	/* no option: starts a group in --help ("Resources") */
};

struct opt {
	enum opt_type type;
	char letter;		/* 0: none */
	const char *name;	/* long name without "--"; the text of a heading */
	const char *arg;	/* "NAME", "HOST:CTR[:ro]"; NULL for a flag */
	const char *help;	/* one line, no full stop */
	size_t offset;		/* in the verb's options structure */
};

#define OPT_END {.name = NULL}

struct verb {
	const char *name;
	const char *usage;	/* what follows the name: "[OPTIONS] IMAGE [COMMAND [ARG...]]" */
	const char *summary;	/* one line for the list of verbs */
	const char *details;	/* further paragraphs for --help and the manual, or NULL */
	const char *examples;	/* lines "$ ctr run ...", one at least */
	const char *group;	/* heading in `ctr --help`: "Containers", "Images", "System" */
	const struct opt *opts; /* ends with OPT_END; NULL: none */
	size_t opts_size;	/* of the options structure, zeroed before parsing */
	int min_args, max_args; /* positional; max -1: any number */
	bool rest_is_command;	/* the first positional ends option parsing after min_args ones (run, exec) */
	/* OPTS is the filled structure. Returns the exit status (0..255), or a negative errno, which the
	 * caller reports with error_text() and turns into 125. */
	int (*run)(void *opts, int argc, char **argv);
};

/*
 * Parses ARGV (argv[0] is the verb's name) into OPTS (verb->opts_size bytes) by VERB's table. Clusters
 * ("-it"), attached values ("-eA=B", "--env=A=B"), "--". On success *ARGC/*ARGV are the positional
 * arguments. Returns 0, 1 when --help was asked and printed, or -EINVAL, recorded: an unknown option
 * names the nearest known one and says how to get help.
 */
int opt_parse(const struct verb *verb, void *opts, int *argc, char ***argv);

/* Frees the strv members of OPTS. */
void opt_free(const struct verb *verb, void *opts);

/* PROGRAM is "ctr" or "ctr-oci", the word before the verb in texts. */
void opt_print_help(const struct verb *verb, const char *program);
void opt_print_overview(const struct verb *const *verbs, size_t n, const char *program, const struct opt *globals);
/* roff(7) man page of all verbs; bash, zsh and fish completion scripts. */
void opt_print_man(const struct verb *const *verbs, size_t n, const char *program, const struct opt *globals);
int opt_print_completion(const struct verb *const *verbs, size_t n, const char *program, const char *shell);

/* The name in VERBS that is nearest to WORD, or NULL when none is near. */
const char *opt_nearest_verb(const struct verb *const *verbs, size_t n, const char *word);
