/*
 * The image store.
 *
 *   ROOT/blobs/sha256/HEX       manifests and configs (and, later, layers as they came), by digest
 *   ROOT/layers/CHAINID/fs      an unpacked layer in overlayfs form; CHAINID is 64 hex digits
 *   ROOT/layers/CHAINID/layer.json   {"diffID","parent","size"}
 *   ROOT/images/ID.json         an image: its manifest, layers (bottom first), size, creation time;
 *                               ID is the config's digest in hex, docker's IMAGE ID
 *   ROOT/refs/NAME              a reference; the file holds the ID. NAME is escaped, see ref.h
 *   ROOT/tmp/DRAFT              what is being made, see store_write.h; its maker holds a flock on it
 *   ROOT/lock                   flock: shared while an image is used or added, exclusive to collect
 *
 * An object appears by rename after everything that it names is there, and disappears before it, so a
 * crash at any instant leaves at most unreferenced files, which store_check finds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "images/config.h"

struct store {
	int fd;     /* of ROOT */
	int lock;   /* of ROOT/lock */
	char *path; /* owned */
};

struct image {
	char *id;           /* 64 hex digits */
	char *manifest;     /* "sha256:..." */
	struct strv names;  /* references that point here ("busybox:latest"); see image_find */
	struct strv layers; /* chain ids, bottom layer first */
	int64_t created_ns;
	uint64_t size; /* bytes of the unpacked layers' files */
};

/* Opens the store, making its folders at first use (0700). A store of another user, or one that others
 * can write to, is refused. Records the failure. */
int store_open(const char *root, struct store *s);
void store_close(struct store *s);

/*
 * Takes (LOCK_SH, LOCK_EX, optionally | LOCK_NB) or drops (LOCK_UN) the store's lock. Whoever finds an
 * image to use it holds the shared lock from before image_find until what protects the image is written
 * (a container's record). image_remove and store_check take the lock themselves. The lock belongs to the
 * open store: a forked child shares it. Records the failure, but not -EWOULDBLOCK.
 */
int store_lock(const struct store *s, int operation);

/*
 * Finds an image by reference ("busybox", "busybox:1.36", "name@sha256:...") or by id (a unique prefix of
 * at least 4 hex digits, or "sha256:ID"; a reference wins). By reference this costs two small files,
 * however many images there are; img->names then holds that one reference. By id it holds all of them.
 * -ENOENT, recorded, when there is none. *IMG needs no freeing after a failure.
 */
int image_find(const struct store *s, const char *name, struct image *img);
void image_free(struct image *img);

/* Reads and parses the image's config blob. */
int image_config(const struct store *s, const struct image *img, struct image_config *config);

/* Opens the fs directories of the image's layers, bottom first: O_DIRECTORY fds (not O_PATH: overlayfs
 * takes them as they are since Linux 6.13) that the caller closes; FDS has room for img->layers.n. */
int image_open_layers(const struct store *s, const struct image *img, int *fds);

/* Every image, newest first, with all its names; caller frees each and the array. */
int image_list(const struct store *s, struct image **list, size_t *n);

/*
 * Removes a reference; when it was the image's last, also the image and what nothing else uses. By id an
 * image with several references is kept (-EBUSY, recorded), unless FORCE, which removes all of them.
 * USED_BY(id, arg) is asked whether a container needs the image (returns its name, or NULL); then
 * -EBUSY, recorded with that name. What was removed is told through REMOVED ("untagged NAME",
 * "deleted ID").
 */
int image_remove(const struct store *s, const char *name, bool force, const char *(*used_by)(const char *id, void *arg),
		 void *arg, struct strv *removed);

/* Points reference NAME at image ID (64 hex digits), durably. */
int image_tag(const struct store *s, const char *id, const char *name);

/*
 * Looks for what a crash left: drafts without a maker, layers and blobs that no image uses, images
 * without a needed layer or blob, blobs whose bytes do not have their digest, references to nothing.
 * Each finding is one sentence in FINDINGS. With REPAIR they are removed (under the exclusive lock).
 * USED_LAYER(chainid, arg) protects layers of containers whose image is gone; it may be NULL.
 */
int store_check(const struct store *s, bool repair, bool (*used_layer)(const char *chainid, void *arg), void *arg,
		struct strv *findings);

/*
 * Makes sure that the built-in image "busybox:latest" is there: when the reference is missing, HELPER
 * (the absolute path of ctr-images) imports TAR, its root filesystem. Nothing is done, at the cost of one
 * failed open, when it is there.
 */
int store_embed(const struct store *s, const char *helper, const char *tar);
