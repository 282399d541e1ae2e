/* The image store: what is added is found, what is removed is gone, and what a crash left is cleaned. */
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "images/store_write.h"
#include "unit.h"

#define FOUR(c) c c c c
#define DIFF(c) "sha256:" FOUR(FOUR(FOUR(c)))

/* A store of its own for each test. */
struct place {
	char path[64];
	struct store s;
};

static void setup(struct place *p)
{
	strcpy(p->path, "/var/tmp/ctr-test-store-XXXXXX");
	CHECK(mkdtemp(p->path) != NULL);
	CHECK(store_open(p->path, &p->s) == 0);
}

static void teardown(struct place *p)
{
	store_close(&p->s);
	CHECK(remove_tree_at(AT_FDCWD, p->path) == 0);
}

/* The chain id that stands for the layer with letter C. */
static void chain_of(char c, char chain[65])
{
	memset(chain, c, 64);
	chain[64] = '\0';
}

static int put_layer(struct draft *d, char c)
{
	char chain[65], folder[16], path[32], diff[80];

	chain_of(c, chain);
	snprintf(folder, sizeof(folder), "layer-%c", c);
	snprintf(path, sizeof(path), "%s/fs", folder);
	if (mkdirat(d->fd, folder, 0700) < 0 || mkdirat(d->fd, path, 0755) < 0)
		return -errno;
	snprintf(diff, sizeof(diff), "sha256:%s", chain);
	return draft_put_layer(d, folder, &(struct layer_info){.chain = chain, .diff_id = diff, .size = 10});
}

/* Adds an image with these layers, a letter each, made at time WHEN; ID gets its id. */
static int add(struct place *p, const char *name, const char *layers, int64_t when, char id[65])
{
	_cleanup_(freep) char *config =
		xasprintf("{\"config\":{\"Cmd\":[\"%s\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}", layers);
	_cleanup_(freep) char *manifest = xasprintf("{\"manifest of\":\"%s\"}", layers);
	struct image img = {.created_ns = when, .size = 20};
	struct draft d;
	char hex[65], digest[80], chain[65];
	int r = draft_open(&p->s, &d);

	for (const char *c = layers; r == 0 && *c; c++) {
		chain_of(*c, chain);
		strv_add(&img.layers, chain);
		if (!layer_exists(&p->s, chain))
			r = put_layer(&d, *c);
	}
	if (r == 0)
		r = draft_put_blob(&d, config, strlen(config), id);
	if (r == 0)
		r = draft_put_blob(&d, manifest, strlen(manifest), hex);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	img.id = id;
	img.manifest = digest;
	if (r == 0)
		r = draft_put_image(&d, &img);
	if (r == 0)
		r = draft_put_ref(&d, name, id);
	if (r == 0)
		r = draft_publish(&p->s, &d);
	strv_free(&img.layers);
	draft_close(&p->s, &d);
	return r;
}

