#include "runtime/spec_build.h"

#include <stdlib.h>

#include "runtime/caps.h"

static const char *const masked[] = {
	"/proc/asound",     "/proc/acpi",          "/proc/interrupts",  "/proc/kcore",
	"/proc/keys",       "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
	"/proc/timer_list", "/proc/timer_stats",   "/sys/firmware",     "/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

static const struct {
	const char *destination, *type, *source, *options;
} mounts[] = {
	{"/proc", "proc", "proc", "nosuid,noexec,nodev"},
	{"/dev", "tmpfs", "tmpfs", "nosuid,noexec,strictatime,mode=755,size=65536k"},
	{"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
	{"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"},
	{"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
	{"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
	{"/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

/* Deny everything; spec_parse adds the nodes that every container has. */
static const struct device_rule device_rules[] = {
	{.allow = false, .type = 'a', .major = -1, .minor = -1, .read = true, .write = true, .mknod = true},
};

struct build_mount *spec_build_mount(struct spec_build *b, const char *destination, const char *type,
				     const char *source, const char *options)
{
	b->mounts = xreallocarray(b->mounts, b->n_mounts + 1, sizeof(*b->mounts));
	struct build_mount *m = &b->mounts[b->n_mounts++];

	*m = (struct build_mount){.destination = destination, .type = type, .source = source};
	if (options && *options)
		strv_split(&m->options, options, ',');
	return m;
}

void spec_build_default(struct spec_build *b)
{
	*b = (struct spec_build){.cwd = "/", .root_path = "rootfs", .umask = -1, .limits = CGROUP_LIMITS_NONE};
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		spec_build_mount(b, mounts[i].destination, mounts[i].type, mounts[i].source, mounts[i].options);
	for (int t = 0; t < NS_TYPES; t++)
		b->ns[t] = t != NS_USER && t != NS_TIME;
	b->caps.bounding = b->caps.effective = b->caps.permitted = CAPS_DEFAULT;
	b->limits.devices = device_rules;
	b->limits.n_devices = ARRAY_SIZE(device_rules);
}

void spec_build_free(struct spec_build *b)
{
	for (size_t i = 0; i < b->n_mounts; i++)
		strv_free(&b->mounts[i].options);
	free(b->mounts);
	b->mounts = NULL;
	b->n_mounts = 0;
}

static void write_caps(struct json_writer *w, const char *key, uint64_t set)
{
	json_open(w, key, '[');
	for (int i = 0; cap_name(i); i++)
		if (set & UINT64_C(1) << i)
			json_put_str(w, NULL, cap_name(i));
	json_close(w, ']');
}

static void write_user(const struct spec_build *b, struct json_writer *w)
{
	json_open(w, "user", '{');
	json_put_u64(w, "uid", b->uid);
	json_put_u64(w, "gid", b->gid);
	if (b->umask >= 0)
		json_put_i64(w, "umask", b->umask);
	if (b->n_groups) {
		json_open(w, "additionalGids", '[');
		for (size_t i = 0; i < b->n_groups; i++)
			json_put_u64(w, NULL, b->groups[i]);
		json_close(w, ']');
	}
	json_close(w, '}');
}

static void write_process(const struct spec_build *b, struct json_writer *w)
{
	json_open(w, "process", '{');
	json_put_bool(w, "terminal", b->terminal);
	if (b->rows || b->columns) {
		json_open(w, "consoleSize", '{');
		json_put_u64(w, "height", b->rows);
		json_put_u64(w, "width", b->columns);
		json_close(w, '}');
	}
	write_user(b, w);
	json_put_strs(w, "args", b->args, b->n_args);
	json_put_strs(w, "env", b->env, b->n_env);
	json_put_str(w, "cwd", b->cwd);
	json_open(w, "capabilities", '{');
	write_caps(w, "bounding", b->caps.bounding);
	write_caps(w, "effective", b->caps.effective);
	write_caps(w, "permitted", b->caps.permitted);
	if (b->caps.ambient)
		write_caps(w, "ambient", b->caps.ambient);
	json_close(w, '}');
	if (b->n_rlimits) {
		json_open(w, "rlimits", '[');
		for (size_t i = 0; i < b->n_rlimits; i++) {
			json_open(w, NULL, '{');
			json_put_str(w, "type", b->rlimits[i].name);
			json_put_u64(w, "soft", b->rlimits[i].soft);
			json_put_u64(w, "hard", b->rlimits[i].hard);
			json_close(w, '}');
		}
		json_close(w, ']');
	}
	json_put_bool(w, "noNewPrivileges", b->no_new_privs);
	if (b->has_oom)
		json_put_i64(w, "oomScoreAdj", b->oom_score_adj);
	if (b->apparmor)
		json_put_str(w, "apparmorProfile", b->apparmor);
	json_close(w, '}');
}

static void write_mounts(const struct spec_build *b, struct json_writer *w)
{
	json_open(w, "mounts", '[');
	for (size_t i = 0; i < b->n_mounts; i++) {
		const struct build_mount *m = &b->mounts[i];

		json_open(w, NULL, '{');
		json_put_str(w, "destination", m->destination);
		json_put_str(w, "type", m->type);
		json_put_str(w, "source", m->source);
		json_put_strs(w, "options", (const char *const *)m->options.v, m->options.n);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void write_namespaces(const struct spec_build *b, struct json_writer *w)
{
	json_open(w, "namespaces", '[');
	for (int t = 0; t < NS_TYPES; t++) {
		if (!b->ns[t])
			continue;
		json_open(w, NULL, '{');
		json_put_str(w, "type", ns_info[t].name);
		if (b->ns_path[t])
			json_put_str(w, "path", b->ns_path[t]);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void write_maps(const struct spec_build *b, struct json_writer *w, const char *key)
{
	if (!b->maps.n)
		return;
	json_open(w, key, '[');
	for (size_t i = 0; i < b->maps.n; i++) {
		json_open(w, NULL, '{');
		json_put_u64(w, "containerID", b->maps.v[i].container);
		json_put_u64(w, "hostID", b->maps.v[i].host);
		json_put_u64(w, "size", b->maps.v[i].size);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void write_devices(const struct spec_build *b, struct json_writer *w)
{
	if (!b->n_devices)
		return;
	json_open(w, "devices", '[');
	for (size_t i = 0; i < b->n_devices; i++) {
		const struct device_spec *d = &b->devices[i];

		json_open(w, NULL, '{');
		json_put_str(w, "path", d->path);
		json_put_str(w, "type", (char[]){d->type, '\0'});
		json_put_u64(w, "major", d->major);
		json_put_u64(w, "minor", d->minor);
		json_put_u64(w, "fileMode", d->mode);
		json_put_u64(w, "uid", d->uid);
		json_put_u64(w, "gid", d->gid);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void write_device_rules(const struct cgroup_limits *l, struct json_writer *w)
{
	json_open(w, "devices", '[');
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct device_rule *r = &l->devices[i];
		char access[4] = "", *p = access;

		*p = 'r', p += r->read;
		*p = 'w', p += r->write;
		*p = 'm', p += r->mknod;
		*p = '\0';
		json_open(w, NULL, '{');
		json_put_bool(w, "allow", r->allow);
		if (r->type != 'a')
			json_put_str(w, "type", (char[]){r->type, '\0'});
		if (r->major >= 0)
			json_put_i64(w, "major", r->major);
		if (r->minor >= 0)
			json_put_i64(w, "minor", r->minor);
		json_put_str(w, "access", access);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* A number of the limits that may be unset. */
struct limit_field {
	const char *key;
	int64_t value;
};

static void write_limits(struct json_writer *w, const char *key, const struct limit_field *f, size_t n,
			 const char *cpus, const char *mems)
{
	bool any = cpus || mems;

	for (size_t i = 0; i < n; i++)
		any |= f[i].value != LIMIT_UNSET;
	if (!any)
		return;
	json_open(w, key, '{');
	for (size_t i = 0; i < n; i++)
		if (f[i].value != LIMIT_UNSET)
			json_put_i64(w, f[i].key, f[i].value);
	if (cpus)
		json_put_str(w, "cpus", cpus);
	if (mems)
		json_put_str(w, "mems", mems);
	json_close(w, '}');
}

static void write_io(const struct cgroup_limits *l, struct json_writer *w)
{
	static const struct {
		const char *key;
		size_t offset;
	} lists[] = {{"throttleReadBpsDevice", offsetof(struct io_limit, rbps)},
		     {"throttleWriteBpsDevice", offsetof(struct io_limit, wbps)},
		     {"throttleReadIOPSDevice", offsetof(struct io_limit, riops)},
		     {"throttleWriteIOPSDevice", offsetof(struct io_limit, wiops)}};

	if (!l->n_io && l->io_weight == LIMIT_UNSET)
		return;
	json_open(w, "blockIO", '{');
	if (l->io_weight != LIMIT_UNSET)
		json_put_i64(w, "weight", l->io_weight);
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		json_open(w, lists[k].key, '[');
		for (size_t i = 0; i < l->n_io; i++) {
			int64_t rate = *(const int64_t *)((const char *)&l->io[i] + lists[k].offset);

			if (rate == LIMIT_UNSET)
				continue;
			json_open(w, NULL, '{');
			json_put_u64(w, "major", l->io[i].major);
			json_put_u64(w, "minor", l->io[i].minor);
			json_put_i64(w, "rate", rate);
			json_close(w, '}');
		}
		json_close(w, ']');
	}
	json_close(w, '}');
}

static void write_strings(struct json_writer *w, const char *key, const struct key_value *v, size_t n)
{
	if (!n)
		return;
	json_open(w, key, '{');
	for (size_t i = 0; i < n; i++)
		json_put_str(w, v[i].key, v[i].value);
	json_close(w, '}');
}

static void write_resources(const struct cgroup_limits *l, struct json_writer *w)
{
	const struct limit_field memory[] = {
		{"limit", l->memory_max}, {"reservation", l->memory_low}, {"swap", l->memory_swap}};
	const struct limit_field cpu[] = {{"shares", l->cpu_shares},
					  {"quota", l->cpu_quota},
					  {"period", l->cpu_period},
					  {"burst", l->cpu_burst},
					  {"idle", l->cpu_idle}};
	const struct limit_field pids[] = {{"limit", l->pids_max}};

	json_open(w, "resources", '{');
	write_device_rules(l, w);
	write_limits(w, "memory", memory, ARRAY_SIZE(memory), NULL, NULL);
	write_limits(w, "cpu", cpu, ARRAY_SIZE(cpu), l->cpus, l->mems);
	write_limits(w, "pids", pids, ARRAY_SIZE(pids), NULL, NULL);
	write_io(l, w);
	write_strings(w, "unified", l->unified, l->n_unified);
	json_close(w, '}');
}

static void write_time_offsets(const struct spec_build *b, struct json_writer *w)
{
	const struct limit_field secs[] = {{"secs", b->monotonic_offset_s}}, boot[] = {{"secs", b->boot_offset_s}};

	if (!b->boot_offset_s && !b->monotonic_offset_s)
		return;
	json_open(w, "timeOffsets", '{');
	write_limits(w, "monotonic", secs, 1, NULL, NULL);
	write_limits(w, "boottime", boot, 1, NULL, NULL);
	json_close(w, '}');
}

static void write_linux(const struct spec_build *b, struct json_writer *w)
{
	json_open(w, "linux", '{');
	write_namespaces(b, w);
	write_maps(b, w, "uidMappings");
	write_maps(b, w, "gidMappings");
	write_time_offsets(b, w);
	write_devices(b, w);
	if (b->cgroup_path)
		json_put_str(w, "cgroupsPath", b->cgroup_path);
	write_resources(&b->limits, w);
	write_strings(w, "sysctl", b->sysctls, b->n_sysctls);
	if (b->seccomp)
		json_put_node(w, "seccomp", b->seccomp);
	if (!b->unmasked) {
		json_put_strs(w, "maskedPaths", masked, ARRAY_SIZE(masked));
		json_put_strs(w, "readonlyPaths", read_only, ARRAY_SIZE(read_only));
	}
	json_close(w, '}');
}

void spec_build_write(const struct spec_build *b, unsigned int indent, struct strbuf *out)
{
	struct json_writer w = {.out = out, .indent = indent};

	json_open(&w, NULL, '{');
	json_put_str(&w, "ociVersion", SPEC_VERSION);
	write_process(b, &w);
	json_open(&w, "root", '{');
	json_put_str(&w, "path", b->root_path);
	json_put_bool(&w, "readonly", b->root_readonly);
	json_close(&w, '}');
	if (b->hostname)
		json_put_str(&w, "hostname", b->hostname);
	if (b->domainname)
		json_put_str(&w, "domainname", b->domainname);
	write_mounts(b, &w);
	write_strings(&w, "annotations", b->annotations, b->n_annotations);
	write_linux(b, &w);
	json_close(&w, '}');
}
