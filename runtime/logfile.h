/*
 * The writer of a container's log, in the Kubernetes (CRI) form: one line
 * "2026-11-21T15:40:00.123456789Z stdout F text", with P instead of F for a piece of a line that goes on.
 *
 * Pieces are written as they come; nothing is held back. When the file exceeds its limit it becomes
 * log.1 (replacing an older one) and a new one is begun, so that a log never takes more than twice the
 * limit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logfile {
	int dir, fd;
	uint64_t size, max; /* bytes; max 0: no limit */
	bool failed;        /* a write failed; told once in the monitor's error */
};

/* The log in the container's directory DIR (borrowed; -EBADF: no log). The file is opened, or made, when
 * there is something to write. */
struct logfile logfile_start(int dir, uint64_t max);

/* Appends what STREAM ("stdout", "stderr") said. A failure to write (disk full) loses the text, never
 * stops the container. */
void logfile_write(struct logfile *l, const char *stream, const char *data, size_t len);

void logfile_close(struct logfile *l);
