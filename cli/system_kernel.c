/* What a crash left in the kernel: cgroups, mounts. */
#include "cli/system.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "images/ref.h"

#define ENGINE_CGROUP "/ctr"
#define KILL_TIMEOUT_MS 10000

int check_destroy_cgroup(const char *path)
{
	struct cgroup cg;
	int r = cgroup_open(path, &cg);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = cgroup_kill(&cg, KILL_TIMEOUT_MS);
	if (r == 0)
		r = cgroup_remove(&cg);
	cgroup_close(&cg);
	return r;
}

/* --- cgroups ------------------------------------------------------------------------------------------ */

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512];
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	char *end = read_line_at(AT_FDCWD, path, text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	if (!end || sscanf(end, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool is_ours(pid_t pid)
{
	char path[32], name[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return read_line_at(AT_FDCWD, path, name, sizeof(name)) > 0 && after_prefix(name, "ctr");
}

static bool has_pid(const pid_t *pids, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/*
 * True when the cgroup of a container that this store does not know may go. The store does not tell whose it
 * is: there may be another (--root), or another's container may be just made. One with processes belongs to
 * somebody while their parent is a monitor (or a `ctr exec`); when that was killed, nobody can use them.
 */
static bool nobody_has(const struct cgroup *cg)
{
	_cleanup_(freep) pid_t *pids = NULL;
	_cleanup_(freep) char *events = NULL;
	size_t n = 0;

	if (read_file_at(cg->fd, "cgroup.events", 4096, &events, NULL) < 0 || cgroup_pids(cg, &pids, &n) < 0)
		return false;
	if (strstr(events, "populated 0"))
		return true;
	for (size_t i = 0; i < n; i++) {
		pid_t parent = parent_of(pids[i]);

		if (parent == 0 || (!has_pid(pids, n, parent) && is_ours(parent)))
			return false;
	}
	/* None: they are in a pid namespace that we do not see. */
	return n > 0;
}

static int repair_cgroup(const struct check *c, const char *id)
{
	_cleanup_(freep) char *path = xasprintf(ENGINE_CGROUP "/%s", id);
	struct cgroup cg;
	int r = check_is_claimed(c, id) ? -ENOENT : cgroup_open(path, &cg);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	bool left = nobody_has(&cg);
	cgroup_close(&cg);
	return left ? check_destroy_cgroup(path) : 0;
}

static const struct check_kind kind_cgroup = {"cgroup", repair_cgroup};

static int look_at_cgroup(struct check *c, int all, const char *id)
{
	struct cgroup cg = {.path = NULL};

	if (!is_hex(id, CHECK_ID_LEN) || check_is_claimed(c, id))
		return 0;
	_cleanup_(closep) int fd = openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cg.fd = fd;
	if (fd >= 0 && nobody_has(&cg))
		check_add(c, &kind_cgroup, id, "cgroup " ENGINE_CGROUP "/%.12s... is of a container that is not there",
			  id);
	return 0;
}

int check_cgroups(struct check *c)
{
	const char *point = cgroup_mount_point();
	_cleanup_(freep) char *path = point ? xasprintf("%s" ENGINE_CGROUP, point) : NULL;

	return path ? check_each(c, check_open_dir(path), path, look_at_cgroup) : 0;
}

/* --- mounts ------------------------------------------------------------------------------------------- */

/* What of PATH is below ROOT/FOLDER/ID, with ID copied; NULL when it is not. */
static const char *below(const char *path, const char *root, const char *folder, char id[CHECK_ID_LEN + 1])
{
	const char *p = after_prefix(path, root);

	p = p && *p == '/' ? after_prefix(p + 1, folder) : NULL;
	if (!p || *p != '/' || strcspn(p + 1, "/") != CHECK_ID_LEN || p[1 + CHECK_ID_LEN] != '/')
		return NULL;
	memcpy(id, p + 1, CHECK_ID_LEN);
	id[CHECK_ID_LEN] = '\0';
	return is_hex(id, CHECK_ID_LEN) ? p + 1 + CHECK_ID_LEN : NULL;
}

/* A mount in a folder of ours that no running container can have made: ctr's own are in nobody's tree. */
static bool is_left_mount(const struct check *c, const char *path)
{
	char root[PATH_MAX], id[CHECK_ID_LEN + 1];

	if (!realpath(c->e->root, root))
		return false;
	if (below(path, root, "layers", id))
		return true;
	if (!below(path, root, "containers", id))
		return false;
	_cleanup_(closep) int dir = check_open_container(c, id);
	return dir < 0 || !record_locked(dir);
}

static int repair_mount(const struct check *c, const char *path)
{
	if (!is_left_mount(c, path) || umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return errno == EINVAL || errno == ENOENT ? 0 : fail(-errno, "unmount %s", path);
}

static const struct check_kind kind_mount = {"mount", repair_mount};

/* In place, the \ooo of /proc/PID/mountinfo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		bool octal = *s == '\\' && strspn(s + 1, "01234567") >= 3;

		*to = octal ? (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')) : *s;
		s += octal ? 3 : 0;
	}
	*to = '\0';
}

int check_mounts(struct check *c)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;
	int r = read_file_at(AT_FDCWD, "/proc/self/mountinfo", 64u << 20, &text, NULL);

	if (r < 0)
		return fail(r, "read /proc/self/mountinfo");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *point = line;

		/* The fifth word. */
		for (int i = 0; point && i < 4; i++)
			point = (point = strchr(point, ' ')) ? point + 1 : NULL;
		if (!point)
			continue;
		point[strcspn(point, " ")] = '\0';
		unescape(point);
		if (is_left_mount(c, point))
			check_add(c, &kind_mount, point, "something is mounted on %s, which nothing uses", point);
	}
	return 0;
}
