#include "runtime/monitor_loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

/* One process of ours reads what another wrote; a send to a slow one must not wait. */
#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)

static void drop_client(struct monitor_loop *l, int i)
{
	struct monitor_client *c = &l->clients[i];

	/* `run -i` went away: its input has ended, as a shell's pipe would. */
	if (c->primary && l->interactive && !l->console)
		l->close_input = true;
	close(take_fd(&c->fd));
	l->out.waiting &= ~(UINT32_C(1) << i);
}

void monitor_loop_add(struct monitor_loop *l, int fd, bool primary)
{
	for (int i = 0; i < MONITOR_CLIENTS_MAX; i++) {
		if (l->clients[i].fd >= 0)
			continue;
		l->clients[i] =
			(struct monitor_client){.fd = fd, .output = primary, .input = primary, .primary = primary};
		return;
	}
	close(fd);
}

static void accept_client(struct monitor_loop *l)
{
	int fd = accept4(l->listen, NULL, NULL, SOCK_CLOEXEC);

	/* The socket lies in a directory of mode 0700: who reaches it is the store's owner. */
	if (fd >= 0)
		monitor_loop_add(l, fd, false);
}

/* --- output: one piece at a time, to the log and to every attached client --------------------------- */

static void deliver_output(struct monitor_loop *l)
{
	for (int i = 0; i < MONITOR_CLIENTS_MAX && l->out.waiting; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if (!(l->out.waiting & bit))
			continue;
		if (send(l->clients[i].fd, l->out.data, l->out.len, SEND_FLAGS) >= 0)
			l->out.waiting &= ~bit;
		else if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			drop_client(l, i);
	}
}

/* False at the end of the stream. */
static bool read_output(struct monitor_loop *l, int which)
{
	ssize_t n = read(l->output[which], l->out.data + 1, ATTACH_FRAME_MAX);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	/* A terminal whose last holder closed it says EIO. */
	if (n <= 0)
		return false;
	logfile_write(&l->log, which ? "stderr" : "stdout", l->out.data + 1, (size_t)n);
	l->out.data[0] = which ? 'E' : 'O';
	l->out.len = (uint32_t)n + 1;
	for (int i = 0; i < MONITOR_CLIENTS_MAX; i++)
		if (l->clients[i].fd >= 0 && l->clients[i].output)
			l->out.waiting |= UINT32_C(1) << i;
	deliver_output(l);
	return true;
}

static void close_output(struct monitor_loop *l, int which)
{
	/* The terminal is also the input; it is closed once. */
	if (l->console)
		l->input = -EBADF;
	close(take_fd(&l->output[which]));
}

/* --- input ------------------------------------------------------------------------------------------ */

static void close_input(struct monitor_loop *l)
{
	/* End of file for a terminal is its own character, which the client sends. */
	if (!l->console && l->input >= 0)
		close(take_fd(&l->input));
	l->close_input = false;
}

static void deliver_input(struct monitor_loop *l)
{
	ssize_t n = l->input < 0 ? (ssize_t)l->in.len : write(l->input, l->in.data, l->in.len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody reads it any more */
		l->in.len = 0;
		close_input(l);
		return;
	}
	l->in.len -= (uint32_t)n;
	memmove(l->in.data, l->in.data + n, l->in.len);
}

static void resize(struct monitor_loop *l, const char *data, size_t len)
{
	uint16_t size[2];
	struct winsize w = {0};

	if (!l->console || l->input < 0 || len != sizeof(size))
		return;
	memcpy(size, data, sizeof(size));
	w.ws_row = size[0];
	w.ws_col = size[1];
	ioctl(l->input, TIOCSWINSZ, &w);
}

static void pass_signal(struct monitor_loop *l, const char *data, size_t len)
{
	int32_t sig;

	if (len != sizeof(sig))
		return;
	memcpy(&sig, data, sizeof(sig));
	if (sig > 0 && sig <= 64)
		sys_pidfd_send_signal(l->pidfd, sig);
}

static void handle_message(struct monitor_loop *l, int i, const char *data, size_t len)
{
	struct monitor_client *c = &l->clients[i];

	switch (data[0]) {
	case 'A':
		c->output = len > 1 && (data[1] & ATTACH_OUTPUT);
		c->input = len > 1 && (data[1] & ATTACH_INPUT);
		break;
	case 'I':
		if (!c->input)
			break;
		memcpy(l->in.data, data + 1, len - 1);
		l->in.len = (uint32_t)(len - 1);
		deliver_input(l);
		break;
	case 'Z':
		if (c->input)
			l->close_input = true;
		break;
	case 'R':
		resize(l, data + 1, len - 1);
		break;
	case 'S':
		pass_signal(l, data + 1, len - 1);
		break;
	default: /* a later client may know more */
		break;
	}
}

