#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#define STATE_MAX (1u << 20)

int state_check_id(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";

	if (!*id || *id == '.' || strspn(id, allowed) != strlen(id) || strlen(id) > 253)
		return refuse(-EINVAL,
			      "bad container id \"%.60s\": letters, digits and _ + - . only, not starting with a dot",
			      id);
	return 0;
}

/* Opens ROOT, making it when CREATE. */
static int open_root(const char *root, bool create)
{
	int fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT || !create)
		return -errno;
	int r = make_dirs(root, 0700);
	if (r < 0)
		return r;
	fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int state_dir_create(const char *root, const char *id)
{
	int r = state_check_id(id);
	if (r < 0)
		return r;
	_cleanup_(closep) int dir = open_root(root, true);
	if (dir < 0)
		return fail(dir, "open the state directory %s", root);
	if (mkdirat(dir, id, 0700) < 0)
		return errno == EEXIST ? refuse(-EEXIST, "a container with id %s exists already", id)
				       : fail(-errno, "create %s/%s", root, id);
	int fd = openat(dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(-errno, "open %s/%s", root, id) : fd;
}

int state_dir_open(const char *root, const char *id)
{
	int r = state_check_id(id);
	if (r < 0)
		return r;
	_cleanup_(closep) int dir = open_root(root, false);
	int fd = dir < 0 ? dir : openat(dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	r = dir < 0 ? dir : -errno;
	return r == -ENOENT ? refuse(r, "container %s does not exist", id) : fail(r, "open %s/%s", root, id);
}

int state_dir_remove(const char *root, const char *id)
{
	_cleanup_(closep) int dir = open_root(root, false);

	if (dir < 0)
		return dir == -ENOENT ? 0 : fail(dir, "open %s", root);
	/* What is usually there by its name; a listing costs more. The engine's containers have the second row. */
	static const char *const usual[2][3] = {{STATE_CONFIG, STATE_FILE}, {"hosts", "hostname", "attach.sock"}};
	for (size_t row = 0; row < ARRAY_SIZE(usual); row++) {
		for (size_t i = 0; i < ARRAY_SIZE(usual[row]) && usual[row][i]; i++) {
			char path[300];

			if (snprintf(path, sizeof(path), "%s/%s", id, usual[row][i]) < (int)sizeof(path))
				unlinkat(dir, path, 0);
		}
		if (unlinkat(dir, id, AT_REMOVEDIR) == 0)
			return 0;
	}
	return remove_tree_at(dir, id);
}

int state_write(int dir, const struct state *s)
{
	struct strbuf text = {0};
	struct json_writer w = {.out = &text, .indent = 2};

	json_open(&w, NULL, '{');
	json_put_str(&w, "id", s->id);
	json_put_str(&w, "version", s->version);
	json_put_str(&w, "bundle", s->bundle);
	json_put_str(&w, "rootfs", s->rootfs);
	json_put_str(&w, "created", s->created);
	json_put_str(&w, "cgroup", s->cgroup);
	json_put_str(&w, "annotations", s->annotations);
	json_put_i64(&w, "pid", s->init.pid);
	json_put_u64(&w, "pidStart", s->init.start);
	json_put_i64(&w, "monitorPid", s->monitor.pid);
	json_put_u64(&w, "monitorStart", s->monitor.start);
	json_close(&w, '}');
	/* Not durable: it lives on a tmpfs and means nothing after a reboot. */
	int r = replace_file_at(dir, STATE_FILE, text.p, text.len, 0600, false);
	strbuf_free(&text);
	return r;
}

static char *dup_member(const struct json *obj, const char *key)
{
	const char *s = NULL;

	return json_want_str(obj, key, &s) == 0 && s ? xstrdup(s) : NULL;
}

int state_read(int dir, struct state *s)
{
	_cleanup_(freep) char *text = NULL;
	struct json_doc doc;
	int64_t pid = 0, monitor = 0;
	size_t len;

	*s = (struct state){0};
	int r = read_file_at(dir, STATE_FILE, STATE_MAX, &text, &len);
	if (r < 0)
		return r == -ENOENT ? refuse(r, "the container is still being made") : fail(r, "read " STATE_FILE);
	r = json_parse(text, len, STATE_FILE, &doc);
	if (r < 0)
		return r;
	const struct json *o = doc.root;
	s->id = dup_member(o, "id");
	s->version = dup_member(o, "version");
	s->bundle = dup_member(o, "bundle");
	s->rootfs = dup_member(o, "rootfs");
	s->created = dup_member(o, "created");
	s->cgroup = dup_member(o, "cgroup");
	s->annotations = dup_member(o, "annotations");
	if ((r = json_want_i64(o, "pid", 0, INT32_MAX, &pid)) == 0 &&
	    (r = json_want_u64(o, "pidStart", UINT64_MAX, &s->init.start)) == 0 &&
	    (r = json_want_i64(o, "monitorPid", 0, INT32_MAX, &monitor)) == 0)
		r = json_want_u64(o, "monitorStart", UINT64_MAX, &s->monitor.start);
	s->init.pid = (pid_t)pid;
	s->monitor.pid = (pid_t)monitor;
	if (r == 0 && !s->id)
		r = refuse(-EINVAL, STATE_FILE " has no id");
	json_free(&doc);
	if (r < 0)
		state_free(s);
	return r;
}

void state_free(struct state *s)
{
	free(s->id);
	free(s->version);
	free(s->bundle);
	free(s->rootfs);
	free(s->created);
	free(s->cgroup);
	free(s->annotations);
	*s = (struct state){0};
}

enum status state_status(int dir, const struct state *s)
{
	struct stat st;

	if (!proc_alive(s->init))
		return s->init.pid ? STATUS_STOPPED : STATUS_CREATING;
	if (fstatat(dir, STATE_SOCKET, &st, 0) == 0)
		return STATUS_CREATED;
	if (!s->cgroup)
		return STATUS_RUNNING;
	struct cgroup cg = CGROUP_NONE;
	bool frozen = cgroup_open(s->cgroup, &cg) == 0 && cgroup_is_frozen(&cg) == 1;
	cgroup_close(&cg);
	return frozen ? STATUS_PAUSED : STATUS_RUNNING;
}

const char *status_name(enum status status)
{
	static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};

	return names[status];
}

void state_document(const struct state *s, enum status status, unsigned int indent, struct strbuf *out)
{
	struct json_writer w = {.out = out, .indent = indent};
	struct json_doc doc = {0};

	json_open(&w, NULL, '{');
	json_put_str(&w, "ociVersion", s->version);
	json_put_str(&w, "id", s->id);
	json_put_str(&w, "status", status_name(status));
	if (status != STATUS_STOPPED)
		json_put_i64(&w, "pid", s->init.pid);
	json_put_str(&w, "bundle", s->bundle);
	if (s->rootfs)
		json_put_str(&w, "rootfs", s->rootfs);
	if (s->created)
		json_put_str(&w, "created", s->created);
	if (s->annotations && json_parse(s->annotations, strlen(s->annotations), "annotations", &doc) == 0) {
		json_put_node(&w, "annotations", doc.root);
		json_free(&doc);
	}
	json_close(&w, '}');
}

void state_init(struct state *s, const char *id, const char *bundle, const char *rootfs, const struct spec *spec)
{
	char now[36];

	*s = (struct state){.id = xstrdup(id),
			    .version = xstrdup(spec->version),
			    .bundle = xstrdup(bundle),
			    .rootfs = rootfs ? xstrdup(rootfs) : NULL,
			    .created = xstrdup(clock_rfc3339(clock_now(), now))};
	if (spec->annotations) {
		struct strbuf text = {0};
		struct json_writer w = {.out = &text};

		json_put_node(&w, NULL, spec->annotations);
		s->annotations = text.p;
	}
}

int state_list(const char *root, struct strv *ids)
{
	int fd = open_root(root, false);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fail(fd, "read %s", root);
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return fail(-errno, "read %s", root);
	}
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.')
			strv_add(ids, e->d_name);
	closedir(dir);
	return 0;
}
