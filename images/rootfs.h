/*
 * The root filesystem of a container: its image's layers and a writable one, joined by overlayfs.
 *
 * See Documentation/filesystems/overlayfs.rst in the kernel's source for the options named here.
 */
#pragma once

#include <stddef.h>

enum {
	ROOTFS_VOLATILE = 1 << 0,  /* nothing is synced: a crash of the host may lose the upper layer */
	ROOTFS_USERXATTR = 1 << 1, /* overlayfs's marks are user.overlay.*: in a user namespace */
};

/*
 * Mounts the layers LOWER_FDS[0..N-1] (bottom first, at least one), with UPPER_FD and WORK_FD above them
 * when UPPER_FD >= 0, else read-only. The descriptors are directories, not O_PATH; upper and work are on
 * one filesystem. ATTR is of MOUNT_ATTR_*.
 *
 * Returns the fd of a detached mount, for move_mount(2), or a negative errno, recorded. The directories
 * were opened in the caller's mount namespace (overlayfs takes no others), and its mounts do not
 * propagate: before Linux 6.7 something is mounted for a moment on top of one of them.
 */
int rootfs_mount(const int *lower_fds, size_t n, int upper_fd, int work_fd, unsigned int flags, unsigned int attr);

/* The ways to hand overlayfs its layers, newest first; rootfs_mount takes the first that the kernel has. */
enum rootfs_way {
	ROOTFS_BY_FD,   /* fsconfig(2) with descriptors: Linux 6.13 */
	ROOTFS_BY_PATH, /* fsconfig(2) with a path in /proc/self/fd each: Linux 6.7 */
	ROOTFS_BY_MOUNT /* mount(2) with all paths in one string of a page, about 200 layers */
};

/* rootfs_mount by one given way, for the tests; at least two layers. */
int rootfs_mount_by(enum rootfs_way way, const int *lower_fds, size_t n, int upper_fd, int work_fd, unsigned int flags,
		    unsigned int attr);
