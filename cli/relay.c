#include "cli/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
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

/* What the process wrote last is still in the terminal when it is gone. */
static void drain(int console)
{
	struct pollfd p = {.fd = console, .events = POLLIN};

	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && copy_some(console, STDOUT_FILENO))
		;
}

int relay_wait(pid_t pid, int pidfd, int signals, int console)
{
	enum { PROCESS, SIGNALS, OUTPUT, INPUT };
	struct pollfd p[] = {[PROCESS] = {.fd = pidfd, .events = POLLIN},
			     [SIGNALS] = {.fd = signals, .events = POLLIN},
			     [OUTPUT] = {.fd = console, .events = POLLIN},
			     [INPUT] = {.fd = console >= 0 ? STDIN_FILENO : -1, .events = POLLIN}};
	int status;

	if (console >= 0)
		resize(console);
	while (!(p[PROCESS].revents & POLLIN)) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(-errno, "wait for the process");
		}
		if (p[SIGNALS].revents)
			forward_signals(signals, pidfd, console);
		if (p[OUTPUT].revents && !copy_some(console, STDOUT_FILENO))
			p[OUTPUT].fd = p[INPUT].fd = -1;
		if (p[INPUT].fd >= 0 && p[INPUT].revents && !copy_some(STDIN_FILENO, console))
			p[INPUT].fd = -1;
	}
	if (p[OUTPUT].fd >= 0)
		drain(console);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(-errno, "wait for the process");
	return exit_status_of(status);
}
