/* OCI hooks: the caller's programs at fixed points of a container's life. */
#pragma once

#include <stddef.h>

#include "runtime/spec.h"

/* Runs the hooks in order, with STATE (a JSON document) on standard input, their own environment and
 * "/" as working directory (CHROOTED: they run inside the container and keep it). A hook that fails or
 * exceeds its timeout (it is killed) ends the list; recorded with its path. */
int hooks_run(const struct hook_list *hooks, const char *state, size_t len);
