/* Starting a made container, for `run` and `start`. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "images/store.h"
#include "runtime/record.h"

struct start_how {
	bool attach, input; /* stay, and pass output (and input) */
	const char *detach_keys;
};

/*
 * A detached mount of the container's root filesystem as it is, read-only, whether it runs or not. The
 * calling process gets a mount namespace of its own. Records the failure.
 */
int start_mount_root(const struct record *record);

/*
 * Starts the container of RECORD in directory DIR and stays attached when asked. *LOCK is its lock; it is
 * handed to the monitor, and still ours only when the container could not be started. The
 * exit status for ctr: the program's, 125 to 127 when it could not be started (recorded and reported by
 * the caller through a negative errno only for 125), 0 when not attached.
 */
int start_container(int dir, int *lock, const struct record *record, const struct start_how *how);
