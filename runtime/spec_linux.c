/* The "linux" section of the spec. */
#include <errno.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/sys.h"
#include "runtime/spec.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const struct ns_info ns_info[NS_TYPES] = {
	[NS_USER] = {"user", "user", CLONE_NEWUSER},
	[NS_MOUNT] = {"mount", "mnt", CLONE_NEWNS},
	[NS_PID] = {"pid", "pid", CLONE_NEWPID},
	[NS_NET] = {"network", "net", CLONE_NEWNET},
	[NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC},
	[NS_UTS] = {"uts", "uts", CLONE_NEWUTS},
	[NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP},
	[NS_TIME] = {"time", "time", CLONE_NEWTIME},
};

static int parse_namespaces(const struct json *linux_, struct spec *spec)
{
	const struct json *list = NULL;
	int r = json_want_array(linux_, "namespaces", &list);

	json_each(item, list) {
		const char *type = "";
		int t;

		if ((r = json_expect(item, JSON_OBJECT)) < 0 || (r = json_want_str(item, "type", &type)) < 0)
			return r;
		for (t = 0; t < NS_TYPES && !streq(type, ns_info[t].name); t++)
			;
		if (t == NS_TYPES)
			return json_refuse(item, "has an unknown type \"%.40s\"", type);
		if (spec->ns[t].asked)
			return json_refuse(item, "names the %s namespace a second time", type);
		spec->ns[t].asked = true;
		if ((r = json_want_str(item, "path", &spec->ns[t].path)) < 0)
			return r;
		if (spec->ns[t].path && !*spec->ns[t].path)
			spec->ns[t].path = NULL;
		if (spec->ns[t].path && spec->ns[t].path[0] != '/')
			return json_refuse(item, "needs an absolute path");
	}
	return r;
}

int spec_parse_id_maps(const struct json *obj, const char *key, struct id_maps *maps)
{
	const struct json *list = NULL;
	int r = json_want_array(obj, key, &list);
	if (r < 0 || !list)
		return r;

	maps->v = xcalloc(list->count, sizeof(*maps->v));
	json_each(item, list) {
		struct id_map *m = &maps->v[maps->n++];

		if ((r = json_expect(item, JSON_OBJECT)) < 0 ||
		    (r = json_want_u32(item, "containerID", &m->container)) < 0 ||
		    (r = json_want_u32(item, "hostID", &m->host)) < 0 ||
		    (r = json_want_u32(item, "size", &m->size)) < 0)
			return r;
		if (m->size == 0 || m->container > UINT32_MAX - m->size || m->host > UINT32_MAX - m->size)
			return json_refuse(item, "is empty or reaches beyond the last id");
	}
	return 0;
}

static int parse_time_offsets(const struct json *linux_, struct spec *spec)
{
	static const char *const clocks[] = {"monotonic", "boottime"};
	const struct json *offsets = NULL;
	int r = json_want_object(linux_, "timeOffsets", &offsets);

	for (int i = 0; r == 0 && i < 2; i++) {
		const struct json *o = NULL;

		if ((r = json_want_object(offsets, clocks[i], &o)) == 0 &&
		    (r = json_want_i64(o, "secs", INT64_MIN / 2, INT64_MAX / 2, &spec->time_offset_s[i])) == 0)
			r = json_want_u32(o, "nanosecs", &spec->time_offset_ns[i]);
		if (r == 0 && spec->time_offset_ns[i] >= 1000000000)
			return json_refuse(o, "has nanosecs of a second or more");
	}
	if (r == 0 && offsets && !spec->ns[NS_TIME].asked)
		return json_refuse(offsets, "needs a time namespace in linux.namespaces");
	return r;
}

static int parse_device(const struct json *item, struct device_spec *d)
{
	const char *type = "";
	uint64_t mode = 0666;
	int r;

	if ((r = json_expect(item, JSON_OBJECT)) < 0 || (r = json_want_str(item, "type", &type)) < 0 ||
	    (r = json_want_str(item, "path", &d->path)) < 0 || (r = json_want_u32(item, "major", &d->major)) < 0 ||
	    (r = json_want_u32(item, "minor", &d->minor)) < 0 ||
	    (r = json_want_u64(item, "fileMode", 0177777, &mode)) < 0 ||
	    (r = json_want_u32(item, "uid", &d->uid)) < 0 || (r = json_want_u32(item, "gid", &d->gid)) < 0)
		return r;
	if (strlen(type) != 1 || !strchr("bcpu", type[0]))
		return json_refuse(item, "has an unknown type \"%.20s\" (b, c, u or p)", type);
	if (!d->path || d->path[0] != '/')
		return json_refuse(item, "needs an absolute path");
	d->type = type[0] == 'u' ? 'c' : type[0];
	d->mode = (mode_t)mode & 07777; /* podman writes the whole st_mode */
	return 0;
}

