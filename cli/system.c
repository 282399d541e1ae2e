/* ctr system check: what a crash left behind. */
#include "cli/system.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/table.h"

#define GRACE_MS 1000

struct check_opts {
	bool repair;
	const char *format;
};

static const struct opt check_table[] = {
	{OPT_FLAG, 0, "repair", NULL, "Remove what is found", offsetof(struct check_opts, repair)},
	{OPT_STR, 0, "format", "table|json|TEMPLATE", "How to print", offsetof(struct check_opts, format)},
	OPT_END,
};

void check_add(struct check *c, const struct check_kind *kind, const char *id, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->v = xreallocarray(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct check_finding){.kind = kind, .id = xstrdup(id), .text = xstrdup(text)};
}

int check_each(struct check *c, int dir, const char *what, int (*fn)(struct check *c, int dir, const char *name))
{
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	int r = 0;

	if (!d) {
		r = dir < 0 ? dir : -errno;
		closep(&dir);
		return r == -ENOENT ? 0 : fail(r, "read %s", what);
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = fn(c, dir, e->d_name);
	closedir(d);
	return r;
}

int check_open_dir(const char *path)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* --- images ------------------------------------------------------------------------------------------- */

/* The layers that containers need; read once the store is locked, when no new one can come to need others. */
struct layers {
	const struct check *c;
	bool read, unknown;
	struct strv used;
};

static void read_layers(struct layers *l)
{
	struct strv ids = {0};
	struct record rec;

	l->read = true;
	l->unknown = record_list(l->c->e, &ids) < 0;
	for (size_t i = 0; i < ids.n; i++) {
		_cleanup_(closep) int dir = check_open_container(l->c, ids.v[i]);
		int r = dir < 0 ? dir : record_load(dir, &rec);

		/* A record that cannot be read may need any of them. */
		l->unknown |= r < 0 && r != -ENOENT;
		if (r < 0)
			continue;
		for (size_t k = 0; k < rec.layers.n; k++)
			strv_add(&l->used, rec.layers.v[k]);
		record_free(&rec);
	}
	strv_free(&ids);
}

static bool layer_is_used(const char *chain, void *arg)
{
	struct layers *l = arg;

	if (!l->read)
		read_layers(l);
	return l->unknown || strv_has(&l->used, chain);
}

static const struct check_kind kind_image = {"image store", NULL};

static int look_at_images(struct check *c, bool repair)
{
	_cleanup_(freep) char *lock = xasprintf("%s/lock", c->e->root);
	struct layers layers = {.c = c};
	struct strv sentences = {0};
	struct store s;

	/* No store: none is made to look at it. */
	if (faccessat(AT_FDCWD, lock, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	int r = store_open(c->e->root, &s);
	if (r < 0)
		return r;
	r = store_check(&s, repair, layer_is_used, &layers, &sentences);
	for (size_t i = 0; i < sentences.n; i++) {
		check_add(c, &kind_image, "", "%s", sentences.v[i]);
		c->v[c->n - 1].repaired = repair && r == 0;
	}
	store_close(&s);
	strv_free(&sentences);
	strv_free(&layers.used);
	return r;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static int look(struct check *c)
{
	int r = check_store(c);

	if (r == 0)
		r = check_states(c);
	if (r == 0)
		r = check_cgroups(c);
	return r < 0 ? r : check_mounts(c);
}

static void forget(struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].id);
		free(c->v[i].text);
		free(c->v[i].failure);
	}
	free(c->v);
	c->v = NULL;
	c->n = 0;
}

static bool was_seen(const struct check *c, const struct check_finding *f)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].kind == f->kind && streq(c->v[i].id, f->id))
			return true;
	return false;
}

/* Looks once more, a moment later, and keeps what is still so. */
static int look_again(struct check *c)
{
	struct check again = {.e = c->e, .state_root = c->state_root, .oci_root = c->oci_root};
	size_t kept = 0;

	poll(NULL, 0, GRACE_MS);
	int r = look(&again);
	for (size_t i = 0; i < c->n; i++) {
		struct check_finding f = c->v[i];

		if (was_seen(&again, &f)) {
			c->v[kept++] = f;
		} else {
			free(f.id);
			free(f.text);
		}
	}
	c->n = kept;
	forget(&again);
	return r;
}

static void repair(struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct check_finding *f = &c->v[i];

		f->repaired = f->kind->repair(c, f->id) == 0;
		if (!f->repaired)
			f->failure = xstrdup(error_text());
	}
}

static void print_sentences(const struct check *c)
{
	_cleanup_(strbuf_free) struct strbuf out = {0};

	for (size_t i = 0; i < c->n; i++) {
		const struct check_finding *f = &c->v[i];

		text_show(&out, f->text);
		if (f->failure) {
			strbuf_puts(&out, ": not repaired, ");
			text_show(&out, f->failure);
		}
		strbuf_puts(&out, f->repaired ? ": repaired\n" : "\n");
	}
	out_write(strbuf_str(&out), out.len);
	if (!c->n)
		puts("nothing was left behind");
}

static int print(const struct check *c, const char *format)
{
	static const struct column columns[] = {{"FINDING", "Finding"}};
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	struct json_doc doc = {0};

	if (!format || streq(format, "table")) {
		print_sentences(c);
		return 0;
	}
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < c->n; i++) {
		json_open(&w, NULL, '{');
		json_put_str(&w, "Kind", c->v[i].kind->name);
		json_put_str(&w, "Object", c->v[i].id);
		json_put_str(&w, "Finding", c->v[i].text);
		json_put_bool(&w, "Repaired", c->v[i].repaired);
		json_put_str(&w, "Error", c->v[i].failure);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	int r = json_parse(text.p, text.len, "the findings", &doc);
	if (r == 0)
		r = table_print(doc.root, columns, ARRAY_SIZE(columns), format);
	json_free(&doc);
	return r;
}

static int check_run(void *opts, int argc, char **argv)
{
	const struct check_opts *o = opts;
	struct check c = {.e = cli_engine()};
	int status = 0;

	(void)argc, (void)argv;
	c.state_root = record_state_root(c.e);
	c.oci_root = xasprintf("%s/oci", c.e->state);
	int r = look(&c);
	if (r == 0 && c.n)
		r = look_again(&c);
	if (r == 0 && o->repair)
		repair(&c);
	/* After the repairs, which may have freed layers. */
	if (r == 0)
		r = look_at_images(&c, o->repair);
	_cleanup_(freep) char *why = r < 0 ? xstrdup(error_text()) : NULL;
	/* What was found before a failure is worth knowing, too. */
	int printed = r < 0 && !c.n ? 0 : print(&c, o->format);
	for (size_t i = 0; i < c.n; i++)
		status |= !c.v[i].repaired;
	forget(&c);
	free(c.state_root);
	free(c.oci_root);
	if (why)
		error_set_text(why);
	return r < 0 ? r : printed < 0 ? printed : status;
}

const struct verb verb_system_check = {
	.name = "system check",
	.usage = "[OPTIONS]",
	.summary = "Find, and with --repair remove, what a crash left behind",
	.details = "Looks for containers that were not finished, monitors that were killed, names, states, cgroups and "
		   "mounts without a container, and damage in the image store. What runs is left alone. Nothing has "
		   "to be repaired for ctr to work.\n\nThe exit status is 0 when nothing was found or all was "
		   "repaired, else 1.",
	.examples = "$ ctr system check\n"
		    "$ ctr system check --repair\n"
		    "$ ctr system check --format json\n",
	.group = "System",
	.opts = check_table,
	.opts_size = sizeof(struct check_opts),
	.run = check_run,
};