static bool has(const struct place *p, const char *format, const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), format, name);
	return fstatat(p->s.fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool has_layer(const struct place *p, char c)
{
	char chain[65];

	chain_of(c, chain);
	return has(p, "layers/%s", chain);
}

static bool finds(const struct place *p, const char *name, const char *id)
{
	struct image img;
	bool same = image_find(&p->s, name, &img) == 0 && streq(img.id, id);

	if (!same)
		printf("# %s: %s\n", name, error_text());
	image_free(&img);
	return same;
}

/* What image_find says when it does not. */
static int find_error(const struct place *p, const char *name)
{
	struct image img;

	return image_find(&p->s, name, &img);
}

TEST("a new store has its folders, and only its owner may enter")
{
	struct place p;
	struct stat st;

	setup(&p);
	CHECK(has(&p, "%s", "blobs/sha256") && has(&p, "%s", "layers") && has(&p, "%s", "images") &&
	      has(&p, "%s", "refs") && has(&p, "%s", "tmp") && has(&p, "%s", "lock"));
	CHECK(fstatat(p.s.fd, "layers", &st, 0) == 0 && (st.st_mode & 07777) == 0700);
	teardown(&p);
}

TEST("a store that others can write to, or that is another user's, is refused")
{
	struct place p;
	struct store s;

	setup(&p);
	CHECK(chmod(p.path, 0777) == 0);
	CHECK(store_open(p.path, &s) == -EPERM && strstr(error_text(), "can be written to by others"));
	CHECK(chmod(p.path, 0700) == 0 && chown(p.path, 12345, 12345) == 0);
	CHECK(store_open(p.path, &s) == -EPERM && strstr(error_text(), "belongs to user 12345"));
	CHECK(chown(p.path, 0, 0) == 0);
	teardown(&p);
}

TEST("an image is found by reference, by id and by a prefix of its id")
{
	struct place p;
	char id[65], prefix[13];

	setup(&p);
	CHECK(add(&p, "busybox:latest", "a", 1, id) == 0);
	CHECK(finds(&p, "busybox", id) && finds(&p, "busybox:latest", id) && finds(&p, id, id));
	memcpy(prefix, id, 12);
	prefix[12] = '\0';
	CHECK(finds(&p, prefix, id));
	_cleanup_(freep) char *digest = xasprintf("sha256:%s", id);
	CHECK(finds(&p, digest, id));
	CHECK(find_error(&p, "busybox:other") == -ENOENT && strstr(error_text(), "no image 'busybox:other'"));
	CHECK(find_error(&p, "nothing") == -ENOENT);
	CHECK(find_error(&p, "No") == -EINVAL && strstr(error_text(), "lower case"));
	teardown(&p);
}

TEST("an image is found by its manifest's digest, whatever the tag")
{
	struct place p;
	struct image img;
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	CHECK(image_find(&p.s, "app:1", &img) == 0);
	_cleanup_(freep) char *by_digest = xasprintf("app:1@%s", img.manifest);
	image_free(&img);
	CHECK(finds(&p, by_digest, id));
	CHECK(find_error(&p, "app:1@" DIFF("0")) == -ENOENT);
	CHECK(add(&p, "app:2", "b", 1, id) == 0);
	CHECK(image_find(&p.s, "app:2", &img) == 0);
	_cleanup_(freep) char *kept = xasprintf("app@%s", img.manifest);
	image_free(&img);
	CHECK(image_tag(&p.s, id, kept) == 0 && finds(&p, kept, id));
	teardown(&p);
}

TEST("the config and the layers of an image are opened, bottom first")
{
	struct place p;
	struct image img;
	struct image_config config;
	char id[65];
	int fds[3];
	struct stat st;

	setup(&p);
	CHECK(add(&p, "app:latest", "abc", 5, id) == 0);
	CHECK(image_find(&p.s, "app", &img) == 0);
	CHECK(img.layers.n == 3 && img.layers.v[0][0] == 'a' && img.layers.v[2][0] == 'c');
	CHECK(img.names.n == 1 && streq(img.names.v[0], "app:latest") && img.created_ns == 5 && img.size == 20);
	CHECK(image_config(&p.s, &img, &config) == 0 && config.n_cmd == 1 && streq(config.cmd[0], "abc"));
	image_config_free(&config);
	CHECK(image_open_layers(&p.s, &img, fds) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(fstat(fds[i], &st) == 0 && S_ISDIR(st.st_mode) && close(fds[i]) == 0);
	image_free(&img);
	teardown(&p);
}

TEST("images are listed newest first, with all their names")
{
	struct place p;
	struct image *list;
	char old[65], new[65];
	size_t n;

	setup(&p);
	CHECK(image_list(&p.s, &list, &n) == 0 && n == 0);
	free(list);
	CHECK(add(&p, "old:1", "a", 1, old) == 0 && add(&p, "new:1", "b", 2, new) == 0);
	CHECK(image_tag(&p.s, old, "registry.example/old") == 0);
	CHECK(image_list(&p.s, &list, &n) == 0 && n == 2);
	CHECK(streq(list[0].id, new) && list[0].names.n == 1);
	CHECK(streq(list[1].id, old) && list[1].names.n == 2 && streq(list[1].names.v[0], "old:1") &&
	      streq(list[1].names.v[1], "registry.example/old:latest"));
	for (size_t i = 0; i < n; i++)
		image_free(&list[i]);
	free(list);
	teardown(&p);
}

static const char *no_user(const char *id, void *arg)
{
	(void)id;
	return arg;
}

static int rm(const struct place *p, const char *name, bool force, struct strv *removed)
{
	return image_remove(&p->s, name, force, no_user, NULL, removed);
}

TEST("removing a name keeps the image while it has another one")
{
	struct place p;
	struct strv removed = {0};
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "ab", 1, id) == 0 && image_tag(&p.s, id, "app:2") == 0);
	CHECK(rm(&p, "app:1", false, &removed) == 0 && removed.n == 1 && streq(removed.v[0], "untagged app:1"));
	CHECK(finds(&p, "app:2", id) && has_layer(&p, 'a'));
	CHECK(rm(&p, "app:2", false, &removed) == 0 && removed.n == 3 && strstr(removed.v[2], "deleted "));
	CHECK(find_error(&p, id) == -ENOENT);
	CHECK(!has_layer(&p, 'a') && !has_layer(&p, 'b') && !has(&p, "blobs/sha256/%s", id));
	strv_free(&removed);
	CHECK(store_check(&p.s, false, NULL, NULL, &removed) == 0 && removed.n == 0);
	strv_free(&removed);
	teardown(&p);
}

