/*
 * The monitor: one small process per container of the engine, its parent. It holds the container's
 * standard streams, writes the log, serves whoever is attached, and puts things away at the end.
 *
 * Clients talk to it over SOCK_SEQPACKET, one message a frame, the first byte saying what it is:
 *
 *   client -> monitor   'A' flags   attach: bit 0 output, bit 1 input (the first message)
 *                       'I' bytes   input        'Z'  end of input
 *                       'R' rows columns (two native uint16_t)   the terminal's new size
 *                       'S' number (native int32_t)              signal for the container's init
 *   monitor -> client   'O' bytes   standard output      'E' bytes   standard error
 *                       'X' status (native int32_t)      it has ended; the last message
 *
 * A client that does not read stops the container's output, as a pipe would; it loses nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/launch.h"
#include "runtime/record.h"

#define ATTACH_FRAME_MAX 16384 /* bytes after the type */
#define ATTACH_OUTPUT 1
#define ATTACH_INPUT 2

struct monitor_params {
	const struct engine *engine;
	const struct record *record;
	const struct spec *spec;
	const char *argv0;
	int dir;                     /* the container's directory */
	int root_fd;                 /* detached root mount, or -EBADF: */
	int (*open_root)(void *arg); /* makes it in the child, see container.h */
	void *open_root_arg;
	const char *user; /* see container.h */
	int lock;         /* kept open until everything is put away */
	int client;       /* an attached client from the start, -EBADF for none */
	int maker_client; /* its other end, which the monitor must not hold; -EBADF */
	const char *cache_dir;
};

/* What the monitor tells its maker over the status socket: the container runs, or why not. */
struct monitor_report {
	int32_t error;       /* 0: it runs; else negative errno */
	int32_t exec_failed; /* the program was not found or not executable */
	int32_t pid;
	char text[ERROR_TEXT_MAX];
};

/*
 * Forks the monitor, which starts the container, and waits until that is done. Returns the monitor's
 * pid, or a negative errno, recorded, with *EXEC_FAILED as container_create; then nothing is left of it
 * but the container's directory with an exit.json that says what happened.
 */
pid_t monitor_start(const struct monitor_params *p, bool *exec_failed);
