/* ctr stop, kill, rm, wait, pause, unpause. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/relay.h"

static bool runs(const struct found *f)
{
	return f->status == STATUS_RUNNING || f->status == STATUS_PAUSED;
}

static int not_running(const struct found *f)
{
	return refuse(-EINVAL, "container %s is not running", f->record.name);
}

static int signal_init(const struct found *f, int sig)
{
	_cleanup_(closep) int pidfd = proc_open(f->state.init);

	if (pidfd < 0)
		return not_running(f);
	return sys_pidfd_send_signal(pidfd, sig) < 0 && errno != ESRCH
		       ? fail(-errno, "send signal %d to %s", sig, f->record.name)
		       : 0;
}

static int set_frozen(const struct found *f, bool frozen)
{
	struct cgroup cg = CGROUP_NONE;
	int r = f->state.cgroup ? cgroup_open(f->state.cgroup, &cg)
				: refuse(-EOPNOTSUPP, "container %s has no cgroup to freeze", f->record.name);

	if (r == 0)
		r = cgroup_freeze(&cg, frozen);
	cgroup_close(&cg);
	return r;
}

/* Waits until the monitor has put everything away. SOCK is a connection to it, made while it ran. 1 when it
 * has, 0 after the time. */
static int wait_for_end(int sock, int timeout_ms, int *status)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	char buf[16];

	for (;;) {
		int n = poll(&p, 1, timeout_ms);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		ssize_t got = recv(sock, buf, sizeof(buf), 0);
		if (got == 1 + (ssize_t)sizeof(int32_t) && buf[0] == 'X') {
			int32_t code;

			memcpy(&code, buf + 1, sizeof(code));
			*status = code;
			return 1;
		}
		/* It went with something of ours unread: what it sent before that is still to come. */
		if (got < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (got <= 0)
			return 1;
	}
}

/* --- stop ------------------------------------------------------------------------------------------- */

struct stop_opts {
	int64_t timeout;
	const char *signal;
};

static const struct stop_opts stop_defaults = {.timeout = -1};

static const struct opt stop_table[] = {
	{OPT_I64, 't', "time", "SECONDS", "Wait that long before SIGKILL (default: the container's, 10)",
	 offsetof(struct stop_opts, timeout)},
	{OPT_STR, 's', "signal", "SIGNAL", "Send this first (default: the container's, TERM)",
	 offsetof(struct stop_opts, signal)},
	OPT_END,
};

static int wait_for_monitor(const struct found *f)
{
	_cleanup_(closep) int pidfd = proc_open(f->state.monitor);
	int r = pidfd < 0 ? 1 : proc_wait_gone(pidfd, -1);

	return r < 0 ? fail(r, "wait for %s", f->record.name) : 0;
}

static int stop_found(struct found *f, const struct stop_opts *o)
{
	int64_t seconds = o->timeout >= 0 ? o->timeout : (int64_t)f->record.stop_timeout_s;
	int sig = signal_by_name(o->signal ? o->signal : f->record.stop_signal ? f->record.stop_signal : "TERM");
	int status = 0, r;

	if (sig < 0)
		return sig;
	if (!runs(f))
		return 0; /* stopping what has ended is what was wanted */
	_cleanup_(closep) int sock = attach_connect(f->state_dir, 0);
	if (sock < 0)
		return wait_for_monitor(f); /* it ended just now, and is being put away */
	if ((r = signal_init(f, sig)) < 0 && r != -EINVAL)
		return r;
	/* A frozen process hears no signal but SIGKILL, of which it may be gone by now. */
	if (f->status == STATUS_PAUSED && (r = set_frozen(f, false)) < 0 && r != -ENOENT && r != -ENODEV)
		return r;
	r = wait_for_end(sock, seconds > 2000000 ? -1 : (int)seconds * 1000, &status);
	if (r != 0)
		return r < 0 ? fail(r, "wait for %s", f->record.name) : 0;
	if ((r = signal_init(f, SIGKILL)) < 0 && r != -EINVAL)
		return r;
	r = wait_for_end(sock, -1, &status);
	return r < 0 ? fail(r, "wait for %s", f->record.name) : 0;
}

