/* A cgroup's life but its end: made, taken over, opened, closed. remove.c has the end. */
#include "cgroups/cgroup.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroups/private.h"

const char *cgroup_relative(const char *path)
{
	return path + strspn(path, "/");
}

int cgroup_open_root(void)
{
	const char *point = cgroup_mount_point();

	if (!point)
		return -ENOENT;
	int fd = openat(AT_FDCWD, point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(-errno, "open %s", point) : fd;
}

int cgroup_open_below(int dirfd, const char *relative)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
	int fd = sys_openat2(dirfd, relative, &how);

	return fd < 0 ? -errno : fd;
}

/* Paths come from a caller's config.json. */
static int check_path(const char *path)
{
	if (*path != '/')
		return refuse(-EINVAL, "cgroup path \"%.64s\" must begin with a slash", path);
	if (strlen(path) >= PATH_MAX)
		return refuse(-ENAMETOOLONG, "cgroup path \"%.64s...\" is longer than %d bytes", path, PATH_MAX - 1);
	if (has_control(path))
		return refuse(-EINVAL, "a cgroup path must not contain control characters");
	if (!*cgroup_relative(path))
		return refuse(-EINVAL, "cgroup path \"%.64s\" names the root of the hierarchy", path);
	for (const char *p = path; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return refuse(-EINVAL, "cgroup path \"%.200s\" must not contain \".\" or \"..\"", path);
		/* The kernel would make it, but no other program could handle it. */
		if (len > NAME_MAX)
			return refuse(-ENAMETOOLONG, "cgroup name \"%.32s...\" is longer than %d bytes", p, NAME_MAX);
	}
	return 0;
}

/* Undoes make_path(): removes the cgroup at RELATIVE and those above it, but not what the first KEPT bytes
 * name. Records nothing, since the caller has a failure to report. */
static void unmake_path(int root, const char *relative, size_t kept)
{
	_cleanup_(freep) char *path = xstrdup(relative);

	while (strlen(path) > kept) {
		for (size_t len = strlen(path); len && path[len - 1] == '/';)
			path[--len] = '\0';
		if (unlinkat(root, path, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTDIR)
			debug("cannot remove the cgroup /%s again: %s", path, strerror(errno));
		char *slash = strrchr(path, '/');
		*(slash ? slash : path) = '\0';
	}
}

/*
 * mkdir -p below ROOT; no part of the path is "..", and cgroup2 has no symlinks. *KEPT is how much of the path
 * there was before, for unmake_path(); *FRESH is whether the last cgroup was made. On failure none is left.
 */
static int make_path(int root, const char *relative, size_t *kept, bool *fresh)
{
	size_t len = strlen(relative);

	/* In the common case only the last is missing. */
	*fresh = mkdirat(root, relative, 0755) == 0;
	*kept = *fresh ? len - 1 : len;
	if (*fresh || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return fail(-errno, "create cgroup /%s", relative);

	for (size_t from = 0, end; relative[from]; from = end + strspn(relative + end, "/")) {
		end = from + strcspn(relative + from, "/");
		_cleanup_(freep) char *path = xstrndup(relative, end);
		int r = mkdirat(root, path, 0755) < 0 ? -errno : 0;
		if (r < 0 && r != -EEXIST) {
			unmake_path(root, relative, *kept);
			return fail(r, "create cgroup /%s", path);
		}
		*fresh = r == 0;
		if (*fresh && from < *kept)
			*kept = from;
	}
	return 0;
}

/* Makes an existing cgroup as good as new: what a runtime that was killed left may be frozen, or have a
 * device filter. */
static int take_over(const struct cgroup *cg, const struct cgroup_limits *limits)
{
	int r = cgroup_event(cg->fd, "populated");

	if (r < 0)
		return fail(r, "read cgroup.events of cgroup %s", cg->path);
	if (r > 0)
		return refuse(-EBUSY,
			      "cgroup %s exists and has processes in it; stop them or give the container another path",
			      cg->path);
	r = write_text_at(cg->fd, "cgroup.freeze", "0");
	if (r < 0 && r != -ENOENT)
		return fail(r, "thaw cgroup %s", cg->path);
	return limits && limits->n_devices ? 0 : device_filter_clear(cg);
}

static int open_made(int root, const char *path, struct cgroup *cg)
{
	int fd = cgroup_open_below(root, cgroup_relative(path));

	if (fd < 0)
		return fail(fd, "open cgroup %s", path);
	*cg = (struct cgroup){.fd = fd, .path = xstrdup(path)};
	return 0;
}

int cgroup_create(const char *path, const struct cgroup_limits *limits, struct cgroup *cg)
{
	int r = check_path(path);

	*cg = CGROUP_NONE;
	if (r < 0)
		return r;
	_cleanup_(closep) int root = cgroup_open_root();
	if (root < 0)
		return root;
	size_t kept;
	bool fresh;
	r = make_path(root, cgroup_relative(path), &kept, &fresh);
	if (r < 0)
		return r;
	r = open_made(root, path, cg);
	if (r == 0 && !fresh)
		r = take_over(cg, limits);
	if (r == 0 && limits)
		r = limits_apply(cg, limits, fresh);
	if (r < 0) {
		unmake_path(root, cgroup_relative(path), kept);
		cgroup_close(cg);
	}
	return r;
}

int cgroup_open(const char *path, struct cgroup *cg)
{
	int r = check_path(path);

	*cg = CGROUP_NONE;
	if (r < 0)
		return r;
	_cleanup_(closep) int root = cgroup_open_root();
	return root < 0 ? root : open_made(root, path, cg);
}

int cgroup_set_limits(const struct cgroup *cg, const struct cgroup_limits *limits)
{
	return limits_apply(cg, limits, false);
}

void cgroup_close(struct cgroup *cg)
{
	closep(&cg->fd);
	free(cg->path);
	*cg = CGROUP_NONE;
}
