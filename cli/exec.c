/* ctr exec. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/exec_common.h"

struct exec_opts {
	bool detach, interactive, tty, privileged;
	const char *user, *workdir;
	struct strv env;
};

static const struct opt exec_table[] = {
	{OPT_FLAG, 'd', "detach", NULL, "Return at once", offsetof(struct exec_opts, detach)},
	{OPT_FLAG, 'i', "interactive", NULL, "Pass our standard input on", offsetof(struct exec_opts, interactive)},
	{OPT_FLAG, 't', "tty", NULL, "Give it a terminal", offsetof(struct exec_opts, tty)},
	{OPT_STR, 'u', "user", "USER[:GROUP]", "User and group, by name or number", offsetof(struct exec_opts, user)},
	{OPT_STR, 'w', "workdir", "DIR", "Working directory", offsetof(struct exec_opts, workdir)},
	{OPT_STRS, 'e', "env", "NAME[=VALUE]", "Set a variable; without a value: ours",
	 offsetof(struct exec_opts, env)},
	{OPT_FLAG, 0, "privileged", NULL, "With every capability and without seccomp",
	 offsetof(struct exec_opts, privileged)},
	OPT_END,
};

static int exec_run(void *opts, int argc, char **argv)
{
	struct exec_opts *o = opts;
	_cleanup_(freep) char *cache = xasprintf("%s/seccomp", globals.state);
	struct exec_changes changes = {.env = &o->env,
				       .cwd = o->workdir,
				       .user = o->user,
				       .terminal = o->tty,
				       .privileged = o->privileged,
				       .args = argv + 1,
				       .n_args = (size_t)argc - 1};
	struct exec_session e = {.changes = &changes,
				 .engine = true,
				 .argv0 = cli_argv0,
				 .cache_dir = cache,
				 .detach = o->detach,
				 .no_input = !o->interactive || o->detach,
				 .relay_console = true};
	struct found f;
	bool exec_failed = false;
	int r = cli_seal();

	if (r < 0)
		return r;
	if (o->tty && o->detach)
		return refuse(-EINVAL, "-t and -d do not go together: nobody would hold the terminal");
	if (o->tty && o->interactive && !isatty(STDIN_FILENO))
		return refuse(-ENOTTY, "the input is not a terminal: leave out -t");
	if ((r = record_open(cli_engine(), argv[0], &f)) < 0)
		return r;
	e.config_dir = f.dir;
	if (f.state_dir < 0)
		r = refuse(-EINVAL, "container %s is not running", f.record.name);
	else
		r = exec_in_container(f.state_dir, &f.state, &e, &exec_failed);
	found_close(&f);
	if (r < 0 && exec_failed) {
		report_error();
		return exec_exit_status(r);
	}
	return r;
}

const struct verb verb_exec = {
	.name = "exec",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	.summary = "Run a further program in a running container",
	.examples = "$ ctr exec -it web sh\n$ ctr exec -u nobody -w /tmp web id\n",
	.opts = exec_table,
	.opts_size = sizeof(struct exec_opts),
	.min_args = 2,
	.max_args = -1,
	.rest_is_command = true,
	.run = exec_run,
};
