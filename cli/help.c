/* ctr help: the same tables as --help, as a page, a manual, or the completion of a shell. */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/engine.h"
#include "cli/opt.h"

struct help_opts {
	bool man;
	const char *completion;
};

static const struct opt help_table[] = {
	{OPT_FLAG, 0, "man", NULL, "Print the manual page, for man(1)", offsetof(struct help_opts, man)},
	{OPT_STR, 0, "completion", "bash|zsh|fish", "Print what completes ctr's commands in that shell",
	 offsetof(struct help_opts, completion)},
	OPT_END,
};

/* True when WORD is the first of several verbs' two ("system"). */
static bool is_group(const struct verb *const *verbs, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		const char *rest = after_prefix(verbs[i]->name, word);

		if (rest && *rest == ' ')
			return true;
	}
	return false;
}

static int help_about(const struct verb *const *verbs, size_t n, int argc, char **argv)
{
	const struct verb *verb;

	if (argc == 1 && is_group(verbs, n, argv[0])) {
		opt_print_group(verbs, n, argv[0]);
		return 0;
	}
	int r = opt_find_verb(verbs, n, &argc, &argv, &verb);
	if (r != 0)
		return r < 0 ? r : 0;
	/* ARGV[0] is the last word of the name now. */
	if (argc > 1)
		return refuse(-EINVAL, "help is about one command: \"%.64s\" is more than `%s help %s`", argv[1],
			      opt_program(), verb->name);
	opt_print_help(verb);
	return 0;
}

static int help_run(void *opts, int argc, char **argv)
{
	const struct help_opts *o = opts;
	size_t n;
	const struct verb *const *verbs = engine_verbs(&n);

	if (o->man + (o->completion != NULL) + (argc > 0) > 1)
		return refuse(-EINVAL, "give --man, --completion or a command, one of them");
	if (o->man)
		opt_print_man(verbs, n, cli_global_options());
	else if (o->completion)
		return opt_print_completion(verbs, n, cli_global_options(), o->completion);
	else if (argc > 0)
		return help_about(verbs, n, argc, argv);
	else
		opt_print_overview(verbs, n, cli_global_options());
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.usage = "[OPTIONS] [COMMAND]",
	.summary = "Show how a command is used",
	.examples = "$ ctr help run\n"
		    "$ ctr help --man | man -l -\n"
		    "$ ctr help --completion bash > /etc/bash_completion.d/ctr\n",
	.group = "System",
	.opts = help_table,
	.opts_size = sizeof(struct help_opts),
	.max_args = 2,
	.run = help_run,
};
