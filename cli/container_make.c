/* A container's directory, spec and record. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"
#include "cli/cli.h"

#define LOG_MAX_DEFAULT (16u << 20)

const char *keep(struct building *b, char *s)
{
	strv_take(&b->keep, s);
	return s;
}

static int find_image(struct building *b, const char *name)
{
	int r = cli_store(&b->store);

	/* Held until the record, which protects the image from removal, is written. */
	if (r < 0 || (r = store_lock(&b->store, LOCK_SH)) < 0 || (r = cli_find_image(&b->store, name, &b->image)) < 0)
		return r;
	b->has_image = true;
	if ((r = image_config(&b->store, &b->image, &b->config)) < 0)
		return fail_in(r, "image %s", name);
	b->record.image = xstrdup(b->image.names.n ? b->image.names.v[0] : name);
	b->record.image_id = xstrdup(b->image.id);
	for (size_t i = 0; i < b->image.layers.n; i++)
		strv_add(&b->record.layers, b->image.layers.v[i]);
	return 0;
}

static int find_rootfs(struct building *b, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!realpath(name, path) || stat(path, &st) < 0)
		return fail(-errno, "--rootfs %s", name);
	if (!S_ISDIR(st.st_mode))
		return refuse(-ENOTDIR, "--rootfs %s is not a directory (import an archive with `ctr import`)", name);
	b->record.rootfs = xstrdup(path);
	return 0;
}

static int build_log(struct building *b)
{
	const struct container_opts *o = b->o;

	b->record.log_max = LOG_MAX_DEFAULT;
	if (o->log_driver && streq(o->log_driver, "none"))
		b->record.log_none = true;
	else if (o->log_driver && !streq(o->log_driver, "k8s-file"))
		return refuse(-EINVAL, "unknown --log-driver %.40s (k8s-file, none)", o->log_driver);
	for (size_t i = 0; i < o->log_opts.n; i++) {
		const char *size = after_prefix(o->log_opts.v[i], "max-size=");

		if (!size || parse_bytes(size, &b->record.log_max) < 0)
			return refuse(-EINVAL, "bad --log-opt \"%.60s\" (max-size=16m)", o->log_opts.v[i]);
	}
	return 0;
}

static int build_stop(struct building *b)
{
	const char *sig = b->o->stop_signal       ? b->o->stop_signal
			  : b->config.stop_signal ? b->config.stop_signal
						  : "TERM";

	if (b->o->stop_timeout > 86400)
		return refuse(-EINVAL, "--stop-timeout is at most 86400 seconds");
	if (signal_by_name(sig) < 0)
		return b->o->stop_signal ? -EINVAL : fail_in(-EINVAL, "the image's StopSignal");
	b->record.stop_signal = xstrdup(sig);
	b->record.stop_timeout_s = b->o->stop_timeout;
	return 0;
}

static int claim_name(struct building *b)
{
	if (b->o->name) {
		b->record.name = xstrdup(b->o->name);
		return record_claim_name(b->engine, b->o->name, b->id);
	}
	b->record.name = record_generate_name(b->engine, b->id);
	return b->record.name ? 0 : -EEXIST;
}

static int write_files(struct building *b)
{
	struct strbuf text = {0};
	int r;

	spec_build_write(&b->spec, 0, &text);
	/* In place: the file is our lock, and nobody reads it before the record is there. */
	r = write_all(b->lock, text.p, text.len);
	if (r == 0 && !b->record.remove && fsync(b->lock) < 0)
		r = -errno;
	if (r < 0)
		fail(r, "write the container's " STATE_CONFIG);
	strbuf_free(&text);
	if (r == 0 && b->has_image && (mkdirat(b->dir, "upper", 0755) < 0 || mkdirat(b->dir, "work", 0700) < 0))
		r = fail(-errno, "create the writable layer");
	/* The record last: with it the container exists. */
	return r < 0 ? r : record_write(b->dir, &b->record);
}

static int write_cidfile(const struct building *b)
{
	if (!b->o->cidfile)
		return 0;
	_cleanup_(closep) int fd = openat(AT_FDCWD, b->o->cidfile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? refuse(-EEXIST, "the cidfile %s exists already: remove it, or give another",
						b->o->cidfile)
				       : fail(-errno, "write cidfile %s", b->o->cidfile);
	int r = write_all(fd, b->id, strlen(b->id));
	return r < 0 ? fail(r, "write cidfile %s", b->o->cidfile) : 0;
}

static int build(struct building *b, const char *image)
{
	char now[36];
	int r;

	spec_build_default(&b->spec);
	b->record.remove = b->o->remove;
	b->record.tty = b->o->tty;
	b->record.interactive = b->o->interactive;
	b->record.created = xstrdup(clock_rfc3339(clock_now(), now));
	if ((r = b->o->rootfs ? find_rootfs(b, image) : find_image(b, image)) < 0 || (r = record_new_id(b->id)) < 0)
		return r;
	b->record.id = xstrdup(b->id);
	b->dir = record_create(b->engine, b->id, &b->lock);
	if (b->dir < 0)
		return b->dir;
	if ((r = build_namespaces(b)) < 0 || (r = build_process(b)) < 0 || (r = build_mounts(b)) < 0 ||
	    (r = build_devices(b)) < 0 || (r = build_limits(b)) < 0 || (r = build_security(b)) < 0 ||
	    (r = build_log(b)) < 0 || (r = build_stop(b)) < 0 || (r = claim_name(b)) < 0 || (r = write_cidfile(b)) < 0)
		return r;
	return write_files(b);
}

int build_container(struct building *b, const struct container_opts *o, const char *image, char *const *command,
		    int n_command)
{
	*b = (struct building){.o = o,
			       .engine = cli_engine(),
			       .command = command,
			       .n_command = n_command,
			       .dir = -EBADF,
			       .lock = -EBADF,
			       .store = {.fd = -EBADF, .lock = -EBADF}};
	int r = build(b, image);

	if (r == 0) {
		if (b->has_image)
			r = store_lock(&b->store, LOCK_UN);
		return r;
	}
	_cleanup_(freep) char *why = xstrdup(error_text());
	/* Only what this call made: a name that was refused is another container's. */
	if (b->dir >= 0 && b->record.id) {
		if (r == -ENOSPC || r == -EDQUOT)
			debug("the disk is full: taking the unfinished container away");
		if (!b->record.name)
			b->record.name = xstrdup("");
		record_remove(b->engine, &b->record);
	}
	error_set_text(why);
	building_free(b);
	return r;
}

void building_free(struct building *b)
{
	closep(&b->dir);
	closep(&b->lock);
	if (b->store.fd >= 0)
		store_close(&b->store);
	if (b->has_image) {
		image_free(&b->image);
		image_config_free(&b->config);
	}
	record_free(&b->record);
	spec_build_free(&b->spec);
	strv_free(&b->keep);
	strv_free(&b->args);
	strv_free(&b->env);
	free(b->rlimits);
	free(b->devices);
	free(b->rules);
	free(b->io);
	free(b->sysctls);
	free(b->annotations);
	free(b->unified);
	free(b->maps);
	free(b->gids);
	json_free(&b->seccomp_doc);
}