static int stop_one(const char *name, void *arg)
{
	struct found f;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r;
	r = stop_found(&f, arg);
	found_close(&f);
	return r;
}

static int stop_run(void *opts, int argc, char **argv)
{
	return cli_each(argv, argc, stop_one, opts, true);
}

const struct verb verb_stop = {
	.name = "stop",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER...",
	.summary = "Ask containers to end, and kill those that do not",
	.examples = "$ ctr stop web\n$ ctr stop -t 0 web db\n",
	.opts = stop_table,
	.opts_size = sizeof(struct stop_opts),
	.defaults = &stop_defaults,
	.min_args = 1,
	.max_args = -1,
	.run = stop_run,
};

/* --- kill ------------------------------------------------------------------------------------------- */

struct kill_opts {
	const char *signal;
	int number;
};

static const struct opt kill_table[] = {
	{OPT_STR, 's', "signal", "SIGNAL", "The signal (default KILL)", offsetof(struct kill_opts, signal)},
	OPT_END,
};

static int kill_one(const char *name, void *arg)
{
	const struct kill_opts *o = arg;
	struct found f;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r;
	r = runs(&f) ? signal_init(&f, o->number) : not_running(&f);
	found_close(&f);
	return r;
}

static int kill_run(void *opts, int argc, char **argv)
{
	struct kill_opts *o = opts;

	o->number = signal_by_name(o->signal ? o->signal : "KILL");
	return o->number < 0 ? o->number : cli_each(argv, argc, kill_one, o, true);
}

const struct verb verb_kill = {
	.name = "kill",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER...",
	.summary = "Send a signal to the first process of containers",
	.examples = "$ ctr kill web\n$ ctr kill -s HUP web\n",
	.opts = kill_table,
	.opts_size = sizeof(struct kill_opts),
	.min_args = 1,
	.max_args = -1,
	.run = kill_run,
};

/* --- rm --------------------------------------------------------------------------------------------- */

struct rm_opts {
	bool force, all;
};

static const struct opt rm_table[] = {
	{OPT_FLAG, 'f', "force", NULL, "Kill it first if it runs; a container that is not there is no error",
	 offsetof(struct rm_opts, force)},
	{OPT_FLAG, 'a', "all", NULL, "Every container (that has ended, or with --force any)",
	 offsetof(struct rm_opts, all)},
	OPT_END,
};

static int rm_found(struct found *f, bool force)
{
	static const struct stop_opts now = {.timeout = 0, .signal = "KILL"};
	_cleanup_(closep) int lock = -EBADF;
	int r;

	if (f->state_dir >= 0 && !force)
		return refuse(-EBUSY, "container %s is %s: stop it first, or use `ctr rm -f`", f->record.name,
			      status_name(f->status));
	/* --rm has the monitor remove it, now or at this very moment. */
	bool by_monitor = f->record.remove && f->state_dir >= 0;
	if (runs(f) && (r = stop_found(f, &now)) < 0)
		return r;
	if (by_monitor)
		return 0;
	if ((r = record_lock(f, &lock)) < 0)
		return r;
	return record_remove(cli_engine(), &f->record);
}

static int rm_one(const char *name, void *arg)
{
	const struct rm_opts *o = arg;
	struct found f;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r == -ENOENT && o->force ? 0 : r;
	r = rm_found(&f, o->force);
	found_close(&f);
	return r;
}

static int rm_all(struct rm_opts *o)
{
	struct strv ids = {0};
	int r = record_list(cli_engine(), &ids), status = 0;

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct found f;

		if (record_open(cli_engine(), ids.v[i], &f) < 0)
			continue;
		if (o->force || f.state_dir < 0) {
			if (rm_found(&f, o->force) < 0)
				status = cli_report();
			else
				printf("%s\n", ids.v[i]);
		}
		found_close(&f);
	}
	strv_free(&ids);
	return r < 0 ? r : status;
}

