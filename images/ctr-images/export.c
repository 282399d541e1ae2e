/*
 * export: a directory tree becomes a tar archive on standard output.
 *
 * The tree may be that of a running container, and hostile. It is reached from one descriptor, never
 * through a symbolic link; of each directory the names are read, sorted and written, then its
 * subdirectories one after the other, so that one directory is open at a time however deep the tree is.
 */
#include <dirent.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "images/ctr-images/confine.h"
#include "images/ctr-images/tarwrite.h"
#include "images/ctr-images/verbs.h"

const char export_usage[] =
	"--rootfd N\n"
	"  Writes the directory tree at the inherited descriptor N to standard output as a tar archive, with\n"
	"  owners, modes, times, extended attributes, hard links, holes and device nodes.\n";

#define XATTR_NAMES_MAX (64u << 10) /* XATTR_LIST_MAX */

/* A file with several names, by its first one. */
struct link {
	dev_t dev;
	ino_t ino;
	char *name;
};

struct exporter {
	int root;
	dev_t dev; /* of the root; what is mounted below it is not exported */
	struct tar_writer tar;
	struct link *links; /* a hash table, open addressing; size a power of two */
	size_t n_links, cap_links;
	bool sockets_told;
};

/* The slot of the file, or the free one where it belongs. */
static struct link *link_slot(struct link *table, size_t cap, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 32) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (cap - 1);

	while (table[i].name && (table[i].dev != dev || table[i].ino != ino))
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static void links_grow(struct exporter *x)
{
	size_t cap = x->cap_links ? x->cap_links * 2 : 1024;
	struct link *table = xcalloc(cap, sizeof(*table));

	for (size_t i = 0; i < x->cap_links; i++)
		if (x->links[i].name)
			*link_slot(table, cap, x->links[i].dev, x->links[i].ino) = x->links[i];
	free(x->links);
	x->links = table;
	x->cap_links = cap;
}

/* The name under which this file was written already, or NULL, and it is remembered under NAME. */
static const char *earlier_name(struct exporter *x, const struct stat *st, const char *name)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	if (x->n_links * 2 >= x->cap_links)
		links_grow(x);
	struct link *slot = link_slot(x->links, x->cap_links, st->st_dev, st->st_ino);
	if (slot->name)
		return slot->name;
	*slot = (struct link){.dev = st->st_dev, .ino = st->st_ino, .name = xstrdup(name)};
	x->n_links++;
	return NULL;
}

/* overlayfs's marks mean nothing outside it, security labels are the host's. */
static bool attribute_is_exported(const char *name)
{
	if (after_prefix(name, "security."))
		return streq(name, "security.capability");
	return after_prefix(name, "system.posix_acl_") ||
	       (after_prefix(name, "user.") && !after_prefix(name, "user.overlay."));
}

struct attributes {
	struct tar_attribute *list;
	size_t n;
};

static void attributes_free(struct attributes *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i].name);
		free(a->list[i].value);
	}
	free(a->list);
	*a = (struct attributes){0};
}

/* Adds attribute KEY of NAME in the working directory. One that is gone or cannot be read is left out. */
static void add_attribute(struct attributes *a, const char *name, const char *key)
{
	char value[XATTR_SIZE_MAX];
	ssize_t len = lgetxattr(name, key, value, sizeof(value));

	if (len < 0)
		return;
	a->list = xreallocarray(a->list, a->n + 1, sizeof(*a->list));
	a->list[a->n] = (struct tar_attribute){.name = xstrdup(key), .value = xmalloc((size_t)len), .len = (size_t)len};
	memcpy(a->list[a->n].value, value, (size_t)len);
	a->n++;
}

static int by_attribute(const void *a, const void *b)
{
	return strcmp(((const struct tar_attribute *)a)->name, ((const struct tar_attribute *)b)->name);
}

/* The working directory is the one NAME is in: there is no call that takes a descriptor for any type. */
static void read_attributes(const char *name, struct attributes *a)
{
	char names[XATTR_NAMES_MAX];
	ssize_t len = llistxattr(name, names, sizeof(names));

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1)
		if (attribute_is_exported(names + at))
			add_attribute(a, name, names + at);
	if (a->n)
		qsort(a->list, a->n, sizeof(*a->list), by_attribute);
}

struct extents {
	struct tar_extent *list;
	size_t n;
};

static void extents_free(struct extents *e)
{
	free(e->list);
	*e = (struct extents){0};
}

