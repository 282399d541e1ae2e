/*
 * Seccomp filters.
 *
 * A profile (the OCI spec's linux.seccomp, or the built-in default for a set of capabilities) is
 * compiled once, by the helper program ctr-seccomp, and kept under the digest of what it was made
 * from; a container's start only reads the finished BPF.
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
 * The compiled filter for PROFILE, or, when PROFILE is NULL, for the default policy, of a container
 * whose bounding capability set is CAPS (bit n is capability n). PROFILE is linux.seccomp, or a
 * profile file as docker and podman have them, whose conditions are then decided for CAPS and this
 * host. CACHE_DIR, a directory of ours, may be missing, read-only or NULL: the filter is then made
 * anew. HELPER is the path of ctr-seccomp. Records the failure: an unknown action or architecture is
 * named; an unknown syscall name is ignored, as the spec says, with a note by debug().
 */
int seccomp_filter_get(const struct json *profile, uint64_t caps, const char *cache_dir, const char *helper,
		       struct seccomp_filter *filter);

/*
 * Loads the filter into the calling thread, which needs no_new_privs or CAP_SYS_ADMIN. *LISTENER gets
 * the notification fd (close-on-exec) when there is a listener_path, else -EBADF. Records the failure.
 *
 * From then on any syscall but write(2) and what the profile allows may wait for whoever holds the
 * listener. So the fd must be handed over without sendmsg: write its number to the parent, which takes
 * it with pidfd_getfd(2). (A profile that notifies write is refused, here as by runc.)
 */
int seccomp_filter_load(const struct seccomp_filter *filter, int *listener);

void seccomp_filter_free(struct seccomp_filter *filter);
