/*
 * ctr inspect: all that is known of containers and images, under docker's names.
 *
 * What a container was asked to be is read from its config.json, as far as that says it: whatever is not
 * there, or not of the type that it should have, is empty here.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "runtime/caps.h"
#include "runtime/engine_spec.h"

/* Go's zero time, which docker gives for what has not happened. */
#define NO_TIME "0001-01-01T00:00:00Z"

struct inspect_opts {
	const char *format, *type;
};

static const struct opt inspect_table[] = {
	{OPT_STR, 'f', "format", "json|TEMPLATE", "How to print (default: a JSON array)",
	 offsetof(struct inspect_opts, format)},
	{OPT_STR, 0, "type", "container|image", "What the names are of (default: containers, then images)",
	 offsetof(struct inspect_opts, type)},
	OPT_END,
};

/* --- parts of config.json ----------------------------------------------------------------------------- */

/* The member that PATH ("linux.resources.memory") leads to, when it has TYPE, else NULL. */
static const struct json *find(const struct json *o, const char *path, enum json_type type)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	char *save = NULL;

	for (char *word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save))
		o = json_get(o, word);
	return o && o->type == type ? o : NULL;
}

static const char *find_str(const struct json *o, const char *path)
{
	const struct json *node = find(o, path, JSON_STRING);

	return node ? node->text : "";
}

static int64_t find_number(const struct json *o, const char *path)
{
	const struct json *node = find(o, path, JSON_NUMBER);
	int64_t v = 0;

	return node && parse_i64(node->text, INT64_MIN, INT64_MAX, &v) == 0 ? v : 0;
}

static bool find_bool(const struct json *o, const char *path)
{
	const struct json *node = find(o, path, JSON_BOOL);

	return node && node->boolean;
}

/* The list or map at PATH, or an empty one. */
static void put_found(struct json_writer *w, const char *key, const struct json *o, const char *path,
		      enum json_type type)
{
	const struct json *node = find(o, path, type);

	if (node) {
		json_put_node(w, key, node);
		return;
	}
	json_open(w, key, type == JSON_ARRAY ? '[' : '{');
	json_close(w, type == JSON_ARRAY ? ']' : '}');
}

static void put_empty(struct json_writer *w, const char *key, const char *brackets)
{
	json_open(w, key, brackets[0]);
	json_close(w, brackets[1]);
}

static bool has_word(const struct json *list, const char *word)
{
	json_each(item, list)
		if (item->type == JSON_STRING && streq(item->text, word))
			return true;
	return false;
}

/* --- a container: its state --------------------------------------------------------------------------- */

static bool runs(const struct found *f)
{
	return f->status == STATUS_RUNNING || f->status == STATUS_PAUSED;
}

static const char *time_or_none(const char *time)
{
	return time && *time ? time : NO_TIME;
}

static void put_state(struct json_writer *w, const struct found *f)
{
	bool now = f->state_dir >= 0;

	json_open(w, "State", '{');
	json_put_str(w, "Status", f->status == STATUS_STOPPED ? "exited" : status_name(f->status));
	json_put_bool(w, "Running", runs(f));
	json_put_bool(w, "Paused", f->status == STATUS_PAUSED);
	json_put_bool(w, "Restarting", false);
	json_put_bool(w, "OOMKilled", !now && f->exit.oom_killed);
	json_put_bool(w, "Dead", false);
	json_put_i64(w, "Pid", now ? f->state.init.pid : 0);
	json_put_i64(w, "ExitCode", now ? 0 : f->exit.code);
	json_put_str(w, "Error", !now && f->exit.error ? f->exit.error : "");
	json_put_str(w, "StartedAt", time_or_none(now ? f->state.created : f->exit.started));
	json_put_str(w, "FinishedAt", time_or_none(f->exit.finished));
	json_close(w, '}');
}

