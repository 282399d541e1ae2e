/* ctr-oci state, kill, delete, list, ps, pause, resume. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/cli.h"
#include "cli/oci.h"
#include "cli/table.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"

int oci_open(const char *id, struct state *s)
{
	*s = (struct state){0};
	_cleanup_(closep) int dir = state_dir_open(globals.root, id);
	if (dir < 0)
		return dir;
	int r = state_read(dir, s);
	return r < 0 ? fail_in(r, "container %s", id) : take_fd(&dir);
}

static void run_poststop(const struct state *s, const struct spec *spec)
{
	struct strbuf doc = {0};

	if (!spec->hooks[HOOK_POSTSTOP].n)
		return;
	state_document(s, STATUS_STOPPED, 0, &doc);
	/* A failing poststop hook is told and does not keep the container; see the spec's lifecycle. */
	if (hooks_run(&spec->hooks[HOOK_POSTSTOP], doc.p, doc.len) < 0)
		warning("%s", error_text());
	strbuf_free(&doc);
}

int oci_remove(int dir, const struct state *s, const struct spec *spec)
{
	struct spec own;
	int r = launch_destroy(s);

	if (r < 0)
		return r;
	if (spec) {
		run_poststop(s, spec);
	} else if (spec_load(dir, STATE_CONFIG, &own, NULL, NULL) == 0) {
		run_poststop(s, &own);
		spec_free(&own);
	}
	return state_dir_remove(globals.root, s->id);
}

static int state_run(void *opts, int argc, char **argv)
{
	struct strbuf doc = {0};
	struct state s;

	(void)opts, (void)argc;
	_cleanup_(closep) int dir = oci_open(argv[0], &s);
	if (dir < 0)
		return dir;
	state_document(&s, state_status(dir, &s), 2, &doc);
	puts(strbuf_str(&doc));
	strbuf_free(&doc);
	state_free(&s);
	return 0;
}

const struct verb oci_state = {
	.name = "state",
	.usage = "ID",
	.summary = "Print the state of a container as JSON",
	.examples = "$ ctr-oci state web\n",
	.min_args = 1,
	.max_args = 1,
	.run = state_run,
};

struct kill_opts {
	bool all;
};

static const struct opt kill_table[] = {
	{OPT_FLAG, 'a', "all", NULL, "Send the signal to every process of the container",
	 offsetof(struct kill_opts, all)},
	OPT_END,
};

