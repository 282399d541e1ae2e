/*
 * import: a root filesystem in a tar archive becomes an image of one layer.
 *
 * The bytes of the archive are not kept, only its files. The layer's digest in the manifest is that of the
 * archive as it was imported, uncompressed; whoever writes the image out again (save, push) makes a new
 * archive of the files, whose digest will differ.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "images/ctr-images/changes.h"
#include "images/ctr-images/unpack.h"
#include "images/ctr-images/verbs.h"
#include "images/store_write.h"

/* Far above what is in use; the options raise them. */
#define MAX_BYTES (UINT64_C(256) << 30)
#define MAX_ENTRIES UINT64_C(10000000)
#define MAX_RATIO 250

const char import_usage[] =
	"--root STORE [OPTIONS] FILE|- NAME[:TAG]\n"
	"  Makes an image of the root filesystem in FILE (tar, also gzip, zstd, xz, bzip2) and prints its id.\n"
	"  --change INSTRUCTION   set CMD, ENTRYPOINT, ENV, USER, WORKDIR, EXPOSE, VOLUME, LABEL, STOPSIGNAL;\n"
	"                         without CMD and ENTRYPOINT the image runs its /bin/bash or /bin/sh\n"
	"  --message TEXT         a comment for the image's history\n"
	"  --created TIME         when the image was made: RFC 3339 or seconds (default: $SOURCE_DATE_EPOCH, or now)\n"
	"  --platform OS/ARCH     what the files are for (default: this machine)\n"
	"  --max-size BYTES       refuse more than this, unpacked (default 256g)\n"
	"  --max-entries N        refuse more files than this (default 10000000)\n"
	"  --max-ratio N          refuse what grows more than this, beyond 4 GiB (default 250)\n"
	"  --progress             show how far it is, on a terminal\n"
	"  --quiet                do not print the id\n";

struct import {
	const char *root, *file, *message, *created;
	char name[REF_MAX + 1];
	char os[16], architecture[16], variant[8];
	struct changes changes;
	uint64_t max_bytes, max_entries, max_ratio;
	bool progress, quiet;
	int64_t now; /* or another time to write */
};

static int parse_platform(struct import *im, const char *text)
{
	char rest = '\0';

	im->variant[0] = '\0';
	int n = sscanf(text, "%15[a-z0-9]/%15[a-z0-9]%c%7[a-z0-9]", im->os, im->architecture, &rest, im->variant);
	if (n == 2 || (n == 4 && rest == '/'))
		return 0;
	return refuse(-EINVAL, "--platform '%s' is not OS/ARCH, such as linux/arm64", text);
}

enum { ROOT = 1, CHANGE, MESSAGE, CREATED, PLATFORM, PROGRESS, QUIET, SIZE, ENTRIES, RATIO };

static const struct option options[] = {
	{"root", required_argument, NULL, ROOT},
	{"change", required_argument, NULL, CHANGE},
	{"message", required_argument, NULL, MESSAGE},
	{"created", required_argument, NULL, CREATED},
	{"platform", required_argument, NULL, PLATFORM},
	{"progress", no_argument, NULL, PROGRESS},
	{"quiet", no_argument, NULL, QUIET},
	{"max-size", required_argument, NULL, SIZE},
	{"max-entries", required_argument, NULL, ENTRIES},
	{"max-ratio", required_argument, NULL, RATIO},
	{0},
};

static int parse_option(struct import *im, int option)
{
	switch (option) {
	case ROOT:
		im->root = optarg;
		return 0;
	case CHANGE:
		return changes_add(&im->changes, optarg);
	case MESSAGE:
		im->message = optarg;
		return 0;
	case CREATED:
		im->created = optarg;
		return 0;
	case PLATFORM:
		return parse_platform(im, optarg);
	case PROGRESS:
		im->progress = true;
		return 0;
	case QUIET:
		im->quiet = true;
		return 0;
	case SIZE:
		if (parse_bytes(optarg, &im->max_bytes) < 0)
			return refuse(-EINVAL, "--max-size '%s' is not a size such as 10g", optarg);
		return 0;
	case ENTRIES:
		if (parse_u64(optarg, UINT64_MAX, &im->max_entries) < 0)
			return refuse(-EINVAL, "--max-entries '%s' is not a number", optarg);
		return 0;
	case RATIO:
		if (parse_u64(optarg, UINT_MAX, &im->max_ratio) < 0)
			return refuse(-EINVAL, "--max-ratio '%s' is not a number", optarg);
		return 0;
	default:
		return -EINVAL;
	}
}

