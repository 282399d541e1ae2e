/*
 * The protocol that joins a starting container to its parent: fixed-size tagged messages over one
 * SOCK_SEQPACKET pair, close-on-exec at both ends, so that the end of the stream means "it runs".
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum sync_tag {
	SYNC_CONTINUE = 1, /* parent: the id maps are written, the runtime hooks ran: go on */
	SYNC_HOOKS,        /* child: namespaces are there; run the runtime hooks */
	SYNC_READY,        /* child: all is set but the exec; fds: console master, seccomp listener, as asked */
	SYNC_START,        /* parent: execute the program */
	SYNC_ERROR,        /* child: value is an errno, text the sentence */
	SYNC_EXEC_ERROR,   /* the same, and it is the program's fault: exit 126 or 127 */
};

struct sync_msg {
	uint32_t tag;
	int32_t value;
	char text[ERROR_TEXT_MAX];
};

/* Sends TAG with up to N fds; 0 or negative errno, nothing recorded. */
int sync_send(int sock, enum sync_tag tag, int value, const char *text, const int *fds, size_t n);

/*
 * Waits for a message and expects TAG. Returns 1; 0 when the peer closed; a negative errno, recorded,
 * for SYNC_ERROR and SYNC_EXEC_ERROR (then *EXEC_FAILED is set when given) and for anything unexpected.
 * FDS as in fd_recv; may be NULL.
 */
int sync_expect(int sock, enum sync_tag tag, bool *exec_failed, int *fds, size_t *n);
/* The same, giving the message's number as well; VALUE may be NULL. */
int sync_expect_value(int sock, enum sync_tag tag, bool *exec_failed, int *value, int *fds, size_t *n);
