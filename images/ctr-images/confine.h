/*
 * What a process that reads strangers' bytes gives up first.
 *
 * The filesystem outside one directory (a chroot into a detached, nodev, nosuid, noexec copy of its mount),
 * new privileges, memory without end, access by Landlock to anything but that directory, and every
 * capability but those that the work needs. Each of these stands by itself: one that the kernel or the
 * caller's privileges do not offer is left out, said at debug level. The process has one thread and holds no
 * other descriptor of a directory when it calls this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Capabilities for unpacking: owners, special files, and files of other owners than ours. */
extern const uint64_t CONFINE_CAPS_UNPACK;
/* Capabilities for reading a whole tree. */
extern const uint64_t CONFINE_CAPS_READ;

/* Makes directory *DIRFD the root "/"; *DIRFD is replaced by a descriptor of the same directory there. */
int confine_to(int *dirfd);

/* Gives up every capability but CAPS, and all but reading (with WRITE also writing) below DIRFD. */
int confine_rights(int dirfd, bool write, uint64_t caps);