TEST("removing an image keeps the layers that another one uses")
{
	struct place p;
	struct strv removed = {0};
	char one[65], two[65];

	setup(&p);
	CHECK(add(&p, "one:1", "ab", 1, one) == 0 && add(&p, "two:1", "ac", 1, two) == 0);
	CHECK(rm(&p, "one:1", false, &removed) == 0);
	CHECK(has_layer(&p, 'a') && !has_layer(&p, 'b') && has_layer(&p, 'c') && finds(&p, "two:1", two));
	strv_free(&removed);
	teardown(&p);
}

TEST("by id an image with several names is removed only by force")
{
	struct place p;
	struct strv removed = {0};
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0 && image_tag(&p.s, id, "app:2") == 0);
	CHECK(rm(&p, id, false, &removed) == -EBUSY && strstr(error_text(), "has 2 names"));
	CHECK(finds(&p, "app:1", id));
	CHECK(rm(&p, id, true, &removed) == 0 && removed.n == 3 && find_error(&p, "app:1") == -ENOENT);
	strv_free(&removed);
	teardown(&p);
}

TEST("an image that a container uses stays")
{
	struct place p;
	struct strv removed = {0};
	char id[65], user[] = "web";

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	CHECK(image_remove(&p.s, "app:1", true, no_user, user, &removed) == -EBUSY &&
	      strstr(error_text(), "container web"));
	CHECK(finds(&p, "app:1", id) && removed.n == 0);
	CHECK(rm(&p, "none", false, &removed) == -ENOENT);
	teardown(&p);
}

TEST("a name cannot be given to an image that is not there")
{
	struct place p;

	setup(&p);
	CHECK(image_tag(&p.s, DIFF("0") + 7, "app:1") == -ENOENT && !has(&p, "refs/%s", "app:1"));
	CHECK(image_tag(&p.s, DIFF("0") + 7, "../app") == -EINVAL);
	teardown(&p);
}

TEST("two who add the same layer share it")
{
	struct place p;
	struct draft d;
	char id[65];

	setup(&p);
	CHECK(draft_open(&p.s, &d) == 0 && put_layer(&d, 'a') == 0);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	CHECK(draft_publish(&p.s, &d) == 0);
	draft_close(&p.s, &d);
	CHECK(has_layer(&p, 'a') && finds(&p, "app:1", id));
	teardown(&p);
}

static size_t check(const struct place *p, bool repair, struct strv *findings)
{
	strv_free(findings);
	CHECK(store_check(&p->s, repair, NULL, NULL, findings) == 0);
	return findings->n;
}

static void put(const struct place *p, const char *path, const char *text)
{
	_cleanup_(closep) int fd = openat(p->s.fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
}

TEST("a check of a sound store finds nothing, and repairs nothing")
{
	struct place p;
	struct strv f = {0};
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "ab", 1, id) == 0);
	CHECK(check(&p, false, &f) == 0 && check(&p, true, &f) == 0 && finds(&p, "app:1", id));
	strv_free(&f);
	teardown(&p);
}

TEST("a check finds an unfinished draft, but not one that is being worked on")
{
	struct place p;
	struct strv f = {0};
	struct draft d;

	setup(&p);
	CHECK(mkdirat(p.s.fd, "tmp/0123", 0700) == 0);
	put(&p, "tmp/0123/file", "x");
	CHECK(draft_open(&p.s, &d) == 0);
	CHECK(check(&p, false, &f) == 1 && strstr(f.v[0], "tmp/0123 is left from an unfinished import"));
	CHECK(check(&p, true, &f) == 1 && !has(&p, "%s", "tmp/0123") && has(&p, "tmp/%s", d.name));
	CHECK(check(&p, true, &f) == 0);
	_cleanup_(freep) char *name = xstrdup(d.name);
	draft_close(&p.s, &d);
	CHECK(!has(&p, "tmp/%s", name));
	strv_free(&f);
	teardown(&p);
}

TEST("whoever adds to the store first removes what nobody works on")
{
	struct place p;

	setup(&p);
	CHECK(mkdirat(p.s.fd, "tmp/0123", 0700) == 0);
	drafts_clean(&p.s);
	CHECK(!has(&p, "%s", "tmp/0123"));
	teardown(&p);
}

TEST("a check removes layers and blobs that no image uses")
{
	struct place p;
	struct strv f = {0};
	struct draft d;
	char id[65], hex[65];

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	CHECK(draft_open(&p.s, &d) == 0 && put_layer(&d, 'b') == 0 && draft_put_blob(&d, "x", 1, hex) == 0);
	CHECK(draft_publish(&p.s, &d) == 0); /* and here it crashed */
	draft_close(&p.s, &d);
	CHECK(check(&p, false, &f) == 2 && has_layer(&p, 'b'));
	CHECK(check(&p, true, &f) == 2 && !has_layer(&p, 'b') && !has(&p, "blobs/sha256/%s", hex));
	CHECK(check(&p, false, &f) == 0 && finds(&p, "app:1", id));
	strv_free(&f);
	teardown(&p);
}

