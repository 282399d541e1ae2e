#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "images/store_internal.h"
#include "images/store_write.h"

/* A check in progress. What is needed is learnt from the references down, so that one run suffices. */
struct check {
	const struct store *s;
	bool repair;
	bool (*used_layer)(const char *chain, void *arg);
	void *arg;
	struct strv *findings;
	struct strv layers, blobs; /* what good images need, sorted before it is searched */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool in_sorted(const struct strv *l, const char *s)
{
	return l->n && bsearch(&s, l->v, l->n, sizeof(*l->v), by_text);
}

static int found(const struct check *c, const char *path, const char *problem)
{
	strv_take(c->findings, xasprintf("%s/%s %s", c->s->path, path, problem));
	if (!c->repair)
		return 0;
	return remove_tree_at(c->s->fd, path);
}

static bool exists(const struct store *s, const char *format, const char *name)
{
	char path[sizeof("blobs/sha256/") + REF_MAX];
	struct stat st;

	snprintf(path, sizeof(path), format, name);
	return fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* True when the bytes of blob HEX have that digest. Layers as they came are not read here. */
static bool blob_is_whole(const struct store *s, const char *hex)
{
	_cleanup_(freep) char *path = xasprintf("blobs/sha256/%s", hex), *data = NULL;
	struct sha256 h;
	char is[65];
	size_t len;

	int r = read_file_at(s->fd, path, IMAGE_CONFIG_MAX, &data, &len);
	if (r < 0)
		return r == -EFBIG;
	sha256_init(&h);
	sha256_add(&h, data, len);
	sha256_hex(&h, is);
	return streq(is, hex);
}

/* What image IMG lacks, in words, or NULL. */
static const char *image_lacks(const struct check *c, const struct image *img)
{
	const char *manifest = after_prefix(img->manifest, "sha256:");

	if (!exists(c->s, "blobs/sha256/%s", img->id) || !blob_is_whole(c->s, img->id))
		return "is an image whose config is missing or damaged";
	if (!manifest || !exists(c->s, "blobs/sha256/%s", manifest) || !blob_is_whole(c->s, manifest))
		return "is an image whose manifest is missing or damaged";
	for (size_t i = 0; i < img->layers.n; i++)
		if (!exists(c->s, "layers/%s/fs", img->layers.v[i]) ||
		    !exists(c->s, "layers/%s/layer.json", img->layers.v[i]))
			return "is an image with a layer missing";
	return NULL;
}

static int check_image(const char *file, void *arg)
{
	struct check *c = arg;
	_cleanup_(image_free) struct image img = {0};
	_cleanup_(freep) char *path = xasprintf("images/%s", file), *id = xstrdup(file);
	const char *problem = "is no image";

	if (strlen(file) == ID_LEN + strlen(".json") && has_suffix(file, ".json")) {
		id[ID_LEN] = '\0';
		problem = is_hex(id, ID_LEN) && record_read(c->s, id, &img) == 0 ? image_lacks(c, &img)
										 : "is a damaged record";
	}
	if (problem)
		return found(c, path, problem);
	strv_add(&c->blobs, img.id);
	strv_add(&c->blobs, img.manifest + strlen("sha256:"));
	for (size_t i = 0; i < img.layers.n; i++)
		strv_add(&c->layers, img.layers.v[i]);
	return 0;
}

static int check_ref(const char *file, void *arg)
{
	struct check *c = arg;
	_cleanup_(freep) char *path = xasprintf("refs/%s", file);
	char name[REF_MAX + 1], id[ID_LEN + 1];

	if (ref_from_file(file, name) < 0)
		return found(c, path, "is not the name of a reference");
	if (ref_read(c->s, name, id) < 0)
		return found(c, path, "is a damaged reference");
	/* Images were looked at before: a good one has its config among the needed blobs. */
	if (!in_sorted(&c->blobs, id))
		return found(c, path, "points at an image that is missing or damaged");
	return 0;
}

static int check_layer(const char *chain, void *arg)
{
	struct check *c = arg;
	_cleanup_(freep) char *path = xasprintf("layers/%s", chain);

	if (in_sorted(&c->layers, chain) || (c->used_layer && c->used_layer(chain, c->arg)))
		return 0;
	strv_take(c->findings, xasprintf("%s/%s is a layer that no image uses", c->s->path, path));
	if (!c->repair)
		return 0;
	return is_hex(chain, ID_LEN) ? layer_remove(c->s, chain) : remove_tree_at(c->s->fd, path);
}

static int check_blob(const char *hex, void *arg)
{
	struct check *c = arg;
	_cleanup_(freep) char *path = xasprintf("blobs/sha256/%s", hex);

	return in_sorted(&c->blobs, hex) ? 0 : found(c, path, "is a blob that no image uses");
}

static void sort(struct strv *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
}

/* Images first, since they tell what is needed; with REPAIR a bad image goes before its references do,
 * but both go before anything that they name, which is the order that matters. */
static int check_locked(struct check *c)
{
	int r = folder_each(c->s, "images", check_image, c);

	if (r < 0)
		return r;
	sort(&c->layers);
	sort(&c->blobs);
	r = folder_each(c->s, "refs", check_ref, c);
	if (r == 0)
		r = folder_each(c->s, "layers", check_layer, c);
	if (r == 0)
		r = folder_each(c->s, "blobs/sha256", check_blob, c);
	return r == 0 ? drafts_collect(c->s, c->repair, c->findings) : r;
}

int store_check(const struct store *s, bool repair, bool (*used_layer)(const char *chainid, void *arg), void *arg,
		struct strv *findings)
{
	struct check c = {.s = s, .repair = repair, .used_layer = used_layer, .arg = arg, .findings = findings};
	int r = store_lock(s, repair ? LOCK_EX : LOCK_SH);

	if (r < 0)
		return r;
	r = check_locked(&c);
	store_lock(s, LOCK_UN);
	strv_free(&c.layers);
	strv_free(&c.blobs);
	return r;
}
