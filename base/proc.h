/* Processes: identity across pid reuse, and helpers that run to their end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A process as a record remembers it: the pid and its start time in clock ticks since boot (field 22
 * of /proc/PID/stat), which together are never reused within a boot.
 */
struct proc_id {
	pid_t pid;
	uint64_t start;
};

/* The start time of PID; 0 or negative errno, nothing recorded. A zombie still has one. */
int proc_start_time(pid_t pid, uint64_t *start);

/* True while the very process ID names is there and not a zombie. */
bool proc_alive(struct proc_id id);

/* A pidfd of the process, or -ESRCH when it is gone or its pid belongs to another. */
int proc_open(struct proc_id id);

/* Waits until the process behind PIDFD is gone, at most TIMEOUT_MS (-1: for ever). 1 when it is gone, 0
 * after the time, negative errno. */
int proc_wait_gone(int pidfd, int timeout_ms);

/* Runs ARGV[0] (an absolute path), waits, and gives its wait status. Records the failure to start. */
int proc_run(char *const argv[], int *status);
