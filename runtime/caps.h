/* Capabilities (capabilities(7)). */
#pragma once

#include <stdint.h>

#include "runtime/spec.h"

/* The number of "CAP_CHOWN" (any case, "CAP_" may be missing), or -1. */
int cap_by_name(const char *name);
/* The name with CAP_, or NULL for a number this program does not know. */
const char *cap_name(int cap);

/* Every capability the running kernel knows, as a mask. */
uint64_t caps_all(void);

/* What a container gets unless told otherwise: docker's and podman's common fourteen. */
#define CAPS_DEFAULT                                                                                                   \
	(1ULL << 0 /* CHOWN */ | 1ULL << 1 /* DAC_OVERRIDE */ | 1ULL << 3 /* FOWNER */ | 1ULL << 4 /* FSETID */ |      \
	 1ULL << 5 /* KILL */ | 1ULL << 6 /* SETGID */ | 1ULL << 7 /* SETUID */ | 1ULL << 8 /* SETPCAP */ |            \
	 1ULL << 10 /* NET_BIND_SERVICE */ | 1ULL << 13 /* NET_RAW */ | 1ULL << 18 /* SYS_CHROOT */ |                  \
	 1ULL << 27 /* MKNOD */ | 1ULL << 29 /* AUDIT_WRITE */ | 1ULL << 31 /* SETFCAP */)

/* Drops from the bounding set all that is not in BOUNDING. Needs CAP_SETPCAP. Records the failure. */
int caps_drop_bounding(uint64_t bounding);

/* Sets the other four sets, after the change of user (with PR_SET_KEEPCAPS on). Records the failure. */
int caps_set(const struct cap_sets *sets);
