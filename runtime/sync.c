#include "runtime/sync.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/fd.h"

int sync_send(int sock, enum sync_tag tag, int value, const char *text, const int *fds, size_t n)
{
	struct sync_msg msg = {.tag = tag, .value = value};

	if (text)
		memcpy(msg.text, text, strnlen(text, sizeof(msg.text) - 1));
	return fd_send(sock, &msg, sizeof(msg), fds, n);
}

int sync_expect(int sock, enum sync_tag tag, bool *exec_failed, int *fds, size_t *n)
{
	return sync_expect_value(sock, tag, exec_failed, NULL, fds, n);
}

int sync_expect_value(int sock, enum sync_tag tag, bool *exec_failed, int *value, int *fds, size_t *n)
{
	struct sync_msg msg;
	ssize_t got = fd_recv(sock, &msg, sizeof(msg), fds, n);

	if (got <= 0)
		return got < 0 ? fail((int)got, "talk to the container's first process") : 0;
	if (got != sizeof(msg))
		return refuse(-EPROTO, "the container's first process sent a cut message");
	if (msg.tag == (uint32_t)tag) {
		if (value)
			*value = msg.value;
		return 1;
	}
	if (msg.tag != SYNC_ERROR && msg.tag != SYNC_EXEC_ERROR)
		return refuse(-EPROTO, "the container's first process sent message %u instead of %d", msg.tag, tag);
	msg.text[sizeof(msg.text) - 1] = '\0';
	error_set_text(msg.text);
	if (exec_failed)
		*exec_failed = msg.tag == SYNC_EXEC_ERROR;
	return msg.value < 0 ? msg.value : -EIO;
}
