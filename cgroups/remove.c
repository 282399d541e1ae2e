/* A cgroup's end. */
#include <dirent.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

/* Processes that were killed are gone in milliseconds. */
#define REMOVE_TIMEOUT_MS 5000

/* Removes those directly below DIRFD that can be; *BUSY becomes an fd of one that cannot, and *SEEN says
 * whether there were any. */
static int remove_leaves(int dirfd, int *busy, bool *seen)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int r = 0;

	*busy = -EBADF;
	*seen = false;
	if (!dir) {
		r = -errno;
		closep(&copy);
		return r;
	}
	for (struct dirent *e; r == 0 && *busy < 0 && (e = readdir(dir));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		*seen = true;
		if (unlinkat(dirfd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		r = errno == EBUSY ? 0 : -errno;
		if (r == 0) {
			*busy = cgroup_open_below(dirfd, e->d_name);
			r = *busy < 0 && *busy != -ENOENT ? *busy : 0;
		}
	}
	closedir(dir);
	return r;
}

/*
 * Removes all that is below TOP, the deepest first. How deep that is the container decides, which may have
 * nested its cgroups without end: so there is no recursion, and no more than one fd for where we are. Each
 * round goes down to a cgroup that has others below, or up when there are none left.
 */
static int remove_below(int top)
{
	_cleanup_(closep) int here = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool entered = false;

	if (here < 0)
		return -errno;
	for (uint64_t depth = 0;;) {
		bool seen;
		int next, r = remove_leaves(here, &next, &seen);

		if (r < 0)
			return r;
		/* It could not be removed, though it is empty: somebody put a process in. */
		if (entered && !seen)
			return -EBUSY;
		entered = next >= 0;
		if (next < 0 && depth == 0)
			return 0;
		depth += entered ? 1 : (uint64_t)-1;
		if (next < 0)
			next = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(here);
		here = next;
	}
}

/* 0 when the cgroup is gone, -EBUSY when something is in it. Records nothing. */
static int try_remove(int root, const char *relative)
{
	if (unlinkat(root, relative, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

int cgroup_remove_empty(const char *path)
{
	const char *mount_point = cgroup_mount_point();
	if (!mount_point)
		return -ENOENT;

	/* By one path: a cgroup filesystem has no symbolic links. */
	_cleanup_(freep) char *whole = xasprintf("%s/%s", mount_point, cgroup_relative(path));
	int r = try_remove(AT_FDCWD, whole);
	return r == -ENODEV ? 0 : r;
}

int cgroup_remove(const struct cgroup *cg)
{
	if (!cg->path)
		return 0;
	_cleanup_(closep) int root = cgroup_open_root();
	if (root < 0)
		return root;
	const char *relative = cgroup_relative(cg->path);
	int r = try_remove(root, relative);
	if (r == 0)
		return 0;
	if (r != -EBUSY)
		return fail(r, "remove cgroup %s", cg->path);

	_cleanup_(closep) int fd = cgroup_open_below(root, relative);
	r = fd < 0 ? fd : cgroup_wait(fd, "populated", false, REMOVE_TIMEOUT_MS);
	if (r == -ETIMEDOUT)
		return refuse(-EBUSY, "cgroup %s is not removed: there are processes in it", cg->path);
	if (r == 0)
		r = remove_below(fd);
	if (r == 0)
		r = try_remove(root, relative);
	/* Somebody else was faster. */
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	return r < 0 ? fail(r, "remove cgroup %s", cg->path) : 0;
}