/* The time to write: that of --created, else SOURCE_DATE_EPOCH (reproducible-builds.org), else now. */
static int find_time(struct import *im)
{
	const char *time = im->created ? im->created : getenv("SOURCE_DATE_EPOCH");

	im->now = clock_now();
	if (time && clock_parse(time, &im->now) < 0)
		return refuse(-EINVAL, "%s '%s' is not a time", im->created ? "--created" : "SOURCE_DATE_EPOCH", time);
	return 0;
}

/* 1 when the usage must be shown. */
static int parse_arguments(struct import *im, int argc, char **argv)
{
	int option;

	im->max_bytes = MAX_BYTES;
	im->max_entries = MAX_ENTRIES;
	im->max_ratio = MAX_RATIO;
	snprintf(im->os, sizeof(im->os), "linux");
	snprintf(im->architecture, sizeof(im->architecture), "%s", image_host_architecture());
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return 1;
		int r = parse_option(im, option);
		if (r < 0)
			return r;
	}
	if (argc - optind != 2 || !im->root)
		return 1;
	im->file = argv[optind];
	int r = find_time(im);
	return r < 0 ? r : ref_normalise(argv[optind + 1], im->name);
}

static void put_history(const struct import *im, struct json_writer *w, const char *created)
{
	json_open(w, "history", '[');
	json_open(w, NULL, '{');
	json_put_str(w, "created", created);
	json_put_str(w, "created_by", "ctr import");
	if (im->message)
		json_put_str(w, "comment", im->message);
	json_close(w, '}');
	json_close(w, ']');
}

/* The image config, as the image spec has it. Its form is checked as that of any other image would be. */
static int write_config(const struct import *im, const char *digest, struct strbuf *out)
{
	struct json_writer w = {.out = out};
	struct image_config parsed;
	char created[36], diff_id[80];

	clock_rfc3339(im->now, created);
	snprintf(diff_id, sizeof(diff_id), "sha256:%s", digest);
	json_open(&w, NULL, '{');
	json_put_str(&w, "created", created);
	json_put_str(&w, "architecture", im->architecture);
	json_put_str(&w, "os", im->os);
	if (im->variant[0])
		json_put_str(&w, "variant", im->variant);
	changes_write(&im->changes, &w);
	json_open(&w, "rootfs", '{');
	json_put_str(&w, "type", "layers");
	json_open(&w, "diff_ids", '[');
	json_put_str(&w, NULL, diff_id);
	json_close(&w, ']');
	json_close(&w, '}');
	put_history(im, &w, created);
	json_close(&w, '}');

	int r = image_config_parse(out->p, out->len, &parsed);
	if (r == 0)
		image_config_free(&parsed);
	return r;
}

static void put_descriptor(struct json_writer *w, const char *key, const char *type, const char *hex, uint64_t size)
{
	char digest[80];

	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	json_open(w, key, '{');
	json_put_str(w, "mediaType", type);
	json_put_str(w, "digest", digest);
	json_put_u64(w, "size", size);
	json_close(w, '}');
}