static void read_client(struct monitor_loop *l, int i)
{
	char data[1 + ATTACH_FRAME_MAX];
	ssize_t n = recv(l->clients[i].fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0)
		handle_message(l, i, data, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		drop_client(l, i);
}

/* --- the loop --------------------------------------------------------------------------------------- */

enum { WATCH_PID, WATCH_LISTEN, WATCH_OUT, WATCH_ERR, WATCH_IN, WATCH_CLIENTS };

static void fill_watch(const struct monitor_loop *l, struct pollfd *p)
{
	bool busy = l->out.waiting != 0;

	p[WATCH_PID] = (struct pollfd){l->pidfd, POLLIN, 0};
	p[WATCH_LISTEN] = (struct pollfd){l->listen, POLLIN, 0};
	p[WATCH_OUT] = (struct pollfd){busy ? -1 : l->output[0], POLLIN, 0};
	p[WATCH_ERR] = (struct pollfd){busy ? -1 : l->output[1], POLLIN, 0};
	p[WATCH_IN] = (struct pollfd){l->in.len ? l->input : -1, POLLOUT, 0};
	for (int i = 0; i < MONITOR_CLIENTS_MAX; i++) {
		const struct monitor_client *c = &l->clients[i];
		/* While input waits, no client is read: one that sends input would have to wait too. */
		short events = (short)((l->in.len ? 0 : POLLIN) | (l->out.waiting & UINT32_C(1) << i ? POLLOUT : 0));

		p[WATCH_CLIENTS + i] = (struct pollfd){c->fd, events, 0};
	}
}

static void serve(struct monitor_loop *l, const struct pollfd *p)
{
	for (int i = 0; i < MONITOR_CLIENTS_MAX; i++) {
		short ready = p[WATCH_CLIENTS + i].revents;

		if (l->clients[i].fd < 0 || !ready)
			continue;
		if (!l->in.len && (ready & (POLLIN | POLLHUP | POLLERR)))
			read_client(l, i);
		else if (ready & (POLLHUP | POLLERR))
			drop_client(l, i);
	}
	if (l->out.waiting)
		deliver_output(l);
	if (p[WATCH_IN].revents && l->in.len)
		deliver_input(l);
	if (l->close_input && !l->in.len)
		close_input(l);
	for (int which = 0; which < 2; which++)
		if (!l->out.waiting && p[WATCH_OUT + which].revents && !read_output(l, which))
			close_output(l, which);
	if (p[WATCH_LISTEN].revents)
		accept_client(l);
}

/* Far more than the largest pipes and the terminal hold, a frame or a page at a time. */
#define DRAIN_READS_MAX 256

/* The container is gone; what it wrote last is still in the pipes. */
static void drain(struct monitor_loop *l)
{
	struct pollfd p[WATCH_CLIENTS + MONITOR_CLIENTS_MAX];
	int reads = 0;

	/* Where the pid namespace is shared, others that the container started still run, and may write for
	 * ever; they end with the cgroup, after this. */
	while (reads < DRAIN_READS_MAX) {
		fill_watch(l, p);
		p[WATCH_PID].fd = p[WATCH_LISTEN].fd = p[WATCH_IN].fd = -1;
		/* With undelivered output wait for its clients, else only look. */
		int n = poll(p, sizeof(p) / sizeof(*p), l->out.waiting ? -1 : 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		bool any = l->out.waiting;
		for (int which = 0; which < 2; which++)
			any |= p[WATCH_OUT + which].revents != 0;
		if (!any)
			return;
		reads += !l->out.waiting;
		l->in.len = 0;
		serve(l, p);
	}
}

void monitor_loop_run(struct monitor_loop *l)
{
	struct pollfd p[WATCH_CLIENTS + MONITOR_CLIENTS_MAX];

	for (;;) {
		fill_watch(l, p);
		if (poll(p, sizeof(p) / sizeof(*p), -1) < 0)
			continue;
		serve(l, p);
		if (p[WATCH_PID].revents)
			break;
	}
	drain(l);
}

void monitor_loop_finish(struct monitor_loop *l, int status)
{
	char msg[1 + sizeof(int32_t)] = {'X'};
	int32_t value = status;
	int fd;

	memcpy(msg + 1, &value, sizeof(value));
	/* Those who connected in the last moment, too. */
	while (l->listen >= 0 && (fd = accept4(l->listen, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		monitor_loop_add(l, fd, false);
	for (int i = 0; i < MONITOR_CLIENTS_MAX; i++)
		if (l->clients[i].fd >= 0)
			send(l->clients[i].fd, msg, sizeof(msg), SEND_FLAGS);
}
