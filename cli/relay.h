/*
 * Between a terminal (or pipes) of ours and a process that we started: signals go in, the exit status
 * comes out and, with a terminal, bytes go both ways.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* Puts the terminal on FD into raw mode until relay_restore or the end of the process. False when FD is
 * no terminal. */
bool relay_raw(int fd);
void relay_restore(void);

/* The size of the terminal on FD; false when there is none. */
bool relay_window(int fd, unsigned short *rows, unsigned short *columns);

/*
 * Blocks the signals that are worth forwarding and returns a signalfd of them. The child of a later
 * clone unblocks them for itself.
 */
int relay_signals(void);

/* Our ends of a process's streams; -EBADF for each that it has from us directly. */
struct relay_streams {
	int console;      /* master of its terminal: input and output */
	int in, out, err; /* pipes */
};

#define RELAY_NONE ((struct relay_streams){-EBADF, -EBADF, -EBADF, -EBADF})

/*
 * Gives a process that is to be started pipes in place of those of our 0, 1, 2 that are terminals: a
 * terminal that is passed on can be read, and typed into, by whoever has it. CHILD gets the process's three
 * descriptors (the caller closes those above 2), S our ends. With NO_INPUT it reads /dev/null.
 */
int relay_pipes(struct relay_streams *s, int child[3], bool no_input);

/*
 * Waits for child PID (PIDFD), forwarding signals from SIGNALS and copying between S and our 0, 1, 2.
 * Closes S. Returns the wait status as an exit status (128 + signal), or negative errno, recorded.
 */
int relay_wait(pid_t pid, int pidfd, int signals, struct relay_streams *s);

/* 0..255 for a wait status. */
int exit_status_of(int wait_status);
