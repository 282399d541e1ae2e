/* What a crash left in the store and the state directories. */
#include "cli/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "images/ref.h"
#include "runtime/launch.h"

/* The OCI face's makers hold no lock, and may wait long for a hook. */
#define OCI_GRACE_S 600

static bool exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int check_open_container(const struct check *c, const char *id)
{
	_cleanup_(closep) int all = record_open_dir(c->e->root, "containers", false);
	int fd = all < 0 ? all : openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 && all >= 0 ? -errno : fd;
}

bool check_is_claimed(const struct check *c, const char *id)
{
	_cleanup_(closep) int dir = is_hex(id, CHECK_ID_LEN) ? check_open_container(c, id) : -ENOENT;

	return dir >= 0 && (exists(dir, RECORD_FILE) || record_locked(dir));
}

/* Opens and locks a container that nobody works on: 0, -EBUSY when somebody does, -ENOENT when it is gone.
 * One without a lock file is not locked: nobody can work on it. */
static int lock_container(const struct check *c, const char *id, int *dir, int *lock)
{
	*lock = -EBADF;
	*dir = check_open_container(c, id);
	if (*dir < 0)
		return *dir;
	*lock = record_lock_file(*dir, false);
	return *lock >= 0 || *lock == -ENOENT ? 0 : *lock == -EAGAIN || *lock == -EACCES ? -EBUSY : *lock;
}

/* --- containers --------------------------------------------------------------------------------------- */

static int repair_half(const struct check *c, const char *id)
{
	_cleanup_(closep) int dir = -EBADF, lock = -EBADF;
	int r = lock_container(c, id, &dir, &lock);

	if (r < 0)
		return r == -ENOENT || r == -EBUSY ? 0 : fail(r, "lock container %.12s", id);
	return exists(dir, RECORD_FILE) ? 0 : record_remove_dir(c->e, id);
}

static const struct check_kind kind_half = {"unfinished container", repair_half};

static int repair_dead(const struct check *c, const char *id)
{
	struct found f;
	int r = record_open(c->e, id, &f);

	/* Opening puts it in order, and removes one that was to go with its end. */
	if (r == 0)
		found_close(&f);
	return r == -ENOENT ? 0 : r;
}

static const struct check_kind kind_dead = {"dead monitor", repair_dead};

static int repair_damaged(const struct check *c, const char *id)
{
	return refuse(-EBADMSG, "its files may be wanted: look at %s/containers/%s, and remove it by hand", c->e->root,
		      id);
}

static const struct check_kind kind_damaged = {"damaged container", repair_damaged};

static int repair_container_cgroup(const struct check *c, const char *id)
{
	_cleanup_(closep) int dir = -EBADF, lock = -EBADF;
	struct record rec;
	int r = lock_container(c, id, &dir, &lock);

	if (r < 0)
		return r == -ENOENT || r == -EBUSY ? 0 : fail(r, "lock container %.12s", id);
	if ((r = record_load(dir, &rec)) < 0)
		return r;
	r = rec.cgroup ? check_destroy_cgroup(rec.cgroup) : 0;
	record_free(&rec);
	return r;
}

static const struct check_kind kind_container_cgroup = {"cgroup", repair_container_cgroup};

static bool cgroup_exists(const char *path)
{
	struct cgroup cg;
	bool there = path && cgroup_open(path, &cg) == 0;

	if (there)
		cgroup_close(&cg);
	return there;
}

/* "record.json.tmp.123" and the like: replace_file_at was in the middle. */
static bool is_half_written(const char *name)
{
	const char *tmp = strstr(name, ".json.tmp.");

	return tmp && tmp[strlen(".json.tmp.")];
}