static int rm_run(void *opts, int argc, char **argv)
{
	struct rm_opts *o = opts;

	if (o->all)
		return argc ? refuse(-EINVAL, "--all removes every container: name none") : rm_all(o);
	return argc ? cli_each(argv, argc, rm_one, o, true)
		    : refuse(-EINVAL, "`ctr rm` needs at least one CONTAINER, or --all");
}

const struct verb verb_rm = {
	.name = "rm",
	.group = "Containers",
	.usage = "[OPTIONS] CONTAINER...",
	.summary = "Remove containers",
	.examples = "$ ctr rm web\n$ ctr rm -f web\n$ ctr rm --all\n",
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.max_args = -1,
	.run = rm_run,
};

/* --- wait ------------------------------------------------------------------------------------------- */

static int wait_one(const char *name, void *arg)
{
	struct found f;
	int status = -1, r = record_open(cli_engine(), name, &f);

	(void)arg;
	if (r < 0)
		return r;
	_cleanup_(closep) int sock = f.state_dir < 0 ? -ENOENT : attach_connect(f.state_dir, 0);
	if (sock >= 0 && (r = wait_for_end(sock, -1, &status)) < 0) {
		r = fail(r, "wait for %s", name);
	} else if (status >= 0) {
		r = 0;
	} else if (f.state_dir >= 0 || f.exit.known) {
		/* Ended around the moment of the connection, or its monitor was killed: what it left says how. */
		r = record_read_exit(f.dir, &f.exit);
		status = f.exit.code;
	} else {
		r = refuse(-EINVAL, "container %s was never started", name);
	}
	if (r == 0)
		printf("%d\n", status);
	found_close(&f);
	return r;
}

static int wait_run(void *opts, int argc, char **argv)
{
	(void)opts;
	return cli_each(argv, argc, wait_one, NULL, false);
}

const struct verb verb_wait = {
	.name = "wait",
	.group = "Containers",
	.usage = "CONTAINER...",
	.summary = "Wait until containers have ended and print their exit statuses",
	.examples = "$ ctr wait job\n",
	.min_args = 1,
	.max_args = -1,
	.run = wait_run,
};

/* --- pause, unpause --------------------------------------------------------------------------------- */

static int freeze_one(const char *name, bool frozen)
{
	struct found f;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r;
	if (!runs(&f))
		r = not_running(&f);
	else if ((f.status == STATUS_PAUSED) == frozen)
		r = refuse(-EINVAL, "container %s is %s", name, frozen ? "paused already" : "not paused");
	else
		r = set_frozen(&f, frozen);
	found_close(&f);
	return r;
}

static int pause_one(const char *name, void *arg)
{
	(void)arg;
	return freeze_one(name, true);
}

static int unpause_one(const char *name, void *arg)
{
	(void)arg;
	return freeze_one(name, false);
}

static int pause_run(void *opts, int argc, char **argv)
{
	return cli_each(argv, argc, pause_one, opts, true);
}

static int unpause_run(void *opts, int argc, char **argv)
{
	return cli_each(argv, argc, unpause_one, opts, true);
}

const struct verb verb_pause = {
	.name = "pause",
	.group = "Containers",
	.usage = "CONTAINER...",
	.summary = "Suspend every process of containers",
	.examples = "$ ctr pause web\n",
	.min_args = 1,
	.max_args = -1,
	.run = pause_run,
};

const struct verb verb_unpause = {
	.name = "unpause",
	.group = "Containers",
	.usage = "CONTAINER...",
	.summary = "Let paused containers go on",
	.examples = "$ ctr unpause web\n",
	.min_args = 1,
	.max_args = -1,
	.run = unpause_run,
};
