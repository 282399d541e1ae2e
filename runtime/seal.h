/*
 * Keeping the host's copy of this program out of a container's reach.
 *
 * A process that is about to become a container's process still has our file as /proc/self/exe, and a
 * hostile image can have that opened for writing (CVE-2019-5736). So a verb that enters a container
 * first executes this program once more from a detached, read-only mount of the same file: the pages
 * are shared, nothing is copied, and no path leads to a writable view.
 */
#pragma once

/* Re-executes ARGV from a sealed copy unless this process already runs from one. Returns 0 when it does,
 * or negative errno, recorded. argv[0] then is an absolute path in the folder of the real file. */
int seal_self(char **argv);

/* The path of NAME beside this program or in ../libexec/ctr or ../share/ctr; caller frees. ARGV0 is
 * this process's argv[0]. NULL, recorded, when there is none. */
char *find_companion(const char *argv0, const char *name);
