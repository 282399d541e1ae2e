/*
 * Seccomp filters.
 *
 * A profile (the OCI spec's linux.seccomp, or the built-in default for a set of capabilities) is
 * compiled once, by the helper program ctr-seccomp with libseccomp, and kept under the digest of what
 * it was made from; a container's start only reads the finished BPF.
 */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

#include "base/json.h"

struct seccomp_filter {
	struct sock_filter *code; /* owned; NULL: no filter */
	unsigned short len;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	/* For SCMP_ACT_NOTIFY: where the notification fd goes; NULL without. Owned. */
	char *listener_path, *listener_metadata;
};

/*
 * The compiled filter for PROFILE (linux.seccomp), or, when PROFILE is NULL, for the default policy of
 * a container whose bounding capability set is CAPS (bit n is capability n). CACHE_DIR may be missing
 * or read-only: the filter is then made anew. HELPER is the path of ctr-seccomp. Records the failure:
 * an unknown action or architecture is named; an unknown syscall name is ignored, as the spec says.
 */
int seccomp_filter_get(const struct json *profile, uint64_t caps, const char *cache_dir, const char *helper,
		       struct seccomp_filter *filter);

/* Loads the filter into the calling thread. *LISTENER gets the notification fd when the profile asks
 * for one, else -EBADF. Records the failure. */
int seccomp_filter_load(const struct seccomp_filter *filter, int *listener);

void seccomp_filter_free(struct seccomp_filter *filter);
