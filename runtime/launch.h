/*
 * What stands around a container's process: its cgroup, its filter, its state directory. Both faces,
 * the engine's and the OCI one, start containers through this.
 */
#pragma once

#include "runtime/container.h"
#include "runtime/state.h"

struct launch {
	/* in */
	const char *id;
	const struct spec *spec;
	const char *argv0;     /* where our helper programs are found */
	const char *cache_dir; /* for compiled filters */
	bool no_cgroup;
	const char *default_cgroup; /* when the spec has no cgroupsPath */
	int state_dir;
	struct state *state;            /* cgroup and init are filled in */
	struct container_params params; /* filled by the caller but for id, spec, cgroup, seccomp */
	/* out */
	struct cgroup cgroup;
	struct seccomp_filter seccomp;
	struct container container;
	bool exec_failed;
};

#define LAUNCH_INIT(...)                                                                                               \
	((struct launch){.cgroup = CGROUP_NONE,                                                                        \
			 .container = CONTAINER_NONE,                                                                  \
			 .params = {.bundle_fd = -EBADF, .root_fd = -EBADF, .listen_fd = -1, .stdio = {0, 1, 2}},      \
			 __VA_ARGS__})

/*
 * Makes the cgroup, gets the filter, creates the container and writes state.json. On failure nothing is
 * left but the (caller's) state directory.
 */
int launch_create(struct launch *l);

/* After a failure past launch_create: kills, reaps and removes the cgroup. */
void launch_undo(struct launch *l);

/* Closes the fds and frees the filter; the container stays. */
void launch_close(struct launch *l);

/* The detached root mount of a bundle (spec->root_path, relative to BUNDLE_FD, which is BUNDLE), and in *PATH
 * its absolute path (caller frees). */
int launch_bundle_root(const struct spec *spec, int bundle_fd, const char *bundle, char **path);

/* Ends whatever runs in the container of S and removes its cgroup; what is gone already is a success. */
int launch_destroy(const struct state *s);
