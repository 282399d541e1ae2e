/* The process that unpacks can reach nothing but its own folder. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "images/ctr-images/confine.h"
#include "images/ctr-images/unpack.h"
#include "unit.h"

static char place[64];
static int folder;

static void setup(void)
{
	strcpy(place, "/var/tmp/ctr-test-confine-XXXXXX");
	CHECK(mkdtemp(place) != NULL);
	folder = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(mkdirat(folder, "fs", 0755) == 0);
}

static void teardown(void)
{
	close(folder);
	CHECK(remove_tree_at(AT_FDCWD, place) == 0);
}

/* Runs TRY in a confined child; what it returns is the child's status. */
static int confined(int (*try)(int dirfd))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int dir = folder;

		if (confine_to(&dir) < 0 || confine_rights(dir, true, CONFINE_CAPS_UNPACK) < 0)
			_exit(100);
		_exit(try(dir));
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_work(int dir)
{
	if (mkdirat(dir, "fs/d", 0700) < 0 || fchownat(dir, "fs/d", 5, 6, 0) < 0)
		return 1;
	int fd = openat(dir, "fs/f", O_RDWR | O_CREAT | O_EXCL, 04755);
	if (fd < 0 || write(fd, "x", 1) != 1 || fchown(fd, 1, 2) < 0 || fchmod(fd, 04755) < 0)
		return 2;
	if (linkat(dir, "fs/f", dir, "fs/d/f", 0) < 0 || unlinkat(dir, "fs/f", 0) < 0)
		return 3;
	return mknodat(dir, "fs/null", S_IFCHR | 0666, makedev(1, 3)) < 0 ? 4 : 0;
}

TEST("it can do its work")
{
	setup();
	CHECK(confined(try_work) == 0);
	teardown();
}

static int try_paths(int dir)
{
	static const char *const paths[] = {"/etc/passwd", "../../../etc/passwd", "/proc/self/mem", "/var",
					    "/dev/null"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (openat(dir, paths[i], O_RDONLY) >= 0 || chmod(paths[i], 0777) == 0)
			return 1 + (int)i;
	return 0;
}

TEST("no other file is there for it")
{
	setup();
	CHECK(confined(try_paths) == 0);
	teardown();
}

static int try_device(int dir)
{
	if (mknodat(dir, "fs/null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return 1;
	return openat(dir, "fs/null", O_RDWR) < 0 && errno == EACCES ? 0 : 2;
}

TEST("a device that it made cannot be opened by it")
{
	setup();
	CHECK(confined(try_device) == 0);
	teardown();
}

static int try_privileges(int dir)
{
	if (mount("none", "/fs", "tmpfs", 0, NULL) == 0)
		return 1;
	if (setuid(5) == 0)
		return 2;
	if (chroot("/fs") == 0)
		return 3;
	if (fsetxattr(dir, "trusted.x", "y", 1, 0) == 0)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

TEST("it has no privileges but those for files")
{
	setup();
	CHECK(confined(try_privileges) == 0);
	teardown();
}

TEST("a job that fails says why, and one that dies is told from it")
{
	struct unpack_job job = {.folder = 0};
	struct unpack_result result;

	setup();
	job.folder = folder;
	job.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(unpack_run(&job, &result) == -EINVAL && strstr(error_text(), "the archive is empty"));
	close(job.input);
	CHECK(unlinkat(folder, "fs", AT_REMOVEDIR) == 0);
	job.input = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CHECK(unpack_run(&job, &result) == -ENOENT && strstr(error_text(), "open the new layer"));
	CHECK(mkdirat(folder, "fs", 0755) == 0);
	job.limits.max_bytes = 1 << 20; /* an endless archive of nothing */
	CHECK(unpack_run(&job, &result) == -EFBIG && strstr(error_text(), "more than 1048576 bytes"));
	close(job.input);
	teardown();
}

UNIT_MAIN
