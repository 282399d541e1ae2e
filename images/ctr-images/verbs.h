/* The verbs of ctr-images: each gets its own arguments (argv[0] is the verb) and gives an exit status. */
#pragma once

struct verb {
	const char *name;
	const char *usage; /* the arguments, then lines that explain them */
	int (*run)(int argc, char **argv);
};

int verb_import(int argc, char **argv);
int verb_export(int argc, char **argv);

extern const char import_usage[], export_usage[];

/* Reports that the arguments of VERB are not right, with how they should be. An exit status. */
int usage_error(const char *verb, const char *usage);
