/* Private to the monitor: the loop that moves bytes while the container runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/logfile.h"
#include "runtime/monitor.h"

#define MONITOR_CLIENTS_MAX 32

struct monitor_client {
	int fd; /* -EBADF: free */
	bool output, input, primary;
};

/* What was read from one side and could not be delivered yet: then that side is not read again. */
struct monitor_pending {
	char data[1 + ATTACH_FRAME_MAX];
	uint32_t len;
	uint32_t waiting; /* output: a bit for each client that has not got it */
};

struct monitor_loop {
	int pidfd, listen;
	int input;     /* the container's standard input or terminal, -EBADF when closed */
	int output[2]; /* its standard output and error; the terminal is output[0] */
	bool console, interactive;
	struct logfile log;
	struct monitor_client clients[MONITOR_CLIENTS_MAX];
	struct monitor_pending out, in;
	int in_from; /* the client whose input waits */
	bool close_input;
};

#define MONITOR_LOOP_INIT                                                                                              \
	{                                                                                                              \
		.pidfd = -EBADF, .listen = -EBADF, .input = -EBADF, .output = {-EBADF, -EBADF}, .log = {.fd = -EBADF}, \
		.clients[0 ... MONITOR_CLIENTS_MAX - 1] = {                                                            \
			.fd = -EBADF                                                                                   \
		}                                                                                                      \
	}

/* Serves FD, which counts as attached to output and, when PRIMARY, as the one whose going away ends the
 * container's standard input. Takes FD over. */
void monitor_loop_add(struct monitor_loop *l, int fd, bool primary);

/* Runs until the container has ended and its output is read to the end. */
void monitor_loop_run(struct monitor_loop *l);

/* Tells every client the exit status. */
void monitor_loop_finish(struct monitor_loop *l, int status);
