/*
 * The OCI runtime spec (config.md, config-linux.md), parsed and checked.
 *
 * A `struct spec` is a config.json whose every field has its type, range and known words; what this
 * runtime does not do is refused here, by name, so that nothing is silently left out. Strings belong to
 * the JSON document; vectors are owned by the spec.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "cgroups/limits.h"

#define SPEC_VERSION "1.2.0"
/* A config.json above this is refused; a real one is 3 to 100 KB. */
#define SPEC_TEXT_MAX (8u << 20)

enum ns_type { NS_USER, NS_MOUNT, NS_PID, NS_NET, NS_IPC, NS_UTS, NS_CGROUP, NS_TIME, NS_TYPES };

struct ns_info {
	const char *name;      /* the spec's word */
	const char *proc_name; /* under /proc/PID/ns */
	int flag;              /* CLONE_NEW* */
};
extern const struct ns_info ns_info[NS_TYPES];

struct ns_spec {
	bool asked;       /* listed in linux.namespaces */
	const char *path; /* join this one; NULL: a new one */
};

struct id_map {
	uint32_t container, host, size;
};

struct id_maps {
	struct id_map *v;
	size_t n;
};

enum mount_special {
	MOUNT_COPY_UP = 1 << 0, /* tmpfs: start with what the image has there */
	MOUNT_BIND = 1 << 1,
	MOUNT_RECURSIVE = 1 << 2, /* rbind */
	MOUNT_IDMAP = 1 << 3,
	MOUNT_IDMAP_RECURSIVE = 1 << 4,
	MOUNT_REMOUNT = 1 << 5,
};

struct mount_spec {
	const struct json *node; /* for messages */
	const char *destination, *type, *source;
	unsigned int special;                  /* enum mount_special */
	uint64_t attr_set, attr_clear;         /* MOUNT_ATTR_* for the mount itself */
	uint64_t rec_attr_set, rec_attr_clear; /* for it and all below (rro, rnosuid, ...) */
	unsigned long propagation;             /* MS_PRIVATE ... with MS_REC, or 0 */
	const char **data;                     /* options of the filesystem, "size=64m" */
	size_t n_data;
	struct id_maps uid_maps, gid_maps;
};

struct device_spec {
	const char *path;
	char type; /* 'b', 'c' or 'p' */
	uint32_t major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct rlimit_spec {
	int resource;
	uint64_t soft, hard;
};

struct hook_spec {
	const char *path;
	const char **args, **env;
	uint64_t timeout_s; /* 0: none */
};

enum hook_point {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_POINTS
};

struct hook_list {
	struct hook_spec *v;
	size_t n;
};

/* Capability sets as bit masks, bit n for capability n of linux/capability.h. */
struct cap_sets {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct process_spec {
	bool terminal;
	unsigned short rows, columns;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
	int umask; /* -1: leave */
	const char *cwd;
	const char **args, **env;
	size_t n_args, n_env;
	struct cap_sets caps;
	bool has_caps;
	struct rlimit_spec *rlimits;
	size_t n_rlimits;
	bool no_new_privs;
	bool has_oom_score_adj;
	int oom_score_adj;
	const char *apparmor;
	int io_class, io_priority; /* class 0: unset */
};

struct spec {
	struct json_doc doc;
	const char *version, *hostname, *domainname;
	const char *root_path;
	bool root_readonly;
	bool has_process;
	struct process_spec process;
	struct mount_spec *mounts;
	size_t n_mounts;
	struct hook_list hooks[HOOK_POINTS];
	const struct json *annotations;

	struct ns_spec ns[NS_TYPES];
	struct id_maps uid_maps, gid_maps;
	int64_t time_offset_s[2]; /* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
	uint32_t time_offset_ns[2];
	struct device_spec *devices;
	size_t n_devices;
	struct cgroup_limits limits;
	const char *cgroup_path;
	struct key_value *sysctls;
	size_t n_sysctls;
	const char **masked_paths, **readonly_paths;
	size_t n_masked, n_readonly;
	unsigned long root_propagation; /* MS_* with MS_REC, or 0 */
	const struct json *seccomp;     /* linux.seccomp, or NULL */
	bool seccomp_default;           /* the engine's: use the built-in policy */
	bool has_personality;
	unsigned long personality;
};

/* Parses LEN bytes of TEXT; WHAT names it in messages. 0 or -EINVAL / -EOPNOTSUPP, recorded. */
int spec_parse(const char *text, size_t len, const char *what, struct spec *spec);

/* Reads and parses config.json in the bundle directory DIRFD. *TEXT gets the raw document (caller
 * frees) for the state directory's copy; may be NULL. */
int spec_load(int dirfd, const char *name, struct spec *spec, char **text, size_t *len);

/* Parses a `process` object alone (exec --process). The document must outlive PROCESS. */
int spec_parse_process(const struct json *obj, struct process_spec *process);
void spec_free_process(struct process_spec *process);

void spec_free(struct spec *spec);

/* spec_mount.c: applies one option word of a mount ("ro", "rbind", "size=1m"). */
int mount_spec_option(struct mount_spec *m, const char *word);

/* spec_linux.c: the linux section into SPEC. */
int spec_parse_linux(const struct json *linux_, struct spec *spec);
int spec_parse_id_maps(const struct json *obj, const char *key, struct id_maps *maps);
/* MS_* for "rprivate" and its kin, 0 when WORD is none. */
unsigned long mount_propagation(const char *word);
