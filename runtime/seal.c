#include "runtime/seal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define SELF "/proc/self/exe"
/* statfs(2): the mount is read-only. */
#define ST_RDONLY_FLAG 0x0001

/* What the link of the fallback's memfd says. */
#define MEMFD_LINK "/memfd:ctr"

static bool on_read_only_mount(void)
{
	struct statfs fs;

	return statfs(SELF, &fs) == 0 && (fs.f_flags & ST_RDONLY_FLAG);
}

static int detached_copy(void)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	_cleanup_(closep) int fd = sys_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return -errno;
	return take_fd(&fd);
}

static int memfd_copy(void)
{
	struct stat st;
	_cleanup_(closep) int self = openat(AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int fd = memfd_create(MEMFD_LINK + strlen("/memfd:"), MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (self < 0 || fd < 0 || fstat(self, &st) < 0)
		return -errno;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(fd, self, NULL, (size_t)left);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	if (fchmod(fd, 0500) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return take_fd(&fd);
}

/* The path of the running file; false when it cannot be told. */
static bool own_path(char path[PATH_MAX])
{
	ssize_t n = readlink(SELF, path, PATH_MAX - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return true;
}

/* Makes PATH, the real file's, DIR-OF-THE-REAL-FILE/NAME-WE-WERE-CALLED-BY. */
static char *absolute_name(char path[PATH_MAX], const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *name = slash ? slash + 1 : argv0;
	char *end = strrchr(path, '/');

	if (!end || strlen(name) >= (size_t)(path + PATH_MAX - end - 1))
		return NULL;
	memcpy(end + 1, name, strlen(name) + 1);
	return path;
}

int seal_self(char **argv)
{
	char path[PATH_MAX];

	if (on_read_only_mount())
		return 0;
	if (!own_path(path))
		return fail(-errno, "find this program's own file through " SELF);
	if (after_prefix(path, MEMFD_LINK))
		return 0;
	argv[0] = absolute_name(path, argv[0]);
	if (!argv[0])
		return refuse(-ENAMETOOLONG, "the path of this program is too long");
	_cleanup_(closep) int fd = detached_copy();
	if (fd < 0) {
		debug("no detached mount of this program (%s): using a sealed memory copy", strerror(-fd));
		fd = memfd_copy();
	}
	if (fd < 0)
		return fail(fd, "make a sealed copy of this program");
	sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return fail(-errno, "execute the sealed copy of this program");
}

char *find_companion(const char *argv0, const char *name)
{
	static const char *const places[] = {"", "../libexec/ctr/", "../share/ctr/"};
	char path[PATH_MAX];
	/* A sealed process was given the real path; any other finds its own. */
	const char *self = argv0[0] == '/' && on_read_only_mount() ? argv0 : own_path(path) ? path : NULL;
	const char *slash = self ? strrchr(self, '/') : NULL;

	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
		_cleanup_(freep) char *full = xasprintf("%.*s/%s%s", (int)(slash - self), self, places[i], name);

		if (access(full, R_OK) == 0)
			return take_ptr(&full);
	}
	refuse(-ENOENT, "%s is missing: it belongs beside ctr or in ../libexec/ctr (is the installation whole?)", name);
	return NULL;
}
