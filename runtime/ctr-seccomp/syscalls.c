#include "runtime/ctr-seccomp/syscalls.h"

#include <seccomp.h>

#include "base/error.h"

/* libseccomp's tokens are part of its interface; profile.h relies on that.
 * NOLINTNEXTLINE(misc-redundant-expression) */
_Static_assert(ARCH_X32 == SCMP_ARCH_X32, "x32's token");

/*
 * Syscalls newer than the libseccomp of the distributions (2.5: Linux 6.7 at best), with the numbers
 * they have on every architecture but Alpha and MIPS (scripts/syscall.tbl). Without them a profile
 * could not forbid one of them where it allows all else.
 */
static const struct {
	const char *name;
	int nr;
	uint32_t only; /* on this architecture, or 0 */
} newer[] = {
	{"uretprobe", 335, AUDIT_ARCH_X86_64},
	{"uprobe", 336, AUDIT_ARCH_X86_64},
	{"riscv_hwprobe", 258, AUDIT_ARCH_RISCV64},
	{"cachestat", 451, 0},
	{"fchmodat2", 452, 0},
	{"map_shadow_stack", 453, 0},
	{"futex_wake", 454, 0},
	{"futex_wait", 455, 0},
	{"futex_requeue", 456, 0},
	{"statmount", 457, 0},
	{"listmount", 458, 0},
	{"lsm_get_self_attr", 459, 0},
	{"lsm_set_self_attr", 460, 0},
	{"lsm_list_modules", 461, 0},
	{"mseal", 462, 0},
	{"setxattrat", 463, 0},
	{"getxattrat", 464, 0},
	{"listxattrat", 465, 0},
	{"removexattrat", 466, 0},
	{"open_tree_attr", 467, 0},
	{"file_getattr", 468, 0},
	{"file_setattr", 469, 0},
	{"listns", 470, 0},
};

/* i386's own numbers of what it also reaches through socketcall (linux/net.h) and ipc (linux/ipc.h), by
 * the number of the call there; 0 where it has none. */
static const uint16_t i386_socketcall[] = {0,   359, 361, 362, 363, 0,   367, 368, 360, 0,  0,
					   369, 371, 373, 366, 365, 370, 372, 364, 337, 345};
static const uint16_t i386_ipc[] = {
	[2] = 393,  [3] = 394,  [11] = 400, [12] = 401, [13] = 399,
	[14] = 402, [21] = 397, [22] = 398, [23] = 395, [24] = 396,
};

/* libseccomp gives what goes through socketcall as -100 - CALL, through ipc as -200 - CALL. */
static void find_multiplexed(uint32_t arch, int pseudo, struct syscall_place *place)
{
	bool ipc = pseudo <= -200;
	unsigned int call = (unsigned int)(-pseudo) % 100;
	size_t n = ipc ? ARRAY_SIZE(i386_ipc) : ARRAY_SIZE(i386_socketcall);
	int mux = seccomp_syscall_resolve_name_arch(arch, ipc ? "ipc" : "socketcall");

	if (mux < 0)
		return;
	place->mux = mux;
	place->mux_call = call;
	/* ipc has a version in the upper half, which the kernel ignores for most calls. */
	place->mux_mask = ipc ? 0xffff : UINT32_MAX;
	uint16_t own = call >= n ? 0 : ipc ? i386_ipc[call] : i386_socketcall[call];
	if (arch == AUDIT_ARCH_I386 && own)
		place->nr = own;
}

static bool find_newer(uint32_t arch, const char *name, struct syscall_place *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++) {
		if (!streq(newer[i].name, name))
			continue;
		if (!newer[i].only || newer[i].only == arch)
			place->nr = newer[i].nr | (arch == ARCH_X32 ? 0x40000000 : 0);
		return true;
	}
	return false;
}

bool syscall_find(uint32_t arch, const char *name, struct syscall_place *place)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);

	*place = (struct syscall_place){.nr = -1, .mux = -1};
	if (nr == __NR_SCMP_ERROR)
		return find_newer(arch, name, place);
	if (nr >= 0)
		place->nr = nr;
	else if (nr < -100 && nr > -300)
		find_multiplexed(arch, nr, place);
	return true;
}

/* What the kernel of each host runs: the first is its own. */
#if defined(__x86_64__)
static const uint32_t host_archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, ARCH_X32};
#elif defined(__aarch64__)
static const uint32_t host_archs[] = {AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM};
#elif defined(__riscv) && __riscv_xlen == 64
static const uint32_t host_archs[] = {AUDIT_ARCH_RISCV64};
#else
#error "say which architectures this host's kernel runs, and check its numbers in this file"
#endif

uint32_t host_arch(void)
{
	return host_archs[0];
}

void profile_fit_host(struct profile *profile)
{
	size_t n = 0;
	uint32_t fit[ARRAY_SIZE(host_archs)];

	fit[n++] = host_archs[0];
	for (size_t i = 1; i < ARRAY_SIZE(host_archs); i++)
		for (size_t k = 0; k < profile->n_archs; k++)
			if (profile->archs[k] == host_archs[i])
				fit[n++] = host_archs[i];
	memcpy(profile->archs, fit, n * sizeof(*fit));
	profile->n_archs = n;
}