static void add_extent(struct extents *e, uint64_t at, uint64_t len)
{
	if ((e->n & (e->n - 1)) == 0)
		e->list = xreallocarray(e->list, e->n ? e->n * 2 : 1, sizeof(*e->list));
	e->list[e->n++] = (struct tar_extent){.at = at, .len = len};
}

/* Where the file's data is. True when it has holes. */
static bool find_extents(int fd, const struct stat *st, struct extents *e)
{
	off_t size = st->st_size, at = 0;

	/* Fewer blocks than bytes is what every file with a hole has. */
	if (size == 0 || (uint64_t)st->st_blocks * 512 >= (uint64_t)size)
		return false;
	while (at < size) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0 || data >= size)
			break;
		off_t hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		add_extent(e, (uint64_t)data, (uint64_t)(hole - data));
		at = hole;
	}
	if (e->n == 1 && e->list[0].len == (uint64_t)size)
		return false;
	if (at < size) /* a hole at the end is told by an empty run there, as GNU tar does */
		add_extent(e, (uint64_t)size, 0);
	return true;
}

/* Copies LEN bytes at AT. What a file lost since it was looked at becomes zeros: the header is written. */
static int copy_extent(struct exporter *x, int fd, const char *name, uint64_t at, uint64_t len)
{
	bool told = false;

	while (len) {
		size_t size;
		char *room = tar_room(&x->tar, &size);
		size_t want = len < size ? (size_t)len : size;
		ssize_t n = pread(fd, room, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(-errno, "read '%.200s'", name);
		if (n == 0) {
			if (!told)
				warning("'%.200s' became shorter while it was read; zeros are written", name);
			told = true;
			memset(room, 0, want);
			n = (ssize_t)want;
		}
		int r = tar_filled(&x->tar, (size_t)n);
		if (r < 0)
			return r;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int put_data(struct exporter *x, int fd, const struct tar_entry *e)
{
	int r = 0;

	if (!e->sparse)
		r = copy_extent(x, fd, e->name, 0, (uint64_t)e->st->st_size);
	for (size_t i = 0; r == 0 && i < e->n_extents; i++)
		r = copy_extent(x, fd, e->name, e->extents[i].at, e->extents[i].len);
	return r == 0 ? tar_end_entry(&x->tar) : r;
}

/* A regular file, opened before it is described, so that the header is of what is read. */
static int put_regular(struct exporter *x, int dirfd, const char *base, struct tar_entry *e, struct stat *st)
{
	_cleanup_(extents_free) struct extents extents = {0};
	_cleanup_(closep) int fd = openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, st) < 0)
		return fail(-errno, "open '%.200s'", e->name);
	if (!S_ISREG(st->st_mode))
		return 0; /* replaced in this instant */
	e->sparse = find_extents(fd, st, &extents);
	e->extents = extents.list;
	e->n_extents = e->sparse ? extents.n : 0;
	int r = tar_put(&x->tar, e);
	return r == 0 ? put_data(x, fd, e) : r;
}

static int put_symlink(struct exporter *x, int dirfd, const char *base, const struct tar_entry *e)
{
	struct tar_entry link = *e;
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, base, target, sizeof(target) - 1);

	if (n < 0 && (errno == ENOENT || errno == EINVAL))
		return 0;
	if (n < 0)
		return fail(-errno, "read '%.200s'", e->name);
	target[n] = '\0';
	link.link = target;
	return tar_put(&x->tar, &link);
}

/* Writes the file BASE in DIRFD, which is the working directory, under its whole NAME. */
static int put_file(struct exporter *x, int dirfd, const char *base, const char *name, struct stat *st)
{
	_cleanup_(attributes_free) struct attributes attributes = {0};
	struct tar_entry e = {.name = name, .st = st};

	if (S_ISSOCK(st->st_mode)) {
		if (!x->sockets_told)
			warning("'%.200s' is a socket, which tar has no form for; left out, and so are others", name);
		x->sockets_told = true;
		return 0;
	}
	e.link = earlier_name(x, st, name);
	if (e.link)
		return tar_put(&x->tar, &e);
	read_attributes(base, &attributes);
	e.attributes = attributes.list;
	e.n_attributes = attributes.n;
	if (S_ISREG(st->st_mode))
		return put_regular(x, dirfd, base, &e, st);
	if (S_ISLNK(st->st_mode))
		return put_symlink(x, dirfd, base, &e);
	return tar_put(&x->tar, &e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int read_names(int fd, const char *path, struct strv *names)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir)
		return fail(-errno, "read directory '%.200s'", path);
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);
		if (!e && errno)
			return fail(-errno, "read directory '%.200s'", path);
		if (!e)
			break;
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			strv_add(names, e->d_name);
	}
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_text);
	return 0;
}

