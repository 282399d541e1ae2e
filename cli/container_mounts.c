/* Volumes, tmpfs, and the files that ctr writes for a container. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"

/* Words that -v takes after the second colon; what is not here is refused, so that a typo is told. */
static const char *const volume_words[] = {
	"ro",     "rw",   "rbind", "bind", "private", "rprivate", "slave",      "rslave",      "shared", "rshared",
	"nosuid", "suid", "nodev", "dev",  "noexec",  "exec",     "unbindable", "runbindable", "z",      "Z"};

static int check_destination(const char *path, const char *what)
{
	if (path[0] != '/' || has_control(path))
		return refuse(-EINVAL, "%s: the path in the container, \"%.100s\", must be absolute", what, path);
	/* An empty last word, "." and ".." would put it somewhere else than it says. */
	struct strv parts = {0};
	bool bad = false, any = false;
	strv_split(&parts, path, '/');
	for (size_t i = 0; i < parts.n; i++) {
		bad |= streq(parts.v[i], "..");
		any |= *parts.v[i] && !streq(parts.v[i], ".");
	}
	strv_free(&parts);
	if (bad || !any)
		return refuse(-EINVAL, "%s: \"%.100s\" cannot be mounted on (no \"..\", not the root itself)", what,
			      path);
	return 0;
}

/* A mount of the host's SOURCE; READ_ONLY goes for what is mounted below it, too. */
static int add_bind(struct building *b, const char *what, const char *source, const char *destination, bool read_only,
		    const struct strv *options)
{
	struct stat st;
	int r = check_destination(destination, what);

	if (r < 0)
		return r;
	if (source[0] != '/')
		return refuse(-EINVAL,
			      "%s: give the absolute path of a directory or file; \"%.100s\" would be a named volume, "
			      "which this version of ctr does not have",
			      what, source);
	if (stat(source, &st) < 0)
		return errno == ENOENT ? refuse(-ENOENT, "%s: %s does not exist on the host (ctr does not create it)",
						what, source)
				       : fail(-errno, "%s: %s", what, source);
	struct build_mount *m = spec_build_mount(&b->spec, destination, "bind", source, "rbind");
	bool propagation = false;
	for (size_t i = 0; options && i < options->n; i++) {
		propagation |= strstr(options->v[i], "private") || strstr(options->v[i], "slave") ||
			       strstr(options->v[i], "shared") || strstr(options->v[i], "unbindable");
		strv_add(&m->options, options->v[i]);
	}
	if (!propagation)
		strv_add(&m->options, "rprivate");
	if (read_only) {
		strv_add(&m->options, "ro");
		strv_add(&m->options, "rro");
	}
	strv_take(&b->record.mounts, xasprintf("%s:%s%s", source, destination, read_only ? ":ro" : ""));
	return 0;
}

/* "HOST:CTR[:OPTIONS]" */
static int add_volume(struct building *b, const char *text)
{
	struct strv parts = {0}, words = {0}, options = {0};
	bool read_only = false;
	int r = 0;

	strv_split(&parts, text, ':');
	if (parts.n < 2 || parts.n > 3 || !*parts.v[0] || !*parts.v[1])
		r = refuse(-EINVAL, "bad volume \"%.100s\": HOST-PATH:CONTAINER-PATH[:ro]", text);
	if (r == 0 && parts.n == 3)
		strv_split(&words, parts.v[2], ',');
	for (size_t i = 0; r == 0 && i < words.n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(volume_words); k++)
			known |= streq(words.v[i], volume_words[k]);
		if (!known)
			r = refuse(-EINVAL,
				   "bad volume \"%.100s\": unknown option \"%.40s\" (ro, rw, rshared, nosuid, ...)",
				   text, words.v[i]);
		else if (streq(words.v[i], "ro"))
			read_only = true;
		else if (!streq(words.v[i], "rw") && strcasecmp(words.v[i], "z") != 0)
			strv_add(&options, words.v[i]);
	}
	if (r == 0) {
		_cleanup_(freep) char *what = xasprintf("volume %.100s", text);

		r = add_bind(b, what, keep(b, xstrdup(parts.v[0])), keep(b, xstrdup(parts.v[1])), read_only, &options);
	}
	strv_free(&parts);
	strv_free(&words);
	strv_free(&options);
	return r;
}

