/*
 * Writes a config.json: the engine's way from options to a spec, and `ctr-oci spec`.
 *
 * A spec_build starts from spec_build_default (isolation complete, as docker's and podman's users know
 * it) and is changed by the caller; strings are borrowed.
 */
#pragma once

#include "runtime/spec.h"

struct build_mount {
	const char *destination, *type, *source;
	struct strv options;
};

struct build_rlimit {
	const char *name; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};

struct spec_build {
	const char *const *args, *const *env;
	size_t n_args, n_env;
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	bool terminal, no_new_privs, root_readonly, has_oom;
	unsigned short rows, columns;
	int oom_score_adj, umask;
	struct cap_sets caps;
	struct build_rlimit *rlimits;
	size_t n_rlimits;
	const char *apparmor;
	const char *hostname, *domainname, *root_path, *cgroup_path;
	struct build_mount *mounts;
	size_t n_mounts;
	bool ns[NS_TYPES];
	const char *ns_path[NS_TYPES];
	struct id_maps maps; /* users and groups alike */
	int64_t boot_offset_s, monotonic_offset_s;
	const struct device_spec *devices;
	size_t n_devices;
	struct cgroup_limits limits; /* its devices are the rules */
	const struct key_value *sysctls, *annotations;
	size_t n_sysctls, n_annotations;
	bool unmasked;              /* no masked and read-only paths */
	const struct json *seccomp; /* a profile to embed */
};

/* The default container: all namespaces but user and time, the standard mounts (their strings live in
 * the structure: free with spec_build_free), the default device rules and capabilities. */
void spec_build_default(struct spec_build *b);

/* Appends a mount; OPTIONS is a comma list or NULL. */
struct build_mount *spec_build_mount(struct spec_build *b, const char *destination, const char *type,
				     const char *source, const char *options);
void spec_build_free(struct spec_build *b);

/* Appends the document to OUT. */
void spec_build_write(const struct spec_build *b, unsigned int indent, struct strbuf *out);
