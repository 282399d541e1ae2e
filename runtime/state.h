/*
 * What is known of a running container: ROOT/ID/state.json on a tmpfs, gone with a reboot as the
 * processes are. Beside it stand the spec as it was at creation (config.json) and, until the container
 * is started, the socket that its first process listens on (start.sock).
 *
 * The status is never stored; it is read off the processes and the cgroup each time.
 */
#pragma once

#include <stdbool.h>

#include "base/proc.h"
#include "base/str.h"
#include "cgroups/cgroup.h"
#include "runtime/spec.h"

#define STATE_FILE "state.json"
#define STATE_CONFIG "config.json"
#define STATE_SOCKET "start.sock"

enum status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct state {
	char *id, *version, *bundle, *rootfs, *created;
	char *cgroup;           /* path, NULL when cgroups are off */
	char *annotations;      /* JSON object text, or NULL */
	struct proc_id init;    /* pid 0: not made yet */
	struct proc_id monitor; /* the engine's; pid 0 for a container of the OCI face */
};

/* An id that is a file name of the form callers use: [A-Za-z0-9_+-][A-Za-z0-9_.+-]*, at most 253. */
int state_check_id(const char *id);

/* Makes ROOT/ID; -EEXIST, recorded, when the id is taken. A directory fd. */
int state_dir_create(const char *root, const char *id);
/* Opens ROOT/ID; -ENOENT, recorded, when there is no such container. */
int state_dir_open(const char *root, const char *id);
/* Removes ROOT/ID with all in it. */
int state_dir_remove(const char *root, const char *id);

int state_write(int dir, const struct state *s);
/* -ENOENT, recorded: the container is still being made (or its maker was killed). */
int state_read(int dir, struct state *s);
void state_free(struct state *s);

enum status state_status(int dir, const struct state *s);
const char *status_name(enum status status);

/* The spec's state document (runtime.md, "State"), for hooks and `state`. PID is 0 for a stopped one. */
void state_document(const struct state *s, enum status status, unsigned int indent, struct strbuf *out);

/* Copies the members of a spec that the document needs. */
void state_init(struct state *s, const char *id, const char *bundle, const char *rootfs, const struct spec *spec);

/* The ids under ROOT, unsorted. */
int state_list(const char *root, struct strv *ids);
