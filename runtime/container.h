/*
 * A spec becomes an isolated process.
 *
 * container_create clones the container's first process into its cgroup and namespaces; that process
 * mounts, enters its root, becomes its user, and stops one step short of executing the program.
 * container_start lets it go on. In between the caller writes its records. The first process never
 * runs anything of the image before container_start.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cgroups/cgroup.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"

struct container_params {
	const char *id;
	const struct spec *spec;
	int bundle_fd;               /* relative bind sources start here; -EBADF: none are relative */
	int root_fd;                 /* the root filesystem as a detached mount, or -EBADF: */
	int (*open_root)(void *arg); /* makes it, in the child's mount namespace */
	void *open_root_arg;
	const char *user;        /* resolved in the root filesystem (runtime/user.h) instead of the spec's ids */
	const char *mount_point; /* where to attach it before the pivot; NULL: anywhere */
	const struct cgroup *cgroup;
	const struct seccomp_filter *seccomp; /* NULL: no filter */
	int stdio[3];                         /* become 0, 1, 2; ignored with a terminal */
	int listen_fd;                        /* >= 0: wait here for container_start_remote, not on the parent */
	bool die_with_parent;                 /* SIGKILL when the creating process ends */
	bool no_new_keyring;
	unsigned int preserve_fds; /* fds 3 .. 3+N-1 stay open in the container */
	const int *bind_fds;       /* set here: for each mount of the spec the bind's source, or NULL */
	/* State document for hooks that run in the child, and who runs those that run in the parent. */
	const char *hook_state;
	size_t hook_state_len;
	int (*runtime_hooks)(pid_t pid, void *arg);
	void *hooks_arg;
};

struct container {
	pid_t pid;
	int pidfd, sync;
	int console;  /* master of the terminal, -EBADF without */
	int listener; /* seccomp notification fd, -EBADF without */
};

#define CONTAINER_NONE                                                                                                 \
	((struct container){.pid = -1, .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .listener = -EBADF})

/* On failure nothing of the process is left (the cgroup is the caller's), and *EXEC_FAILED says whether
 * the program could not be found or executed (-ENOENT: exit status 127, else 126). */
int container_create(const struct container_params *params, struct container *c, bool *exec_failed);

/* Lets the process execute its program and waits until it has, or says why not. */
int container_start(struct container *c, bool *exec_failed);

/* The same from another process, by way of the socket at PATH that params->listen_fd listens on. */
int container_start_remote(int dirfd, const char *path, bool *exec_failed);

/* Kills and reaps a process that was created here. */
void container_abort(struct container *c);

void container_close(struct container *c);

/* Runs a further process in the container whose first process is INIT. */
struct exec_params {
	int init_pidfd;
	const struct spec *spec;            /* the container's: namespaces */
	const struct process_spec *process; /* what to run */
	const struct cgroup *cgroup;
	const struct seccomp_filter *seccomp;
	int stdio[3];
	unsigned int preserve_fds;
};

/* As container_create and container_start in one; c->console is set with process->terminal. */
int container_exec(const struct exec_params *params, struct container *c, bool *exec_failed);

/* Writes the id maps of SPEC's user namespace, if it makes one, for process PID in it. */
int container_write_maps(const struct spec *spec, pid_t pid);

/* The exit status for a failure to execute with errno ERR: 127 for what is not there, else 126. */
int exec_exit_status(int err);
