#include "images/config.h"

#include <limits.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "images/ref.h"

/* Bounds on counts: far above any real image, low enough that no list here is a burden. */
#define LIST_MAX 10000
#define USER_MAX 256

/* Go's names (image-spec config.md, "architecture") and uname(2)'s for those that Linux runs on. */
static const struct {
	const char *go, *uname;
} architectures[] = {
	{"amd64", "x86_64"},        {"arm64", "aarch64"},   {"386", "i686"},    {"arm", "armv7l"},
	{"riscv64", "riscv64"},     {"ppc64le", "ppc64le"}, {"ppc64", "ppc64"}, {"s390x", "s390x"},
	{"loong64", "loongarch64"}, {"mips64le", "mips64"}, {"mips64", NULL},   {"mipsle", NULL},
	{"mips", "mips"},           {"sparc64", "sparc64"}, {"wasm", NULL},
};

static const char *const systems[] = {"linux",   "windows", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly",
				      "solaris", "illumos", "aix",    "android", "plan9",  "js",      "wasip1"};

const char *image_host_architecture(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].uname && streq(architectures[i].uname, u.machine))
			return architectures[i].go;
	return u.machine[0] == 'a' ? "arm" : u.machine[0] == 'i' ? "386" : "amd64";
}

static bool known_architecture(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (streq(architectures[i].go, s))
			return true;
	return false;
}

static bool known_system(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (streq(systems[i], s))
			return true;
	return false;
}

/* A string member; "" counts as absent. */
static int want_text(const struct json *obj, const char *key, const char **out)
{
	int r = json_want_str(obj, key, out);

	if (r == 0 && *out && !**out)
		*out = NULL;
	return r;
}

/* The same for a value that must stay on its line wherever it is written. */
static int want_line(const struct json *obj, const char *key, size_t max, const char **out)
{
	int r = want_text(obj, key, out);

	if (r < 0 || !*out)
		return r;
	if (has_control(*out))
		return json_refuse(json_get(obj, key), "holds a control character");
	if (strlen(*out) > max)
		return json_refuse(json_get(obj, key), "is longer than %zu bytes", max);
	return 0;
}

static int check_path(const struct json *node, const char *path)
{
	if (path[0] != '/')
		return json_refuse(node, "must be an absolute path");
	if (strlen(path) >= PATH_MAX)
		return json_refuse(node, "is longer than a path can be");
	if (has_control(path))
		return json_refuse(node, "holds a control character");
	return 0;
}

static int want_list(const struct json *obj, const char *key, const char ***out, size_t *n)
{
	const struct json *m = json_get(obj, key);

	if (m && m->count > LIST_MAX)
		return json_refuse(m, "has more than %d elements", LIST_MAX);
	return json_want_strs(obj, key, out, n);
}

/* Env: NAME=VALUE each; a value may hold anything, a name no control character. */
static int want_env(const struct json *obj, struct image_config *c)
{
	int r = want_list(obj, "Env", &c->env, &c->n_env);
	if (r < 0 || !c->env)
		return r;
	json_each(item, json_get(obj, "Env")) {
		size_t name = strcspn(item->text, "=");

		if (name == 0 || !item->text[name])
			return json_refuse(item, "must be NAME=VALUE");
		for (size_t i = 0; i < name; i++)
			if ((unsigned char)item->text[i] < 0x20 || item->text[i] == 0x7f)
				return json_refuse(item, "has a control character in its name");
	}
	return 0;
}

/* The form of a port: N or N-M, then optionally /tcp, /udp or /sctp. */
static bool port_valid(const char *s)
{
	for (int part = 0; part < 2; part++) {
		size_t n = strspn(s, "0123456789");
		uint64_t port;
		char digits[8];

		if (n == 0 || n > 5)
			return false;
		memcpy(digits, s, n);
		digits[n] = '\0';
		if (parse_u64(digits, 65535, &port) < 0)
			return false;
		s += n;
		if (*s != '-')
			break;
		s++;
	}
	return !*s || streq(s, "/tcp") || streq(s, "/udp") || streq(s, "/sctp");
}

static int check_port(const struct json *node)
{
	return port_valid(node->key) ? 0 : json_refuse(node, "is not a port such as 80/tcp");
}

static int check_volume(const struct json *node)
{
	return check_path(node, node->key);
}

/* The keys of an object whose values mean nothing (Go's map[string]struct{}). */
static int want_keys(const struct json *obj, const char *key, int (*check)(const struct json *node), const char ***out,
		     size_t *n)
{
	const struct json *m = NULL;
	int r = json_want_object(obj, key, &m);
	if (r < 0 || !m)
		return r;
	if (m->count > LIST_MAX)
		return json_refuse(m, "has more than %d members", LIST_MAX);

	_cleanup_(freep) const char **list = xcalloc(m->count + 1, sizeof(*list));
	size_t i = 0;
	json_each(item, m) {
		r = check(item);
		if (r < 0)
			return r;
		list[i++] = item->key;
	}
	*out = take_ptr(&list);
	*n = i;
	return 0;
}

