#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "images/store_internal.h"

#define ID_PREFIX_MIN 4

/* One entry of refs/ that points at the wanted image. */
struct names_of {
	const struct store *s;
	const char *id;
	struct strv *names;
};

static int add_name(const char *file, void *arg)
{
	struct names_of *n = arg;
	char name[REF_MAX + 1], id[ID_LEN + 1];

	if (ref_from_file(file, name) == 0 && ref_read(n->s, name, id) == 0 && streq(id, n->id))
		strv_add(n->names, name);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int refs_of(const struct store *s, const char *id, struct strv *names)
{
	struct names_of n = {.s = s, .id = id, .names = names};
	int r = folder_each(s, "refs", add_name, &n);

	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_text);
	return r;
}

/* The image that reference NAME points at; -ENOENT, nothing recorded, when there is no such reference. */
static int find_named(const struct store *s, const char *name, struct image *img)
{
	char id[ID_LEN + 1];
	int r = ref_read(s, name, id);
	if (r < 0)
		return r;
	r = record_read(s, id, img);
	if (r == -ENOENT)
		return refuse(
			-EBADMSG,
			"reference %s points at image %.12s, which is gone; 'ctr system check --repair' removes it",
			name, id);
	if (r == 0)
		strv_add(&img->names, name);
	return r;
}

/* NAME@DIGEST is also met by a tag of NAME whose manifest has that digest. */
static int find_digest(const struct store *s, const struct ref *ref, struct image *img)
{
	struct ref tagged = *ref;
	char name[REF_MAX + 1];

	tagged.digest[0] = '\0';
	if (!tagged.tag[0])
		strcpy(tagged.tag, "latest");
	int r = ref_canonical(&tagged, name);
	if (r == 0)
		r = find_named(s, name, img);
	if (r == 0 && !streq(img->manifest, ref->digest)) {
		image_free(img);
		return -ENOENT;
	}
	return r;
}

static int find_ref(const struct store *s, const struct ref *ref, struct image *img)
{
	char name[REF_MAX + 1];
	int r = ref_canonical(ref, name);

	if (r == 0)
		r = find_named(s, name, img);
	if (r == -ENOENT && ref->digest[0])
		r = find_digest(s, ref, img);
	return r;
}

struct prefix_search {
	const char *prefix;
	char found[ID_LEN + 1];
	bool ambiguous;
};

static int match_prefix(const char *file, void *arg)
{
	struct prefix_search *p = arg;

	if (!after_prefix(file, p->prefix) || strlen(file) != ID_LEN + strlen(".json") || !has_suffix(file, ".json"))
		return 0;
	p->ambiguous = p->found[0] != '\0';
	memcpy(p->found, file, ID_LEN);
	return p->ambiguous;
}

static int find_id(const struct store *s, const char *prefix, struct image *img)
{
	struct prefix_search p = {.prefix = prefix};
	size_t len = strlen(prefix);

	if (len == ID_LEN) {
		memcpy(p.found, prefix, ID_LEN);
	} else {
		int r = folder_each(s, "images", match_prefix, &p);
		if (r < 0)
			return r;
	}
	if (p.ambiguous)
		return refuse(-EINVAL, "more than one image has an id that begins with %s; give more digits", prefix);
	if (!p.found[0])
		return -ENOENT;
	int r = record_read(s, p.found, img);
	if (r < 0)
		return r;
	r = refs_of(s, p.found, &img->names);
	if (r < 0)
		image_free(img);
	return r;
}

int image_find(const struct store *s, const char *name, struct image *img)
{
	const char *id = after_prefix(name, "sha256:");
	size_t len;
	struct ref ref;

	*img = (struct image){0};
	if (!id)
		id = name;
	len = strlen(id);
	bool may_be_id = len >= ID_PREFIX_MIN && len <= ID_LEN && is_hex(id, len);

	int r = ref_parse(name, &ref);
	if (r == 0)
		r = find_ref(s, &ref, img);
	if (may_be_id && (r == -ENOENT || r == -EINVAL))
		r = find_id(s, id, img);
	if (r == -ENOENT)
		return refuse(-ENOENT,
			      "there is no image '%s'; 'ctr images' lists what there is, 'ctr import' adds one", name);
	return r;
}

/* All images while they are listed. */
struct listing {
	const struct store *s;
	struct image *list;
	size_t n, cap;
};

static int add_image(const char *file, void *arg)
{
	struct listing *l = arg;
	char id[ID_LEN + 1];

	if (strlen(file) != ID_LEN + strlen(".json") || !has_suffix(file, ".json"))
		return 0;
	memcpy(id, file, ID_LEN);
	id[ID_LEN] = '\0';
	if (!is_hex(id, ID_LEN))
		return 0;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->list = xreallocarray(l->list, l->cap, sizeof(*l->list));
	}
	int r = record_read(l->s, id, &l->list[l->n]);
	if (r == 0)
		l->n++;
	else if (r != -ENOENT) /* removed meanwhile */
		warning("%s", error_text());
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->id, ((const struct image *)b)->id);
}

static int newest_first(const void *a, const void *b)
{
	const struct image *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(x->id, y->id);
}

static int attach_name(const char *file, void *arg)
{
	struct listing *l = arg;
	char name[REF_MAX + 1], id[ID_LEN + 1];

	if (ref_from_file(file, name) < 0 || ref_read(l->s, name, id) < 0)
		return 0;
	struct image key = {.id = id};
	struct image *img = l->n ? bsearch(&key, l->list, l->n, sizeof(*l->list), by_id) : NULL;
	if (img)
		strv_add(&img->names, name);
	return 0;
}

int image_list(const struct store *s, struct image **list, size_t *n)
{
	struct listing l = {.s = s};
	int r = folder_each(s, "images", add_image, &l);

	if (r == 0 && l.n) {
		qsort(l.list, l.n, sizeof(*l.list), by_id);
		r = folder_each(s, "refs", attach_name, &l);
	}
	if (r < 0) {
		for (size_t i = 0; i < l.n; i++)
			image_free(&l.list[i]);
		free(l.list);
		return r;
	}
	for (size_t i = 0; i < l.n; i++)
		if (l.list[i].names.n)
			qsort(l.list[i].names.v, l.list[i].names.n, sizeof(char *), by_text);
	if (l.n)
		qsort(l.list, l.n, sizeof(*l.list), newest_first);
	*list = l.list;
	*n = l.n;
	return 0;
}