static void put_labels(struct json_writer *w, const struct strv *labels)
{
	json_open(w, "Labels", '{');
	for (size_t i = 0; i < labels->n; i++) {
		const char *eq = strchrnul(labels->v[i], '=');
		_cleanup_(freep) char *key = xstrndup(labels->v[i], (size_t)(eq - labels->v[i]));

		json_put_str(w, key, *eq ? eq + 1 : "");
	}
	json_close(w, '}');
}

/* The user as asked for, else as the numbers that this came to. */
static void put_user(struct json_writer *w, const struct json *config)
{
	const struct json *annotations = find(config, "annotations", JSON_OBJECT);
	const struct json *user = json_get(annotations, ANNOTATION_USER);
	char numbers[48];

	snprintf(numbers, sizeof(numbers), "%lld:%lld", (long long)find_number(config, "process.user.uid"),
		 (long long)find_number(config, "process.user.gid"));
	json_put_str(w, "User", user && user->type == JSON_STRING ? user->text : numbers);
}

static void put_config(struct json_writer *w, const struct record *r, const struct json *config)
{
	json_open(w, "Config", '{');
	json_put_str(w, "Hostname", find_str(config, "hostname"));
	json_put_str(w, "Domainname", find_str(config, "domainname"));
	put_user(w, config);
	put_found(w, "Env", config, "process.env", JSON_ARRAY);
	json_put_strs(w, "Cmd", (const char *const *)r->command.v, r->command.n);
	json_put_str(w, "Image", r->image ? r->image : "");
	json_put_str(w, "WorkingDir", find_str(config, "process.cwd"));
	put_labels(w, &r->labels);
	put_found(w, "Annotations", config, "annotations", JSON_OBJECT);
	json_put_bool(w, "Tty", r->tty);
	json_put_bool(w, "OpenStdin", r->interactive);
	json_put_str(w, "StopSignal", r->stop_signal ? r->stop_signal : "");
	json_put_u64(w, "StopTimeout", r->stop_timeout_s);
	json_close(w, '}');
}

/* --- a container: mounts ------------------------------------------------------------------------------ */

/* A mount that the user asked for: the record lists it as "SOURCE:DESTINATION" or with ":ro". */
static bool asked_for(const struct record *r, const struct json *mount)
{
	_cleanup_(freep) char *plain = xasprintf("%s:%s", find_str(mount, "source"), find_str(mount, "destination"));

	for (size_t i = 0; i < r->mounts.n; i++) {
		const char *rest = after_prefix(r->mounts.v[i], plain);
		if (rest && (!*rest || streq(rest, ":ro")))
			return true;
	}
	return false;
}

static bool is_bind(const struct json *options, const char *type)
{
	return streq(type, "bind") || has_word(options, "bind") || has_word(options, "rbind");
}