static int kill_all(const struct state *s, int sig)
{
	struct cgroup cg = CGROUP_NONE;
	pid_t *pids = NULL;
	size_t n = 0;
	int r;

	if (!s->cgroup || (r = cgroup_open(s->cgroup, &cg)) == -ENOENT)
		return 0;
	if (r == 0)
		r = cgroup_pids(&cg, &pids, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (kill(pids[i], sig) < 0 && errno != ESRCH)
			r = fail(-errno, "send signal %d to process %d", sig, (int)pids[i]);
	free(pids);
	cgroup_close(&cg);
	return r;
}

static int kill_run(void *opts, int argc, char **argv)
{
	const struct kill_opts *o = opts;
	struct state s;
	int sig = argc > 1 ? signal_by_name(argv[1]) : SIGTERM;

	if (sig < 0)
		return sig;
	_cleanup_(closep) int dir = oci_open(argv[0], &s);
	if (dir < 0)
		return dir;
	_cleanup_(closep) int pidfd = proc_open(s.init);
	int r;
	if (o->all)
		r = kill_all(&s, sig);
	else if (pidfd < 0)
		/* Callers look for these words to tell a finished container from a failure. */
		r = refuse(-ESRCH, "container %s: process already finished (container not running)", argv[0]);
	else
		r = sys_pidfd_send_signal(pidfd, sig) < 0 ? fail(-errno, "send signal %d", sig) : 0;
	state_free(&s);
	return r;
}

const struct verb oci_kill = {
	.name = "kill",
	.usage = "[OPTIONS] ID [SIGNAL]",
	.summary = "Send a signal (default SIGTERM) to a container's first process",
	.examples = "$ ctr-oci kill web KILL\n",
	.opts = kill_table,
	.opts_size = sizeof(struct kill_opts),
	.min_args = 1,
	.max_args = 2,
	.run = kill_run,
};

struct delete_opts {
	bool force;
};

static const struct opt delete_table[] = {
	{OPT_FLAG, 'f', "force", NULL, "Kill it first if it runs; an unknown id is no error",
	 offsetof(struct delete_opts, force)},
	OPT_END,
};

/* A directory without a readable state: its maker was killed in the middle. */
static int delete_unfinished(int dir, const char *id, int err)
{
	struct state s = {0};
	struct spec spec;

	if (err != -ENOENT)
		return err;
	/* Its cgroup may be there already: where `create` makes it. */
	if (spec_load(dir, STATE_CONFIG, &spec, NULL, NULL) == 0) {
		if (spec.cgroup_path && *spec.cgroup_path)
			s.cgroup = xasprintf("%s%s", spec.cgroup_path[0] == '/' ? "" : "/", spec.cgroup_path);
		spec_free(&spec);
	}
	if (!s.cgroup)
		s.cgroup = xasprintf("/ctr-oci/%s", id);
	int r = launch_destroy(&s);
	state_free(&s);
	return r < 0 ? r : state_dir_remove(globals.root, id);
}

static int delete_run(void *opts, int argc, char **argv)
{
	const struct delete_opts *o = opts;
	struct state s;

	(void)argc;
	_cleanup_(closep) int state_dir = state_dir_open(globals.root, argv[0]);
	if (state_dir < 0)
		return o->force && state_dir == -ENOENT ? 0 : state_dir;
	int r = state_read(state_dir, &s);
	if (r < 0)
		return o->force ? delete_unfinished(state_dir, argv[0], r) : fail_in(r, "container %s", argv[0]);
	enum status status = state_status(state_dir, &s);
	if (status != STATUS_STOPPED && status != STATUS_CREATED && !o->force)
		r = refuse(-EBUSY, "container %s is %s: kill it first, or use --force", argv[0], status_name(status));
	else
		r = oci_remove(state_dir, &s, NULL);
	state_free(&s);
	return r;
}

const struct verb oci_delete = {
	.name = "delete",
	.usage = "[OPTIONS] ID",
	.summary = "Remove a container that has ended",
	.examples = "$ ctr-oci delete --force web\n",
	.opts = delete_table,
	.opts_size = sizeof(struct delete_opts),
	.min_args = 1,
	.max_args = 1,
	.run = delete_run,
};

struct list_opts {
	bool quiet;
	const char *format;
};

static const struct opt list_table[] = {
	{OPT_FLAG, 'q', "quiet", NULL, "Print ids only", offsetof(struct list_opts, quiet)},
	{OPT_STR, 'f', "format", "table|json", "How to print (default table)", offsetof(struct list_opts, format)},
	OPT_END,
};

static void add_row(struct json_writer *w, const char *id)
{
	struct state s;
	_cleanup_(closep) int dir = oci_open(id, &s);

	if (dir < 0)
		return; /* being made or removed at this moment */
	enum status status = state_status(dir, &s);
	json_open(w, NULL, '{');
	json_put_str(w, "ociVersion", s.version);
	json_put_str(w, "id", s.id);
	json_put_i64(w, "pid", status == STATUS_STOPPED ? 0 : s.init.pid);
	json_put_str(w, "status", status_name(status));
	json_put_str(w, "bundle", s.bundle);
	json_put_str(w, "rootfs", s.rootfs);
	json_put_str(w, "created", s.created);
	json_put_str(w, "owner", "root");
	json_close(w, '}');
	state_free(&s);
}

static int list_run(void *opts, int argc, char **argv)
{
	static const struct column columns[] = {{"ID", "id"},         {"PID", "pid"},         {"STATUS", "status"},
						{"BUNDLE", "bundle"}, {"CREATED", "created"}, {"OWNER", "owner"}};
	const struct list_opts *o = opts;
	struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	struct json_doc doc = {0};
	struct strv ids = {0};

	(void)argc, (void)argv;
	int r = state_list(globals.root, &ids);
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < ids.n; i++) {
		if (o->quiet)
			puts(ids.v[i]);
		else
			add_row(&w, ids.v[i]);
	}
	json_close(&w, ']');
	if (r == 0 && !o->quiet && (r = json_parse(text.p, text.len, "the list", &doc)) == 0)
		r = table_print(doc.root, columns, ARRAY_SIZE(columns), o->format);
	json_free(&doc);
	strbuf_free(&text);
	strv_free(&ids);
	return r;
}

