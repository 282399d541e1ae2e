#include "cli/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"

static struct termios before;
static int raw_fd = -1;

void relay_restore(void)
{
	if (raw_fd >= 0)
		tcsetattr(raw_fd, TCSADRAIN, &before);
	raw_fd = -1;
}

bool relay_raw(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &before) < 0)
		return false;
	raw = before;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return false;
	raw_fd = fd;
	atexit(relay_restore);
	return true;
}

bool relay_window(int fd, unsigned short *rows, unsigned short *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return false;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return true;
}

/* Not forwarded: what is about ctr itself or cannot be caught. */
static const int own_signals[] = {SIGCHLD, SIGURG, SIGTTIN, SIGTTOU, SIGPIPE, SIGSEGV,
				  SIGBUS,  SIGILL, SIGFPE,  SIGABRT, SIGSYS,  SIGTRAP};

int relay_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(own_signals); i++)
		sigdelset(&set, own_signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail(-errno, "block signals");
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? fail(-errno, "make a signalfd") : fd;
}

int exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void resize(int console)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(console, TIOCSWINSZ, &size);
}

static void forward_signals(int signals, int pidfd, int console)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGWINCH && console >= 0)
			resize(console);
		else if (sig != SIGWINCH && sys_pidfd_send_signal(pidfd, sig) < 0 && errno != ESRCH)
			debug("cannot forward signal %d", sig);
	}
}

/* One read, all written; false at the end of FROM. EIO is a terminal whose other end closed. */
static bool copy_some(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && write_all(to, buf, (size_t)n) == 0;
}

/* Input that the process has not taken yet: then no more is read, and nothing waits for it. */
struct pending {
	char data[16384];
	size_t len;
};

enum watch { PROCESS, SIGNALS, CONSOLE, OUT, ERR, INPUT, TAKES, WATCHES };

static void end_input(struct relay_streams *s)
{
	closep(&s->in);
	s->in = -EBADF;
}

/* False when there is no more input to read. */
static bool take_input(struct relay_streams *s, struct pending *in)
{
	ssize_t n = read(STDIN_FILENO, in->data, sizeof(in->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	in->len = n > 0 ? (size_t)n : 0;
	if (n <= 0 && s->console < 0)
		end_input(s);
	return n > 0;
}

static void give_input(struct relay_streams *s, struct pending *in)
{
	int to = s->console >= 0 ? s->console : s->in;
	ssize_t n = to < 0 ? (ssize_t)in->len : write(to, in->data, in->len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) { /* nobody reads it any more */
		in->len = 0;
		end_input(s);
		return;
	}
	in->len -= (size_t)n;
	memmove(in->data, in->data + n, in->len);
}

static void fill_watch(struct pollfd p[WATCHES], const struct relay_streams *s, const struct pending *in, bool more)
{
	int to = s->console >= 0 ? s->console : s->in;

	p[CONSOLE] = (struct pollfd){s->console, POLLIN, 0};
	p[OUT] = (struct pollfd){s->out, POLLIN, 0};
	p[ERR] = (struct pollfd){s->err, POLLIN, 0};
	p[INPUT] = (struct pollfd){more && !in->len && to >= 0 ? STDIN_FILENO : -1, POLLIN, 0};
	p[TAKES] = (struct pollfd){in->len ? to : -1, POLLOUT, 0};
}

/* Copies what is there from each of the process's streams; one that has ended is closed. */
static bool copy_output(const struct pollfd p[WATCHES], struct relay_streams *s)
{
	int *from[] = {&s->console, &s->out, &s->err};
	bool any = false;

	for (int i = 0; i < 3; i++) {
		if (*from[i] < 0 || !p[CONSOLE + i].revents)
			continue;
		any = true;
		if (!copy_some(*from[i], i == 2 ? STDERR_FILENO : STDOUT_FILENO))
			close(take_fd(from[i]));
	}
	return any;
}

/* What the process wrote last is still there when it is gone. */
static void drain(struct relay_streams *s)
{
	struct pollfd p[WATCHES] = {[PROCESS] = {.fd = -1}, [SIGNALS] = {.fd = -1}};
	struct pending none = {.len = 0};

	do
		fill_watch(p, s, &none, false);
	while (poll(p, WATCHES, 0) > 0 && copy_output(p, s));
	closep(&s->console);
	closep(&s->in);
	closep(&s->out);
	closep(&s->err);
}

int relay_wait(pid_t pid, int pidfd, int signals, struct relay_streams *s)
{
	struct pollfd p[WATCHES] = {[PROCESS] = {pidfd, POLLIN, 0}, [SIGNALS] = {signals, POLLIN, 0}};
	struct pending in = {.len = 0};
	bool more = true;
	int status;

	if (s->console >= 0) {
		resize(s->console);
		fcntl(s->console, F_SETFL, O_NONBLOCK);
	}
	while (!(p[PROCESS].revents & POLLIN)) {
		fill_watch(p, s, &in, more);
		if (poll(p, WATCHES, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(-errno, "wait for the process");
		}
		if (p[SIGNALS].revents)
			forward_signals(signals, pidfd, s->console);
		copy_output(p, s);
		if (p[INPUT].revents)
			more = take_input(s, &in);
		if (in.len)
			give_input(s, &in);
	}
	drain(s);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(-errno, "wait for the process");
	return exit_status_of(status);
}

/* A pipe whose end OURS (0 reads, 1 writes) does not block. */
static int make_pipe(int ends[2], int ours)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(-errno, "make a pipe");
	fcntl(ends[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

int relay_pipes(struct relay_streams *s, int child[3], bool no_input)
{
	int *ours[] = {&s->in, &s->out, &s->err};

	*s = RELAY_NONE;
	for (int i = 0; i < 3; i++) {
		int ends[2], mine = i == 0;

		child[i] = i;
		if (i == 0 && no_input) {
			child[0] = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
			if (child[0] < 0)
				return fail(-errno, "open /dev/null");
			continue;
		}
		if (!isatty(i))
			continue;
		int r = make_pipe(ends, mine);
		if (r < 0)
			return r;
		*ours[i] = ends[mine];
		child[i] = ends[!mine];
	}
	return 0;
}
