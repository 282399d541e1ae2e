/* Paths under a root that somebody else controls: nothing leads out of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/unit/unit.h"

/* DIR/outside is what must stay as it is; DIR/root is the root. */
static char dir[] = "/tmp/test_rootpath.XXXXXX";
static int dirfd_ = -EBADF, root = -EBADF;

__attribute__((constructor(200))) static void set_up(void)
{
	if (!mkdtemp(dir))
		abort();
	dirfd_ = open(dir, O_DIRECTORY | O_CLOEXEC);
	if (dirfd_ < 0 || mkdirat(dirfd_, "root", 0755) || mkdirat(dirfd_, "outside", 0755))
		abort();
	root = openat(dirfd_, "root", O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "etc", 0755) || mkdirat(root, "usr", 0755))
		abort();
	close(openat(dirfd_, "outside/secret", O_CREAT | O_WRONLY, 0600));
	close(openat(root, "etc/passwd", O_CREAT | O_WRONLY, 0600));
}

__attribute__((destructor)) static void tear_down(void)
{
	close(root);
	remove_tree_at(AT_FDCWD, dir);
	close(dirfd_);
}

/* What an fd refers to, as a path below DIR ("root/etc"), in a static buffer; closes it. */
static const char *where(int fd)
{
	static char buf[PATH_MAX];
	char name[64];

	if (fd < 0)
		return strerror(-fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return "?";
	buf[n] = '\0';
	const char *below = after_prefix(buf, dir);
	return !below ? buf : *below ? below + 1 : below;
}

static const char *opened(const char *path)
{
	return where(root_open(root, rootpath(path), O_PATH, 0));
}

static void link_to(const char *target, const char *name)
{
	unlinkat(root, name, 0);
	CHECK(symlinkat(target, root, name) == 0);
}

/* The names in DIR/outside: one, as at the start. */
static bool outside_untouched(void)
{
	struct stat st;

	return fstatat(dirfd_, "outside/secret", &st, 0) == 0 && st.st_size == 0 && st.st_mode == (S_IFREG | 0600) &&
	       fstatat(dirfd_, "outside", &st, 0) == 0 && st.st_nlink == 2 && unlinkat(dirfd_, "outside/new", 0) < 0 &&
	       unlinkat(dirfd_, "outside/new", AT_REMOVEDIR) < 0 && unlinkat(dirfd_, "outside/sub", AT_REMOVEDIR) < 0;
}

TEST("the root is itself, by any of its names")
{
	static const char *const names[] = {"", "/", ".", "..", "/..", "../../..", "etc/../..", "//"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(streq(opened(names[i]), "root"));
}

TEST("'..' stops at the root")
{
	CHECK(streq(opened("../etc/passwd"), "root/etc/passwd"));
	CHECK(streq(opened("/../../../etc/passwd"), "root/etc/passwd"));
	CHECK(root_open(root, rootpath("../outside/secret"), O_PATH, 0) == -ENOENT);
}

TEST("symlinks, absolute and relative, stay in the root")
{
	link_to("/etc", "absolute");
	link_to("../../../../etc", "relative");
	link_to("/", "slash");
	CHECK(streq(opened("absolute/passwd"), "root/etc/passwd"));
	CHECK(streq(opened("relative/passwd"), "root/etc/passwd"));
	CHECK(streq(opened("slash/slash/etc"), "root/etc"));
	_cleanup_(freep) char *out = xasprintf("%s/outside/secret", dir);
	link_to(out, "escape");
	CHECK(root_open(root, rootpath("escape"), O_PATH, 0) == -ENOENT);
	CHECK(root_open(root, rootpath("escape"), O_RDONLY | O_NOFOLLOW, 0) == -ELOOP);
	link_to("loop", "loop");
	CHECK(root_open(root, rootpath("loop/x"), O_PATH, 0) == -ELOOP);
}

TEST("magic links are refused")
{
	CHECK(mkdirat(root, "proc", 0755) == 0);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root_open(proc, rootpath("self/root"), O_PATH, 0) == -ELOOP);
	CHECK(root_open(proc, rootpath("self/cwd/x"), O_PATH, 0) == -ELOOP);
	CHECK(root_open(proc, rootpath("self/exe"), O_RDONLY, 0) == -ELOOP);
	close(proc);
}

TEST("descriptors are close-on-exec")
{
	int fd = root_open(root, rootpath("etc"), O_RDONLY, 0);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fd = root_make_dirs(root, rootpath("usr"), 0755);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

TEST("directories are made with their parents, once")
{
	struct stat st;

	umask(0);
	CHECK(streq(where(root_make_dirs(root, rootpath("/a/b//c/"), 0700)), "root/a/b/c"));
	CHECK(fstatat(root, "a/b", &st, 0) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(fstatat(root, "a/b/c", &st, 0) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(streq(where(root_make_dirs(root, rootpath("a/b/c"), 0777)), "root/a/b/c"));
	CHECK(fstatat(root, "a/b/c", &st, 0) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(streq(where(root_make_dirs(root, rootpath("/"), 0777)), "root"));
	CHECK(root_make_dirs(root, rootpath("etc/passwd/x"), 0755) == -ENOTDIR);
	CHECK(strstr(error_text(), "etc/passwd/x"));
}

TEST("directories made through symlinks are made in the root")
{
	_cleanup_(freep) char *out = xasprintf("%s/outside", dir);

	link_to("/usr", "u");
	CHECK(streq(where(root_make_dirs(root, rootpath("u/local/bin"), 0755)), "root/usr/local/bin"));
	link_to(out, "o");
	CHECK(root_make_dirs(root, rootpath("o/new"), 0755) < 0);
	CHECK(root_make_dirs(root, rootpath("u/../../outside/new/..//../outside/new"), 0755) < 0);
	CHECK(outside_untouched());
}

TEST("a dangling symlink is never made real")
{
	_cleanup_(freep) char *out = xasprintf("%s/outside/new", dir);

	link_to(out, "dangling");
	CHECK(root_make_dirs(root, rootpath("dangling"), 0755) < 0);
	CHECK(root_make_dirs(root, rootpath("dangling/sub"), 0755) < 0);
	CHECK(root_make_target(root, rootpath("dangling"), S_IFREG) < 0);
	CHECK(root_make_target(root, rootpath("dangling"), S_IFDIR) < 0);
	link_to("../../elsewhere/new", "dangling");
	CHECK(root_make_target(root, rootpath("dangling"), S_IFREG) < 0);
	CHECK(outside_untouched());
}

TEST("a mount target is a file or a directory, as asked")
{
	struct stat st;

	CHECK(streq(where(root_make_target(root, rootpath("/m/file"), S_IFREG)), "root/m/file"));
	CHECK(fstatat(root, "m/file", &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
	CHECK(streq(where(root_make_target(root, rootpath("/m/dir"), S_IFDIR)), "root/m/dir"));
	CHECK(fstatat(root, "m/dir", &st, 0) == 0 && S_ISDIR(st.st_mode));
	CHECK(streq(where(root_make_target(root, rootpath("/etc/passwd"), S_IFREG)), "root/etc/passwd"));
	CHECK(root_make_target(root, rootpath("/etc/passwd"), S_IFDIR) == -ENOTDIR);
}

TEST("the last component must be a name")
{
	static const char *const bad[] = {"", "/", ".", "..", "etc/..", "etc/.", "etc/../", "///"};
	char name[NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(root_open_parent(root, rootpath(bad[i]), false, name) == -EINVAL);
	CHECK(streq(where(root_open_parent(root, rootpath("etc/passwd/"), false, name)), "root/etc"));
	CHECK(streq(name, "passwd"));
	CHECK(streq(where(root_open_parent(root, rootpath("top"), false, name)), "root") && streq(name, "top"));
	CHECK(root_open_parent(root, rootpath("no/such"), false, name) == -ENOENT);
	CHECK(streq(where(root_open_parent(root, rootpath("yes/such"), true, name)), "root/yes"));
}

TEST("names and paths that are too long are errors")
{
	char name[NAME_MAX + 1], *long_name = xmalloc(5000), *long_path = xmalloc(9000);

	memset(long_name, 'n', 4999);
	long_name[4999] = '\0';
	for (int i = 0; i < 8999; i++)
		long_path[i] = i % 2 ? '/' : 'p';
	long_path[8999] = '\0';
	CHECK(root_open(root, rootpath(long_name), O_PATH, 0) == -ENAMETOOLONG);
	CHECK(root_make_dirs(root, rootpath(long_name), 0755) == -ENAMETOOLONG);
	CHECK(root_make_dirs(root, rootpath(long_path), 0755) == -ENAMETOOLONG);
	CHECK(root_open_parent(root, rootpath(long_name), true, name) == -ENAMETOOLONG);
	CHECK(root_open_parent(root, rootpath(long_path), true, name) == -ENAMETOOLONG);
	long_name[NAME_MAX + 1] = '\0';
	CHECK(root_make_dirs(root, rootpath(long_name), 0755) == -ENAMETOOLONG);
	free(long_name);
	free(long_path);
}

/* Exchanges root/race, a directory, with root/swap, a link to the outside, until it is killed. */
static pid_t start_racer(void)
{
	_cleanup_(freep) char *out = xasprintf("%s/outside", dir);
	CHECK(mkdirat(root, "race", 0755) == 0);
	link_to(out, "swap");

	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			syscall(SYS_renameat2, root, "race", root, "swap", 2 /* RENAME_EXCHANGE */);
	return pid;
}

TEST("a directory that turns into a link to the outside leads nowhere")
{
	pid_t racer = start_racer();
	int made = 0, refused = 0;

	for (int i = 0; i < 3000; i++) {
		int fd = root_make_dirs(root, rootpath("race/sub"), 0755);
		fd < 0 ? refused++ : made++;
		if (fd >= 0)
			close(fd);
		fd = root_make_target(root, rootpath("race/new"), S_IFREG);
		if (fd >= 0)
			close(fd);
	}
	CHECK(racer > 0 && kill(racer, SIGKILL) == 0 && waitpid(racer, NULL, 0) == racer);
	printf("# %d made, %d refused\n", made, refused);
	CHECK(outside_untouched());
}

UNIT_MAIN
