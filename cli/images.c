/* ctr images, rmi, tag, import, export. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/cli.h"
#include "cli/start.h"
#include "cli/table.h"
#include "runtime/seal.h"

/* --- images ----------------------------------------------------------------------------------------- */

struct images_opts {
	bool quiet, no_trunc, all;
	const char *format;
};

static const struct opt images_table[] = {
	{OPT_FLAG, 'a', "all", NULL, "Accepted for compatibility: there are no hidden images",
	 offsetof(struct images_opts, all)},
	{OPT_FLAG, 'q', "quiet", NULL, "Print ids only", offsetof(struct images_opts, quiet)},
	{OPT_FLAG, 0, "no-trunc", NULL, "Print whole ids", offsetof(struct images_opts, no_trunc)},
	{OPT_STR, 0, "format", "FORMAT", "table, json or a template: '{{.Repository}}:{{.Tag}}'",
	 offsetof(struct images_opts, format)},
	OPT_END,
};

/* One row a reference; an image without one has a row too. */
static void image_row(struct json_writer *w, const struct image *img, const char *name, const struct images_opts *o)
{
	const char *colon = name ? strrchr(name, ':') : NULL;
	_cleanup_(freep) char *repository =
		name ? xstrndup(name, colon ? (size_t)(colon - name) : strlen(name)) : xstrdup("<none>");
	char created[36], ago[32], since[48], size[16];

	duration_words(clock_now() - img->created_ns, ago);
	snprintf(since, sizeof(since), "%s ago", ago);
	json_open(w, NULL, '{');
	json_put_str(w, "Repository", repository);
	json_put_str(w, "Tag", colon ? colon + 1 : "<none>");
	_cleanup_(freep) char *id = xstrndup(img->id, o->no_trunc || (o->format && streq(o->format, "json")) ? 64 : 12);
	json_put_str(w, "ID", id);
	json_put_str(w, "Digest", img->manifest);
	json_put_str(w, "CreatedAt", clock_rfc3339(img->created_ns, created));
	json_put_str(w, "CreatedSince", since);
	json_put_str(w, "Size", format_bytes(img->size, size));
	json_put_u64(w, "SizeBytes", img->size);
	json_put_u64(w, "Layers", img->layers.n);
	json_close(w, '}');
}

static int images_run(void *opts, int argc, char **argv)
{
	static const struct column columns[] = {{"REPOSITORY", "Repository"},
						{"TAG", "Tag"},
						{"IMAGE ID", "ID"},
						{"CREATED", "CreatedSince"},
						{"SIZE", "Size"}};
	const struct images_opts *o = opts;
	struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	struct json_doc doc = {0};
	struct image *list;
	struct store s;
	size_t n;
	int r = cli_store(&s);

	(void)argc, (void)argv;
	if (r < 0)
		return r;
	if ((r = image_list(&s, &list, &n)) < 0) {
		store_close(&s);
		return r;
	}
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		if (o->quiet)
			printf("%.*s\n", o->no_trunc ? 64 : 12, list[i].id);
		for (size_t k = 0; !o->quiet && (k == 0 || k < list[i].names.n); k++)
			image_row(&w, &list[i], list[i].names.n ? list[i].names.v[k] : NULL, o);
		image_free(&list[i]);
	}
	json_close(&w, ']');
	free(list);
	store_close(&s);
	if (!o->quiet && (r = json_parse(text.p, text.len, "the list", &doc)) == 0)
		r = table_print(doc.root, columns, ARRAY_SIZE(columns), o->format);
	json_free(&doc);
	strbuf_free(&text);
	return r;
}

const struct verb verb_images = {
	.name = "images",
	.group = "Images",
	.usage = "[OPTIONS]",
	.summary = "List images",
	.examples = "$ ctr images\n$ ctr images --format json\n",
	.opts = images_table,
	.opts_size = sizeof(struct images_opts),
	.run = images_run,
};

