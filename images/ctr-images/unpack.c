#include "images/ctr-images/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "images/ctr-images/confine.h"
#include "images/ref.h"

/* What the child sends. */
struct message {
	int err;
	char error[512];
	struct unpack_result result;
};

static volatile sig_atomic_t caught;
static volatile pid_t child;

static void on_signal(int sig)
{
	int keep = errno;

	caught = sig;
	if (child > 0)
		kill(child, SIGKILL);
	errno = keep;
}

void unpack_catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

int unpack_signal(void)
{
	return caught;
}

#define PROGRESS_INTERVAL INT64_C(100000000) /* ns */

struct progress {
	const char *name;
	uint64_t total; /* 0: not known */
	int64_t next;   /* when the line is written again */
};

static void show_progress(void *arg, uint64_t bytes)
{
	struct progress *p = arg;
	char done[16], total[16];
	int64_t now = clock_now();

	if (now < p->next)
		return;
	p->next = now + PROGRESS_INTERVAL;
	fprintf(stderr, "\r\033[K%s: %s%s%s", p->name, format_bytes(bytes, done), p->total ? " of " : "",
		p->total ? format_bytes(p->total, total) : "");
	fflush(stderr);
}

static int unpack_stream(const struct unpack_job *job, int input, int root, struct unpack_result *result)
{
	struct extract_options options = job->options;
	struct progress progress = {.name = job->progress};
	struct stream *stream = NULL;
	struct stat st;

	if (job->progress && isatty(STDERR_FILENO)) {
		progress.total = fstat(input, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		options.progress = show_progress;
		options.arg = &progress;
	}
	int r = stream_open(input, &job->limits, &stream);
	if (r == 0)
		r = extract_tar(stream, root, &options, &result->stats);
	if (r == 0)
		r = stream_finish(stream, &result->sums);
	stream_close(stream);
	if (progress.next) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	return r;
}

/* Everything that looks at the archive's bytes. */
static int unpack_confined(const struct unpack_job *job, int input, int folder, struct unpack_result *result)
{
	int r = confine_to(&folder);
	if (r < 0)
		return r;
	_cleanup_(closep) int root = openat(folder, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return fail(-errno, "open the new layer");
	r = confine_rights(folder, true, CONFINE_CAPS_UNPACK);
	return r < 0 ? r : unpack_stream(job, input, root, result);
}

/* In the child: keeps the four descriptors that it needs, as 0 to 3. */
static void keep_descriptors(const struct unpack_job *job, int pipe)
{
	int input = fcntl(job->input, F_DUPFD_CLOEXEC, 4), folder = fcntl(job->folder, F_DUPFD_CLOEXEC, 4);
	int out = fcntl(pipe, F_DUPFD_CLOEXEC, 4);

	if (input < 0 || folder < 0 || out < 0 || dup2(input, 0) < 0 || dup2(out, 1) < 0 || dup2(folder, 3) < 0 ||
	    sys_close_range(4, ~0U, 0) < 0)
		_exit(125);
}

static _Noreturn void run_child(const struct unpack_job *job, int pipe, pid_t parent)
{
	struct message m = {0};

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	keep_descriptors(job, pipe);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(125);
	m.err = unpack_confined(job, 0, 3, &m.result);
	if (m.err < 0)
		snprintf(m.error, sizeof(m.error), "%s", error_text());
	_exit(write_all(1, &m, sizeof(m)) < 0 ? 125 : 0);
}

/* Reads the child's message, which is looked at closely: the child is confined since it may be lied to. */
static int read_message(int fd, struct message *m)
{
	size_t got = 0;

	while (got < sizeof(*m)) {
		ssize_t n = read(fd, (char *)m + got, sizeof(*m) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		got += (size_t)n;
	}
	m->error[sizeof(m->error) - 1] = '\0';
	for (char *p = m->error; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (m->err == 0 && is_hex(m->result.sums.digest, 64) && is_hex(m->result.sums.packed_digest, 64))
		return 0;
	return m->err < 0 ? 0 : -EPROTO;
}

static int died(int status)
{
	if (caught)
		return refuse(-EINTR, "interrupted by signal %d (%s)", (int)caught, strsignal(caught));
	if (WIFSIGNALED(status))
		return refuse(-EIO, "the process that unpacks was killed by signal %d (%s)", WTERMSIG(status),
			      strsignal(WTERMSIG(status)));
	return refuse(-EIO, "the process that unpacks ended without a result");
}

int unpack_run(const struct unpack_job *job, struct unpack_result *result)
{
	pid_t self = getpid();
	int ends[2], status = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(-errno, "make a pipe");
	_cleanup_(closep) int out = ends[0];
	_cleanup_(closep) int in = ends[1];
	child = fork();
	if (child < 0)
		return fail(-errno, "start a process");
	if (child == 0)
		run_child(job, in, self);
	if (caught) /* before the handler knew whom to end */
		kill(child, SIGKILL);
	close(take_fd(&in));

	struct message m;
	int r = read_message(out, &m);
	if (r < 0)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	if (r < 0)
		return died(status);
	if (m.err < 0)
		return refuse(m.err, "%s", m.error);
	*result = m.result;
	return 0;
}
