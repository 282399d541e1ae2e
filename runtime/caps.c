#include "runtime/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"

/* In the order of linux/capability.h. */
static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

int cap_by_name(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (int i = 0; i < (int)ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i] + 4) == 0)
			return i;
	return -1;
}

const char *cap_name(int cap)
{
	return cap >= 0 && cap < (int)ARRAY_SIZE(names) ? names[cap] : NULL;
}

uint64_t caps_all(void)
{
	uint64_t all = 0;

	for (int i = 0; i < (int)ARRAY_SIZE(names); i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0)
			all |= UINT64_C(1) << i;
	return all;
}

int caps_drop_bounding(uint64_t bounding)
{
	/* Up to the kernel's own last capability, known to us or not; EINVAL says where it ends. */
	for (int i = 0; i < 64; i++) {
		if (bounding & UINT64_C(1) << i)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return fail(-errno, "drop capability %d from the bounding set", i);
		}
	}
	return 0;
}

static struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

static int set_three(const struct cap_sets *sets, uint64_t mask)
{
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)((sets->effective & mask) >> (32 * i));
		data[i].permitted = (uint32_t)((sets->permitted & mask) >> (32 * i));
		data[i].inheritable = (uint32_t)((sets->inheritable & mask) >> (32 * i));
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Capabilities that this process has not got cannot be given; on such a host the others must do. */
static int set_what_we_have(const struct cap_sets *sets)
{
	struct __user_cap_data_struct have[2];

	if (syscall(SYS_capget, &header, have) < 0)
		return fail(-errno, "read capabilities");
	uint64_t mask = have[0].permitted | (uint64_t)have[1].permitted << 32;
	for (int i = 0; i < 64; i++)
		if ((sets->permitted & ~mask) & UINT64_C(1) << i)
			debug("%s cannot be given: ctr itself lacks it", cap_name(i) ? cap_name(i) : "a capability");
	int r = set_three(sets, mask);
	return r < 0 ? fail(r, "set capabilities") : 0;
}

int caps_set(const struct cap_sets *sets)
{
	int r = set_three(sets, UINT64_MAX);

	if (r == -EPERM)
		r = set_what_we_have(sets);
	else if (r < 0)
		return fail(r, "set capabilities");
	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return fail(-errno, "clear ambient capabilities");
	/* Only what is permitted and inheritable can be ambient; callers (runc spec) ask for more. */
	uint64_t ambient = sets->ambient & sets->permitted & sets->inheritable;
	if (ambient != sets->ambient)
		debug("some capabilities cannot be ambient: they are not inheritable");
	for (int i = 0; i < 64; i++)
		if (ambient & UINT64_C(1) << i && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			debug("capability %s cannot be ambient", cap_name(i) ? cap_name(i) : "?");
	return 0;
}