/* Writes all of the open directory but its subdirectories, whose paths are added to SUBDIRS. */
static int put_children(struct exporter *x, int fd, const char *path, struct strv *subdirs)
{
	_cleanup_(strv_free) struct strv names = {0};
	int r = read_names(fd, path, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		_cleanup_(freep) char *name =
			streq(path, ".") ? xstrdup(names.v[i]) : xasprintf("%s/%s", path, names.v[i]);
		struct stat st;

		if (strlen(name) >= PATH_MAX)
			return refuse(-ENAMETOOLONG, "directories are nested too deeply to be exported at '%.100s...'",
				      name);
		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				r = fail(-errno, "look at '%.200s'", name);
		} else if (S_ISDIR(st.st_mode)) {
			strv_take(subdirs, take_ptr(&name));
		} else {
			r = put_file(x, fd, names.v[i], name, &st);
		}
	}
	return r;
}

static int open_dir(const struct exporter *x, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return sys_openat2(x->root, path, &how);
}

/* The directory and what is in it, but for its subdirectories. */
static int put_one_directory(struct exporter *x, const char *path, struct strv *subdirs)
{
	_cleanup_(attributes_free) struct attributes attributes = {0};
	_cleanup_(closep) int fd = open_dir(x, path);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* gone or replaced since it was listed */
	if (fd < 0 || fstat(fd, &st) < 0 || fchdir(fd) < 0)
		return fail(-errno, "open directory '%.200s'", path);
	read_attributes(".", &attributes);
	const struct tar_entry e = {
		.name = path, .st = &st, .attributes = attributes.list, .n_attributes = attributes.n};
	int r = tar_put(&x->tar, &e);
	return r == 0 && st.st_dev == x->dev ? put_children(x, fd, path, subdirs) : r;
}

static char *pop(struct strv *l)
{
	char *last = l->v[--l->n];

	l->v[l->n] = NULL;
	return last;
}

/* The whole tree. The directories that are still to do are a stack, the next one at its end. */
static int put_tree(struct exporter *x)
{
	_cleanup_(strv_free) struct strv todo = {0};
	int r = 0;

	strv_add(&todo, ".");
	while (r == 0 && todo.n) {
		struct strv subdirs = {0};
		_cleanup_(freep) char *path = pop(&todo);

		r = put_one_directory(x, path, &subdirs);
		for (size_t i = subdirs.n; i--;)
			strv_take(&todo, subdirs.v[i]);
		free(subdirs.v);
	}
	return r;
}

static int export_tree(int root, dev_t dev)
{
	struct exporter x = {.root = root, .dev = dev};

	tar_open(&x.tar, STDOUT_FILENO);
	int r = put_tree(&x);
	if (r == 0)
		r = tar_close(&x.tar);
	else
		tar_abandon(&x.tar);
	for (size_t i = 0; i < x.cap_links; i++)
		free(x.links[i].name);
	free(x.links);
	return r;
}

int verb_export(int argc, char **argv)
{
	static const struct option options[] = {{"rootfd", required_argument, NULL, 'r'}, {0}};
	uint64_t fd = UINT64_MAX;
	struct stat st;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option != 'r' || parse_u64(optarg, INT_MAX, &fd) < 0)
			return usage_error("export", export_usage);
	if (optind != argc || fd == UINT64_MAX)
		return usage_error("export", export_usage);

	int r = 0;
	if (fstat((int)fd, &st) < 0)
		r = fail(-errno, "look at descriptor %d", (int)fd);
	else if (!S_ISDIR(st.st_mode))
		r = refuse(-ENOTDIR, "descriptor %d is not of a directory", (int)fd);
	else if (isatty(STDOUT_FILENO))
		r = refuse(-EINVAL, "an archive is not for a terminal; redirect the output");
	if (r == 0)
		r = confine_rights((int)fd, false, CONFINE_CAPS_READ);
	if (r == 0)
		r = export_tree((int)fd, st.st_dev);
	if (r < 0)
		report_error();
#ifdef __SANITIZE_ADDRESS__ /* whose search for leaks needs /proc, which is closed to us now */
	_exit(r < 0 ? 125 : 0);
#endif
	return r < 0 ? 125 : 0;
}
