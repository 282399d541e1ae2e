/* ctr-oci exec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/exec_common.h"
#include "cli/oci.h"

struct exec_opts {
	const char *console_socket, *cwd, *user, *process, *pid_file, *process_label, *apparmor, *cgroup;
	struct strv env, groups, caps;
	bool tty, detach, no_new_privs, ignore_paused;
	uint64_t preserve_fds;
};

static const struct opt exec_table[] = {
	{OPT_STR, 0, "console-socket", "PATH", "Send the terminal's master to this unix socket",
	 offsetof(struct exec_opts, console_socket)},
	{OPT_STR, 0, "cwd", "DIR", "Working directory", offsetof(struct exec_opts, cwd)},
	{OPT_STRS, 'e', "env", "NAME=VALUE", "Set a variable", offsetof(struct exec_opts, env)},
	{OPT_FLAG, 't', "tty", NULL, "With a terminal", offsetof(struct exec_opts, tty)},
	{OPT_STR, 'u', "user", "UID[:GID]", "Run as this user", offsetof(struct exec_opts, user)},
	{OPT_STRS, 'g', "additional-gids", "GID", "A further group", offsetof(struct exec_opts, groups)},
	{OPT_STR, 'p', "process", "FILE", "Take the whole process object from FILE",
	 offsetof(struct exec_opts, process)},
	{OPT_FLAG, 'd', "detach", NULL, "Return once the program runs", offsetof(struct exec_opts, detach)},
	{OPT_STR, 0, "pid-file", "FILE", "Write the process's pid to FILE", offsetof(struct exec_opts, pid_file)},
	{OPT_STR, 0, "process-label", "LABEL", "Refused unless empty: no SELinux support",
	 offsetof(struct exec_opts, process_label)},
	{OPT_STR, 0, "apparmor", "PROFILE", "AppArmor profile", offsetof(struct exec_opts, apparmor)},
	{OPT_FLAG, 0, "no-new-privs", NULL, "Set no_new_privs", offsetof(struct exec_opts, no_new_privs)},
	{OPT_STRS, 'c', "cap", "CAP", "A further capability", offsetof(struct exec_opts, caps)},
	{OPT_U64, 0, "preserve-fds", "N", "Pass N further file descriptors", offsetof(struct exec_opts, preserve_fds)},
	{OPT_STR, 0, "cgroup", "PATH", "Run in this cgroup below the container's", offsetof(struct exec_opts, cgroup)},
	{OPT_FLAG, 0, "ignore-paused", NULL, "Also in a paused container", offsetof(struct exec_opts, ignore_paused)},
	OPT_END,
};

static int started(const struct container *c, void *arg)
{
	const struct exec_opts *o = arg;
	int r = 0;

	if (o->console_socket)
		r = oci_send_fd(o->console_socket, "terminal", c->console);
	if (r == 0 && o->pid_file)
		r = oci_write_pid_file(o->pid_file, c->pid);
	return r;
}

/* The process object of --process FILE. */
static int load_process(const char *path, struct json_doc *doc, struct process_spec *p)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = read_file_at(AT_FDCWD, path, SPEC_TEXT_MAX, &text, &len);

	if (r < 0)
		return fail(r, "read %s", path);
	if ((r = json_parse(text, len, path, doc)) < 0)
		return r;
	r = spec_parse_process(doc->root, p);
	return r < 0 ? fail_in(r, "%s", path) : 0;
}

static int exec_run(void *opts, int argc, char **argv)
{
	struct exec_opts *o = opts;
	struct exec_changes changes = {.env = &o->env,
				       .cwd = o->cwd,
				       .user = o->user,
				       .groups = &o->groups,
				       .caps = &o->caps,
				       .terminal = o->tty,
				       .no_new_privs = o->no_new_privs,
				       .apparmor = o->apparmor,
				       .args = argv + 1,
				       .n_args = (size_t)argc - 1};
	struct exec_session e = {.argv0 = cli_argv0,
				 .cache_dir = "/run/ctr/seccomp",
				 .preserve_fds = (unsigned int)o->preserve_fds,
				 .ignore_paused = o->ignore_paused,
				 .started = started,
				 .arg = o,
				 .detach = o->detach,
				 .cgroup_sub = o->cgroup,
				 .relay_console = !o->console_socket};
	struct json_doc doc = {0};
	struct process_spec process = {0};
	struct state s;
	bool exec_failed;
	int r = cli_seal();

	if (r < 0)
		return r;
	if (o->process_label && *o->process_label)
		return refuse(-EOPNOTSUPP, "--process-label: SELinux is not supported by this version of ctr");
	if (!o->process && argc < 2)
		return refuse(-EINVAL, "`ctr-oci exec` needs a command (or --process FILE)");
	if (o->process && (r = load_process(o->process, &doc, &process)) == 0)
		e.process = &process;
	else if (!o->process)
		e.changes = &changes;
	bool terminal = o->process ? process.terminal : o->tty;
	if (r == 0 && terminal && o->detach && !o->console_socket)
		r = refuse(-EINVAL, "a detached terminal needs --console-socket");
	if (r == 0) {
		_cleanup_(closep) int dir = oci_open(argv[0], &s);
		e.config_dir = dir;
		r = dir < 0 ? dir : exec_in_container(dir, &s, &e, &exec_failed);
		state_free(&s);
	}
	spec_free_process(&process);
	json_free(&doc);
	return r;
}

const struct verb oci_exec = {
	.name = "exec",
	.usage = "[OPTIONS] ID [COMMAND [ARG...]]",
	.summary = "Run a further process in a container",
	.examples = "$ ctr-oci exec -t web sh\n",
	.opts = exec_table,
	.opts_size = sizeof(struct exec_opts),
	.min_args = 1,
	.max_args = -1,
	.rest_is_command = true,
	.run = exec_run,
};
