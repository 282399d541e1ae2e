#include "images/store.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "images/store_internal.h"

/* Made in this order; the lock comes last, so that its presence says that all are there. */
static const char *const folders[] = {"blobs", "blobs/sha256", "layers", "images", "refs", "tmp"};

static int make_store(const struct store *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		int r = make_dir_at(s->fd, folders[i], 0700);
		if (r < 0)
			return fail(r, "create %s/%s", s->path, folders[i]);
	}
	_cleanup_(closep) int fd = openat(s->fd, "lock", O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "create %s/lock", s->path);
	return 0;
}

static int open_root(const char *root)
{
	int fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? fail(-errno, "open image store %s", root) : fd;

	int r = make_dirs(root, 0700);
	if (r < 0)
		return r;
	fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(-errno, "open image store %s", root) : fd;
}

int store_open(const char *root, struct store *s)
{
	_cleanup_(closep) int fd = open_root(root);
	if (fd < 0)
		return fd;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return fail(-errno, "image store %s", root);
	if (st.st_uid != geteuid())
		return refuse(-EPERM, "image store %s belongs to user %u, not to %u", root, st.st_uid, geteuid());
	if (st.st_mode & 022)
		return refuse(-EPERM, "image store %s can be written to by others; chmod 700 it", root);

	*s = (struct store){.fd = fd, .lock = -EBADF, .path = xstrdup(root)};
	s->lock = openat(fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = s->lock < 0 ? -errno : 0;
	if (r == -ENOENT) {
		r = make_store(s);
		if (r == 0) {
			s->lock = openat(fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
			r = s->lock < 0 ? fail(-errno, "open %s/lock", root) : 0;
		}
	} else if (r < 0) {
		fail(r, "open %s/lock", root);
	}
	take_fd(&fd);
	if (r < 0)
		store_close(s);
	return r;
}

void store_close(struct store *s)
{
	closep(&s->lock);
	closep(&s->fd);
	free(s->path);
	*s = (struct store){.fd = -EBADF, .lock = -EBADF};
}

int store_lock(const struct store *s, int operation)
{
	while (flock(s->lock, operation) < 0) {
		if (errno == EWOULDBLOCK)
			return -EWOULDBLOCK;
		if (errno != EINTR)
			return fail(-errno, "lock image store %s", s->path);
	}
	return 0;
}

int fsync_folder(const struct store *s, const char *path)
{
	_cleanup_(closep) int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return fail(-errno, "write %s/%s", s->path, path);
	return 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int folder_each(const struct store *s, const char *path, int (*each)(const char *name, void *arg), void *arg)
{
	int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int err = -errno;

		closep(&fd);
		return fail(err, "read %s/%s", s->path, path);
	}
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);
		if (!e)
			return errno ? fail(-errno, "read %s/%s", s->path, path) : 0;
		int r = e->d_name[0] == '.' ? 0 : each(e->d_name, arg);
		if (r != 0)
			return r;
	}
}

int ref_read(const struct store *s, const char *canonical, char id[ID_LEN + 1])
{
	char path[sizeof("refs/") + REF_MAX], text[ID_LEN + 2];

	strcpy(path, "refs/");
	ref_to_file(canonical, path + strlen(path));
	ssize_t n = read_line_at(s->fd, path, text, sizeof(text));
	if (n == -ENOENT)
		return -ENOENT;
	if (n < 0)
		return fail((int)n, "read reference %s", canonical);
	if (!is_hex(text, ID_LEN))
		return refuse(-EBADMSG, "reference %s is damaged; 'ctr system check --repair' removes it", canonical);
	memcpy(id, text, ID_LEN + 1);
	return 0;
}

/* The members of a record, in an image that already has its id. */
static int parse_record(const struct json *root, struct image *img)
{
	const char *manifest = NULL, *created = NULL;
	const struct json *layers = NULL;
	int r = json_expect(root, JSON_OBJECT);

	if (r == 0)
		r = json_want_str(root, "manifest", &manifest);
	if (r == 0)
		r = json_want_str(root, "created", &created);
	if (r == 0)
		r = json_want_array(root, "layers", &layers);
	if (r == 0)
		r = json_want_u64(root, "size", UINT64_MAX, &img->size);
	if (r < 0)
		return r;
	if (!manifest || !digest_valid(manifest) || !layers || layers->count > IMAGE_LAYERS_MAX)
		return json_refuse(root, "lacks a digest or its layers");
	json_each(item, layers) {
		if (item->type != JSON_STRING || !is_hex(item->text, ID_LEN))
			return json_refuse(item, "is not a chain id");
		strv_add(&img->layers, item->text);
	}
	img->manifest = xstrdup(manifest);
	if (created && clock_parse(created, &img->created_ns) < 0)
		return json_refuse(root, "has a creation time that is none");
	return 0;
}

int record_read(const struct store *s, const char *id, struct image *img)
{
	char path[sizeof("images/.json") + ID_LEN];
	_cleanup_(freep) char *text = NULL;
	struct json_doc doc;
	size_t len;

	*img = (struct image){0};
	snprintf(path, sizeof(path), "images/%s.json", id);
	int r = read_file_at(s->fd, path, RECORD_MAX, &text, &len);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return fail(r, "read %s/%s", s->path, path);
	r = json_parse(text, len, path, &doc);
	if (r < 0)
		return r;
	img->id = xstrdup(id);
	r = parse_record(doc.root, img);
	json_free(&doc);
	if (r < 0) {
		image_free(img);
		return fail_in(r, "%s/%s", s->path, path);
	}
	return 0;
}

void image_free(struct image *img)
{
	free(img->id);
	free(img->manifest);
	strv_free(&img->names);
	strv_free(&img->layers);
	*img = (struct image){0};
}

int image_config(const struct store *s, const struct image *img, struct image_config *config)
{
	char path[sizeof("blobs/sha256/") + ID_LEN];
	_cleanup_(freep) char *text = NULL;
	size_t len;

	*config = (struct image_config){0};
	snprintf(path, sizeof(path), "blobs/sha256/%s", img->id);
	int r = read_file_at(s->fd, path, IMAGE_CONFIG_MAX, &text, &len);
	if (r < 0)
		return fail(r, "read the config of image %.12s", img->id);
	r = image_config_parse(text, len, config);
	return r < 0 ? fail_in(r, "image %.12s", img->id) : 0;
}

int image_open_layers(const struct store *s, const struct image *img, int *fds)
{
	char path[sizeof("layers//fs") + ID_LEN];

	for (size_t i = 0; i < img->layers.n; i++) {
		snprintf(path, sizeof(path), "layers/%s/fs", img->layers.v[i]);
		fds[i] = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fds[i] >= 0)
			continue;
		int r = fail(-errno, "open layer %.12s of image %.12s", img->layers.v[i], img->id);
		while (i--)
			close(fds[i]);
		return r;
	}
	return 0;
}
