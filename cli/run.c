/* ctr run, create, start, attach. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/attach.h"
#include "cli/building.h"
#include "cli/cli.h"
#include "cli/relay.h"
#include "cli/start.h"
#include "runtime/monitor.h"

/* Before anything else goes wrong for want of it. */
static int need_root(void)
{
	return geteuid() == 0 ? 0 : refuse(-EPERM, "containers need root: run ctr with sudo");
}

static int run_run(void *opts, int argc, char **argv)
{
	const struct container_opts *o = opts;
	struct building b;
	int r = need_root();

	if (r == 0)
		r = cli_seal();

	if (r == 0 && o->tty && !o->detach && !isatty(STDIN_FILENO) && o->interactive)
		r = refuse(-ENOTTY, "the input is not a terminal: leave out -t (or -d to run in the background)");
	if (r < 0 || (r = build_container(&b, o, argv[0], argv + 1, argc - 1)) < 0)
		return r;
	struct start_how how = {.attach = !o->detach, .input = o->interactive};
	r = start_container(b.dir, &b.lock, &b.record, &how);
	if (b.lock >= 0) /* what never ran leaves nothing */
		record_remove(b.engine, &b.record);
	if (r >= 0 && o->detach && r < EXIT_ENGINE)
		puts(b.id);
	building_free(&b);
	return r;
}

const struct verb verb_run = {
	.name = "run",
	.group = "Containers",
	.usage = "[OPTIONS] IMAGE [COMMAND [ARG...]]",
	.summary = "Run a program in a new container",
	.details = "The exit status is the program's; 125 when ctr failed, 126 when the program cannot be executed, "
		   "127 when it is not there, 128 and the signal when one killed it.",
	.examples = "$ ctr run busybox echo hello\n"
		    "$ ctr run -it --rm debian bash\n"
		    "$ ctr run -d --name web -v /srv/www:/www:ro busybox httpd -f -h /www\n"
		    "$ ctr run --rm -m 256m --cpus 0.5 debian apt-get update\n",
	.opts = run_options,
	.opts_size = sizeof(struct container_opts),
	.defaults = &container_defaults,
	.min_args = 1,
	.max_args = -1,
	.rest_is_command = true,
	.run = run_run,
};

static int create_run(void *opts, int argc, char **argv)
{
	struct building b;
	int r = need_root();

	if (r == 0)
		r = build_container(&b, opts, argv[0], argv + 1, argc - 1);

	if (r < 0)
		return r;
	puts(b.id);
	building_free(&b);
	return 0;
}

const struct verb verb_create = {
	.name = "create",
	.group = "Containers",
	.usage = "[OPTIONS] IMAGE [COMMAND [ARG...]]",
	.summary = "Make a container without starting it",
	.examples = "$ ctr create --name web busybox httpd -f\n$ ctr start web\n",
	.opts = create_options,
	.opts_size = sizeof(struct container_opts),
	.defaults = &container_defaults,
	.min_args = 1,
	.max_args = -1,
	.rest_is_command = true,
	.run = create_run,
};

struct start_opts {
	bool attach, interactive;
	const char *detach_keys;
};

static const struct opt start_table[] = {
	{OPT_FLAG, 'a', "attach", NULL, "Show its output and wait for its end", offsetof(struct start_opts, attach)},
	{OPT_FLAG, 'i', "interactive", NULL, "Pass our standard input on", offsetof(struct start_opts, interactive)},
	{OPT_STR, 0, "detach-keys", "KEYS", "What to type to leave it running (default ctrl-p,ctrl-q)",
	 offsetof(struct start_opts, detach_keys)},
	OPT_END,
};

static int start_one(const char *name, void *arg)
{
	const struct start_how *how = arg;
	_cleanup_(closep) int lock = -EBADF;
	struct found f;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r;
	/* Starting what runs is what was wanted. */
	if (f.status != STATUS_RUNNING || how->attach)
		r = record_lock(&f, &lock);
	if (r == 0 && lock >= 0)
		r = start_container(f.dir, &lock, &f.record, how);
	found_close(&f);
	return r;
}

static int start_run(void *opts, int argc, char **argv)
{
	const struct start_opts *o = opts;
	struct start_how how = {
		.attach = o->attach || o->interactive, .input = o->interactive, .detach_keys = o->detach_keys};
	int r = cli_seal();

	if (r < 0)
		return r;
	if (!how.attach)
		return cli_each(argv, argc, start_one, &how, true);
	return argc == 1 ? start_one(argv[0], &how)
			 : refuse(-EINVAL, "only one container can be started and attached to");
}

const struct verb verb_start = {
	.name = "start",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER...",
	.summary = "Start containers that were created or have ended",
	.examples = "$ ctr start web\n$ ctr start -a job\n",
	.opts = start_table,
	.opts_size = sizeof(struct start_opts),
	.min_args = 1,
	.max_args = -1,
	.run = start_run,
};

struct attach_opts {
	bool no_stdin, sig_proxy;
	const char *detach_keys;
};

static const struct attach_opts attach_defaults = {.sig_proxy = true};

static const struct opt attach_table[] = {
	{OPT_FLAG, 0, "no-stdin", NULL, "Do not pass our standard input on", offsetof(struct attach_opts, no_stdin)},
	{OPT_FLAG, 0, "sig-proxy", NULL, "Pass signals on (default true)", offsetof(struct attach_opts, sig_proxy)},
	{OPT_STR, 0, "detach-keys", "KEYS", "What to type to leave it running (default ctrl-p,ctrl-q)",
	 offsetof(struct attach_opts, detach_keys)},
	OPT_END,
};

static int attach_run(void *opts, int argc, char **argv)
{
	const struct attach_opts *o = opts;
	struct found f;
	int r = record_open(cli_engine(), argv[0], &f);

	(void)argc;
	if (r < 0)
		return r;
	bool input = !o->no_stdin && f.record.interactive;
	_cleanup_(closep) int signals = relay_signals();
	_cleanup_(closep) int sock =
		f.state_dir < 0 ? -ENOENT : attach_connect(f.state_dir, ATTACH_OUTPUT | (input ? ATTACH_INPUT : 0));
	struct attach a = {.sock = sock,
			   .tty = f.record.tty,
			   .input = input,
			   .forward = o->sig_proxy,
			   .detach_keys = o->detach_keys};
	r = sock < 0 ? refuse(-EINVAL, "container %s is not running", f.record.name) : attach_wait(&a, signals);
	if (r == ATTACH_LOST)
		r = refuse(-EPIPE, "the monitor of container %s was killed", f.record.name);
	found_close(&f);
	return r == ATTACH_DETACHED ? 0 : r;
}

const struct verb verb_attach = {
	.name = "attach",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Connect to the input and output of a running container",
	.examples = "$ ctr attach web\n",
	.opts = attach_table,
	.opts_size = sizeof(struct attach_opts),
	.defaults = &attach_defaults,
	.min_args = 1,
	.max_args = 1,
	.run = attach_run,
};
