/* The client's end of a container's streams (the protocol is in runtime/monitor.h). */
#pragma once

#include <stdbool.h>

struct attach {
	int sock;                /* to the monitor */
	bool tty;                /* the container has a terminal: ours goes raw */
	bool input;              /* pass our standard input on */
	bool forward;            /* pass signals on */
	const char *detach_keys; /* NULL: the default, ctrl-p ctrl-q */
};

/* attach_wait's answer when the user typed the detach keys, or the monitor's end was lost. */
#define ATTACH_DETACHED 1000
#define ATTACH_LOST 1001

/* Serves until the container ends; its exit status (0..255), or one of the above, or negative errno. SIGNALS
 * is relay_signals'. */
int attach_wait(const struct attach *a, int signals);

/* Connects to a running container's monitor and says what is wanted (ATTACH_OUTPUT | ATTACH_INPUT, or 0 to
 * wait only). A socket; -ECONNREFUSED or -ENOENT, not recorded, when it has ended meanwhile. */
int attach_connect(int state_dir, int flags);