static int want_labels(const struct json *obj, struct image_config *c)
{
	int r = json_want_object(obj, "Labels", &c->labels);
	if (r < 0 || !c->labels)
		return r;
	if (c->labels->count > LIST_MAX)
		return json_refuse(c->labels, "has more than %d members", LIST_MAX);
	json_each(item, c->labels) {
		r = json_expect(item, JSON_STRING);
		if (r < 0)
			return r;
	}
	return 0;
}

static int want_stop_signal(const struct json *obj, struct image_config *c)
{
	int r = want_text(obj, "StopSignal", &c->stop_signal);
	if (r < 0 || !c->stop_signal)
		return r;
	size_t n = strspn(c->stop_signal, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-");
	if (n > 16 || c->stop_signal[n])
		return json_refuse(json_get(obj, "StopSignal"), "is not a signal such as SIGTERM or 15");
	return 0;
}

/* The member "config": what a container of this image is started with. */
static int parse_run(const struct json *root, struct image_config *c)
{
	const struct json *run = NULL;
	int r = json_want_object(root, "config", &run);
	if (r < 0 || !run)
		return r;

	r = want_line(run, "User", USER_MAX, &c->user);
	if (r == 0)
		r = want_line(run, "WorkingDir", PATH_MAX - 1, &c->workdir);
	if (r == 0 && c->workdir)
		r = check_path(json_get(run, "WorkingDir"), c->workdir);
	if (r == 0)
		r = want_env(run, c);
	if (r == 0)
		r = want_list(run, "Entrypoint", &c->entrypoint, &c->n_entrypoint);
	if (r == 0)
		r = want_list(run, "Cmd", &c->cmd, &c->n_cmd);
	if (r == 0)
		r = want_keys(run, "Volumes", check_volume, &c->volumes, &c->n_volumes);
	if (r == 0)
		r = want_keys(run, "ExposedPorts", check_port, &c->ports, &c->n_ports);
	if (r == 0)
		r = want_labels(run, c);
	return r == 0 ? want_stop_signal(run, c) : r;
}

static int parse_rootfs(const struct json *root, struct image_config *c)
{
	const struct json *rootfs = NULL;
	const char *type = NULL;
	int r = json_want_object(root, "rootfs", &rootfs);
	if (r == 0 && !rootfs)
		return json_refuse(root, "has no member rootfs: it is not an image config");
	if (r == 0)
		r = json_want_str(rootfs, "type", &type);
	if (r == 0 && (!type || !streq(type, "layers")))
		return json_refuse(rootfs, "must have the type \"layers\"");
	if (r == 0)
		r = json_want_strs(rootfs, "diff_ids", &c->diff_ids, &c->n_diff_ids);
	if (r < 0)
		return r;
	if (c->n_diff_ids > IMAGE_LAYERS_MAX)
		return json_refuse(json_get(rootfs, "diff_ids"), "has more than %d layers", IMAGE_LAYERS_MAX);
	json_each(item, json_get(rootfs, "diff_ids"))
		if (!digest_valid(item->text))
			return json_refuse(item, "is not a sha256 or sha512 digest");
	return 0;
}

static int parse_platform(const struct json *root, struct image_config *c)
{
	int r = want_text(root, "architecture", &c->architecture);

	if (r == 0 && c->architecture && !known_architecture(c->architecture))
		return json_refuse(json_get(root, "architecture"), "is no known architecture: '%.40s'",
				   c->architecture);
	if (r == 0)
		r = want_text(root, "os", &c->os);
	if (r == 0 && c->os && !known_system(c->os))
		return json_refuse(json_get(root, "os"), "is no known operating system: '%.40s'", c->os);
	return r;
}

int image_config_parse(const char *text, size_t len, struct image_config *config)
{
	*config = (struct image_config){0};
	if (len > IMAGE_CONFIG_MAX)
		return refuse(-EINVAL, "the image config has %zu bytes; the limit is %u", len, IMAGE_CONFIG_MAX);
	int r = json_parse(text, len, "the image config", &config->doc);
	if (r < 0)
		return r;

	const struct json *root = config->doc.root;
	r = json_expect(root, JSON_OBJECT);
	if (r == 0)
		r = parse_platform(root, config);
	if (r == 0)
		r = want_line(root, "created", 64, &config->created);
	if (r == 0)
		r = want_line(root, "author", 1024, &config->author);
	if (r == 0)
		r = parse_run(root, config);
	if (r == 0)
		r = parse_rootfs(root, config);
	if (r < 0) {
		r = fail_in(r, "image config");
		image_config_free(config);
	}
	return r;
}

void image_config_free(struct image_config *config)
{
	free(config->env);
	free(config->entrypoint);
	free(config->cmd);
	free(config->volumes);
	free(config->ports);
	free(config->diff_ids);
	json_free(&config->doc);
	*config = (struct image_config){0};
}
