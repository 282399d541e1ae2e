/* /dev of a container: device nodes, the usual links, the console. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "base/str.h"
#include "runtime/child.h"
#include "runtime/mountfd.h"

/* The nodes that the spec promises to every container. */
static const struct device_spec standard[] = {
	{"/dev/null", 'c', 1, 3, 0666, 0, 0},    {"/dev/zero", 'c', 1, 5, 0666, 0, 0},
	{"/dev/full", 'c', 1, 7, 0666, 0, 0},    {"/dev/random", 'c', 1, 8, 0666, 0, 0},
	{"/dev/urandom", 'c', 1, 9, 0666, 0, 0}, {"/dev/tty", 'c', 5, 0, 0666, 0, 0},
};

static const struct {
	const char *link, *target;
} links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

static bool same_device(int dir, const char *name, const struct device_spec *d, mode_t type)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type &&
	       (type == S_IFIFO || st.st_rdev == makedev(d->major, d->minor));
}

/* In a user namespace mknod is refused: the host's node is bound over an empty file. */
static int bind_device(int dir, const char *name, const struct device_spec *d)
{
	_cleanup_(closep) int node = mountfd_clone(AT_FDCWD, d->path, false);
	struct stat st;

	if (node < 0)
		return node;
	if (fstat(node, &st) < 0 || st.st_rdev != makedev(d->major, d->minor))
		return refuse(-EINVAL, "%s of the host is not device %u:%u", d->path, d->major, d->minor);
	_cleanup_(closep) int target =
		openat(dir, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
	if (target < 0)
		return -errno;
	return mountfd_attach(node, target);
}

static int make_node(struct child *c, int dir, const char *name, const struct device_spec *d)
{
	mode_t type = d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
	int r;

	if (c->new_user_ns && type != S_IFIFO) {
		r = bind_device(dir, name, d);
		return r < 0 ? fail_in(r, "device %s", d->path) : 0;
	}
	if (mknodat(dir, name, type | d->mode, makedev(d->major, d->minor)) < 0) {
		if (errno == EEXIST && same_device(dir, name, d, type))
			return 0;
		return errno == EEXIST ? refuse(-EEXIST, "device %s: the image has something else there", d->path)
				       : fail(-errno, "device %s", d->path);
	}
	if ((d->uid || d->gid) && fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(-errno, "device %s", d->path);
	return 0;
}

static int make_device(struct child *c, const struct device_spec *d)
{
	char name[NAME_MAX + 1];
	_cleanup_(closep) int dir = root_open_parent(c->root, rootpath(d->path), true, name);

	return dir < 0 ? dir : make_node(c, dir, name, d);
}

/* A caller that binds a /dev of its own (--privileged with -v /dev:/dev) wants it as it is. */
static bool dev_is_bound(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if ((streq(spec->mounts[i].destination, "/dev") || streq(spec->mounts[i].destination, "/dev/")) &&
		    (spec->mounts[i].special & MOUNT_BIND))
			return true;
	return false;
}

int child_make_devices(struct child *c)
{
	int r;

	if (dev_is_bound(c->spec))
		return 0;
	_cleanup_(closep) int dev = root_make_dirs(c->root, rootpath("/dev"), 0755);
	if (dev < 0)
		return dev;
	mode_t mask = umask(0); /* the nodes' modes are exact */
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		if ((r = make_node(c, dev, standard[i].path + strlen("/dev/"), &standard[i])) < 0)
			return r;
	for (size_t i = 0; i < c->spec->n_devices; i++)
		if ((r = make_device(c, &c->spec->devices[i])) < 0)
			return r;
	umask(mask);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dev, links[i].link) < 0 && errno != EEXIST)
			return fail(-errno, "link /dev/%s", links[i].link);
	return 0;
}

int open_terminal(int pts_dir, const struct process_spec *p, int *master_out, int *slave_out)
{
	struct winsize size = {.ws_row = p->rows, .ws_col = p->columns};
	struct statfs fs;
	int unlock = 0;
	_cleanup_(closep) int master = openat(pts_dir, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);

	if (master < 0)
		return fail(-errno, "open a terminal in the container's /dev/pts");
	if (fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return refuse(-EINVAL, "the container's /dev/pts is not a devpts");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return fail(-errno, "unlock the terminal");
	_cleanup_(closep) int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail(-errno, "open the terminal's other end");
	if ((p->rows || p->columns) && ioctl(master, TIOCSWINSZ, &size) < 0)
		return fail(-errno, "set the terminal's size");
	if (fchown(slave, p->uid, (gid_t)-1) < 0 && errno != EPERM)
		return fail(-errno, "give the terminal to the user");
	*master_out = take_fd(&master);
	*slave_out = take_fd(&slave);
	return 0;
}

int child_open_console(struct child *c, int *master)
{
	_cleanup_(closep) int pts = root_open(c->root, rootpath("/dev/pts"), O_PATH | O_DIRECTORY, 0);
	if (pts < 0)
		return fail(pts, "a terminal needs a devpts on /dev/pts");
	int r = open_terminal(pts, &c->process, master, &c->console);
	if (r < 0)
		return r;

	_cleanup_(closep) int target = root_make_target(c->root, rootpath("/dev/console"), S_IFREG);
	if (target < 0)
		return target;
	_cleanup_(closep) int copy = mountfd_clone(c->console, "", false);
	if (copy < 0)
		return copy;
	r = mountfd_attach(copy, target);
	return r < 0 ? fail(r, "bind the terminal on /dev/console") : 0;
}
