/* Finding the engine's containers, and putting in order those whose monitor was killed. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "runtime/launch.h"
#include "runtime/record.h"

int record_lock(const struct found *f, int *lock)
{
	int fd = record_lock_file(f->dir, false);

	if (fd == -EAGAIN || fd == -EACCES)
		return refuse(-EBUSY, "container %s is %s", f->record.name,
			      f->state_dir >= 0 ? status_name(f->status) : "being worked on by another command");
	if (fd < 0)
		return fail(fd, "lock container %s", f->record.name);
	*lock = fd;
	return 0;
}

static int by_prefix(const struct engine *e, const char *prefix, char **id)
{
	struct strv all = {0};
	int r = record_list(e, &all), matches = 0;

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (!after_prefix(all.v[i], prefix))
			continue;
		if (matches++)
			r = refuse(-EINVAL, "%s is the start of more than one container's id", prefix);
		else
			*id = xstrdup(all.v[i]);
	}
	strv_free(&all);
	return r < 0 ? r : matches ? 0 : -ENOENT;
}

static int find_id(const struct engine *e, const char *name, char **id)
{
	bool hex = *name && strspn(name, "0123456789abcdef") == strlen(name);
	_cleanup_(closep) int names = record_open_dir(e->root, "names", false);
	int r = -ENOENT;

	if (names >= 0 && record_check_name(name) == 0)
		r = record_name_holder(names, name, id);
	if (r == -ENOENT && hex && strlen(name) == 64) {
		*id = xstrdup(name);
		return 0;
	}
	if (r == -ENOENT && hex)
		r = by_prefix(e, name, id);
	if (r == -ENOENT)
		return refuse(r, "no container %.140s (see `ctr ps -a`)", name);
	return r < 0 && r != -EINVAL ? fail(r, "look for container %.140s", name) : r;
}

/* The monitor is gone and left a state: end what still runs and say what happened. */
static int put_in_order(const struct engine *e, struct found *f)
{
	_cleanup_(closep) int lock = record_lock_file(f->dir, false);
	_cleanup_(freep) char *root = record_state_root(e);
	char why[] = "the container's monitor was killed";
	struct exit_info x = {.code = 137, .error = why};
	int r;

	if (lock < 0)
		return 0; /* another command is at it; what we read stays true enough */
	/* Killed before it wrote a state: the cgroup is known all the same. */
	if (!f->state.cgroup && f->record.cgroup)
		f->state.cgroup = xstrdup(f->record.cgroup);
	if ((r = launch_destroy(&f->state)) < 0)
		return r;
	snprintf(x.started, sizeof(x.started), "%s", f->state.created ? f->state.created : "");
	clock_rfc3339(clock_now(), x.finished);
	if ((r = record_write_exit(f->dir, &x, !f->record.remove)) < 0 ||
	    (r = state_dir_remove(root, f->record.id)) < 0)
		return r;
	state_free(&f->state);
	close(take_fd(&f->state_dir));
	if (f->record.remove) {
		if ((r = record_remove(e, &f->record)) < 0)
			return r;
		return refuse(-ENOENT, "container %s is gone: its monitor was killed, and --rm removes it at its end",
			      f->record.name);
	}
	free(f->exit.error);
	return record_read_exit(f->dir, &f->exit);
}

static enum status status_without_state(const struct found *f)
{
	return f->exit.known ? STATUS_STOPPED : STATUS_CREATED;
}

static int read_state(const struct engine *e, struct found *f)
{
	_cleanup_(freep) char *root = record_state_root(e);
	int r;

	f->state_dir = state_dir_open(root, f->record.id);
	if (f->state_dir == -ENOENT) {
		f->status = status_without_state(f);
		return 0;
	}
	if (f->state_dir < 0)
		return f->state_dir;
	/* The lock first: a monitor that ends takes its state away before it lets go. */
	bool alive = record_locked(f->dir);
	r = state_read(f->state_dir, &f->state);
	if (!alive) {
		r = put_in_order(e, f);
		f->status = status_without_state(f);
		return r;
	}
	f->status = r == 0 ? state_status(f->state_dir, &f->state) : STATUS_CREATING;
	/* The program has ended and its monitor is putting things away. */
	if (f->status == STATUS_STOPPED)
		f->status = STATUS_RUNNING;
	return 0;
}

int record_open(const struct engine *e, const char *name, struct found *f)
{
	_cleanup_(freep) char *id = NULL;
	_cleanup_(closep) int all = record_open_dir(e->root, "containers", false);
	int r;

	*f = (struct found){.dir = -EBADF, .state_dir = -EBADF};
	if (all < 0 && all != -ENOENT)
		return fail(all, "open %s/containers", e->root);
	if ((r = find_id(e, name, &id)) < 0)
		return r;
	f->dir = openat(all, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (f->dir < 0)
		return errno == ENOENT || errno == EBADF
			       ? refuse(-ENOENT, "no container %.140s (see `ctr ps -a`)", name)
			       : fail(-errno, "open container %s", name);
	if ((r = record_load(f->dir, &f->record)) < 0 || (r = record_read_exit(f->dir, &f->exit)) < 0)
		r = fail_in(r, "container %.12s", id);
	else
		r = read_state(e, f);
	if (r < 0)
		found_close(f);
	return r;
}

void found_close(struct found *f)
{
	closep(&f->dir);
	closep(&f->state_dir);
	record_free(&f->record);
	state_free(&f->state);
	free(f->exit.error);
	*f = (struct found){.dir = -EBADF, .state_dir = -EBADF};
}

int record_list(const struct engine *e, struct strv *ids)
{
	struct stat st;
	int fd = record_open_dir(e->root, "containers", false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return fd == -ENOENT ? 0 : fail(fd < 0 ? fd : -errno, "read %s/containers", e->root);
	for (struct dirent *d; (d = readdir(dir));) {
		_cleanup_(freep) char *path = xasprintf("%s/" RECORD_FILE, d->d_name);

		if (d->d_name[0] != '.' && fstatat(fd, path, &st, 0) == 0)
			strv_add(ids, d->d_name);
	}
	closedir(dir);
	return 0;
}