static int remove_half_written(struct check *c, int dir, const char *name)
{
	(void)c;
	if (is_half_written(name) && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail(-errno, "remove %s", name);
	return 0;
}

static int repair_files(const struct check *c, const char *id)
{
	_cleanup_(closep) int dir = -EBADF, lock = -EBADF;
	int r = lock_container(c, id, &dir, &lock);

	if (r < 0)
		return r == -ENOENT || r == -EBUSY ? 0 : fail(r, "lock container %.12s", id);
	return check_each(NULL, take_fd(&dir), "the container", remove_half_written);
}

static const struct check_kind kind_files = {"half-written file", repair_files};

static int look_at_file(struct check *c, int dir, const char *name)
{
	(void)dir;
	if (is_half_written(name))
		check_add(c, &kind_files, "", "%s", name);
	return 0;
}

/* Half-written files in container ID's directory, as one finding. */
static void look_at_files(struct check *c, int dir, const char *id, const char *name)
{
	struct check inner = {0};

	check_each(&inner, openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "the container", look_at_file);
	if (inner.n)
		check_add(c, &kind_files, id, "container %s (%.12s) has a half-written file, %s", name, id,
			  inner.v[0].text);
	for (size_t i = 0; i < inner.n; i++) {
		free(inner.v[i].id);
		free(inner.v[i].text);
	}
	free(inner.v);
}

static int look_at_container(struct check *c, int all, const char *id)
{
	_cleanup_(closep) int states = check_open_dir(c->state_root);
	struct record rec;

	if (!is_hex(id, CHECK_ID_LEN))
		return 0;
	_cleanup_(closep) int dir = openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(-errno, "open container %.12s", id);
	if (record_locked(dir))
		return 0;
	int r = record_load(dir, &rec);
	if (r == -ENOENT) {
		check_add(c, &kind_half, id, "container %.12s was not finished, or not removed to the end", id);
		return 0;
	}
	if (r < 0) {
		_cleanup_(freep) char *why = xstrdup(error_text());
		check_add(c, &kind_damaged, id, "container %.12s has a damaged record: %.200s", id, why);
		return 0;
	}
	if (states >= 0 && exists(states, id))
		check_add(c, &kind_dead, id,
			  "container %s (%.12s): its monitor was killed and what it ran was not put away", rec.name,
			  id);
	else if (cgroup_exists(rec.cgroup))
		check_add(c, &kind_container_cgroup, id, "container %s (%.12s) does not run but has a cgroup, %s",
			  rec.name, id, rec.cgroup);
	look_at_files(c, dir, id, rec.name);
	record_free(&rec);
	return 0;
}

/* --- names and ranges of ids -------------------------------------------------------------------------- */

/* Takes NAME away unless its holder is somebody now. By way of a name of ours, since between a look and the
 * removal it might be given to another container. */
static int repair_name(const struct check *c, const char *name)
{
	_cleanup_(closep) int names = record_open_dir(c->e->root, "names", false);
	_cleanup_(freep) char *holder = NULL, *aside = xasprintf(".check.%d", (int)getpid());

	if (names < 0 || renameat(names, name, names, aside) < 0)
		return names == -ENOENT || errno == ENOENT ? 0 : fail(names < 0 ? names : -errno, "remove %s", name);
	if (name[0] != '.' && record_name_holder(names, aside, &holder) == 0 && check_is_claimed(c, holder) &&
	    linkat(names, aside, names, name, 0) < 0)
		warning("the name %s was given to another container meanwhile", name);
	return unlinkat(names, aside, 0) < 0 ? fail(-errno, "remove %s", name) : 0;
}

static const struct check_kind kind_name = {"name", repair_name};

static int look_at_name(struct check *c, int names, const char *name)
{
	_cleanup_(freep) char *holder = NULL;

	if (name[0] == '.') {
		_cleanup_(freep) char *id = xstrndup(name + 1, CHECK_ID_LEN);

		if (!check_is_claimed(c, id))
			check_add(c, &kind_name, name, "a name for container %.12s was not claimed to the end", id);
		return 0;
	}
	int r = record_name_holder(names, name, &holder);
	if (r == 0 && !check_is_claimed(c, holder))
		check_add(c, &kind_name, name, "the name %.128s is held by container %.12s, which is not there", name,
			  *holder ? holder : "?");
	return r == 0 || r == -ENOENT ? 0 : fail(r, "read %s/names/%.128s", c->e->root, name);
}

static int read_range(int ranges, const char *slot, char id[CHECK_ID_LEN + 2])
{
	ssize_t n = readlinkat(ranges, slot, id, CHECK_ID_LEN + 1);

	if (n < 0)
		return -errno;
	id[n] = '\0';
	return 0;
}

static int repair_range(const struct check *c, const char *slot)
{
	_cleanup_(closep) int ranges = record_open_dir(c->e->root, "userns", false);
	char id[CHECK_ID_LEN + 2];

	if (ranges < 0 || read_range(ranges, slot, id) < 0 || check_is_claimed(c, id))
		return 0;
	return unlinkat(ranges, slot, 0) < 0 && errno != ENOENT ? fail(-errno, "free the range %s", slot) : 0;
}

static const struct check_kind kind_range = {"range of ids", repair_range};

static int look_at_range(struct check *c, int ranges, const char *slot)
{
	char id[CHECK_ID_LEN + 2];

	if (read_range(ranges, slot, id) == 0 && !check_is_claimed(c, id))
		check_add(c, &kind_range, slot,
			  "the range of user ids %.16s is held by container %.12s, which is not there", slot, id);
	return 0;
}

/* --- state directories -------------------------------------------------------------------------------- */

/* True when the state in DIR is of a container that runs: of another store, which shares the directory. */
static bool monitor_lives(int dir, struct state *s)
{
	return state_read(dir, s) == 0 && proc_alive(s->monitor);
}

static int repair_state(const struct check *c, const char *id)
{
	_cleanup_(closep) int dir = state_dir_open(c->state_root, id);
	struct state s = {0};
	int r = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	bool lives = check_is_claimed(c, id) || monitor_lives(dir, &s);
	if (!lives && s.id)
		r = launch_destroy(&s);
	if (!lives && r == 0)
		r = state_dir_remove(c->state_root, id);
	state_free(&s);
	return r;
}

static const struct check_kind kind_state = {"state", repair_state};

static int look_at_state(struct check *c, int all, const char *id)
{
	struct state s = {0};

	if (!is_hex(id, CHECK_ID_LEN) || check_is_claimed(c, id))
		return 0;
	_cleanup_(closep) int dir = openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && !monitor_lives(dir, &s))
		check_add(c, &kind_state, id, "%s/%.12s... is the state of a container that is not there",
			  c->state_root, id);
	state_free(&s);
	return 0;
}

