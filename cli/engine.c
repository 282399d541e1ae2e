/* The engine's verbs, and what they share. */
#include "cli/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "runtime/seal.h"

#define EMBEDDED_IMAGE "busybox:latest"

extern const struct verb verb_run, verb_create, verb_start, verb_attach, verb_stop, verb_kill, verb_rm, verb_wait,
	verb_pause, verb_unpause, verb_exec, verb_ps, verb_logs, verb_inspect, verb_images, verb_rmi, verb_import,
	verb_export, verb_tag, verb_info, verb_version, verb_help, verb_system_check;

/* In the order of `ctr --help`. */
static const struct verb *const verbs[] = {
	&verb_run,   &verb_create,  &verb_start,   &verb_stop,         &verb_kill,   &verb_rm,
	&verb_exec,  &verb_attach,  &verb_ps,      &verb_logs,         &verb_wait,   &verb_inspect,
	&verb_pause, &verb_unpause, &verb_images,  &verb_import,       &verb_export, &verb_tag,
	&verb_rmi,   &verb_info,    &verb_version, &verb_system_check, &verb_help,
};

const struct verb *const *engine_verbs(size_t *n)
{
	*n = ARRAY_SIZE(verbs);
	return verbs;
}

const struct engine *cli_engine(void)
{
	static struct engine e;

	e = (struct engine){.root = globals.root, .state = globals.state};
	return &e;
}

/* Told once; a second try in the same command would fail the same way. */
static bool embed_failed;

static int embed(struct store *s)
{
	if (embed_failed)
		return -ENOENT;
	_cleanup_(freep) char *helper = find_companion(cli_argv0, "ctr-images");
	_cleanup_(freep) char *tar = helper ? find_companion(cli_argv0, "busybox.tar") : NULL;

	int r = tar ? store_embed(s, helper, tar) : -ENOENT;

	embed_failed = r < 0;
	return r;
}

int cli_store(struct store *s)
{
	_cleanup_(freep) char *refs = xasprintf("%s/refs", globals.root);
	bool first = access(refs, F_OK) < 0;
	int r = store_open(globals.root, s);

	if (r < 0 || !first)
		return r;
	/* A store that is new: the image that comes with ctr goes in. Not having it is no reason to fail. */
	if (embed(s) < 0)
		warning("the built-in image is not available: %s", error_text());
	return 0;
}

int cli_find_image(struct store *s, const char *name, struct image *img)
{
	int r = image_find(s, name, img);

	if (r != -ENOENT || (!streq(name, "busybox") && !streq(name, EMBEDDED_IMAGE)))
		return r;
	/* When it cannot be put in, what image_find said stands. */
	return embed(s) < 0 ? r : image_find(s, name, img);
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(y->record.created, x->record.created);
}

int cli_open_all(struct found **list, size_t *n)
{
	struct strv ids = {0};
	int r = record_list(cli_engine(), &ids);

	*list = xcalloc(ids.n, sizeof(**list));
	*n = 0;
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct found *f = &(*list)[*n];

		if (record_open(cli_engine(), ids.v[i], f) < 0)
			continue;
		/* A list may be longer than the limit of open files. */
		closep(&f->dir);
		closep(&f->state_dir);
		f->dir = f->state_dir = -EBADF;
		(*n)++;
	}
	strv_free(&ids);
	if (r < 0) {
		cli_close_all(*list, *n);
		*list = NULL;
		*n = 0;
		return r;
	}
	qsort(*list, *n, sizeof(**list), newest_first);
	return 0;
}

void cli_close_all(struct found *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		found_close(&list[i]);
	free(list);
}

int cli_each(char **names, int n, int (*fn)(const char *name, void *arg), void *arg, bool print)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		int r = fn(names[i], arg);

		if (r < 0)
			status = cli_report();
		else if (r > 0)
			status = r;
		else if (print)
			printf("%s\n", names[i]);
	}
	return status;
}
