/* The files of the engine's containers: record.json and exit.json. */
#include "runtime/record.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#define RECORD_MAX (4u << 20)

static void put_list(struct json_writer *w, const char *key, const struct strv *l)
{
	json_put_strs(w, key, (const char *const *)l->v, l->n);
}

static void put_labels(struct json_writer *w, const struct strv *labels)
{
	json_open(w, "labels", '{');
	for (size_t i = 0; i < labels->n; i++) {
		const char *eq = strchrnul(labels->v[i], '=');
		_cleanup_(freep) char *key = xstrndup(labels->v[i], (size_t)(eq - labels->v[i]));

		json_put_str(w, key, *eq ? eq + 1 : "");
	}
	json_close(w, '}');
}

int record_write(int dir, const struct record *r)
{
	struct strbuf text = {0};
	struct json_writer w = {.out = &text, .indent = 2};

	json_open(&w, NULL, '{');
	json_put_str(&w, "id", r->id);
	json_put_str(&w, "name", r->name);
	json_put_str(&w, "image", r->image);
	json_put_str(&w, "imageID", r->image_id);
	json_put_str(&w, "rootfs", r->rootfs);
	json_put_str(&w, "created", r->created);
	json_put_str(&w, "network", r->network);
	json_put_str(&w, "cgroup", r->cgroup);
	json_put_str(&w, "hosts", r->hosts);
	json_put_str(&w, "hostname", r->hostname);
	json_put_str(&w, "userRange", r->user_range);
	put_list(&w, "command", &r->command);
	put_list(&w, "layers", &r->layers);
	put_labels(&w, &r->labels);
	put_list(&w, "ports", &r->ports);
	put_list(&w, "mounts", &r->mounts);
	json_put_bool(&w, "remove", r->remove);
	json_put_bool(&w, "tty", r->tty);
	json_put_bool(&w, "interactive", r->interactive);
	json_put_str(&w, "stopSignal", r->stop_signal);
	json_put_u64(&w, "stopTimeout", r->stop_timeout_s);
	json_put_u64(&w, "logMax", r->log_max);
	json_put_bool(&w, "logNone", r->log_none);
	json_close(&w, '}');
	int e = replace_file_at(dir, RECORD_FILE, text.p, text.len, 0600, !r->remove);
	strbuf_free(&text);
	return e;
}

static int want_dup(const struct json *o, const char *key, char **out)
{
	const char *s = NULL;
	int r = json_want_str(o, key, &s);

	if (s)
		*out = xstrdup(s);
	return r;
}

static int want_list(const struct json *o, const char *key, struct strv *l)
{
	const char **v = NULL;
	size_t n = 0;
	int r = json_want_strs(o, key, &v, &n);

	for (size_t i = 0; i < n; i++)
		strv_add(l, v[i]);
	free(v);
	return r;
}

void record_free(struct record *r)
{
	free(r->id);
	free(r->name);
	free(r->image);
	free(r->image_id);
	free(r->rootfs);
	free(r->created);
	free(r->stop_signal);
	free(r->network);
	free(r->cgroup);
	free(r->hosts);
	free(r->hostname);
	free(r->user_range);
	strv_free(&r->command);
	strv_free(&r->layers);
	strv_free(&r->labels);
	strv_free(&r->ports);
	strv_free(&r->mounts);
	json_free(&r->doc);
	*r = (struct record){0};
}

