/*
 * ctr logs.
 *
 * The log is two files, the older log.1 and log; the monitor turns log into log.1 when it has become long
 * (runtime/logfile.c). What is read here are descriptors, so that a file that is turned while it is read is
 * read to its end, and then the one that came after it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/logfile.h"
#include "cli/table.h"

/* A line of many pieces is put together up to this size. */
#define LINE_MAX_JOINED (256u << 10)
#define OUT_MAX (64u << 10)

struct logs_opts {
	bool follow, timestamps;
	const char *tail, *since, *until;
};

static const struct opt logs_table[] = {
	{OPT_FLAG, 'f', "follow", NULL, "Go on with what is written until the container ends",
	 offsetof(struct logs_opts, follow)},
	{OPT_STR, 'n', "tail", "N|all", "Only the last N lines (default all)", offsetof(struct logs_opts, tail)},
	{OPT_STR, 0, "since", "TIME", "Only lines from TIME on: 2026-11-21T15:40:00Z, seconds since 1970, or 10m ago",
	 offsetof(struct logs_opts, since)},
	{OPT_STR, 0, "until", "TIME", "Only lines up to TIME", offsetof(struct logs_opts, until)},
	{OPT_FLAG, 't', "timestamps", NULL, "Put the time before each line", offsetof(struct logs_opts, timestamps)},
	OPT_END,
};

/* What of a stream is being shown. */
struct stream {
	struct strbuf line; /* pieces that wait for the line's end */
	bool inside, skip;  /* in the middle of a line, which is (not) shown */
};

struct logs {
	struct found f;
	int64_t since, until;
	bool timestamps, past_until;
	bool skip;     /* the line that began last, and lines without a time after it */
	uint64_t tail; /* UINT64_MAX: all */

	int fd; /* the file that is read, -EBADF while there is none */
	struct log_reader reader;
	struct stream streams[2];
	struct strbuf out;
	bool out_err; /* out is for stderr */

	int watch, monitor; /* inotify; a pidfd, -EBADF while the monitor is not known or gone */
};

/* --- showing ------------------------------------------------------------------------------------------ */

static int flush_out(struct logs *l)
{
	int r = 0;

	if (l->out.len && l->out_err) {
		r = write_all(STDERR_FILENO, l->out.p, l->out.len);
		if (r < 0)
			fail(r, "cannot write to the standard error");
	} else if (l->out.len) {
		out_write(l->out.p, l->out.len);
		r = out_flush();
	}
	l->out.len = 0;
	return r;
}

/* Moves what there is of STREAM's line to the output. */
static int put_line(struct logs *l, bool err)
{
	struct strbuf *line = &l->streams[err].line;
	int r = 0;

	if (!line->len)
		return 0;
	/* In order, should both streams go to one terminal. */
	if (l->out_err != err || l->out.len > OUT_MAX)
		r = flush_out(l);
	l->out_err = err;
	strbuf_add(&l->out, line->p, line->len);
	line->len = 0;
	return r;
}

/* Shows all that is known so far, lines that are not complete too: a prompt has no newline. */
static int flush_all(struct logs *l)
{
	int r = put_line(l, false);

	if (r == 0)
		r = put_line(l, true);
	return r < 0 ? r : flush_out(l);
}

static int show(struct logs *l, const struct log_record *rec)
{
	struct stream *s = &l->streams[rec->err];
	bool broken = !rec->valid && !rec->resumed, begins = (!s->inside || broken) && !rec->resumed;

	if (broken && !rec->len)
		return 0;
	if (broken && s->inside && !s->skip)
		strbuf_putc(&s->line, '\n');
	if (begins && rec->valid) {
		l->skip = rec->time_ns < l->since || rec->time_ns > l->until;
		l->past_until |= rec->time_ns > l->until;
	}
	if (begins)
		s->skip = l->skip;
	s->inside = rec->partial;
	if (s->skip)
		return 0;
	if (begins && rec->valid && l->timestamps) {
		strbuf_add(&s->line, rec->time, rec->time_len);
		strbuf_putc(&s->line, ' ');
	}
	strbuf_add(&s->line, rec->text, rec->len);
	if (!rec->partial)
		strbuf_putc(&s->line, '\n');
	return rec->partial && s->line.len < LINE_MAX_JOINED ? 0 : put_line(l, rec->err);
}

