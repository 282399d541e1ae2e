/* Making and removing the engine's containers: ids, names, directories. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "runtime/record.h"

int record_open_dir(const char *root, const char *name, bool create)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", root, name);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT || !create)
		return -errno;
	int r = make_dirs(path, 0700);
	if (r < 0)
		return r;
	fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* OFD locks follow the open file through fork, and can be asked about without taking them. */
static struct flock whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

int record_lock_file(int dir, bool create)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
	struct flock l = whole_file();
	_cleanup_(closep) int fd = openat(dir, RECORD_LOCK, flags, 0600);

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &l) < 0)
		return -errno;
	return take_fd(&fd);
}

bool record_locked(int dir)
{
	struct flock l = whole_file();
	_cleanup_(closep) int fd = openat(dir, RECORD_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

int record_new_id(char id[65])
{
	unsigned char raw[32];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return fail(-errno, "get random bytes");
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(id + i * 2, 3, "%02x", raw[i]);
	return 0;
}

int record_create(const struct engine *e, const char *id, int *lock)
{
	_cleanup_(closep) int all = record_open_dir(e->root, "containers", true);
	if (all == -EROFS)
		return refuse(all, "the store %s is read-only: give a writable one with --root", e->root);
	if (all < 0)
		return fail(all, "open %s/containers", e->root);
	if (mkdirat(all, id, 0700) < 0)
		return errno == EROFS
			       ? refuse(-EROFS, "the store %s is read-only: give a writable one with --root", e->root)
			       : fail(-errno, "create a container in %s", e->root);
	_cleanup_(closep) int dir = openat(all, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -errno : record_lock_file(dir, true);
	if (fd < 0) {
		remove_tree_at(all, id);
		return fail(fd, "lock container %.12s", id);
	}
	*lock = fd;
	return take_fd(&dir);
}

int record_check_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (!*name || strchr("_.-", *name) || strspn(name, allowed) != strlen(name) || strlen(name) > 128)
		return refuse(-EINVAL,
			      "bad container name \"%.140s\": letters, digits and _ . - only, starting with a letter "
			      "or digit",
			      name);
	return 0;
}

int record_name_holder(int names, const char *name, char **id)
{
	char buf[80];
	ssize_t n = readlinkat(names, name, buf, sizeof(buf) - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	*id = xstrdup(buf);
	return 0;
}

/* A name whose container has no record and is not being made: its maker was killed. */
static bool name_is_stale(const struct engine *e, const char *id)
{
	struct stat st;
	_cleanup_(closep) int all = record_open_dir(e->root, "containers", false);
	_cleanup_(closep) int dir = all < 0 || !*id ? -EBADF : openat(all, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 || (fstatat(dir, RECORD_FILE, &st, 0) < 0 && !record_locked(dir));
}

/* 0, -EAGAIN to try again after a stale claim was cleared, or the failure. A link comes into being with
 * its text, in one step. */
static int link_name(const struct engine *e, int names, const char *id, const char *name)
{
	_cleanup_(freep) char *holder = NULL;

	if (symlinkat(id, names, name) == 0)
		return 0;
	if (errno != EEXIST)
		return fail(-errno, "claim the name %s", name);
	int r = record_name_holder(names, name, &holder);
	if (r == -ENOENT)
		return -EAGAIN;
	if (r == 0 && name_is_stale(e, holder)) {
		unlinkat(names, name, 0);
		record_remove_dir(e, holder);
		return -EAGAIN;
	}
	return refuse(-EEXIST,
		      "the name %s is in use by container %.12s: remove that one (`ctr rm %s`) or choose another name",
		      name, holder ? holder : "?", name);
}

int record_claim_name(const struct engine *e, const char *name, const char *id)
{
	int r = record_check_name(name);
	if (r < 0)
		return r;
	_cleanup_(closep) int names = record_open_dir(e->root, "names", true);
	if (names < 0)
		return fail(names, "open %s/names", e->root);
	for (int tries = 0; tries < 5; tries++) {
		r = link_name(e, names, id, name);
		if (r != -EAGAIN)
			return r;
	}
	return refuse(-EEXIST, "the name %s is being claimed by another command", name);
}

char *record_generate_name(const struct engine *e, const char *id)
{
	static const char *const left[] = {"able",  "brave", "brisk", "calm",  "clever", "crisp",  "eager", "fair",
					   "fine",  "fond",  "glad",  "keen",  "kind",   "lively", "lucid", "merry",
					   "neat",  "noble", "plain", "proud", "quick",  "quiet",  "sharp", "sober",
					   "solid", "stout", "swift", "terse", "tidy",   "vivid",  "warm",  "wise"};
	static const char *const right[] = {
		"backus",   "borg",      "cerf",    "church", "codd",    "dijkstra", "engelbart", "floyd",
		"goldberg", "hamilton",  "hamming", "hoare",  "hopper",  "iverson",  "johnson",   "karp",
		"kay",      "kernighan", "kleene",  "knuth",  "lamport", "liskov",   "lovelace",  "mccarthy",
		"milner",   "minsky",    "naur",    "perlis", "ritchie", "shannon",  "thompson",  "turing"};

	for (int tries = 0; tries < 100; tries++) {
		unsigned char r[4];

		if (getrandom(r, sizeof(r), 0) != sizeof(r))
			break;
		/* A number as well once the pairs are likely to be taken. */
		const char *a = left[r[0] % 32], *b = right[r[1] % 32];
		char *name = tries < 3 ? xasprintf("%s_%s", a, b) : xasprintf("%s_%s_%d", a, b, r[2] << 8 | r[3]);
		int claimed = record_claim_name(e, name, id);
		if (claimed == 0)
			return name;
		free(name);
		if (claimed != -EEXIST)
			return NULL;
	}
	refuse(-EEXIST, "no free name found: give one with --name");
	return NULL;
}

int record_remove_dir(const struct engine *e, const char *id)
{
	_cleanup_(closep) int all = record_open_dir(e->root, "containers", false);

	return all < 0 || !*id ? 0 : remove_tree_at(all, id);
}

void record_release_range(const struct engine *e, const char *slot, const char *id)
{
	_cleanup_(closep) int dir = record_open_dir(e->root, "userns", false);
	_cleanup_(freep) char *holder = NULL;

	/* Released before, it may be another container's by now. */
	if (dir >= 0 && !strchr(slot, '/') && record_name_holder(dir, slot, &holder) == 0 && streq(holder, id))
		unlinkat(dir, slot, 0);
}

int record_remove(const struct engine *e, const struct record *r)
{
	_cleanup_(closep) int names = record_open_dir(e->root, "names", false);
	_cleanup_(closep) int all = record_open_dir(e->root, "containers", false);
	_cleanup_(freep) char *holder = NULL;
	_cleanup_(freep) char *record = xasprintf("%s/" RECORD_FILE, r->id);

	/* Without its record it is no container any more, whatever happens next. */
	if (all >= 0 && unlinkat(all, record, 0) < 0 && errno != ENOENT)
		return fail(-errno, "remove container %s", r->name);
	if (names >= 0 && record_name_holder(names, r->name, &holder) == 0 && streq(holder, r->id))
		unlinkat(names, r->name, 0);
	if (r->user_range)
		record_release_range(e, r->user_range, r->id);
	return all < 0 ? 0 : remove_tree_at(all, r->id);
}

char *record_state_root(const struct engine *e)
{
	return xasprintf("%s/containers", e->state);
}