static int parse_record(const struct json *o, struct record *rec)
{
	const struct json *labels = NULL;
	int r;

	if ((r = json_expect(o, JSON_OBJECT)) < 0 || (r = want_dup(o, "id", &rec->id)) < 0 ||
	    (r = want_dup(o, "name", &rec->name)) < 0 || (r = want_dup(o, "image", &rec->image)) < 0 ||
	    (r = want_dup(o, "imageID", &rec->image_id)) < 0 || (r = want_dup(o, "rootfs", &rec->rootfs)) < 0 ||
	    (r = want_dup(o, "created", &rec->created)) < 0 || (r = want_dup(o, "network", &rec->network)) < 0 ||
	    (r = want_dup(o, "cgroup", &rec->cgroup)) < 0 || (r = want_dup(o, "hosts", &rec->hosts)) < 0 ||
	    (r = want_dup(o, "hostname", &rec->hostname)) < 0 || (r = want_dup(o, "userRange", &rec->user_range)) < 0 ||
	    (r = want_list(o, "command", &rec->command)) < 0 || (r = want_list(o, "layers", &rec->layers)) < 0 ||
	    (r = want_list(o, "ports", &rec->ports)) < 0 || (r = want_list(o, "mounts", &rec->mounts)) < 0 ||
	    (r = json_want_bool(o, "remove", &rec->remove)) < 0 || (r = json_want_bool(o, "tty", &rec->tty)) < 0 ||
	    (r = json_want_bool(o, "interactive", &rec->interactive)) < 0 ||
	    (r = json_want_bool(o, "logNone", &rec->log_none)) < 0 ||
	    (r = want_dup(o, "stopSignal", &rec->stop_signal)) < 0 ||
	    (r = json_want_u64(o, "stopTimeout", UINT32_MAX, &rec->stop_timeout_s)) < 0 ||
	    (r = json_want_u64(o, "logMax", UINT64_MAX, &rec->log_max)) < 0 ||
	    (r = json_want_object(o, "labels", &labels)) < 0)
		return r;
	json_each(l, labels)
		strv_take(&rec->labels, xasprintf("%s=%s", l->key, l->text ? l->text : ""));
	if (!rec->id || !rec->name || !rec->created)
		return refuse(-EINVAL, RECORD_FILE " lacks an id, a name or a time");
	return 0;
}

int record_load(int dir, struct record *rec)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = read_file_at(dir, RECORD_FILE, RECORD_MAX, &text, &len);

	*rec = (struct record){0};
	if (r < 0)
		return r == -ENOENT ? refuse(r, "the container is still being made") : fail(r, "read " RECORD_FILE);
	if ((r = json_parse(text, len, RECORD_FILE, &rec->doc)) < 0)
		return r;
	r = parse_record(rec->doc.root, rec);
	if (r < 0)
		record_free(rec);
	return r;
}

int record_write_exit(int dir, const struct exit_info *x, bool durable)
{
	struct strbuf text = {0};
	struct json_writer w = {.out = &text, .indent = 2};

	json_open(&w, NULL, '{');
	json_put_i64(&w, "exitCode", x->code);
	json_put_bool(&w, "oomKilled", x->oom_killed);
	json_put_str(&w, "startedAt", x->started);
	json_put_str(&w, "finishedAt", x->finished);
	json_put_str(&w, "error", x->error);
	json_close(&w, '}');
	int r = replace_file_at(dir, RECORD_EXIT, text.p, text.len, 0600, durable);
	strbuf_free(&text);
	return r;
}

int record_read_exit(int dir, struct exit_info *x)
{
	_cleanup_(freep) char *text = NULL;
	const char *started = "", *finished = "", *error = NULL;
	struct json_doc doc;
	int64_t code = 0;
	size_t len;

	*x = (struct exit_info){0};
	int r = read_file_at(dir, RECORD_EXIT, RECORD_MAX, &text, &len);
	if (r < 0)
		return r == -ENOENT ? 0 : fail(r, "read " RECORD_EXIT);
	if ((r = json_parse(text, len, RECORD_EXIT, &doc)) < 0)
		return r;
	if ((r = json_want_i64(doc.root, "exitCode", 0, 255, &code)) == 0 &&
	    (r = json_want_bool(doc.root, "oomKilled", &x->oom_killed)) == 0 &&
	    (r = json_want_str(doc.root, "startedAt", &started)) == 0 &&
	    (r = json_want_str(doc.root, "finishedAt", &finished)) == 0)
		r = json_want_str(doc.root, "error", &error);
	snprintf(x->started, sizeof(x->started), "%s", started);
	snprintf(x->finished, sizeof(x->finished), "%s", finished);
	x->error = error ? xstrdup(error) : NULL;
	x->code = (int)code;
	x->known = r == 0;
	json_free(&doc);
	return r;
}
