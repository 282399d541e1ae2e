/*
 * Mounts by file descriptor (fsopen(2) and its family): a mount is made detached, gets its attributes,
 * and only then is attached to a target that is an fd too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SOURCE is the name that mount tables show; the type's own name is not worth a system call. */
/* A new instance of filesystem TYPE with options DATA ("key=value" or "flag"; NULL ends) and mount
 * attributes ATTR. A detached mount fd; the failure is recorded with the kernel's own words. */
int mountfd_new(const char *type, const char *source, const char *const *data, uint64_t attr);

/* A detached copy of the mount at PATH under DIRFD (an empty PATH: DIRFD itself), with all mounts below
 * when RECURSIVE. Records the failure. */
int mountfd_clone(int dirfd, const char *path, bool recursive);

/* Changes attributes and, when PROPAGATION is not 0, the propagation type (MS_*, MS_REC for all below).
 * 0 or negative errno, nothing recorded. */
int mountfd_set(int fd, uint64_t set, uint64_t clear, unsigned long propagation, bool recursive);

/* Attaches detached mount FD on the open directory or file TARGET. 0 or negative errno, not recorded. */
int mountfd_attach(int fd, int target);
