/* What `ctr exec` and `ctr-oci exec` do alike. */
#pragma once

#include "runtime/container.h"
#include "runtime/state.h"

/* Changes to the container's own process that the command line may ask for. */
struct exec_changes {
	const struct strv *env; /* "NAME=VALUE", or "NAME" for ours */
	const char *cwd;
	const char *user; /* as user_resolve, in the container's root */
	const struct strv *groups, *caps;
	const char *apparmor;
	bool terminal, no_new_privs, privileged;
	char *const *args;
	size_t n_args;
};

struct exec_session {
	const struct exec_changes *changes; /* NULL: PROCESS is used as it is */
	const struct process_spec *process;
	int config_dir; /* where the container's config.json is */
	bool engine;    /* the engine's annotations in it count */
	const char *cgroup_sub;
	const char *argv0, *cache_dir;
	unsigned int preserve_fds;
	bool ignore_paused;
	bool no_input; /* standard input is /dev/null */
	/* Called once the process runs, before waiting; negative ends the session. May be NULL. */
	int (*started)(const struct container *c, void *arg);
	void *arg;
	bool detach;
	bool relay_console; /* copy between the terminal and our 0 and 1 */
};

/*
 * Runs a process in the container of state directory DIR and waits for it (unless detached). The exit
 * status, or negative errno, recorded; *EXEC_FAILED as container_exec.
 */
int exec_in_container(int dir, const struct state *s, const struct exec_session *e, bool *exec_failed);
