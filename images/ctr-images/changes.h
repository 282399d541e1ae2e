/*
 * What `--change INSTRUCTION` says about a new image's config, in a Dockerfile's words: CMD, ENTRYPOINT,
 * ENV, USER, WORKDIR, EXPOSE, VOLUME, LABEL, STOPSIGNAL. CMD, ENTRYPOINT and VOLUME also take a JSON array.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

struct changes {
	struct strv cmd, entrypoint; /* complete argument vectors */
	struct strv env;             /* NAME=VALUE; a later NAME replaced an earlier one */
	struct strv ports, volumes;
	struct strv label_keys, label_values;
	char *user, *workdir, *stop_signal;
	bool has_cmd, has_entrypoint; /* said, if only to be empty */
};

/* Adds one instruction. 0 or -EINVAL, recorded. */
int changes_add(struct changes *c, const char *instruction);
void changes_free(struct changes *c);

/* Writes the member "config" of an image config. */
void changes_write(const struct changes *c, struct json_writer *w);