static int parse_devices(const struct json *linux_, struct spec *spec)
{
	const struct json *list = NULL;
	int r = json_want_array(linux_, "devices", &list);
	if (r < 0 || !list)
		return r;

	spec->devices = xcalloc(list->count, sizeof(*spec->devices));
	json_each(item, list)
		if ((r = parse_device(item, &spec->devices[spec->n_devices++])) < 0)
			return r;
	return 0;
}

static int parse_device_rule(const struct json *item, struct device_rule *rule)
{
	const char *type = "a", *access = "rwm";
	int r;

	*rule = (struct device_rule){.major = -1, .minor = -1};
	if ((r = json_expect(item, JSON_OBJECT)) < 0 || (r = json_want_bool(item, "allow", &rule->allow)) < 0 ||
	    (r = json_want_str(item, "type", &type)) < 0 ||
	    (r = json_want_i64(item, "major", -1, UINT32_MAX, &rule->major)) < 0 ||
	    (r = json_want_i64(item, "minor", -1, UINT32_MAX, &rule->minor)) < 0 ||
	    (r = json_want_str(item, "access", &access)) < 0)
		return r;
	if (!*type)
		type = "a";
	if (!*access)
		access = "rwm";
	if (strlen(type) != 1 || !strchr("abcu", type[0]))
		return json_refuse(item, "has an unknown type \"%.20s\" (a, b or c)", type);
	if (strspn(access, "rwm") != strlen(access))
		return json_refuse(item, "has an access of \"%.20s\" (letters of rwm)", access);
	rule->type = type[0] == 'u' ? 'c' : type[0];
	rule->read = strchr(access, 'r');
	rule->write = strchr(access, 'w');
	rule->mknod = strchr(access, 'm');
	return 0;
}

/* After the caller's own rules: the standard nodes and terminals, and mknod of anything, which gives no
 * access by itself. Every runtime adds these, and callers count on it. */
static const struct device_rule standard_rules[] = {
	{.allow = true, .type = 'c', .major = -1, .minor = -1, .mknod = true},
	{.allow = true, .type = 'b', .major = -1, .minor = -1, .mknod = true},
	{.allow = true, .type = 'c', .major = 1, .minor = 3, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 1, .minor = 5, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 1, .minor = 7, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 1, .minor = 8, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 1, .minor = 9, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 5, .minor = 0, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 5, .minor = 2, .read = true, .write = true, .mknod = true},
	{.allow = true, .type = 'c', .major = 136, .minor = -1, .read = true, .write = true, .mknod = true},
};

static int parse_device_rules(const struct json *res, struct cgroup_limits *limits)
{
	const struct json *list = NULL;
	int r = json_want_array(res, "devices", &list);
	if (r < 0 || !list)
		return r;

	struct device_rule *rules = xcalloc(list->count + ARRAY_SIZE(standard_rules), sizeof(*rules));
	limits->devices = rules;
	json_each(item, list)
		if ((r = parse_device_rule(item, &rules[limits->n_devices++])) < 0)
			return r;
	if (limits->n_devices) {
		memcpy(rules + limits->n_devices, standard_rules, sizeof(standard_rules));
		limits->n_devices += ARRAY_SIZE(standard_rules);
	}
	return 0;
}

static int parse_memory(const struct json *res, struct cgroup_limits *l)
{
	const struct json *m = NULL;
	int r;

	/* kernel, kernelTCP, swappiness and disableOOMKiller are cgroup v1 only; the spec lets v2 ignore them. */
	if ((r = json_want_object(res, "memory", &m)) < 0 ||
	    (r = json_want_i64(m, "limit", -1, INT64_MAX, &l->memory_max)) < 0 ||
	    (r = json_want_i64(m, "reservation", -1, INT64_MAX, &l->memory_low)) < 0 ||
	    (r = json_want_i64(m, "swap", -1, INT64_MAX, &l->memory_swap)) < 0)
		return r;
	return json_want_bool(m, "checkBeforeUpdate", &l->memory_check_before_update);
}

