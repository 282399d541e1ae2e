/*
 * What the engine writes into a config.json beyond the OCI spec: annotations of ours, read back when the
 * container is started again or a process is executed in it. The OCI face does not look at them.
 */
#pragma once

#include "runtime/spec.h"

#define ANNOTATION_PREFIX "run.ctr."
/* "default": the built-in seccomp policy. */
#define ANNOTATION_SECCOMP ANNOTATION_PREFIX "seccomp"
/* The user as given, resolved in the root filesystem at each start. */
#define ANNOTATION_USER ANNOTATION_PREFIX "user"

/* Sets the fields of SPEC that the annotations stand for. */
void engine_apply(struct spec *spec);

/* The user as given, or NULL. */
const char *engine_user(const struct spec *spec);
