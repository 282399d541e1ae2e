#include "images/store_write.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "images/store_internal.h"

/* Linux 3.15, renameat2(2); musl has no wrapper. */
#include <linux/fs.h>
#include <sys/syscall.h>

struct draft_move {
	char *from, *folder, *name;
	bool content;
	struct strv needs; /* paths in the store without which this one would point at nothing */
};

int draft_open(const struct store *s, struct draft *d)
{
	uint64_t random;
	char path[sizeof("tmp/") + sizeof(d->name)];

	*d = (struct draft){.fd = -EBADF};
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return fail(-errno, "draw a random name");
	snprintf(d->name, sizeof(d->name), "%016llx", (unsigned long long)random);
	snprintf(path, sizeof(path), "tmp/%s", d->name);

	/* The lock keeps a collector away until the draft is locked itself. */
	int r = store_lock(s, LOCK_SH);
	if (r < 0)
		return r;
	if (mkdirat(s->fd, path, 0700) < 0) {
		r = fail(-errno, "create %s/%s", s->path, path);
	} else {
		d->fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (d->fd < 0 || flock(d->fd, LOCK_EX | LOCK_NB) < 0)
			r = fail(-errno, "open %s/%s", s->path, path);
	}
	store_lock(s, LOCK_UN);
	return r;
}

void draft_close(const struct store *s, struct draft *d)
{
	char path[sizeof("tmp/") + sizeof(d->name)];

	if (d->fd < 0)
		return;
	snprintf(path, sizeof(path), "tmp/%s", d->name);
	char *keep = xstrdup(error_text()); /* the failure that led here says more than one of the cleaning */
	if (remove_tree_at(s->fd, path) < 0) {
		warning("%s", error_text());
		error_set_text(keep);
	}
	free(keep);
	closep(&d->fd);
	for (size_t i = 0; i < d->n; i++) {
		free(d->moves[i].from);
		free(d->moves[i].folder);
		free(d->moves[i].name);
		strv_free(&d->moves[i].needs);
	}
	free(d->moves);
	*d = (struct draft){.fd = -EBADF};
}

void draft_move(struct draft *d, const char *from, const char *folder, const char *name, bool content)
{
	d->moves = xreallocarray(d->moves, d->n + 1, sizeof(*d->moves));
	d->moves[d->n++] = (struct draft_move){
		.from = xstrdup(from), .folder = xstrdup(folder), .name = xstrdup(name), .content = content};
}

/* Writes a new file of the draft; durable with the rest, by draft_publish. */
static int put_file(struct draft *d, const char *name, const void *data, size_t len)
{
	_cleanup_(closep) int fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : write_all(fd, data, len);

	return r < 0 ? fail(r, "write to the image store") : 0;
}

int draft_put_layer(struct draft *d, const char *folder, const struct layer_info *layer)
{
	struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	char path[NAME_MAX + 1];

	json_open(&w, NULL, '{');
	json_put_str(&w, "diffID", layer->diff_id);
	json_put_str(&w, "parent", layer->parent);
	json_put_u64(&w, "size", layer->size);
	json_close(&w, '}');
	snprintf(path, sizeof(path), "%s/layer.json", folder);
	int r = put_file(d, path, text.p, text.len);
	strbuf_free(&text);
	if (r == 0)
		draft_move(d, folder, "layers", layer->chain, true);
	return r;
}

int draft_put_blob(struct draft *d, const void *data, size_t len, char digest[65])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, data, len);
	sha256_hex(&h, digest);
	int r = put_file(d, digest, data, len);
	if (r == 0)
		draft_move(d, digest, "blobs/sha256", digest, true);
	return r;
}