/* Options of a tmpfs that a user may give; the kernel checks the values. */
static bool tmpfs_word(const char *w)
{
	static const char *const words[] = {
		"ro",    "rw",    "nosuid", "suid", "nodev",      "dev",        "noexec", "exec",     "noatime",
		"size=", "mode=", "uid=",   "gid=", "nr_inodes=", "nr_blocks=", "huge=",  "tmpcopyup"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (has_suffix(words[i], "=") ? after_prefix(w, words[i]) != NULL : streq(w, words[i]))
			return true;
	return false;
}

static int add_tmpfs(struct building *b, const char *destination, const char *options)
{
	struct strv words = {0};
	int r = check_destination(destination, "tmpfs");

	if (r < 0)
		return r;
	struct build_mount *m = spec_build_mount(&b->spec, destination, "tmpfs", "tmpfs", "nosuid,nodev");
	bool mode = false;
	strv_split(&words, options, ',');
	for (size_t i = 0; r == 0 && i < words.n; i++) {
		if (!*words.v[i])
			continue;
		if (!tmpfs_word(words.v[i]))
			r = refuse(-EINVAL, "tmpfs %s: unknown option \"%.40s\" (size=64m, mode=1777, noexec, ...)",
				   destination, words.v[i]);
		mode |= after_prefix(words.v[i], "mode=") != NULL;
		strv_add(&m->options, words.v[i]);
	}
	if (!mode)
		strv_add(&m->options, "mode=1777");
	strv_free(&words);
	strv_take(&b->record.mounts, xasprintf("tmpfs:%s", destination));
	return r;
}

/* "--tmpfs DIR[:OPTIONS]" */
static int add_tmpfs_option(struct building *b, const char *text)
{
	const char *colon = strchr(text, ':');
	const char *destination = keep(b, xstrndup(text, colon ? (size_t)(colon - text) : strlen(text)));

	return add_tmpfs(b, destination, colon ? colon + 1 : "");
}

/* "--mount type=bind,source=/a,destination=/b,readonly" */
static int add_mount(struct building *b, const char *text)
{
	const char *type = "bind", *source = NULL, *destination = NULL;
	struct strv words = {0}, options = {0};
	struct strbuf tmpfs = {0};
	bool read_only = false;
	int r = 0;

	strv_split(&words, text, ',');
	for (size_t i = 0; r == 0 && i < words.n; i++) {
		const char *w = words.v[i], *v = strchr(w, '=');
		_cleanup_(freep) char *key = xstrndup(w, v ? (size_t)(v - w) : strlen(w));

		v = v ? keep(b, xstrdup(v + 1)) : "";
		if (streq(key, "type"))
			type = v;
		else if (streq(key, "source") || streq(key, "src"))
			source = v;
		else if (streq(key, "destination") || streq(key, "dst") || streq(key, "target"))
			destination = v;
		else if (streq(key, "readonly") || streq(key, "ro"))
			read_only = !*v || streq(v, "true") || streq(v, "1");
		else if (streq(key, "bind-propagation"))
			strv_add(&options, v);
		else if (streq(key, "tmpfs-size"))
			strbuf_printf(&tmpfs, "size=%s,", v);
		else if (streq(key, "tmpfs-mode"))
			strbuf_printf(&tmpfs, "mode=%s,", v);
		else
			r = refuse(-EINVAL,
				   "bad --mount \"%.100s\": unknown word \"%.40s\" (type, source, destination, "
				   "readonly, bind-propagation, tmpfs-size, tmpfs-mode)",
				   text, key);
	}
	if (r == 0 && !destination)
		r = refuse(-EINVAL, "bad --mount \"%.100s\": destination= is missing", text);
	else if (r == 0 && streq(type, "tmpfs"))
		r = add_tmpfs(b, destination, strbuf_str(&tmpfs));
	else if (r == 0 && !streq(type, "bind"))
		r = refuse(-EINVAL, "bad --mount \"%.100s\": type must be bind or tmpfs", text);
	else if (r == 0)
		r = source ? add_bind(b, "--mount", source, destination, read_only, &options)
			   : refuse(-EINVAL, "bad --mount \"%.100s\": source= is missing", text);
	strv_free(&words);
	strv_free(&options);
	strbuf_free(&tmpfs);
	return r;
}

static int add_host_line(struct strbuf *out, const char *text)
{
	const char *colon = strchr(text, ':');
	_cleanup_(freep) char *name = xstrndup(text, colon ? (size_t)(colon - text) : 0);
	unsigned char address[16];

	if (!*name || has_control(text) || strpbrk(name, " \t#") ||
	    (inet_pton(AF_INET, colon + 1, address) != 1 && inet_pton(AF_INET6, colon + 1, address) != 1))
		return refuse(-EINVAL, "bad --add-host \"%.100s\": NAME:ADDRESS", text);
	strbuf_printf(out, "%s\t%s\n", colon + 1, name);
	return 0;
}

/* A file that the monitor writes into the state directory at each start, mounted on DESTINATION. */
static void add_file(struct building *b, const char *name, const char *destination)
{
	spec_build_mount(&b->spec, destination, "bind",
			 keep(b, xasprintf("%s/containers/%s/%s", b->engine->state, b->id, name)), "bind,rprivate");
}

static bool mounted_by_user(const struct building *b, const char *destination)
{
	for (size_t i = 0; i < b->spec.n_mounts; i++)
		if (streq(b->spec.mounts[i].destination, destination))
			return true;
	return false;
}

/* /etc/hosts and /etc/hostname, unless a volume stands there. A --rootfs directory keeps its own: ctr
 * creates nothing in a directory of the user's. */
static int add_files(struct building *b)
{
	struct strbuf hosts = {0};
	int r = 0;

	if (!b->has_image)
		return b->o->add_hosts.n ? refuse(-EINVAL, "--add-host does not go with --rootfs: edit its etc/hosts")
					 : 0;
	strbuf_puts(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (b->spec.hostname)
		strbuf_printf(&hosts, "127.0.1.1\t%s\n", b->spec.hostname);
	for (size_t i = 0; r == 0 && i < b->o->add_hosts.n; i++)
		r = add_host_line(&hosts, b->o->add_hosts.v[i]);
	if (r == 0 && !mounted_by_user(b, "/etc/hosts")) {
		b->record.hosts = xstrdup(strbuf_str(&hosts));
		add_file(b, RECORD_HOSTS, "/etc/hosts");
	}
	if (r == 0 && b->spec.hostname && !mounted_by_user(b, "/etc/hostname")) {
		b->record.hostname = xasprintf("%s\n", b->spec.hostname);
		add_file(b, RECORD_HOSTNAME, "/etc/hostname");
	}
	strbuf_free(&hosts);
	/* With the host's network its resolver is in reach: say where it is. */
	if (r == 0 && !b->spec.ns[NS_NET] && !mounted_by_user(b, "/etc/resolv.conf") &&
	    access("/etc/resolv.conf", R_OK) == 0)
		spec_build_mount(&b->spec, "/etc/resolv.conf", "bind", "/etc/resolv.conf", "bind,rprivate,ro");
	return r;
}

static void set_shm(struct building *b)
{
	for (size_t i = 0; i < b->spec.n_mounts; i++) {
		struct build_mount *m = &b->spec.mounts[i];

		if (!streq(m->destination, "/dev/shm"))
			continue;
		strv_free(&m->options);
		strv_split(&m->options, "nosuid,noexec,nodev,mode=1777", ',');
		strv_take(&m->options, xasprintf("size=%llu", (unsigned long long)b->o->shm_size));
	}
}

/* A later mount hides an earlier one: those nearer to the root come first, whatever their order was. */
static int by_depth(const void *x, const void *y)
{
	const struct build_mount *a = x, *b = y;
	unsigned int da = 0, db = 0;

	for (const char *p = a->destination; *p; p++)
		da += *p == '/' && p[1] && p[1] != '/';
	for (const char *p = b->destination; *p; p++)
		db += *p == '/' && p[1] && p[1] != '/';
	return da < db ? -1 : da > db;
}

int build_mounts(struct building *b)
{
	const struct container_opts *o = b->o;
	size_t own = b->spec.n_mounts;
	int r = 0;

	set_shm(b);
	for (size_t i = 0; r == 0 && i < o->tmpfs.n; i++)
		r = add_tmpfs_option(b, o->tmpfs.v[i]);
	for (size_t i = 0; r == 0 && i < o->mounts.n; i++)
		r = add_mount(b, o->mounts.v[i]);
	for (size_t i = 0; r == 0 && i < o->volumes.n; i++)
		r = add_volume(b, o->volumes.v[i]);
	if (r == 0)
		r = add_files(b);
	if (r == 0)
		qsort(b->spec.mounts + own, b->spec.n_mounts - own, sizeof(*b->spec.mounts), by_depth);
	b->spec.root_readonly = o->read_only;
	return r;
}
