#include "images/ctr-images/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"

#define CAP(name) (UINT64_C(1) << (CAP_##name))

const uint64_t CONFINE_CAPS_UNPACK =
	CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(MKNOD) | CAP(SETFCAP);
const uint64_t CONFINE_CAPS_READ = CAP(DAC_READ_SEARCH);

/* Memory that a decompressor may be talked into: more than the largest window that xz and zstd use. */
#define MEMORY_MAX (UINT64_C(512) << 20)

/* struct landlock_ruleset_attr as of ABI 6; the build's headers may be older. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define LANDLOCK_FS_V1 ((UINT64_C(1) << 13) - 1)
#define LANDLOCK_FS_REFER (UINT64_C(1) << 13)     /* ABI 2, Linux 5.19 */
#define LANDLOCK_FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3, 6.2 */
#define LANDLOCK_NET_TCP UINT64_C(3)              /* ABI 4, 6.7: bind, connect */
#define LANDLOCK_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5, 6.10 */
#define LANDLOCK_SCOPED UINT64_C(3)               /* ABI 6, 6.12: abstract sockets, signals */

int confine_to(int *dirfd)
{
	struct mount_attr set = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
	_cleanup_(closep) int copy = sys_open_tree(*dirfd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (copy < 0 && (errno == EPERM || errno == ENOSYS)) {
		debug("no detached mount to work in: %s", strerror(errno));
		return 0;
	}
	if (copy < 0)
		return fail(-errno, "copy the mount to work in");
	if (sys_mount_setattr(copy, "", AT_EMPTY_PATH, &set) < 0)
		return fail(-errno, "make the mount to work in nodev");
	if (fchdir(copy) < 0 || chroot(".") < 0)
		return fail(-errno, "make the folder to work in the root");
	close(*dirfd);
	*dirfd = take_fd(&copy);
	return 0;
}

/* Fills RULES with the rights that this kernel's Landlock handles. False when there is none that would do. */
static bool landlock_rights(struct ruleset *rules, size_t *size)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	/* The first version forbids all hard links between directories. */
	if (abi < 2) {
		debug("Landlock is not used: %s", abi < 0 ? strerror(errno) : "it is too old");
		return false;
	}
	rules->fs = LANDLOCK_FS_V1 | LANDLOCK_FS_REFER;
	if (abi >= 3)
		rules->fs |= LANDLOCK_FS_TRUNCATE;
	if (abi >= 5)
		rules->fs |= LANDLOCK_FS_IOCTL_DEV;
	rules->net = abi >= 4 ? LANDLOCK_NET_TCP : 0;
	rules->scoped = abi >= 6 ? LANDLOCK_SCOPED : 0;
	*size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	return true;
}

static int confine_files(int dirfd, bool write)
{
	struct ruleset rules = {0};
	size_t size = 0;

	if (!landlock_rights(&rules, &size))
		return 0;
	_cleanup_(closep) int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return fail(-errno, "make a Landlock ruleset");
	struct landlock_path_beneath_attr below = {.parent_fd = dirfd};
	below.allowed_access = write ? rules.fs & ~(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_FS_IOCTL_DEV)
				     : LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return fail(-errno, "restrict file access with Landlock");
	return 0;
}

static int confine_caps(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return fail(-errno, "read capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t kept = data[i].permitted & (uint32_t)(keep >> (32 * i));

		data[i] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return fail(-errno, "drop capabilities");
	return 0;
}

static int confine_memory(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return fail(-errno, "limit core dumps");
#ifndef __SANITIZE_ADDRESS__ /* whose shadow memory is far larger */
	const struct rlimit most = {MEMORY_MAX, MEMORY_MAX};

	if (setrlimit(RLIMIT_DATA, &most) < 0)
		debug("memory is not limited: %s", strerror(errno));
#endif
	return 0;
}

int confine_rights(int dirfd, bool write, uint64_t caps)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(-errno, "give up new privileges");
	int r = confine_memory();
	if (r == 0)
		r = confine_files(dirfd, write);
	return r == 0 ? confine_caps(caps) : r;
}