static void write_manifest(const char *config, size_t config_len, const struct stream_sums *layer, struct strbuf *out)
{
	struct json_writer w = {.out = out};

	json_open(&w, NULL, '{');
	json_put_u64(&w, "schemaVersion", 2);
	json_put_str(&w, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	put_descriptor(&w, "config", "application/vnd.oci.image.config.v1+json", config, config_len);
	json_open(&w, "layers", '[');
	put_descriptor(&w, NULL, "application/vnd.oci.image.layer.v1.tar", layer->digest, layer->bytes);
	json_close(&w, ']');
	json_close(&w, '}');
}

/* What an image of a whole system is started with when nobody says: its shell. */
static void default_command(struct import *im, int layer)
{
	static const char *const shells[] = {"bin/bash", "bin/sh"};
	_cleanup_(closep) int root = openat(layer, "fs", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (im->changes.has_cmd || im->changes.has_entrypoint)
		return;
	for (size_t i = 0; root >= 0 && i < ARRAY_SIZE(shells); i++) {
		_cleanup_(closep) int fd = root_open(root, rootpath(shells[i]), O_PATH, 0);

		if (fd < 0)
			continue;
		strv_take(&im->changes.cmd, xasprintf("/%s", shells[i]));
		return;
	}
}

static int unpack_layer(const struct import *im, struct draft *d, struct unpack_result *result)
{
	_cleanup_(closep) int input = -EBADF;

	/* The root's mode, for an archive that does not tell; whatever the umask is. */
	if (mkdirat(d->fd, "layer", 0700) < 0 || mkdirat(d->fd, "layer/fs", 0755) < 0 ||
	    fchmodat(d->fd, "layer/fs", 0755, 0) < 0)
		return fail(-errno, "write to image store %s", im->root);
	_cleanup_(closep) int layer = openat(d->fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer < 0)
		return fail(-errno, "open the new layer");
	if (!streq(im->file, "-")) {
		input = open(im->file, O_RDONLY | O_CLOEXEC);
		if (input < 0)
			return fail(-errno, "open %s", im->file);
	}
	const struct unpack_job job = {
		.input = input < 0 ? STDIN_FILENO : input,
		.folder = layer,
		.limits = {.max_bytes = im->max_bytes, .max_ratio = (unsigned int)im->max_ratio},
		.options = {.max_bytes = im->max_bytes, .max_entries = im->max_entries, .need_end = true},
		.progress = im->progress ? im->name : NULL,
	};
	int r = unpack_run(&job, result);
	return r < 0 ? fail_in(r, "import %s", streq(im->file, "-") ? "standard input" : im->file) : 0;
}

/* The layer is unpacked: puts it and everything that names it into the draft. */
static int describe(const struct import *im, struct draft *d, const struct unpack_result *got, char id[65])
{
	_cleanup_(strbuf_free) struct strbuf config = {0}, manifest = {0};
	char manifest_hex[65], digest[80];
	int r = write_config(im, got->sums.digest, &config);
	if (r < 0)
		return r;

	snprintf(digest, sizeof(digest), "sha256:%s", got->sums.digest);
	/* The chain id of the bottom layer is its diff id (image-spec config.md, "Layer ChainID"). */
	const struct layer_info layer = {.chain = got->sums.digest, .diff_id = digest, .size = got->stats.bytes};
	r = draft_put_layer(d, "layer", &layer);
	if (r == 0)
		r = draft_put_blob(d, config.p, config.len, id);
	if (r < 0)
		return r;
	write_manifest(id, config.len, &got->sums, &manifest);
	r = draft_put_blob(d, manifest.p, manifest.len, manifest_hex);
	if (r < 0)
		return r;
	snprintf(digest, sizeof(digest), "sha256:%s", manifest_hex);
	struct image img = {.id = id, .manifest = digest, .created_ns = im->now, .size = got->stats.bytes};
	strv_add(&img.layers, layer.chain);
	r = draft_put_image(d, &img);
	strv_free(&img.layers);
	return r == 0 ? draft_put_ref(d, im->name, id) : r;
}

static int import_into(struct import *im, const struct store *s, char id[65])
{
	static const char nothing[] = "0000000000000000000000000000000000000000000000000000000000000000";
	_cleanup_(strbuf_free) struct strbuf trial = {0};
	struct unpack_result got;
	struct draft d;
	int r = write_config(im, nothing, &trial); /* before the long work */
	if (r < 0)
		return r;

	drafts_clean(s);
	r = draft_open(s, &d);
	if (r == 0)
		r = unpack_layer(im, &d, &got);
	if (r == 0) {
		_cleanup_(closep) int layer = openat(d.fd, "layer", O_PATH | O_DIRECTORY | O_CLOEXEC);

		default_command(im, layer);
		r = describe(im, &d, &got, id);
	}
	if (r == 0)
		r = draft_publish(s, &d);
	draft_close(s, &d);
	return r;
}

int verb_import(int argc, char **argv)
{
	struct import im = {0};
	struct store s;
	char id[65];
	int r = parse_arguments(&im, argc, argv);

	if (r > 0) {
		changes_free(&im.changes);
		return usage_error("import", import_usage);
	}
	unpack_catch_signals();
	if (r == 0)
		r = store_open(im.root, &s);
	if (r == 0) {
		r = import_into(&im, &s, id);
		store_close(&s);
	}
	changes_free(&im.changes);
	if (r < 0) {
		report_error();
		return 125;
	}
	if (!im.quiet)
		puts(id);
	return 0;
}
