/* The OCI image config (image-spec config.md; docker's is the same in the fields read here). */
#pragma once

#include <stddef.h>

#include "base/json.h"

/* Bounds: a config is at most 8 MiB and has at most 127 layers, docker's limit. */
#define IMAGE_CONFIG_MAX (8u << 20)
#define IMAGE_LAYERS_MAX 127

/*
 * Strings belong to doc; vectors are NULL-terminated and freed with image_config_free. Everything here
 * was said by a stranger: it was checked for form (no control characters in env names, user, working
 * directory; absolute working directory and volumes; known words for architecture and os), not for sense.
 * An absent string is NULL, and so is a string that is empty.
 */
struct image_config {
	struct json_doc doc;
	const char *architecture, *os, *created, *author;
	const char *user, *workdir, *stop_signal;
	const char **env, **entrypoint, **cmd;
	size_t n_env, n_entrypoint, n_cmd;
	const char **volumes, **ports; /* the keys of Volumes and ExposedPorts */
	size_t n_volumes, n_ports;
	const struct json *labels; /* object of strings, or NULL */
	const char **diff_ids;     /* "sha256:..." each, checked; bottom layer first */
	size_t n_diff_ids;
};

/* Parses TEXT; 0 or -EINVAL, recorded with the field's name. *CONFIG needs no freeing after a failure. */
int image_config_parse(const char *text, size_t len, struct image_config *config);
void image_config_free(struct image_config *config);

/* The word of the image spec (Go's GOARCH) for this machine's processor: "amd64", "arm64". */
const char *image_host_architecture(void);