int draft_put_image(struct draft *d, const struct image *img)
{
	struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	char created[36], name[ID_LEN + sizeof(".json")];

	json_open(&w, NULL, '{');
	json_put_str(&w, "manifest", img->manifest);
	json_put_strs(&w, "layers", (const char *const *)img->layers.v, img->layers.n);
	json_put_u64(&w, "size", img->size);
	json_put_str(&w, "created", clock_rfc3339(img->created_ns, created));
	json_close(&w, '}');
	snprintf(name, sizeof(name), "%s.json", img->id);
	int r = put_file(d, name, text.p, text.len);
	strbuf_free(&text);
	if (r < 0)
		return r;
	draft_move(d, name, "images", name, false);
	for (size_t i = 0; i < img->layers.n; i++)
		strv_take(&d->moves[d->n - 1].needs, xasprintf("layers/%s", img->layers.v[i]));
	return 0;
}

int draft_put_ref(struct draft *d, const char *canonical, const char *id)
{
	char file[REF_MAX + 1], line[ID_LEN + 2];

	ref_to_file(canonical, file);
	snprintf(line, sizeof(line), "%s\n", id);
	int r = put_file(d, file, line, strlen(line));
	if (r < 0)
		return r;
	draft_move(d, file, "refs", file, false);
	strv_take(&d->moves[d->n - 1].needs, xasprintf("images/%s.json", id));
	return 0;
}

static int show(const struct store *s, const struct draft *d, const struct draft_move *m)
{
	_cleanup_(freep) char *to = xasprintf("%s/%s", m->folder, m->name);
	struct stat st;

	for (size_t i = 0; i < m->needs.n; i++)
		if (fstatat(s->fd, m->needs.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(-errno, "%s, which %s needs, is not in the image store", m->needs.v[i], to);
	/* What is there under the name of its content stays: somebody may be using it. */
	if (syscall(SYS_renameat2, d->fd, m->from, s->fd, to, m->content ? RENAME_NOREPLACE : 0) < 0 &&
	    !(m->content && (errno == EEXIST || errno == ENOTEMPTY)))
		return fail(-errno, "write %s/%s", s->path, to);
	return 0;
}

int draft_publish(const struct store *s, struct draft *d)
{
	if (syncfs(s->fd) < 0)
		return fail(-errno, "write to image store %s", s->path);
	int r = store_lock(s, LOCK_SH);
	if (r < 0)
		return r;
	/* Each folder is made durable before the next one gets names for what is in it. */
	for (size_t i = 0; r == 0 && i < d->n; i++) {
		r = show(s, d, &d->moves[i]);
		if (r == 0 && (i + 1 == d->n || !streq(d->moves[i].folder, d->moves[i + 1].folder)))
			r = fsync_folder(s, d->moves[i].folder);
	}
	store_lock(s, LOCK_UN);
	return r;
}

bool layer_exists(const struct store *s, const char *chain)
{
	char path[sizeof("layers/") + ID_LEN];
	struct stat st;

	snprintf(path, sizeof(path), "layers/%s", chain);
	return fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int image_tag(const struct store *s, const char *id, const char *name)
{
	struct draft d = {.fd = -EBADF};
	char canonical[REF_MAX + 1];
	int r = ref_normalise(name, canonical);

	if (r == 0)
		r = draft_open(s, &d);
	if (r == 0)
		r = draft_put_ref(&d, canonical, id);
	if (r == 0)
		r = draft_publish(s, &d);
	draft_close(s, &d);
	return r;
}

struct collection {
	const struct store *s;
	bool repair;
	struct strv *findings;
};

static int collect_draft(const char *name, void *arg)
{
	const struct collection *c = arg;
	_cleanup_(freep) char *path = xasprintf("tmp/%s", name);
	_cleanup_(closep) int fd = openat(c->s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0; /* somebody is working on it */
	if (c->findings)
		strv_take(c->findings, xasprintf("%s/%s is left from an unfinished import", c->s->path, path));
	return c->repair ? remove_tree_at(c->s->fd, path) : 0;
}

int drafts_collect(const struct store *s, bool repair, struct strv *findings)
{
	struct collection c = {.s = s, .repair = repair, .findings = findings};

	return folder_each(s, "tmp", collect_draft, &c);
}

void drafts_clean(const struct store *s)
{
	if (store_lock(s, LOCK_EX | LOCK_NB) < 0)
		return;
	if (drafts_collect(s, true, NULL) < 0)
		debug("%s", error_text());
	store_lock(s, LOCK_UN);
}
