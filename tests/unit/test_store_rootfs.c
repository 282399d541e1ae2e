/* Root filesystems from layers, by every way that a kernel may offer. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "images/rootfs.h"
#include "unit.h"

#include <sys/mount.h>

#define LAYERS_MAX 127

/* A place with N layers, each with a file of its own and one named "top" that says which it is. */
struct place {
	char path[64];
	int fd, upper, work, layers[LAYERS_MAX];
	size_t n;
};

static void put(int dirfd, const char *name, const char *text)
{
	_cleanup_(closep) int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
}

static int sub(int dirfd, const char *name)
{
	mkdirat(dirfd, name, 0755);
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Mounts made here stay here. */
static void enter_namespace(void)
{
	static bool done;

	if (!done)
		CHECK(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	done = true;
}

static void setup(struct place *p, size_t n)
{
	enter_namespace();
	strcpy(p->path, "/var/tmp/ctr-test-rootfs-XXXXXX");
	CHECK(mkdtemp(p->path) != NULL);
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->upper = sub(p->fd, "upper");
	p->work = sub(p->fd, "work");
	p->n = n;
	for (size_t i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%zu", i);
		p->layers[i] = sub(p->fd, name);
		put(p->layers[i], name, name);
		put(p->layers[i], "top", name);
	}
}

static void teardown(struct place *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->layers[i]);
	close(p->upper);
	close(p->work);
	close(p->fd);
	CHECK(remove_tree_at(AT_FDCWD, p->path) == 0);
}

static bool says(int dirfd, const char *name, const char *text)
{
	char line[64];

	return read_line_at(dirfd, name, line, sizeof(line)) >= 0 && strcmp(line, text) == 0;
}

/* Every layer shows, the topmost wins, and a write lands in the upper directory only. */
static void check_joined(const struct place *p, int mnt)
{
	char last[24];

	CHECK(mnt >= 0);
	if (mnt < 0) {
		printf("# %s\n", error_text());
		return;
	}
	snprintf(last, sizeof(last), "%zu", p->n - 1);
	CHECK(says(mnt, "0", "0"));
	CHECK(says(mnt, last, last));
	CHECK(says(mnt, "top", last));
	put(mnt, "new", "written");
	CHECK(says(p->upper, "new", "written"));
	CHECK(says(p->layers[p->n - 1], "top", last));
	CHECK(unlinkat(p->upper, "new", 0) == 0);
	close(mnt);
}

static void check_way(enum rootfs_way way)
{
	static const size_t counts[] = {1, 2, 100, 127};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct place p;

		setup(&p, counts[i]);
		int mnt = rootfs_mount_by(way, p.layers, p.n, p.upper, p.work, 0, 0);
		if ((mnt == -EINVAL || mnt == -EOPNOTSUPP) && way != ROOTFS_BY_MOUNT)
			printf("# not known to this kernel: %s\n", error_text());
		else
			check_joined(&p, mnt);
		teardown(&p);
	}
}

TEST("1, 2, 100 and 127 layers are joined by descriptor")
{
	check_way(ROOTFS_BY_FD);
}

TEST("1, 2, 100 and 127 layers are joined one by one by path")
{
	check_way(ROOTFS_BY_PATH);
}

TEST("1, 2, 100 and 127 layers are joined by mount(2), and nothing stays mounted")
{
	char before[64], after[64];
	FILE *f = popen("wc -l < /proc/self/mountinfo", "r");

	CHECK(f && fgets(before, sizeof(before), f));
	pclose(f);
	check_way(ROOTFS_BY_MOUNT);
	f = popen("wc -l < /proc/self/mountinfo", "r");
	CHECK(f && fgets(after, sizeof(after), f) && strcmp(before, after) == 0);
	pclose(f);
}

TEST("the newest way that the kernel has is taken")
{
	struct place p;

	setup(&p, 3);
	check_joined(&p, rootfs_mount(p.layers, p.n, p.upper, p.work, 0, 0));
	teardown(&p);
}

TEST("without an upper directory the root filesystem is read-only, of one layer too")
{
	for (size_t n = 1; n <= 2; n++) {
		struct place p;

		setup(&p, n);
		int mnt = rootfs_mount(p.layers, p.n, -EBADF, -EBADF, 0, MOUNT_ATTR_NODEV);
		CHECK(mnt >= 0 && says(mnt, "0", "0"));
		CHECK(openat(mnt, "new", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
		close(mnt);
		teardown(&p);
	}
}

TEST("a read-only root filesystem of lower layers also comes by mount(2)")
{
	struct place p;

	setup(&p, 2);
	int mnt = rootfs_mount_by(ROOTFS_BY_MOUNT, p.layers, p.n, -EBADF, -EBADF, 0, 0);
	CHECK(mnt >= 0 && says(mnt, "top", "1"));
	CHECK(openat(mnt, "new", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
	close(mnt);
	teardown(&p);
}

TEST("a volatile root filesystem, and one with user attributes, can be had")
{
	struct place p;

	setup(&p, 2);
	check_joined(&p, rootfs_mount(p.layers, p.n, p.upper, p.work, ROOTFS_VOLATILE | ROOTFS_USERXATTR, 0));
	teardown(&p);
}

TEST("a layer cannot redirect a directory")
{
	struct place p;

	setup(&p, 2);
	int secret = sub(p.layers[0], "secret"), shown = sub(p.layers[1], "shown");
	put(secret, "file", "");
	CHECK(fsetxattr(shown, "trusted.overlay.redirect", "/secret", strlen("/secret"), 0) == 0);
	close(secret);
	close(shown);
	int mnt = rootfs_mount(p.layers, p.n, p.upper, p.work, 0, 0);
	CHECK(mnt >= 0 && faccessat(mnt, "secret/file", F_OK, 0) == 0);
	CHECK(faccessat(mnt, "shown/file", F_OK, 0) < 0);
	close(mnt);
	teardown(&p);
}

TEST("no layers at all are refused")
{
	CHECK(rootfs_mount(NULL, 0, -EBADF, -EBADF, 0, 0) == -EINVAL);
}

UNIT_MAIN
