/* Syscall numbers: libseccomp's tables, and what they lack. */
#pragma once

#include "runtime/ctr-seccomp/compile.h"

/* A syscall_finder. */
bool syscall_find(uint32_t arch, const char *name, struct syscall_place *place);

/* The host's architecture. */
uint32_t host_arch(void);

/*
 * Leaves in PROFILE the architectures that this host's kernel can run, with its own first, whether the
 * profile has it or not: a filter without it would kill the container at its first syscall.
 */
void profile_fit_host(struct profile *profile);