/* Without a state since long: whoever made it was killed. One that has ended keeps its state until its
 * manager deletes it. */
static bool oci_was_left(int all, const char *id)
{
	_cleanup_(closep) int dir = openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	return dir >= 0 && !exists(dir, STATE_FILE) && fstat(dir, &st) == 0 &&
	       clock_now() / 1000000000 - st.st_mtime > OCI_GRACE_S;
}

static int repair_oci(const struct check *c, const char *id)
{
	_cleanup_(closep) int all = check_open_dir(c->oci_root);

	return all >= 0 && oci_was_left(all, id) ? state_dir_remove(c->oci_root, id) : 0;
}

static const struct check_kind kind_oci = {"OCI state", repair_oci};

static int look_at_oci(struct check *c, int all, const char *id)
{
	if (state_check_id(id) == 0 && oci_was_left(all, id))
		check_add(c, &kind_oci, id, "%s/%.100s is the state of a container that was never finished",
			  c->oci_root, id);
	return 0;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

int check_store(struct check *c)
{
	static const struct {
		const char *folder;
		int (*look)(struct check *c, int dir, const char *name);
	} folders[] = {{"containers", look_at_container}, {"names", look_at_name}, {"userns", look_at_range}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
		r = check_each(c, record_open_dir(c->e->root, folders[i].folder, false), c->e->root, folders[i].look);
	return r;
}

int check_states(struct check *c)
{
	int r = check_each(c, check_open_dir(c->state_root), c->state_root, look_at_state);

	return r < 0 ? r : check_each(c, check_open_dir(c->oci_root), c->oci_root, look_at_oci);
}
