/* What the store's own files share. */
#pragma once

#include "images/ref.h"
#include "images/store.h"

#define ID_LEN 64
/* A record lists at most IMAGE_LAYERS_MAX digests; this is far above that. */
#define RECORD_MAX (256u << 10)

/* Reads the ID that reference CANONICAL holds. -ENOENT, nothing recorded, when there is no such one. */
int ref_read(const struct store *s, const char *canonical, char id[ID_LEN + 1]);

/* Reads ROOT/images/ID.json. -ENOENT, nothing recorded, when there is none; other failures recorded. */
int record_read(const struct store *s, const char *id, struct image *img);

/* Calls EACH(name, arg) for every entry of folder PATH but dot files, until one returns non-zero, which
 * is returned. Records the failure to read. */
int folder_each(const struct store *s, const char *path, int (*each)(const char *name, void *arg), void *arg);

/* Every reference that points at ID, sorted, added to NAMES. */
int refs_of(const struct store *s, const char *id, struct strv *names);

/* Removes ROOT/layers/CHAIN: out of sight by rename first, then its files. */
int layer_remove(const struct store *s, const char *chain);

int fsync_folder(const struct store *s, const char *path);
