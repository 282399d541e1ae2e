#include "cli/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/relay.h"
#include "runtime/listen.h"
#include "runtime/monitor.h"

static int send_frame(int sock, char type, const void *data, size_t len)
{
	char frame[1 + ATTACH_FRAME_MAX];

	frame[0] = type;
	if (len)
		memcpy(frame + 1, data, len);
	return send(sock, frame, len + 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int attach_connect(int state_dir, int flags)
{
	_cleanup_(closep) int sock = socket_connect_at(state_dir, RECORD_SOCKET);
	char wanted = (char)flags;

	if (sock < 0)
		return sock;
	int r = send_frame(sock, 'A', &wanted, 1);
	return r < 0 ? r : take_fd(&sock);
}

static void send_size(const struct attach *a)
{
	uint16_t size[2];

	if (a->tty && relay_window(STDIN_FILENO, &size[0], &size[1]))
		send_frame(a->sock, 'R', size, sizeof(size));
}

static void forward_signals(const struct attach *a, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		int32_t sig = (int32_t)info.ssi_signo;

		if (sig == SIGWINCH)
			send_size(a);
		else if (a->forward)
			send_frame(a->sock, 'S', &sig, sizeof(sig));
	}
}

/* ctrl-p ctrl-q, as a terminal sends them. */
static const char default_keys[] = {16, 17};

struct keys {
	char seq[8];
	size_t len, seen;
};

/* "ctrl-p,ctrl-q", "ctrl-],q", or "" for none. */
static int parse_keys(const char *text, struct keys *k)
{
	*k = (struct keys){.len = sizeof(default_keys)};
	memcpy(k->seq, default_keys, sizeof(default_keys));
	if (!text)
		return 0;
	k->len = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		const char *c = after_prefix(text, "ctrl-");

		if (k->len == sizeof(k->seq) || (c ? n != 6 || *c < '@' : n != 1))
			return refuse(-EINVAL, "bad --detach-keys: a list like ctrl-p,ctrl-q or a,ctrl-]");
		k->seq[k->len++] = (char)(c ? *c & 0x1f : *text);
		text += n + (text[n] == ',');
	}
	return 0;
}

/* True when the last bytes typed are the detach keys. */
static bool typed_keys(struct keys *k, const char *data, size_t len)
{
	for (size_t i = 0; k->len && i < len; i++) {
		k->seen = data[i] == k->seq[k->seen] ? k->seen + 1 : data[i] == k->seq[0];
		if (k->seen == k->len)
			return true;
	}
	return false;
}

enum input { INPUT_MORE, INPUT_END, INPUT_DETACH };

static enum input pass_input(const struct attach *a, struct keys *k)
{
	char buf[ATTACH_FRAME_MAX];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_MORE;
	if (n <= 0) {
		send_frame(a->sock, 'Z', NULL, 0);
		return INPUT_END;
	}
	if (a->tty && typed_keys(k, buf, (size_t)n))
		return INPUT_DETACH;
	return send_frame(a->sock, 'I', buf, (size_t)n) < 0 ? INPUT_END : INPUT_MORE;
}

/* One message; true when *STATUS is the answer. */
static bool take_message(const struct attach *a, int *status)
{
	char buf[1 + ATTACH_FRAME_MAX];
	ssize_t n = recv(a->sock, buf, sizeof(buf), 0);
	int32_t code;

	/* The monitor went with something of ours unread: what it sent before that is still to come. */
	if (n < 0 && (errno == EINTR || errno == ECONNRESET))
		return false;
	if (n <= 0) {
		*status = ATTACH_LOST;
		return true;
	}
	/* Whoever reads us may be gone; the container goes on, as with a broken pipe it would notice itself. */
	if (buf[0] == 'O' || buf[0] == 'E')
		(void)!write_all(buf[0] == 'O' ? STDOUT_FILENO : STDERR_FILENO, buf + 1, (size_t)n - 1);
	if (buf[0] != 'X' || n != 1 + sizeof(code))
		return false;
	memcpy(&code, buf + 1, sizeof(code));
	*status = code;
	return true;
}

int attach_wait(const struct attach *a, int signals)
{
	struct pollfd p[] = {{a->sock, POLLIN, 0}, {signals, POLLIN, 0}, {a->input ? STDIN_FILENO : -1, POLLIN, 0}};
	struct keys keys;
	int status = 0, r = parse_keys(a->detach_keys, &keys);

	if (r < 0)
		return r;
	if (a->tty && a->input)
		relay_raw(STDIN_FILENO);
	send_size(a);
	for (;;) {
		if (poll(p, 3, -1) < 0 && errno != EINTR) {
			status = fail(-errno, "wait for the container");
			break;
		}
		if (p[1].revents)
			forward_signals(a, signals);
		if (p[0].revents && take_message(a, &status))
			break;
		if (p[2].fd < 0 || !p[2].revents)
			continue;
		enum input in = pass_input(a, &keys);
		if (in == INPUT_DETACH) {
			status = ATTACH_DETACHED;
			break;
		}
		if (in == INPUT_END)
			p[2].fd = -1;
	}
	relay_restore();
	return status;
}
