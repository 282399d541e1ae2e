/*
 * Adding to the store.
 *
 * Whatever is added is first made in a draft, a folder of its own in ROOT/tmp, and then published: one
 * syncfs makes all of it durable, and renames show it, layers and blobs before the image that names them,
 * the image before its reference. The maker holds a flock on its draft; a draft that nobody locks is what
 * a crash left, and may be removed.
 *
 *   struct draft d;
 *   draft_open(s, &d);
 *   ... make "layer/fs" under d.fd; draft_put_layer(); draft_put_image() ...
 *   draft_publish(s, &d);
 *   draft_close(s, &d);
 *
 * draft_open and draft_publish take the store's lock and drop it: not to be called by who holds it.
 */
#pragma once

#include "images/ref.h"
#include "images/store.h"

struct draft_move;

struct draft {
	int fd; /* of ROOT/tmp/name; -EBADF when closed */
	char name[24];
	struct draft_move *moves; /* what draft_publish shows, in the order of the calls */
	size_t n;
};

/* Makes an empty draft and locks it. Records the failure. */
int draft_open(const struct store *s, struct draft *d);
/* Removes what was not published, and unlocks. Does nothing to a closed draft. */
void draft_close(const struct store *s, struct draft *d);

/* Tells which file or folder FROM of the draft becomes which ROOT/FOLDER/NAME. CONTENT says that the name
 * is made of the content, so that one which is there already is as good. */
void draft_move(struct draft *d, const char *from, const char *folder, const char *name, bool content);

struct layer_info {
	const char *chain;   /* 64 hex digits */
	const char *diff_id; /* "sha256:..." */
	const char *parent;  /* the chain below, or NULL */
	uint64_t size;       /* bytes of the files */
};

/* Adds the layer whose files are in the draft's folder FOLDER/fs. */
int draft_put_layer(struct draft *d, const char *folder, const struct layer_info *layer);

/* Adds a blob; DIGEST becomes its 64 hex digits. */
int draft_put_blob(struct draft *d, const void *data, size_t len, char digest[65]);

/* Adds the record of an image whose blobs and layers are added or already there. */
int draft_put_image(struct draft *d, const struct image *img);

/* Adds a reference, canonical, to image ID. */
int draft_put_ref(struct draft *d, const char *canonical, const char *id);

/* Makes everything that was put durable, then visible, under the store's shared lock. */
int draft_publish(const struct store *s, struct draft *d);

/* True when the layer is in the store, so that nobody need unpack it again. */
bool layer_exists(const struct store *s, const char *chain);

/* Removes the drafts that nobody works on any more; EACH sentence says which, when FINDINGS is given.
 * Only under the exclusive lock. */
int drafts_collect(const struct store *s, bool repair, struct strv *findings);

/* The same with as little fuss as possible, for those who are about to add to the store: nothing is done
 * while the store is in use. */
void drafts_clean(const struct store *s);