/* --- rmi -------------------------------------------------------------------------------------------- */

struct rmi_opts {
	bool force;
};

static const struct opt rmi_table[] = {
	{OPT_FLAG, 'f', "force", NULL, "By id: remove all of its names; a missing image is no error",
	 offsetof(struct rmi_opts, force)},
	OPT_END,
};

struct users {
	struct found *list;
	size_t n;
};

static const char *container_of_image(const char *id, void *arg)
{
	const struct users *u = arg;

	for (size_t i = 0; i < u->n; i++)
		if (u->list[i].record.image_id && streq(u->list[i].record.image_id, id))
			return u->list[i].record.name;
	return NULL;
}

struct rmi_arg {
	struct store store;
	struct users users;
	bool force;
};

static int rmi_one(const char *name, void *arg)
{
	struct rmi_arg *a = arg;
	struct strv removed = {0};
	int r = image_remove(&a->store, name, a->force, container_of_image, &a->users, &removed);

	for (size_t i = 0; i < removed.n; i++)
		printf("%s\n", removed.v[i]);
	strv_free(&removed);
	return r == -ENOENT && a->force ? 0 : r;
}

static int rmi_run(void *opts, int argc, char **argv)
{
	const struct rmi_opts *o = opts;
	struct rmi_arg a = {.force = o->force};
	int r = cli_store(&a.store);

	if (r < 0)
		return r;
	if ((r = cli_open_all(&a.users.list, &a.users.n)) == 0)
		r = cli_each(argv, argc, rmi_one, &a, false);
	cli_close_all(a.users.list, a.users.n);
	store_close(&a.store);
	return r;
}

const struct verb verb_rmi = {
	.name = "rmi",
	.group = "Images",
	.usage = "[OPTIONS] IMAGE...",
	.summary = "Remove images",
	.examples = "$ ctr rmi debian\n",
	.opts = rmi_table,
	.opts_size = sizeof(struct rmi_opts),
	.min_args = 1,
	.max_args = -1,
	.run = rmi_run,
};

/* --- tag -------------------------------------------------------------------------------------------- */

static int tag_run(void *opts, int argc, char **argv)
{
	struct image img;
	struct store s;
	int r = cli_store(&s);

	(void)opts, (void)argc;
	if (r < 0)
		return r;
	if ((r = cli_find_image(&s, argv[0], &img)) == 0) {
		r = image_tag(&s, img.id, argv[1]);
		image_free(&img);
	}
	store_close(&s);
	return r;
}

const struct verb verb_tag = {
	.name = "tag",
	.group = "Images",
	.usage = "IMAGE NAME[:TAG]",
	.summary = "Give an image a further name",
	.examples = "$ ctr tag debian debian:tested\n",
	.min_args = 2,
	.max_args = 2,
	.run = tag_run,
};

/* --- import ----------------------------------------------------------------------------------------- */

struct import_opts {
	struct strv changes;
	const char *message, *platform;
	bool quiet;
};

static const struct opt import_table[] = {
	{OPT_STRS, 'c', "change", "INSTRUCTION",
	 "Set CMD, ENTRYPOINT, ENV, USER, WORKDIR, EXPOSE, VOLUME, LABEL or STOPSIGNAL",
	 offsetof(struct import_opts, changes)},
	{OPT_STR, 'm', "message", "TEXT", "A comment for the image's history", offsetof(struct import_opts, message)},
	{OPT_STR, 0, "platform", "OS/ARCH", "What the programs in it are made for (default: this machine)",
	 offsetof(struct import_opts, platform)},
	{OPT_FLAG, 'q', "quiet", NULL, "No progress", offsetof(struct import_opts, quiet)},
	OPT_END,
};

/* Becomes ctr-images ARGS; an exec, since there is nothing left to do here. */
static int become_helper(struct strv *args)
{
	char *helper = find_companion(cli_argv0, "ctr-images");

	if (!helper)
		return -ENOENT;
	free(args->v[0]);
	args->v[0] = helper;
	execv(helper, args->v);
	return fail(-errno, "execute %s", helper);
}