/* Shows the file from where it was read to up to its end. AT_END: nobody writes to it any more. */
static int drain(struct logs *l, bool at_end)
{
	struct log_record rec;

	for (;;) {
		size_t room;
		char *space = log_reader_space(&l->reader, &room);
		ssize_t n = l->fd < 0 ? 0 : read(l->fd, space, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(-errno, "read the log of container %s", l->f.record.name);
		log_reader_fill(&l->reader, (size_t)n);
		while (log_reader_next(&l->reader, at_end && n == 0, &rec)) {
			int r = show(l, &rec);
			if (r < 0)
				return r;
		}
		if (n == 0)
			return 0;
	}
}

/* --- the files ---------------------------------------------------------------------------------------- */

static int open_log(int dir, const char *name, int *fd, struct stat *st)
{
	*fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	*st = (struct stat){0};
	if (*fd < 0 && errno != ENOENT)
		return fail(-errno, "open the container's %s", name);
	if (*fd >= 0 && (fstat(*fd, st) < 0 || !S_ISREG(st->st_mode)))
		return refuse(-EINVAL, "the container's %s is not a file", name);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino && a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

struct log_files {
	int old, new; /* -EBADF when there is none */
	struct stat old_st, new_st;
};

static void files_close(struct log_files *p)
{
	closep(&p->old);
	closep(&p->new);
	*p = (struct log_files){.old = -EBADF, .new = -EBADF};
}

/* Opens both as they stood at one moment: when the log was turned in between, once more. */
static int files_open(int dir, struct log_files *p)
{
	for (int tries = 0; tries < 100; tries++) {
		struct stat st = {0};
		int r = open_log(dir, RECORD_LOG_OLD, &p->old, &p->old_st);

		if (r < 0)
			p->new = -EBADF;
		else
			r = open_log(dir, RECORD_LOG, &p->new, &p->new_st);
		if (r < 0)
			return r;
		if (fstatat(dir, RECORD_LOG_OLD, &st, AT_SYMLINK_NOFOLLOW) < 0)
			st = (struct stat){0};
		if (p->old < 0 ? !st.st_ino : same_file(&st, &p->old_st))
			return 0;
		files_close(p);
	}
	return refuse(-EAGAIN, "the container writes so fast that its log cannot be read");
}

/* Where the reading starts: FILES' old one, new one, at the offsets. */
static int find_start(const struct logs *l, const struct log_files *files, int64_t *old_at, int64_t *new_at)
{
	struct log_tail tail = {.want = l->tail, .until_ns = l->until};
	int r = 0;

	*old_at = *new_at = 0;
	if (l->tail == UINT64_MAX)
		return 0;
	*old_at = files->old_st.st_size;
	if (files->new >= 0)
		r = log_tail_find(&tail, files->new, files->new_st.st_size, new_at);
	if (r == 0 && files->old >= 0 && !tail.done)
		r = log_tail_find(&tail, files->old, files->old_st.st_size, old_at);
	return r < 0 ? fail(r, "read the log of container %s", l->f.record.name) : 0;
}

static int change_file(struct logs *l, int *fd)
{
	int r = drain(l, true);

	closep(&l->fd);
	l->fd = take_fd(fd);
	log_reader_free(&l->reader);
	return r;
}

/* Shows what is there now. */
static int show_present(struct logs *l)
{
	_cleanup_(files_close) struct log_files files = {.old = -EBADF, .new = -EBADF};
	int64_t old_at, new_at;
	int r = files_open(l->f.dir, &files);

	if (r < 0 || (r = find_start(l, &files, &old_at, &new_at)) < 0)
		return r;
	if (files.old >= 0) {
		lseek(files.old, old_at, SEEK_SET);
		l->fd = take_fd(&files.old);
		r = drain(l, false);
	}
	if (r == 0 && files.new >= 0) {
		lseek(files.new, new_at, SEEK_SET);
		r = change_file(l, &files.new);
		if (r == 0)
			r = drain(l, false);
	}
	return r;
}

/* The file that came after the one that is read, as *FD; -EBADF when that is the newest. */
static int next_file(const struct logs *l, int *fd)
{
	_cleanup_(files_close) struct log_files files = {.old = -EBADF, .new = -EBADF};
	struct stat st, is = {0};

	*fd = -EBADF;
	if (fstatat(l->f.dir, RECORD_LOG, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* not made yet, or being turned, or removed with its container */
	if (l->fd >= 0 && (fstat(l->fd, &is) < 0 || same_file(&st, &is)))
		return 0;
	int r = files_open(l->f.dir, &files);
	if (r < 0)
		return r;
	/* Two turns since we looked: the file between is the old one now. */
	bool between = files.old >= 0 && !same_file(&files.old_st, &is);
	*fd = take_fd(between ? &files.old : &files.new);
	return 0;
}

/* Shows what came since, across any turns of the log. */
static int show_further(struct logs *l)
{
	for (;;) {
		int next = -EBADF, r = drain(l, false);

		if (r == 0)
			r = next_file(l, &next);
		if (r < 0 || next < 0)
			return r;
		r = change_file(l, &next);
		if (r < 0)
			return r;
	}
}

/* --- following ---------------------------------------------------------------------------------------- */

static int start_watch(struct logs *l)
{
	char path[32];

	l->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (l->watch < 0)
		return errno == EMFILE ? refuse(-EMFILE, "too many programs follow files on this machine already: "
							 "raise the sysctl fs.inotify.max_user_instances")
				       : fail(-errno, "follow the log");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->f.dir);
	if (inotify_add_watch(l->watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF) < 0)
		return errno == ENOSPC ? refuse(-ENOSPC, "too many files are followed on this machine already: "
							 "raise the sysctl fs.inotify.max_user_watches")
				       : fail(-errno, "follow the log of container %s", l->f.record.name);
	return 0;
}

/* True while something may still be written. The monitor writes all, then ends. */
static bool runs(struct logs *l)
{
	_cleanup_(freep) char *root = record_state_root(cli_engine());

	if (l->monitor >= 0)
		return proc_wait_gone(l->monitor, 0) == 0;
	/* It may be on its start, with no state yet that names the monitor. */
	if (l->f.state_dir < 0)
		l->f.state_dir = state_dir_open(root, l->f.record.id);
	if (l->f.state_dir < 0 || (!l->f.state.monitor.pid && state_read(l->f.state_dir, &l->f.state) < 0))
		return record_locked(l->f.dir);
	l->monitor = proc_open(l->f.state.monitor);
	return l->monitor >= 0;
}

static int wait_time(const struct logs *l)
{
	int64_t ms = INT64_MAX;

	if (l->until != INT64_MAX) {
		ms = (l->until - clock_now()) / 1000000 + 1;
		ms = ms < 0 ? 0 : ms;
	}
	/* The end of a start that fails is told by nobody. */
	if (l->monitor < 0 && ms > 200)
		ms = 200;
	return ms > INT_MAX ? -1 : (int)ms;
}

static int wait_for_more(struct logs *l)
{
	struct pollfd p[] = {{.fd = l->watch, .events = POLLIN}, {.fd = l->monitor, .events = POLLIN}};
	char events[4096];

	if (poll(p, ARRAY_SIZE(p), wait_time(l)) < 0 && errno != EINTR)
		return fail(-errno, "wait for the log of container %s", l->f.record.name);
	/* Which ones they are does not matter: all is looked at. */
	while (read(l->watch, events, sizeof(events)) > 0)
		;
	return 0;
}

static int follow(struct logs *l)
{
	for (;;) {
		/* Asked before the reading, so that what was written before the end is read. */
		bool goes_on = runs(l) && clock_now() <= l->until;
		int r = show_further(l);

		if (r < 0 || !goes_on || l->past_until)
			return r;
		if ((r = flush_all(l)) < 0 || (r = wait_for_more(l)) < 0)
			return r;
	}
}

/* --- the verb ----------------------------------------------------------------------------------------- */

static int want_time(const char *option, const char *text, int64_t *ns)
{
	if (text && clock_parse(text, ns) < 0)
		return refuse(-EINVAL,
			      "%s \"%.64s\" is not a time: give 2026-11-21T15:40:00Z, seconds since 1970, or how "
			      "long ago (10m, 1h30m)",
			      option, text);
	return 0;
}

static int read_options(struct logs *l, const struct logs_opts *o)
{
	int r;

	l->since = INT64_MIN;
	l->until = INT64_MAX;
	l->tail = UINT64_MAX;
	l->timestamps = o->timestamps;
	if ((r = want_time("--since", o->since, &l->since)) < 0 || (r = want_time("--until", o->until, &l->until)) < 0)
		return r;
	l->skip = o->since != NULL;
	if (o->tail && !streq(o->tail, "all") && !streq(o->tail, "-1") && parse_u64(o->tail, INT64_MAX, &l->tail) < 0)
		return refuse(-EINVAL, "--tail \"%.32s\" is neither a number of lines nor \"all\"", o->tail);
	return 0;
}

static void logs_free(struct logs *l)
{
	found_close(&l->f);
	closep(&l->fd);
	closep(&l->watch);
	closep(&l->monitor);
	log_reader_free(&l->reader);
	strbuf_free(&l->streams[0].line);
	strbuf_free(&l->streams[1].line);
	strbuf_free(&l->out);
}

static int logs_run(void *opts, int argc, char **argv)
{
	const struct logs_opts *o = opts;
	_cleanup_(logs_free) struct logs l = {
		.f = {.dir = -EBADF, .state_dir = -EBADF}, .fd = -EBADF, .watch = -EBADF, .monitor = -EBADF};
	int r = read_options(&l, o);

	(void)argc;
	if (r < 0 || (r = record_open(cli_engine(), argv[0], &l.f)) < 0)
		return r;
	/* The watch stands before anything is read, so that no change falls in between. */
	if (o->follow && (r = start_watch(&l)) < 0)
		return r;
	r = show_present(&l);
	if (r == 0 && o->follow)
		r = follow(&l);
	if (r == 0)
		r = drain(&l, true);
	int flushed = flush_all(&l);
	return r < 0 ? r : flushed;
}

const struct verb verb_logs = {
	.name = "logs",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Show what a container wrote",
	.details = "What the program wrote to its standard output and standard error goes to ours. What it wrote is "
		   "shown as it is, with its colours and all.",
	.examples = "$ ctr logs web\n"
		    "$ ctr logs -f --tail 20 web\n"
		    "$ ctr logs -t --since 10m web 2>errors\n",
	.group = "Containers",
	.opts = logs_table,
	.opts_size = sizeof(struct logs_opts),
	.min_args = 1,
	.max_args = 1,
	.run = logs_run,
};