static int parse_cpu(const struct json *res, struct cgroup_limits *l)
{
	const struct json *c = NULL;
	int r;

	if ((r = json_want_object(res, "cpu", &c)) < 0 ||
	    (r = json_want_i64(c, "shares", 0, INT64_MAX, &l->cpu_shares)) < 0 ||
	    (r = json_want_i64(c, "quota", -1, INT64_MAX, &l->cpu_quota)) < 0 ||
	    (r = json_want_i64(c, "period", 0, INT64_MAX, &l->cpu_period)) < 0 ||
	    (r = json_want_i64(c, "burst", 0, INT64_MAX, &l->cpu_burst)) < 0 ||
	    (r = json_want_i64(c, "idle", 0, 1, &l->cpu_idle)) < 0 || (r = json_want_str(c, "cpus", &l->cpus)) < 0 ||
	    (r = json_want_str(c, "mems", &l->mems)) < 0)
		return r;
	/* Callers write 0 for "not set" (podman, docker). */
	if (l->cpu_shares == 0)
		l->cpu_shares = LIMIT_UNSET;
	if (l->cpu_quota == 0)
		l->cpu_quota = LIMIT_UNSET;
	if (l->cpu_period == 0)
		l->cpu_period = LIMIT_UNSET;
	if (l->cpus && !*l->cpus)
		l->cpus = NULL;
	if (l->mems && !*l->mems)
		l->mems = NULL;
	return 0;
}

/* The limit for MAJOR:MINOR in the list, made when it is not there yet. */
static struct io_limit *io_limit_for(struct io_limit *list, size_t *n, uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i].major == major && list[i].minor == minor)
			return &list[i];
	list[*n] = (struct io_limit){major, minor, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET};
	return &list[(*n)++];
}

static int parse_block_io(const struct json *res, struct cgroup_limits *l)
{
	static const struct {
		const char *key, *value;
		size_t offset;
	} lists[] = {
		{"weightDevice", "weight", offsetof(struct io_limit, weight)},
		{"throttleReadBpsDevice", "rate", offsetof(struct io_limit, rbps)},
		{"throttleWriteBpsDevice", "rate", offsetof(struct io_limit, wbps)},
		{"throttleReadIOPSDevice", "rate", offsetof(struct io_limit, riops)},
		{"throttleWriteIOPSDevice", "rate", offsetof(struct io_limit, wiops)},
	};
	const struct json *io = NULL, *list[ARRAY_SIZE(lists)] = {0};
	size_t total = 0;
	int r;

	if ((r = json_want_object(res, "blockIO", &io)) < 0 ||
	    (r = json_want_i64(io, "weight", 0, 1000, &l->io_weight)) < 0)
		return r;
	if (l->io_weight == 0)
		l->io_weight = LIMIT_UNSET;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if ((r = json_want_array(io, lists[i].key, &list[i])) < 0)
			return r;
		total += list[i] ? list[i]->count : 0;
	}
	if (!total)
		return 0;
	struct io_limit *limits = xcalloc(total, sizeof(*limits));
	l->io = limits;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_each(item, list[i]) {
			uint32_t major = 0, minor = 0;

			if ((r = json_expect(item, JSON_OBJECT)) < 0 ||
			    (r = json_want_u32(item, "major", &major)) < 0 ||
			    (r = json_want_u32(item, "minor", &minor)) < 0)
				return r;
			struct io_limit *limit = io_limit_for(limits, &l->n_io, major, minor);
			int64_t *field = (int64_t *)((char *)limit + lists[i].offset);
			if ((r = json_want_i64(item, lists[i].value, 0, INT64_MAX, field)) < 0)
				return r;
		}
	}
	return 0;
}

static int parse_hugepages(const struct json *res, struct cgroup_limits *l)
{
	const struct json *list = NULL;
	int r = json_want_array(res, "hugepageLimits", &list);
	if (r < 0 || !list)
		return r;

	struct hugepage_limit *limits = xcalloc(list->count, sizeof(*limits));
	l->hugepages = limits;
	json_each(item, list) {
		struct hugepage_limit *h = &limits[l->n_hugepages++];

		h->page_size = "";
		if ((r = json_expect(item, JSON_OBJECT)) < 0 ||
		    (r = json_want_str(item, "pageSize", &h->page_size)) < 0 ||
		    (r = json_want_u64(item, "limit", UINT64_MAX, &h->limit)) < 0)
			return r;
		if (!*h->page_size || strspn(h->page_size, "0123456789KMGB") != strlen(h->page_size))
			return json_refuse(item, "has a page size of \"%.20s\" (2MB, 1GB)", h->page_size);
	}
	return 0;
}

/* An object of strings as a key_value array. */
static int parse_strings(const struct json *obj, const char *key, struct key_value **out, size_t *n)
{
	const struct json *map = NULL;
	int r = json_want_object(obj, key, &map);
	if (r < 0 || !map)
		return r;

	*out = xcalloc(map->count, sizeof(**out));
	json_each(item, map) {
		if ((r = json_expect(item, JSON_STRING)) < 0)
			return r;
		(*out)[(*n)++] = (struct key_value){item->key, item->text};
	}
	return 0;
}

