/*
 * What the parts of `ctr system check` share: system.c has the verb and the image store, system_containers.c
 * what lies in the store and the state directories, system_kernel.c cgroups and mounts.
 *
 * Nothing here stops anybody's work. What somebody works on is locked (runtime/record.h), and is passed by. A
 * few things are for a moment in a form that a crash would also leave, a name that is claimed before its
 * container's record stands, say: so a thing counts when it is still so a second later. A repair asks
 * everything again first, with the lock in hand where there is one.
 */
#pragma once

#include "base/error.h"
#include "cli/cli.h"

#define CHECK_ID_LEN 64

struct check;

/* A kind of finding. */
struct check_kind {
	const char *name;
	/* Takes away what ID names, unless it is in use after all. 0 or negative errno, recorded. */
	int (*repair)(const struct check *c, const char *id);
};

struct check_finding {
	const struct check_kind *kind;
	char *id;   /* what the repair needs: an id, a name, a path */
	char *text; /* one sentence */
	bool repaired;
	char *failure; /* why it could not be repaired, or NULL */
};

struct check {
	const struct engine *e;
	char *state_root, *oci_root;
	struct check_finding *v;
	size_t n;
};

void check_add(struct check *c, const struct check_kind *kind, const char *id, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A directory's fd, or negative errno, nothing recorded. */
int check_open_dir(const char *path);
/* Calls FN for every entry of directory DIR, which is consumed; nothing when DIR is -ENOENT. */
int check_each(struct check *c, int dir, const char *what, int (*fn)(struct check *c, int dir, const char *name));

/* ROOT/containers/ID, or negative errno, nothing recorded. */
int check_open_container(const struct check *c, const char *id);
/* True when a container with that id is there, or is being made or removed. */
bool check_is_claimed(const struct check *c, const char *id);
/* Ends what is in the cgroup at PATH and removes it. */
int check_destroy_cgroup(const char *path);

/* They add what they find. 0 or negative errno, recorded. */
int check_store(struct check *c);
int check_states(struct check *c);
int check_cgroups(struct check *c);
int check_mounts(struct check *c);