static int import_run(void *opts, int argc, char **argv)
{
	const struct import_opts *o = opts;
	struct strv args = {0};
	struct store s;
	int r = cli_store(&s);

	(void)argc;
	if (r < 0)
		return r;
	store_close(&s);
	strv_add(&args, "ctr-images");
	strv_add(&args, "import");
	strv_add(&args, "--root");
	strv_add(&args, globals.root);
	for (size_t i = 0; i < o->changes.n; i++) {
		strv_add(&args, "--change");
		strv_add(&args, o->changes.v[i]);
	}
	if (o->message) {
		strv_add(&args, "--message");
		strv_add(&args, o->message);
	}
	if (o->platform) {
		strv_add(&args, "--platform");
		strv_add(&args, o->platform);
	}
	if (!o->quiet && isatty(STDERR_FILENO))
		strv_add(&args, "--progress");
	strv_add(&args, "--");
	strv_add(&args, argv[0]);
	strv_add(&args, argv[1]);
	r = become_helper(&args);
	strv_free(&args);
	return r;
}

const struct verb verb_import = {
	.name = "import",
	.group = "Images",
	.usage = "[OPTIONS] FILE|- NAME[:TAG]",
	.summary = "Make an image from the archive of a root filesystem",
	.details = "FILE is a tar, plain or compressed with gzip, zstd, xz or bzip2; - is standard input. Without "
		   "--change CMD the image runs a shell.",
	.examples = "$ mmdebstrap bookworm debian.tar && ctr import debian.tar debian\n"
		    "$ ctr import -c 'CMD [\"nginx\"]' web.tar.zst web:1\n",
	.opts = import_table,
	.opts_size = sizeof(struct import_opts),
	.min_args = 2,
	.max_args = 2,
	.run = import_run,
};

/* --- export ----------------------------------------------------------------------------------------- */

struct export_opts {
	const char *output;
};

static const struct opt export_table[] = {
	{OPT_STR, 'o', "output", "FILE", "Write to FILE (default: standard output)",
	 offsetof(struct export_opts, output)},
	OPT_END,
};

static int export_tree(int root)
{
	struct strv args = {0};
	int tree = openat(root, ".", O_RDONLY | O_DIRECTORY), r;

	if (tree < 0)
		return fail(-errno, "open the container's root filesystem");
	strv_add(&args, "ctr-images");
	strv_add(&args, "export");
	strv_add(&args, "--rootfd");
	strv_take(&args, xasprintf("%d", tree));
	r = become_helper(&args);
	strv_free(&args);
	return r;
}

static int export_run(void *opts, int argc, char **argv)
{
	const struct export_opts *o = opts;
	struct found f;
	int r;

	(void)argc;
	if (!o->output && isatty(STDOUT_FILENO))
		return refuse(-EINVAL, "not writing an archive to a terminal: use -o FILE, or a pipe");
	if ((r = record_open(cli_engine(), argv[0], &f)) < 0)
		return r;
	_cleanup_(closep) int root = start_mount_root(&f.record);
	_cleanup_(closep) int out = -EBADF;
	if (root >= 0 && o->output) {
		out = openat(AT_FDCWD, o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (out < 0 || dup2(out, STDOUT_FILENO) < 0)
			r = fail(-errno, "write %s", o->output);
	}
	if (root < 0)
		r = root;
	if (r == 0)
		r = export_tree(root);
	found_close(&f);
	return r;
}

const struct verb verb_export = {
	.name = "export",
	.group = "Images",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Write a container's root filesystem as a tar archive",
	.examples = "$ ctr export -o web.tar web\n",
	.opts = export_table,
	.opts_size = sizeof(struct export_opts),
	.min_args = 1,
	.max_args = 1,
	.run = export_run,
};