const struct verb oci_list = {
	.name = "list",
	.usage = "[OPTIONS]",
	.summary = "List containers",
	.examples = "$ ctr-oci list -f json\n",
	.opts = list_table,
	.opts_size = sizeof(struct list_opts),
	.run = list_run,
};

struct ps_opts {
	const char *format;
};

static const struct opt ps_table[] = {
	{OPT_STR, 'f', "format", "table|json", "How to print (default table)", offsetof(struct ps_opts, format)},
	OPT_END,
};

static void print_process(pid_t pid)
{
	char path[64], name[64] = "?", *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	read_line_at(AT_FDCWD, path, name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (read_file_at(AT_FDCWD, path, 4096, &text, &len) < 0)
		len = 0;
	for (size_t i = 0; i + 1 < len; i++)
		text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	printf("%-9d %s\n", (int)pid, len > 1 ? text : name);
	free(text);
}

static int ps_run(void *opts, int argc, char **argv)
{
	const struct ps_opts *o = opts;
	struct cgroup cg = CGROUP_NONE;
	pid_t *pids = NULL;
	size_t n = 0;
	struct state s;

	(void)argc;
	if (o->format && !streq(o->format, "json") && !streq(o->format, "table"))
		return refuse(-EINVAL, "--format must be table or json, not %s", o->format);
	_cleanup_(closep) int dir = oci_open(argv[0], &s);
	if (dir < 0)
		return dir;
	int r = s.cgroup ? cgroup_open(s.cgroup, &cg) : refuse(-ENOENT, "container %s has no cgroup", argv[0]);
	if (r == 0)
		r = cgroup_pids(&cg, &pids, &n);
	if (r == 0 && o->format && streq(o->format, "json")) {
		printf("[");
		for (size_t i = 0; i < n; i++)
			printf("%s%d", i ? "," : "", (int)pids[i]);
		printf("]\n");
	} else if (r == 0) {
		printf("%-9s %s\n", "PID", "COMMAND");
		for (size_t i = 0; i < n; i++)
			print_process(pids[i]);
	}
	free(pids);
	cgroup_close(&cg);
	state_free(&s);
	return r;
}

const struct verb oci_ps = {
	.name = "ps",
	.usage = "[OPTIONS] ID",
	.summary = "List the processes of a container",
	.examples = "$ ctr-oci ps -f json web\n",
	.opts = ps_table,
	.opts_size = sizeof(struct ps_opts),
	.min_args = 1,
	.max_args = 1,
	.run = ps_run,
};

static int freeze(const char *id, bool frozen)
{
	struct cgroup cg = CGROUP_NONE;
	struct state s;
	_cleanup_(closep) int dir = oci_open(id, &s);
	if (dir < 0)
		return dir;

	enum status status = state_status(dir, &s);
	enum status needed = frozen ? STATUS_RUNNING : STATUS_PAUSED;
	int r = status != needed
			? refuse(-EINVAL, "container %s is %s, not %s", id, status_name(status), status_name(needed))
			: 0;
	if (r == 0 && !s.cgroup)
		r = refuse(-EOPNOTSUPP, "container %s has no cgroup to freeze", id);
	if (r == 0 && (r = cgroup_open(s.cgroup, &cg)) == 0)
		r = cgroup_freeze(&cg, frozen);
	cgroup_close(&cg);
	state_free(&s);
	return r;
}

static int pause_run(void *opts, int argc, char **argv)
{
	(void)opts, (void)argc;
	return freeze(argv[0], true);
}

static int resume_run(void *opts, int argc, char **argv)
{
	(void)opts, (void)argc;
	return freeze(argv[0], false);
}

const struct verb oci_pause = {
	.name = "pause",
	.usage = "ID",
	.summary = "Suspend every process of a container",
	.examples = "$ ctr-oci pause web\n",
	.min_args = 1,
	.max_args = 1,
	.run = pause_run,
};

const struct verb oci_resume = {
	.name = "resume",
	.usage = "ID",
	.summary = "Let a paused container go on",
	.examples = "$ ctr-oci resume web\n",
	.min_args = 1,
	.max_args = 1,
	.run = resume_run,
};
