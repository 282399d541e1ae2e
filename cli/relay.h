/*
 * Between a terminal (or pipes) of ours and a process that we started: signals go in, the exit status
 * comes out and, with a terminal, bytes go both ways.
 */
#pragma once

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

/*
 * Waits for child PID (PIDFD), forwarding signals from SIGNALS, and copying between our 0/1 and the
 * terminal master CONSOLE (-1: none). Returns the wait status as an exit status (128 + signal), or
 * negative errno, recorded.
 */
int relay_wait(pid_t pid, int pidfd, int signals, int console);

/* 0..255 for a wait status. */
int exit_status_of(int wait_status);
