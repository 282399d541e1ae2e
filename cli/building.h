/*
 * A container under construction: from options and an image to a spec and a record.
 *
 * build_container does it all; the build_* steps are one file each by concern.
 */
#pragma once

#include "cli/container_opts.h"
#include "images/store.h"
#include "runtime/record.h"
#include "runtime/spec_build.h"

struct building {
	const struct container_opts *o;
	const struct engine *engine;
	char *const *command; /* what stands after the image */
	int n_command;

	char id[65];
	int dir, lock;
	struct store store;
	struct image image;
	struct image_config config; /* all NULL with --rootfs */
	bool has_image;
	struct record record;
	struct spec_build spec;

	/* What the spec's pointers point to. */
	struct strv keep, args, env;
	struct build_rlimit *rlimits;
	struct device_spec *devices;
	struct device_rule *rules;
	struct io_limit *io;
	struct key_value *sysctls, *annotations, *unified;
	struct id_map *maps;
	gid_t *gids;
	char *user_ns_claim;
	struct json_doc seccomp_doc;
};

/* Takes S over and returns it for borrowing. */
const char *keep(struct building *b, char *s);

int build_process(struct building *b);    /* container_process.c */
int build_namespaces(struct building *b); /* container_ns.c */
int build_mounts(struct building *b);     /* container_mounts.c */
int build_devices(struct building *b);    /* container_devices.c */
int build_limits(struct building *b);     /* container_limits.c */
int build_security(struct building *b);   /* container_security.c */

/*
 * Makes container IMAGE (or directory, with --rootfs): its directory, spec and record. On failure nothing
 * is left. On success b->dir and b->lock are open. Free with building_free.
 */
int build_container(struct building *b, const struct container_opts *o, const char *image, char *const *command,
		    int n_command);
void building_free(struct building *b);