static bool uses_b(const char *chain, void *arg)
{
	(void)arg;
	return chain[0] == 'b';
}

TEST("a layer of a container whose image is gone is kept")
{
	struct place p;
	struct strv f = {0};
	struct draft d;

	setup(&p);
	CHECK(draft_open(&p.s, &d) == 0 && put_layer(&d, 'b') == 0 && draft_publish(&p.s, &d) == 0);
	draft_close(&p.s, &d);
	CHECK(store_check(&p.s, true, uses_b, NULL, &f) == 0 && f.n == 0 && has_layer(&p, 'b'));
	teardown(&p);
}

TEST("an image without a layer is removed in one repair, with its names and what only it used")
{
	struct place p;
	struct strv f = {0};
	char bad[65], good[65], chain[65];

	setup(&p);
	CHECK(add(&p, "bad:1", "abc", 1, bad) == 0 && add(&p, "good:1", "ab", 1, good) == 0);
	chain_of('c', chain);
	_cleanup_(freep) char *layer = xasprintf("layers/%s", chain);
	CHECK(remove_tree_at(p.s.fd, layer) == 0);
	CHECK(check(&p, true, &f) == 4); /* the image, its name, its config and its manifest */
	CHECK(strstr(f.v[0], "a layer missing"));
	CHECK(check(&p, false, &f) == 0 && finds(&p, "good:1", good) && find_error(&p, "bad:1") == -ENOENT);
	strv_free(&f);
	teardown(&p);
}

TEST("a damaged config, manifest, record or reference is found")
{
	struct place p;
	struct strv f = {0};
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	_cleanup_(freep) char *blob = xasprintf("blobs/sha256/%s", id), *record = xasprintf("images/%s.json", id);
	put(&p, blob, "{}");
	CHECK(check(&p, false, &f) > 0 && strstr(f.v[0], "config is missing or damaged"));
	CHECK(check(&p, true, &f) > 0 && check(&p, false, &f) == 0);

	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	put(&p, record, "{");
	CHECK(find_error(&p, "app:1") == -EINVAL && strstr(error_text(), "is not valid JSON"));
	CHECK(check(&p, true, &f) > 0 && strstr(f.v[0], "damaged record") && check(&p, false, &f) == 0);

	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	put(&p, "refs/app:1", "not an id");
	CHECK(find_error(&p, "app:1") == -EBADMSG && strstr(error_text(), "--repair"));
	put(&p, "refs/UPPER", id);
	CHECK(check(&p, true, &f) == 2 && check(&p, false, &f) == 0 && finds(&p, id, id));
	strv_free(&f);
	teardown(&p);
}

TEST("a reference to nothing says so, and is removed by a repair")
{
	struct place p;
	struct strv f = {0};
	char id[65];

	setup(&p);
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	_cleanup_(freep) char *record = xasprintf("images/%s.json", id);
	CHECK(unlinkat(p.s.fd, record, 0) == 0);
	CHECK(find_error(&p, "app:1") == -EBADMSG && strstr(error_text(), "which is gone"));
	CHECK(check(&p, true, &f) > 0 && find_error(&p, "app:1") == -ENOENT);
	strv_free(&f);
	teardown(&p);
}

TEST("an ambiguous prefix of an id is told")
{
	struct place p;
	char id[65], prefix[5] = "";

	setup(&p);
	/* Enough images that two share four digits would take long; two records with made-up ids do. */
	CHECK(add(&p, "app:1", "a", 1, id) == 0);
	memcpy(prefix, id, 4);
	_cleanup_(freep) char *twin = xasprintf("images/%.4s%s.json", id, DIFF("0") + 7 + 4);
	put(&p, twin, "{}");
	CHECK(find_error(&p, prefix) == -EINVAL && strstr(error_text(), "more than one image"));
	teardown(&p);
}

TEST("a store that is being collected makes others wait, one that is read does not")
{
	struct place p;
	struct store other;

	setup(&p);
	CHECK(store_open(p.path, &other) == 0);
	CHECK(store_lock(&p.s, LOCK_SH) == 0 && store_lock(&other, LOCK_SH | LOCK_NB) == 0);
	CHECK(store_lock(&other, LOCK_UN) == 0 && store_lock(&other, LOCK_EX | LOCK_NB) == -EWOULDBLOCK);
	CHECK(store_lock(&p.s, LOCK_UN) == 0 && store_lock(&other, LOCK_EX | LOCK_NB) == 0);
	store_close(&other);
	teardown(&p);
}

UNIT_MAIN
