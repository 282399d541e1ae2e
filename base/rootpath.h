/*
 * Paths inside a root that somebody else controls.
 *
 * A rootfs, a layer, a volume may hold any symlink and may change while we look. So a path inside one
 * is not a string but a `struct rootpath`, which no libc function takes; it is always resolved from a
 * directory fd of that root with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), and what was checked
 * is used by its fd, never by its name again. See openat2(2).
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

struct rootpath {
	const char *p;
};

static inline struct rootpath rootpath(const char *p)
{
	return (struct rootpath){p};
}

/* Opens PATH under ROOTFD. FLAGS as for open(2), O_CLOEXEC is added. An fd, or negative errno with
 * nothing recorded. */
int root_open(int rootfd, struct rootpath path, int flags, mode_t mode);

/*
 * Makes directory PATH and its missing parents (0755, owned by the caller) and returns an O_PATH fd of
 * it; symlinks on the way are followed within the root. Records the failure.
 */
int root_make_dirs(int rootfd, struct rootpath path, mode_t mode);

/*
 * Opens the directory that holds the last component of PATH, making missing ones when MAKE, and copies
 * that component into NAME (NAME_MAX + 1 bytes). -EINVAL when the component is empty, "." or "..".
 */
int root_open_parent(int rootfd, struct rootpath path, int make, char *name);

/*
 * Makes sure that PATH exists as a mount target (a directory when MODE says S_IFDIR, else an empty
 * file) and returns an O_PATH fd of it. Records the failure.
 */
int root_make_target(int rootfd, struct rootpath path, mode_t type);