static const char *propagation(const struct json *options)
{
	static const char *const words[] = {"rprivate", "private", "rslave",      "slave",
					    "rshared",  "shared",  "runbindable", "unbindable"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (has_word(options, words[i]))
			return words[i];
	return "";
}

static void put_mounts(struct json_writer *w, const struct record *r, const struct json *config)
{
	json_open(w, "Mounts", '[');
	json_each(m, find(config, "mounts", JSON_ARRAY)) {
		const struct json *options = find(m, "options", JSON_ARRAY);
		const char *type = find_str(m, "type");
		bool read_only = has_word(options, "ro") || has_word(options, "rro");

		if (!asked_for(r, m))
			continue;
		json_open(w, NULL, '{');
		json_put_str(w, "Type", is_bind(options, type) ? "bind" : type);
		json_put_str(w, "Source", is_bind(options, type) ? find_str(m, "source") : "");
		json_put_str(w, "Destination", find_str(m, "destination"));
		json_put_str(w, "Mode", read_only ? "ro" : "");
		json_put_bool(w, "RW", !read_only);
		json_put_str(w, "Propagation", propagation(options));
		put_found(w, "Options", m, "options", JSON_ARRAY);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_binds(struct json_writer *w, const struct record *r, const struct json *config)
{
	json_open(w, "Binds", '[');
	json_each(m, find(config, "mounts", JSON_ARRAY)) {
		const struct json *options = find(m, "options", JSON_ARRAY);

		if (!asked_for(r, m) || !is_bind(options, find_str(m, "type")))
			continue;
		_cleanup_(freep) char *bind = xasprintf("%s:%s%s", find_str(m, "source"), find_str(m, "destination"),
							has_word(options, "ro") ? ":ro" : "");
		json_put_str(w, NULL, bind);
	}
	json_close(w, ']');
	json_open(w, "Tmpfs", '{');
	json_each(m, find(config, "mounts", JSON_ARRAY)) {
		_cleanup_(strbuf_free) struct strbuf options = {0};

		if (!asked_for(r, m) || !streq(find_str(m, "type"), "tmpfs"))
			continue;
		json_each(o, find(m, "options", JSON_ARRAY))
			if (o->type == JSON_STRING)
				strbuf_printf(&options, "%s%s", options.len ? "," : "", o->text);
		json_put_str(w, find_str(m, "destination"), strbuf_str(&options));
	}
	json_close(w, '}');
}

/* --- a container: what of the host it has ------------------------------------------------------------- */

/* The size that /dev/shm was given, as its option says it. */
static uint64_t shm_size(const struct json *config)
{
	uint64_t size = 0;

	json_each(m, find(config, "mounts", JSON_ARRAY)) {
		if (!streq(find_str(m, "destination"), "/dev/shm"))
			continue;
		json_each(o, find(m, "options", JSON_ARRAY)) {
			const char *v = o->type == JSON_STRING ? after_prefix(o->text, "size=") : NULL;

			if (v)
				parse_bytes(v, &size);
		}
	}
	return size;
}

static void put_resources(struct json_writer *w, const struct json *config)
{
	const struct json *r = find(config, "linux.resources", JSON_OBJECT);
	int64_t quota = find_number(r, "cpu.quota"), period = find_number(r, "cpu.period"), nano;

	if (period <= 0)
		period = 100000; /* the kernel's */
	if (quota <= 0 || __builtin_mul_overflow(quota, INT64_C(1000000000), &nano))
		nano = 0;
	json_put_i64(w, "Memory", find_number(r, "memory.limit"));
	json_put_i64(w, "MemoryReservation", find_number(r, "memory.reservation"));
	json_put_i64(w, "MemorySwap", find_number(r, "memory.swap"));
	json_put_i64(w, "NanoCpus", nano / period);
	json_put_i64(w, "CpuShares", find_number(r, "cpu.shares"));
	json_put_i64(w, "CpuPeriod", find_number(r, "cpu.period"));
	json_put_i64(w, "CpuQuota", quota);
	json_put_str(w, "CpusetCpus", find_str(r, "cpu.cpus"));
	json_put_str(w, "CpusetMems", find_str(r, "cpu.mems"));
	json_put_i64(w, "PidsLimit", find_number(r, "pids.limit"));
	json_put_i64(w, "BlkioWeight", find_number(r, "blockIO.weight"));
	put_found(w, "CgroupConf", r, "unified", JSON_OBJECT);
	json_put_i64(w, "OomScoreAdj", find_number(config, "process.oomScoreAdj"));
	json_put_u64(w, "ShmSize", shm_size(config));
	put_found(w, "Ulimits", config, "process.rlimits", JSON_ARRAY);
	put_found(w, "Sysctls", config, "linux.sysctl", JSON_OBJECT);
	put_found(w, "Devices", config, "linux.devices", JSON_ARRAY);
}

/* "private", "host", or "ns:PATH" for one that is joined. */
static void put_ns_mode(struct json_writer *w, const char *key, const struct json *config, const char *type)
{
	_cleanup_(freep) char *mode = xstrdup("host");

	json_each(ns, find(config, "linux.namespaces", JSON_ARRAY)) {
		if (!streq(find_str(ns, "type"), type))
			continue;
		const char *path = find_str(ns, "path");
		free(mode);
		mode = *path ? xasprintf("ns:%s", path) : xstrdup("private");
	}
	json_put_str(w, key, mode);
}

static uint64_t cap_set(const struct json *config)
{
	uint64_t set = 0;

	json_each(c, find(config, "process.capabilities.bounding", JSON_ARRAY)) {
		int cap = c->type == JSON_STRING ? cap_by_name(c->text) : -1;

		set |= cap >= 0 ? UINT64_C(1) << cap : 0;
	}
	return set;
}

static void put_caps(struct json_writer *w, const char *key, uint64_t set)
{
	json_open(w, key, '[');
	for (int i = 0; cap_name(i); i++)
		if (set & UINT64_C(1) << i)
			json_put_str(w, NULL, cap_name(i));
	json_close(w, ']');
}

static void put_fences(struct json_writer *w, const struct json *config)
{
	const struct json *annotations = find(config, "annotations", JSON_OBJECT);
	const struct json *profile = find(config, "linux.seccomp", JSON_OBJECT);
	uint64_t caps = cap_set(config), all = caps_all();
	bool seccomp = profile || json_get(annotations, ANNOTATION_SECCOMP);
	bool unmasked = !find(config, "linux.maskedPaths", JSON_ARRAY);
	const char *apparmor = find_str(config, "process.apparmorProfile");

	json_put_bool(w, "Privileged", all && (caps & all) == all && !seccomp && unmasked);
	put_caps(w, "CapAdd", caps & ~CAPS_DEFAULT);
	put_caps(w, "CapDrop", CAPS_DEFAULT & ~caps);
	json_open(w, "SecurityOpt", '[');
	if (!seccomp)
		json_put_str(w, NULL, "seccomp=unconfined");
	if (find_bool(config, "process.noNewPrivileges"))
		json_put_str(w, NULL, "no-new-privileges");
	if (unmasked)
		json_put_str(w, NULL, "systempaths=unconfined");
	if (*apparmor) {
		_cleanup_(freep) char *option = xasprintf("apparmor=%s", apparmor);
		json_put_str(w, NULL, option);
	}
	json_close(w, ']');
	put_found(w, "MaskedPaths", config, "linux.maskedPaths", JSON_ARRAY);
	put_found(w, "ReadonlyPaths", config, "linux.readonlyPaths", JSON_ARRAY);
	json_put_bool(w, "ReadonlyRootfs", find_bool(config, "root.readonly"));
}

static void put_host_config(struct json_writer *w, const struct record *r, const struct json *config)
{
	json_open(w, "HostConfig", '{');
	put_binds(w, r, config);
	json_put_str(w, "NetworkMode", r->network ? r->network : "");
	put_ns_mode(w, "IpcMode", config, "ipc");
	put_ns_mode(w, "PidMode", config, "pid");
	put_ns_mode(w, "UTSMode", config, "uts");
	put_ns_mode(w, "UsernsMode", config, "user");
	put_ns_mode(w, "CgroupnsMode", config, "cgroup");
	json_put_bool(w, "AutoRemove", r->remove);
	put_fences(w, config);
	put_resources(w, config);
	json_open(w, "LogConfig", '{');
	json_put_str(w, "Type", r->log_none ? "none" : "k8s-file");
	json_open(w, "Config", '{');
	if (r->log_max && !r->log_none) {
		_cleanup_(freep) char *max = xasprintf("%llu", (unsigned long long)r->log_max);
		json_put_str(w, "max-size", max);
	}
	json_close(w, '}');
	json_close(w, '}');
	json_open(w, "RestartPolicy", '{');
	json_put_str(w, "Name", "no");
	json_put_i64(w, "MaximumRetryCount", 0);
	json_close(w, '}');
	json_close(w, '}');
}

static void put_network(struct json_writer *w, const struct found *f)
{
	_cleanup_(freep) char *key = runs(f) ? xasprintf("/proc/%d/ns/net", (int)f->state.init.pid) : xstrdup("");
	const struct record *r = &f->record;

	json_open(w, "NetworkSettings", '{');
	json_put_str(w, "SandboxKey", key);
	json_put_strs(w, "Ports", (const char *const *)r->ports.v, r->ports.n);
	json_put_str(w, "IPAddress", "");
	json_put_str(w, "Gateway", "");
	json_put_str(w, "MacAddress", "");
	json_open(w, "Networks", '{');
	if (r->network)
		put_empty(w, r->network, "{}");
	json_close(w, '}');
	json_close(w, '}');
}

/* Where the layers and the writable one are; ROOT is the store, HOME the container's folder in it. */
static void put_driver(struct json_writer *w, const struct record *r, const char *root, const char *home)
{
	_cleanup_(strbuf_free) struct strbuf lower = {0};
	_cleanup_(freep) char *upper = xasprintf("%s/upper", home), *work = xasprintf("%s/work", home);

	json_open(w, "GraphDriver", '{');
	json_put_str(w, "Name", r->rootfs ? "rootfs" : "overlay");
	json_open(w, "Data", '{');
	if (r->rootfs) {
		json_put_str(w, "Rootfs", r->rootfs);
	} else {
		/* As overlayfs has it: the top one first. */
		for (size_t i = r->layers.n; i-- > 0;)
			strbuf_printf(&lower, "%s/layers/%s/fs%s", root, r->layers.v[i], i ? ":" : "");
		json_put_str(w, "LowerDir", strbuf_str(&lower));
		json_put_str(w, "UpperDir", upper);
		json_put_str(w, "WorkDir", work);
	}
	json_close(w, '}');
	json_close(w, '}');
}

/* --- a container: all of it --------------------------------------------------------------------------- */

static void put_paths(struct json_writer *w, const struct found *f)
{
	const char *given = cli_engine()->root;
	char resolved[PATH_MAX];
	const char *root = realpath(given, resolved) ? resolved : given;
	_cleanup_(freep) char *home = xasprintf("%s/containers/%s", root, f->record.id);
	_cleanup_(freep) char *log = xasprintf("%s/" RECORD_LOG, home), *config = xasprintf("%s/" STATE_CONFIG, home);
	const char *cgroup = f->state.cgroup ? f->state.cgroup : f->record.cgroup;

	json_put_str(w, "LogPath", f->record.log_none ? "" : log);
	json_put_str(w, "OCIConfigPath", config);
	json_put_str(w, "CgroupPath", cgroup ? cgroup : "");
	put_driver(w, &f->record, root, home);
}

static void put_container(struct json_writer *w, const struct found *f, const struct json *config)
{
	const struct record *r = &f->record;
	const struct json *args = find(config, "process.args", JSON_ARRAY);

	json_open(w, NULL, '{');
	json_put_str(w, "Id", r->id);
	json_put_str(w, "Name", r->name);
	json_put_str(w, "Created", r->created);
	json_put_str(w, "Path", args && args->child && args->child->type == JSON_STRING ? args->child->text : "");
	json_open(w, "Args", '[');
	for (const struct json *a = args && args->child ? args->child->next : NULL; a; a = a->next)
		json_put_node(w, NULL, a);
	json_close(w, ']');
	put_state(w, f);
	json_put_str(w, "Image", r->image_id ? r->image_id : "");
	json_put_str(w, "ImageName", r->image ? r->image : "");
	json_put_str(w, "Rootfs", r->rootfs ? r->rootfs : "");
	put_config(w, r, config);
	put_host_config(w, r, config);
	put_mounts(w, r, config);
	put_network(w, f);
	json_put_i64(w, "monitorPid", f->state_dir >= 0 ? f->state.monitor.pid : 0);
	put_paths(w, f);
	json_close(w, '}');
}

static int inspect_container(struct json_writer *w, const char *name)
{
	_cleanup_(freep) char *text = NULL;
	struct json_doc config = {0};
	struct found f;
	size_t len;
	int r = record_open(cli_engine(), name, &f);

	if (r < 0)
		return r;
	/* A container whose config is lost or damaged is one to look at all the more. */
	r = read_file_at(f.dir, STATE_CONFIG, SPEC_TEXT_MAX, &text, &len);
	if (r < 0)
		warning("cannot read the config.json of container %s: %s", f.record.name, strerror(-r));
	else if (json_parse(text, len, STATE_CONFIG, &config) < 0)
		warning("container %s: %s", f.record.name, error_text());
	put_container(w, &f, config.root);
	json_free(&config);
	found_close(&f);
	return 0;
}

/* --- an image ----------------------------------------------------------------------------------------- */

/* A list of names as docker has it: a map from each to nothing. */
static void put_set(struct json_writer *w, const char *key, const char *const *names, size_t n)
{
	json_open(w, key, '{');
	for (size_t i = 0; i < n; i++)
		put_empty(w, names[i], "{}");
	json_close(w, '}');
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void put_image_config(struct json_writer *w, const struct image_config *c)
{
	json_open(w, "Config", '{');
	json_put_str(w, "User", or_empty(c->user));
	put_set(w, "ExposedPorts", c->ports, c->n_ports);
	json_put_strs(w, "Env", c->env, c->n_env);
	json_put_strs(w, "Entrypoint", c->entrypoint, c->n_entrypoint);
	json_put_strs(w, "Cmd", c->cmd, c->n_cmd);
	put_set(w, "Volumes", c->volumes, c->n_volumes);
	json_put_str(w, "WorkingDir", or_empty(c->workdir));
	if (c->labels)
		json_put_node(w, "Labels", c->labels);
	else
		put_empty(w, "Labels", "{}");
	json_put_str(w, "StopSignal", or_empty(c->stop_signal));
	json_close(w, '}');
}

/* Member by member: what else a stranger put there, and how deep, is not ours to show. */
static void put_history(struct json_writer *w, const struct image_config *c)
{
	json_open(w, "History", '[');
	json_each(step, find(c->doc.root, "history", JSON_ARRAY)) {
		json_open(w, NULL, '{');
		json_put_str(w, "created", find_str(step, "created"));
		json_put_str(w, "created_by", find_str(step, "created_by"));
		json_put_str(w, "comment", find_str(step, "comment"));
		json_put_bool(w, "empty_layer", find_bool(step, "empty_layer"));
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_image(struct json_writer *w, const struct image *img, const struct image_config *c)
{
	char created[36];

	json_open(w, NULL, '{');
	json_put_str(w, "Id", img->id);
	json_put_str(w, "Digest", or_empty(img->manifest));
	json_open(w, "RepoTags", '[');
	for (size_t i = 0; i < img->names.n; i++)
		if (!strchr(img->names.v[i], '@'))
			json_put_str(w, NULL, img->names.v[i]);
	json_close(w, ']');
	json_open(w, "RepoDigests", '[');
	for (size_t i = 0; i < img->names.n; i++)
		if (strchr(img->names.v[i], '@'))
			json_put_str(w, NULL, img->names.v[i]);
	json_close(w, ']');
	json_put_str(w, "Created", img->created_ns ? clock_rfc3339(img->created_ns, created) : NO_TIME);
	json_put_str(w, "Author", or_empty(c->author));
	json_put_str(w, "Architecture", or_empty(c->architecture));
	json_put_str(w, "Os", or_empty(c->os));
	json_put_u64(w, "Size", img->size);
	put_image_config(w, c);
	json_open(w, "RootFS", '{');
	json_put_str(w, "Type", "layers");
	json_put_strs(w, "Layers", c->diff_ids, c->n_diff_ids);
	json_close(w, '}');
	json_put_strs(w, "ChainIDs", (const char *const *)img->layers.v, img->layers.n);
	put_history(w, c);
	json_close(w, '}');
}

static int find_image(struct store *s, const char *name, struct image *img)
{
	_cleanup_(freep) char *id = NULL;
	int r = cli_find_image(s, name, img);

	if (r < 0)
		return r;
	/* By its id once more: then with all its names. */
	id = xstrdup(img->id);
	image_free(img);
	return image_find(s, id, img);
}

static int inspect_image(struct json_writer *w, const char *name)
{
	struct image_config config;
	struct image img;
	struct store s;
	int r = cli_store(&s);

	if (r < 0)
		return r;
	r = find_image(&s, name, &img);
	if (r == 0) {
		r = image_config(&s, &img, &config);
		if (r == 0) {
			put_image(w, &img, &config);
			image_config_free(&config);
		}
		image_free(&img);
	}
	store_close(&s);
	return r;
}

/* --- the verb ----------------------------------------------------------------------------------------- */

static int inspect_one(struct json_writer *w, const char *name, const char *type)
{
	bool image = type && streq(type, "image"), container = type && streq(type, "container");
	int r = image ? -ENOENT : inspect_container(w, name);

	if (r != -ENOENT || container)
		return r;
	r = inspect_image(w, name);
	if (r == -ENOENT && !image)
		return refuse(r, "no container or image %.140s (see `ctr ps -a` and `ctr images`)", name);
	return r;
}

static int print_json(const struct json *list)
{
	_cleanup_(strbuf_free) struct strbuf text = {0}, shown = {0};
	struct json_writer w = {.out = &text, .indent = 2};

	json_put_node(&w, NULL, list);
	json_show(&shown, strbuf_str(&text));
	strbuf_putc(&shown, '\n');
	out_write(shown.p, shown.len);
	return 0;
}

static int print_result(const struct json *list, const char *format, bool single)
{
	if (!format)
		return print_json(list);
	if (streq(format, "json"))
		return print_json(single && list->child ? list->child : list);
	json_each(item, list) {
		int r = template_print(format, item);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_options(const struct inspect_opts *o)
{
	if (o->type && !streq(o->type, "image") && !streq(o->type, "container"))
		return refuse(-EINVAL, "--type must be container or image, not %.32s", o->type);
	if (!o->format || streq(o->format, "json"))
		return 0;
	if (!strstr(o->format, "{{"))
		return refuse(-EINVAL, "--format takes json or a template such as '{{.State.Status}}', not \"%.64s\"",
			      o->format);
	return template_check(o->format);
}

static int inspect_run(void *opts, int argc, char **argv)
{
	const struct inspect_opts *o = opts;
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	struct json_doc doc = {0};
	int status = 0, r = check_options(o);

	if (r < 0)
		return r;
	json_open(&w, NULL, '[');
	for (int i = 0; i < argc; i++)
		if (inspect_one(&w, argv[i], o->type) < 0)
			status = cli_report();
	json_close(&w, ']');
	r = json_parse(text.p, text.len, "the result", &doc);
	if (r == 0)
		r = print_result(doc.root, o->format, argc == 1);
	json_free(&doc);
	return r < 0 ? r : status;
}

const struct verb verb_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] CONTAINER|IMAGE...",
	.summary = "Show all that is known of containers and images",
	.details = "Prints a JSON array with an object for each name, under docker's names. With --format json and one "
		   "name it is that object alone.",
	.examples = "$ ctr inspect web\n"
		    "$ ctr inspect --format '{{.State.Status}} {{.State.ExitCode}}' web\n"
		    "$ ctr inspect --format json web | jq .monitorPid\n"
		    "$ ctr inspect --type image --format '{{join .Config.Env \"\\n\"}}' busybox\n",
	.group = "Containers",
	.opts = inspect_table,
	.opts_size = sizeof(struct inspect_opts),
	.min_args = 1,
	.max_args = -1,
	.run = inspect_run,
};