static int parse_resources(const struct json *linux_, struct spec *spec)
{
	struct cgroup_limits *l = &spec->limits;
	const struct json *res = NULL, *pids = NULL;
	struct key_value *unified = NULL;
	int r;

	if ((r = json_want_object(linux_, "resources", &res)) < 0 || !res)
		return r;
	if ((r = parse_device_rules(res, l)) < 0 || (r = parse_memory(res, l)) < 0 || (r = parse_cpu(res, l)) < 0 ||
	    (r = parse_block_io(res, l)) < 0 || (r = parse_hugepages(res, l)) < 0 ||
	    (r = json_want_object(res, "pids", &pids)) < 0 ||
	    (r = json_want_i64(pids, "limit", INT64_MIN + 1, INT64_MAX, &l->pids_max)) < 0)
		return r;
	/* 0 and below mean no limit; see the spec's pids section. */
	if (l->pids_max != LIMIT_UNSET && l->pids_max <= 0)
		l->pids_max = LIMIT_MAX;
	r = parse_strings(res, "unified", &unified, &l->n_unified);
	l->unified = unified;
	return r;
}

static int parse_personality(const struct json *linux_, struct spec *spec)
{
	const struct json *p = NULL;
	const char *domain = "";
	int r;

	if ((r = json_want_object(linux_, "personality", &p)) < 0 || !p)
		return r;
	if ((r = json_want_str(p, "domain", &domain)) < 0)
		return r;
	spec->has_personality = true;
	if (streq(domain, "LINUX32"))
		spec->personality = PER_LINUX32;
	else if (!streq(domain, "LINUX"))
		return json_refuse(p, "has an unknown domain \"%.20s\" (LINUX, LINUX32)", domain);
	return 0;
}

static int parse_root_propagation(const struct json *linux_, struct spec *spec)
{
	const char *word = "";
	int r = json_want_str(linux_, "rootfsPropagation", &word);
	if (r < 0 || !*word)
		return r;

	/* "shared" means what "rshared" does: the spec's four words are all recursive in practice. */
	spec->root_propagation = mount_propagation(word);
	if (!spec->root_propagation)
		return refuse(-EINVAL,
			      "linux.rootfsPropagation must be shared, slave, private or unbindable, not \"%.20s\"",
			      word);
	spec->root_propagation |= MS_REC;
	return 0;
}

static int refuse_later(const struct json *linux_)
{
	static const char *const later[] = {"intelRdt", "mountLabel", "netDevices", "memoryPolicy"};

	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		const struct json *m = json_get(linux_, later[i]);

		if (m && !(m->type == JSON_STRING && !*m->text) && !(m->type >= JSON_ARRAY && m->count == 0)) {
			json_refuse(m, "is not supported by this version of ctr; remove it from the config");
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int spec_parse_linux(const struct json *linux_, struct spec *spec)
{
	int r;

	if (!linux_)
		return 0;
	if ((r = refuse_later(linux_)) < 0 || (r = parse_namespaces(linux_, spec)) < 0 ||
	    (r = spec_parse_id_maps(linux_, "uidMappings", &spec->uid_maps)) < 0 ||
	    (r = spec_parse_id_maps(linux_, "gidMappings", &spec->gid_maps)) < 0 ||
	    (r = parse_time_offsets(linux_, spec)) < 0 || (r = parse_devices(linux_, spec)) < 0 ||
	    (r = json_want_str(linux_, "cgroupsPath", &spec->cgroup_path)) < 0 ||
	    (r = parse_resources(linux_, spec)) < 0 ||
	    (r = parse_strings(linux_, "sysctl", &spec->sysctls, &spec->n_sysctls)) < 0 ||
	    (r = json_want_strs(linux_, "maskedPaths", &spec->masked_paths, &spec->n_masked)) < 0 ||
	    (r = json_want_strs(linux_, "readonlyPaths", &spec->readonly_paths, &spec->n_readonly)) < 0 ||
	    (r = parse_root_propagation(linux_, spec)) < 0 ||
	    (r = json_want_object(linux_, "seccomp", &spec->seccomp)) < 0 || (r = parse_personality(linux_, spec)) < 0)
		return r;
	bool maps = spec->uid_maps.n && spec->gid_maps.n;
	if (spec->ns[NS_USER].asked && !spec->ns[NS_USER].path && !maps)
		return refuse(-EINVAL, "a new user namespace needs linux.uidMappings and linux.gidMappings");
	if (!spec->ns[NS_USER].asked && (spec->uid_maps.n || spec->gid_maps.n))
		return refuse(-EINVAL, "linux.uidMappings without a user namespace in linux.namespaces");
	return 0;
}
