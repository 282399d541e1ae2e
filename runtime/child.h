/* Private to runtime/: the steps of a container's first process, in the order they are taken. */
#pragma once

#include "runtime/container.h"

struct child {
	const struct container_params *params;
	const struct spec *spec;
	int sync;
	int root;                    /* the root mount, attached */
	struct process_spec process; /* the spec's, with the user resolved */
	int proc;                    /* a procfs of our own, detached: never the image's idea of /proc */
	int console;                 /* slave, -EBADF without a terminal */
	bool new_user_ns;
};

/* mounts.c */
int child_mount_all(struct child *c);
int child_mask_paths(struct child *c);
/* dev.c */
int child_make_devices(struct child *c);
int child_open_console(struct child *c, int *master);
/* root.c */
int child_attach_root(struct child *c);
/* Fills in the ids of params->user, and makes the working directory if it is missing. */
int child_resolve_process(struct child *c);
int child_enter_root(struct child *c);
int child_write_sysctls(struct child *c);
/* copyup.c: copies what directory FROM holds into the directory TO. */
int copy_up(int from, int to);

/* container.c: clone3 into the cgroup; returns as fork does. */
pid_t clone_into(uint64_t flags, const struct cgroup *cg, int *pidfd);

/* process.c: what init and exec do alike. */
/* Closes every descriptor from 3 + PRESERVE_FDS on, and below that those that are close-on-exec, but for the
 * N of KEEP (a negative one counts for nothing). */
int close_others(const int *keep, size_t n, unsigned int preserve_fds);
/* Every signal at its default and none blocked. */
void process_reset_signals(void);
/* Opens a terminal in the devpts at PTMX_DIR; the slave becomes the controlling terminal. */
int open_terminal(int pts_dir, const struct process_spec *p, int *master, int *slave);
int use_stdio(const int stdio[3]);
/* Limits, user, capabilities, working directory; the last step that needs PROC (for AppArmor).
 * Loads FILTER here when the process may gain privileges. */
int process_become(const struct process_spec *p, int proc, const struct seccomp_filter *filter, int *listener);
/* Finds the program (in the env's PATH); caller frees. NULL, recorded and with errno set, when it is not
 * there or not executable. */
char *process_find(const struct process_spec *p);
/* The environment, with HOME added from ROOT's passwd when it is missing. */
char **process_env(const struct process_spec *p, int root);
/* Closes all fds but those the program gets and SYNC (close-on-exec), loads the filter of a process without
 * new privileges, and executes. Returns only on failure. */
int process_execute(const struct process_spec *p, const char *path, char **env, const struct seccomp_filter *filter,
		    unsigned int preserve_fds, int sync);
