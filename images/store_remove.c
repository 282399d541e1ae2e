#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "images/store_internal.h"

int layer_remove(const struct store *s, const char *chain)
{
	char from[sizeof("layers/") + ID_LEN], to[sizeof("tmp/removed-") + ID_LEN];

	snprintf(from, sizeof(from), "layers/%s", chain);
	snprintf(to, sizeof(to), "tmp/removed-%s", chain);
	int r = remove_tree_at(s->fd, to);
	if (r < 0)
		return r;
	if (renameat(s->fd, from, s->fd, to) < 0)
		return errno == ENOENT ? 0 : fail(-errno, "remove layer %.12s", chain);
	return remove_tree_at(s->fd, to);
}

static int unlink_in(const struct store *s, const char *folder, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);

	if (unlinkat(s->fd, path, 0) < 0 && errno != ENOENT)
		return fail(-errno, "remove %s/%s", s->path, path);
	return 0;
}

static int ref_remove(const struct store *s, const char *canonical, struct strv *removed)
{
	char file[REF_MAX + 1];

	ref_to_file(canonical, file);
	int r = unlink_in(s, "refs", file);
	if (r == 0)
		strv_take(removed, xasprintf("untagged %s", canonical));
	return r;
}

/* The layers and manifests of all images, to see what only one of them uses. */
static int used_by_images(const struct store *s, struct strv *layers, struct strv *manifests)
{
	struct image *list = NULL;
	size_t n = 0;
	int r = image_list(s, &list, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < list[i].layers.n; j++)
			strv_add(layers, list[i].layers.v[j]);
		strv_add(manifests, list[i].manifest);
		image_free(&list[i]);
	}
	free(list);
	return r;
}

/* Removes the image that no reference names any more: first its record, then what it alone named. */
static int image_delete(const struct store *s, const struct image *img, struct strv *removed)
{
	_cleanup_(strv_free) struct strv layers = {0}, manifests = {0};
	char record[ID_LEN + sizeof(".json")];

	snprintf(record, sizeof(record), "%s.json", img->id);
	int r = unlink_in(s, "images", record);
	if (r == 0)
		r = fsync_folder(s, "images");
	if (r == 0)
		r = used_by_images(s, &layers, &manifests);
	if (r < 0)
		return r;
	strv_take(removed, xasprintf("deleted %s", img->id));

	/* From the top, so that a layer never outlives the one below it. */
	for (size_t i = img->layers.n; r == 0 && i--;)
		if (!strv_has(&layers, img->layers.v[i]))
			r = layer_remove(s, img->layers.v[i]);
	const char *manifest = after_prefix(img->manifest, "sha256:");
	if (r == 0 && manifest && !strv_has(&manifests, img->manifest))
		r = unlink_in(s, "blobs/sha256", manifest);
	return r == 0 ? unlink_in(s, "blobs/sha256", img->id) : r;
}

struct removal {
	const char *asked; /* what the user named */
	bool by_ref, force;
	const char *(*used_by)(const char *id, void *arg);
	void *arg;
};

/* Whether the references in NAMES may go, and with them the image when LAST. */
static int may_remove(const struct removal *rm, const struct image *img, const struct strv *names, bool last)
{
	if (!rm->by_ref && names->n > 1 && !rm->force)
		return refuse(-EBUSY, "image %.12s has %zu names, such as %s; remove them by name, or use --force",
			      img->id, names->n, names->v[0]);
	const char *user = last && rm->used_by ? rm->used_by(img->id, rm->arg) : NULL;
	if (user)
		return refuse(-EBUSY, "image %s is used by container %s; remove the container first", rm->asked, user);
	return 0;
}

static int remove_locked(const struct store *s, const struct removal *rm, struct strv *removed)
{
	_cleanup_(image_free) struct image img = {0};
	_cleanup_(strv_free) struct strv names = {0};
	char canonical[REF_MAX + 1], id[ID_LEN + 1];
	struct removal how = *rm;
	int r = image_find(s, rm->asked, &img);

	if (r == 0)
		r = refs_of(s, img.id, &names);
	if (r < 0)
		return r;
	/* By name when the very reference exists; "name@digest" may also have met a tag. */
	struct ref ref;
	how.by_ref = ref_parse(rm->asked, &ref) == 0 && ref_canonical(&ref, canonical) == 0 &&
		     ref_read(s, canonical, id) == 0;
	bool last = !how.by_ref || names.n <= 1;

	r = may_remove(&how, &img, &names, last);
	if (r < 0)
		return r;
	if (how.by_ref)
		r = ref_remove(s, canonical, removed);
	for (size_t i = 0; !how.by_ref && r == 0 && i < names.n; i++)
		r = ref_remove(s, names.v[i], removed);
	if (r == 0)
		r = fsync_folder(s, "refs");
	return r == 0 && last ? image_delete(s, &img, removed) : r;
}

int image_remove(const struct store *s, const char *name, bool force, const char *(*used_by)(const char *id, void *arg),
		 void *arg, struct strv *removed)
{
	const struct removal rm = {.asked = name, .force = force, .used_by = used_by, .arg = arg};
	int r = store_lock(s, LOCK_EX);

	if (r < 0)
		return r;
	r = remove_locked(s, &rm, removed);
	store_lock(s, LOCK_UN);
	return r;
}
