/* The verbs of the OCI face, and what they share. */
#pragma once

#include "cli/opt.h"
#include "runtime/state.h"

#define OCI_ROOT "/run/ctr/oci"

extern const struct verb oci_create, oci_start, oci_run, oci_exec, oci_state, oci_kill, oci_delete, oci_list, oci_ps,
	oci_pause, oci_resume, oci_spec, oci_features;

/* The state of container ID under globals.root. Returns its directory's fd. */
int oci_open(const char *id, struct state *s);

/* Ends and removes what is left of the container in DIR, and runs its poststop hooks. SPEC
 * may be NULL: it is then read from DIR. */
int oci_remove(int dir, const struct state *s, const struct spec *spec);

/* Sends FD with the message NAME to the unix stream socket at PATH, as callers expect a console. */
int oci_send_fd(const char *path, const char *name, int fd);
/* Replaces file PATH by the number. */
int oci_write_pid_file(const char *path, pid_t pid);
