/*
 * From rules to a BPF program.
 *
 * What the program decides, for a syscall that some rule names:
 *
 *  - rules with tests come before those without; of several that hold, the strictest decides, in the
 *    kernel's own order of the actions (seccomp(2));
 *  - of several rules without tests the first decides, and rules with tests that are not stricter than
 *    it are void;
 *  - when nothing holds, the default action.
 *
 * libseccomp, which runc and crun use, lets a rule without tests void all those with tests; the order
 * here is never weaker than that and is the same where a profile has no such contradiction.
 *
 * For a syscall that no rule names: the default action, but where that is an errno, the numbers beyond
 * the last one named answer ENOSYS. The profile is older than those syscalls, and a C library that
 * tries a new syscall first takes ENOSYS for "use the old one" and EPERM for an error. runc has the
 * same rule, and the profiles of docker and containerd count on it; the other way, a list in the
 * profile of all that is to answer EPERM (podman's), would only know the syscalls of its day.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>

#include "runtime/ctr-seccomp/profile.h"

/* Where a syscall is found on an architecture. */
struct syscall_place {
	int nr; /* its number, or -1 */
	/* The number of the syscall it is also reached through (socketcall, ipc), or -1, and what that one's
	 * first argument, masked, is then. */
	int mux;
	uint32_t mux_mask, mux_call;
};

/* Fills PLACE; false when no architecture has a syscall NAME. */
typedef bool (*syscall_finder)(uint32_t arch, const char *name, struct syscall_place *place);

/* The program for the architectures of PROFILE (at least one); a program on any other is killed. The
 * caller frees CODE. Records the failure. A name that FIND does not know is ignored, as the runtime
 * spec and every runtime have it, with a note by debug(). */
int profile_compile(const struct profile *profile, syscall_finder find, struct sock_filter **code, unsigned short *len);
