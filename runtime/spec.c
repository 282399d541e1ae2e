#include "runtime/spec.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/fd.h"
#include "runtime/caps.h"

/* The spec's names; RLIMIT_* numbers are the architecture's. */
static const struct {
	const char *name;
	int resource;
} rlimit_names[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

static int parse_rlimits(const struct json *obj, struct process_spec *p)
{
	const struct json *list = NULL;
	int r = json_want_array(obj, "rlimits", &list);
	if (r < 0 || !list)
		return r;

	p->rlimits = xcalloc(list->count, sizeof(*p->rlimits));
	json_each(item, list) {
		struct rlimit_spec *l = &p->rlimits[p->n_rlimits++];
		const char *type = "";

		if ((r = json_expect(item, JSON_OBJECT)) < 0 || (r = json_want_str(item, "type", &type)) < 0 ||
		    (r = json_want_u64(item, "soft", UINT64_MAX, &l->soft)) < 0 ||
		    (r = json_want_u64(item, "hard", UINT64_MAX, &l->hard)) < 0)
			return r;
		l->resource = -1;
		for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
			if (streq(type, rlimit_names[i].name))
				l->resource = rlimit_names[i].resource;
		if (l->resource < 0)
			return json_refuse(item, "has an unknown type \"%s\" (RLIMIT_NOFILE, ...)", type);
		if (l->soft > l->hard)
			return json_refuse(item, "has a soft limit above the hard one");
	}
	return 0;
}

static int parse_user(const struct json *obj, struct process_spec *p)
{
	const struct json *user = NULL, *groups = NULL;
	uint32_t uid = 0, gid = 0;
	uint64_t mask = UINT64_MAX;
	int r;

	p->umask = -1;
	if ((r = json_want_object(obj, "user", &user)) < 0 || (r = json_want_u32(user, "uid", &uid)) < 0 ||
	    (r = json_want_u32(user, "gid", &gid)) < 0 || (r = json_want_u64(user, "umask", 0777, &mask)) < 0 ||
	    (r = json_want_array(user, "additionalGids", &groups)) < 0)
		return r;
	/* (uid_t)-1 means "no change" to setresuid(2): the process would stay root. */
	if (uid == UINT32_MAX || gid == UINT32_MAX)
		return json_refuse(user, "has an id of 4294967295, which is no id");
	p->uid = uid;
	p->gid = gid;
	if (mask != UINT64_MAX)
		p->umask = (int)mask;
	if (!groups)
		return 0;
	p->groups = xcalloc(groups->count, sizeof(*p->groups));
	json_each(item, groups) {
		uint64_t g;

		if (item->type != JSON_NUMBER || parse_u64(item->text, UINT32_MAX - 1, &g) < 0)
			return json_refuse(item, "must be a group id");
		p->groups[p->n_groups++] = (gid_t)g;
	}
	return 0;
}

static int parse_cap_set(const struct json *caps, const char *key, uint64_t *set)
{
	const struct json *list = NULL;
	int r = json_want_array(caps, key, &list);

	json_each(item, list) {
		if ((r = json_expect(item, JSON_STRING)) < 0)
			return r;
		int cap = cap_by_name(item->text);
		/* As the spec says: what cannot be granted is warned about, not refused. */
		if (cap < 0)
			warning("unknown capability %s ignored", item->text);
		else
			*set |= UINT64_C(1) << cap;
	}
	return r;
}

static int parse_caps(const struct json *obj, struct process_spec *p)
{
	const struct json *caps = NULL;
	int r = json_want_object(obj, "capabilities", &caps);
	if (r < 0 || !caps)
		return r;

	p->has_caps = true;
	if ((r = parse_cap_set(caps, "bounding", &p->caps.bounding)) < 0 ||
	    (r = parse_cap_set(caps, "effective", &p->caps.effective)) < 0 ||
	    (r = parse_cap_set(caps, "permitted", &p->caps.permitted)) < 0 ||
	    (r = parse_cap_set(caps, "inheritable", &p->caps.inheritable)) < 0 ||
	    (r = parse_cap_set(caps, "ambient", &p->caps.ambient)) < 0)
		return r;
	return 0;
}

static int parse_io_priority(const struct json *obj, struct process_spec *p)
{
	static const char *const classes[] = {"", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"};
	const struct json *io = NULL;
	const char *class = "";
	int64_t priority = 0;
	int r;

	if ((r = json_want_object(obj, "ioPriority", &io)) < 0 || !io)
		return r;
	if ((r = json_want_str(io, "class", &class)) < 0 || (r = json_want_i64(io, "priority", 0, 7, &priority)) < 0)
		return r;
	for (int i = 1; i < (int)ARRAY_SIZE(classes); i++)
		if (streq(class, classes[i]))
			p->io_class = i;
	if (!p->io_class)
		return json_refuse(io, "has an unknown class \"%s\"", class);
	p->io_priority = (int)priority;
	return 0;
}

static int parse_console_size(const struct json *obj, struct process_spec *p)
{
	const struct json *size = NULL;
	uint64_t rows = 0, columns = 0;
	int r;

	if ((r = json_want_object(obj, "consoleSize", &size)) < 0 ||
	    (r = json_want_u64(size, "height", UINT16_MAX, &rows)) < 0 ||
	    (r = json_want_u64(size, "width", UINT16_MAX, &columns)) < 0)
		return r;
	p->rows = (unsigned short)rows;
	p->columns = (unsigned short)columns;
	return 0;
}

static int parse_oom(const struct json *obj, struct process_spec *p)
{
	int64_t adj = INT64_MIN;
	int r = json_want_i64(obj, "oomScoreAdj", -1000, 1000, &adj);

	if (r == 0 && adj != INT64_MIN) {
		p->has_oom_score_adj = true;
		p->oom_score_adj = (int)adj;
	}
	return r;
}

/* Sections that are not done yet and may not be dropped in silence. */
static int refuse_members(const struct json *obj, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct json *m = json_get(obj, names[i]);

		if (m && !(m->type == JSON_STRING && !*m->text) && !((m->type >= JSON_ARRAY) && m->count == 0)) {
			json_refuse(m, "is not supported by this version of ctr; remove it from the config");
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int spec_parse_process(const struct json *obj, struct process_spec *p)
{
	static const char *const later[] = {"scheduler", "execCPUAffinity", "selinuxLabel"};
	int r;

	*p = (struct process_spec){.cwd = "/", .umask = -1};
	if ((r = json_expect(obj, JSON_OBJECT)) < 0 || (r = refuse_members(obj, later, ARRAY_SIZE(later))) < 0 ||
	    (r = json_want_bool(obj, "terminal", &p->terminal)) < 0 || (r = parse_console_size(obj, p)) < 0 ||
	    (r = parse_user(obj, p)) < 0 || (r = json_want_str(obj, "cwd", &p->cwd)) < 0 ||
	    (r = json_want_strs(obj, "args", &p->args, &p->n_args)) < 0 ||
	    (r = json_want_strs(obj, "env", &p->env, &p->n_env)) < 0 || (r = parse_caps(obj, p)) < 0 ||
	    (r = parse_rlimits(obj, p)) < 0 || (r = json_want_bool(obj, "noNewPrivileges", &p->no_new_privs)) < 0 ||
	    (r = parse_oom(obj, p)) < 0 || (r = json_want_str(obj, "apparmorProfile", &p->apparmor)) < 0 ||
	    (r = parse_io_priority(obj, p)) < 0)
		return r;
	if (p->cwd[0] != '/')
		return json_refuse(obj, "needs an absolute cwd, not \"%s\"", p->cwd);
	if (p->n_args == 0)
		return json_refuse(obj, "has no args: there is nothing to run");
	return 0;
}

static int parse_hooks(const struct json *root, struct spec *spec)
{
	static const char *const names[HOOK_POINTS] = {"prestart",       "createRuntime", "createContainer",
						       "startContainer", "poststart",     "poststop"};
	const struct json *hooks = NULL, *list;
	int r = json_want_object(root, "hooks", &hooks);

	for (int i = 0; r == 0 && i < HOOK_POINTS; i++) {
		list = NULL;
		if ((r = json_want_array(hooks, names[i], &list)) < 0 || !list)
			continue;
		spec->hooks[i].v = xcalloc(list->count, sizeof(struct hook_spec));
		json_each(item, list) {
			struct hook_spec *h = &spec->hooks[i].v[spec->hooks[i].n++];

			if ((r = json_expect(item, JSON_OBJECT)) < 0 ||
			    (r = json_want_str(item, "path", &h->path)) < 0 ||
			    (r = json_want_strs(item, "args", &h->args, NULL)) < 0 ||
			    (r = json_want_strs(item, "env", &h->env, NULL)) < 0 ||
			    (r = json_want_u64(item, "timeout", INT_MAX / 1000, &h->timeout_s)) < 0)
				return r;
			if (!h->path || h->path[0] != '/')
				return json_refuse(item, "needs an absolute path");
		}
	}
	return r;
}

static int parse_mount(const struct json *item, struct mount_spec *m)
{
	_cleanup_(freep) const char **options = NULL;
	size_t n = 0;
	int r;

	m->node = item;
	if ((r = json_expect(item, JSON_OBJECT)) < 0 || (r = json_want_str(item, "destination", &m->destination)) < 0 ||
	    (r = json_want_str(item, "type", &m->type)) < 0 || (r = json_want_str(item, "source", &m->source)) < 0 ||
	    (r = json_want_strs(item, "options", &options, &n)) < 0 ||
	    (r = spec_parse_id_maps(item, "uidMappings", &m->uid_maps)) < 0 ||
	    (r = spec_parse_id_maps(item, "gidMappings", &m->gid_maps)) < 0)
		return r;
	if (!m->destination || !*m->destination)
		return json_refuse(item, "has no destination");
	m->data = xcalloc(n + 1, sizeof(*m->data));
	for (size_t i = 0; i < n; i++)
		if (mount_spec_option(m, options[i]) < 0)
			return json_refuse(item, "has an option that does not fit: %s", options[i]);
	if (m->type && streq(m->type, "bind"))
		m->special |= m->special & MOUNT_RECURSIVE ? 0 : MOUNT_BIND;
	if (m->special & (MOUNT_BIND | MOUNT_RECURSIVE))
		m->special |= MOUNT_BIND;
	if ((m->special & MOUNT_BIND) && !(m->special & MOUNT_REMOUNT) && (!m->source || !*m->source))
		return json_refuse(item, "is a bind mount without a source");
	if (!m->type)
		m->type = m->special & MOUNT_BIND ? "bind" : "";
	if (!*m->type && !(m->special & MOUNT_REMOUNT))
		return json_refuse(item, "has no type");
	return 0;
}

static int parse_mounts(const struct json *root, struct spec *spec)
{
	const struct json *list = NULL;
	int r = json_want_array(root, "mounts", &list);
	if (r < 0 || !list)
		return r;

	spec->mounts = xcalloc(list->count, sizeof(*spec->mounts));
	json_each(item, list)
		if ((r = parse_mount(item, &spec->mounts[spec->n_mounts++])) < 0)
			return r;
	return 0;
}

static int parse_annotations(const struct json *root, struct spec *spec)
{
	int r = json_want_object(root, "annotations", &spec->annotations);

	json_each(item, spec->annotations)
		if ((r = json_expect(item, JSON_STRING)) < 0)
			return r;
	return r;
}

static int parse_version(const struct json *root, struct spec *spec)
{
	int r = json_want_str(root, "ociVersion", &spec->version);
	if (r < 0)
		return r;
	if (!spec->version)
		return refuse(-EINVAL, "ociVersion is missing: this is not an OCI runtime config");
	if (!after_prefix(spec->version, "1."))
		return refuse(-EINVAL, "ociVersion %.40s is not supported (1.x is)", spec->version);
	return 0;
}

static int parse_top(const struct json *root, struct spec *spec)
{
	static const char *const later[] = {"vm", "solaris", "windows", "zos", "freebsd"};
	const struct json *process = NULL, *rootfs = NULL, *linux_ = NULL;
	int r;

	if ((r = json_expect(root, JSON_OBJECT)) < 0 || (r = parse_version(root, spec)) < 0 ||
	    (r = refuse_members(root, later, ARRAY_SIZE(later))) < 0 ||
	    (r = json_want_object(root, "root", &rootfs)) < 0 ||
	    (r = json_want_str(rootfs, "path", &spec->root_path)) < 0 ||
	    (r = json_want_bool(rootfs, "readonly", &spec->root_readonly)) < 0 ||
	    (r = json_want_str(root, "hostname", &spec->hostname)) < 0 ||
	    (r = json_want_str(root, "domainname", &spec->domainname)) < 0 ||
	    (r = json_want_object(root, "process", &process)) < 0 || (r = parse_mounts(root, spec)) < 0 ||
	    (r = parse_hooks(root, spec)) < 0 || (r = parse_annotations(root, spec)) < 0 ||
	    (r = json_want_object(root, "linux", &linux_)) < 0 || (r = spec_parse_linux(linux_, spec)) < 0)
		return r;
	if (!spec->root_path || !*spec->root_path)
		return refuse(-EINVAL, "root.path is missing");
	if (process) {
		spec->has_process = true;
		r = spec_parse_process(process, &spec->process);
	}
	return r;
}

int spec_parse(const char *text, size_t len, const char *what, struct spec *spec)
{
	*spec = (struct spec){.limits = CGROUP_LIMITS_NONE};
	int r = json_parse(text, len, what, &spec->doc);
	if (r < 0)
		return r;
	r = parse_top(spec->doc.root, spec);
	if (r < 0) {
		spec_free(spec);
		return fail_in(r, "%s", what);
	}
	return 0;
}

int spec_load(int dirfd, const char *name, struct spec *spec, char **text, size_t *len)
{
	_cleanup_(freep) char *buf = NULL;
	size_t n;
	int r = read_file_at(dirfd, name, SPEC_TEXT_MAX, &buf, &n);

	*spec = (struct spec){.limits = CGROUP_LIMITS_NONE};
	if (r == -EFBIG)
		return refuse(r, "%s is larger than %u MiB", name, SPEC_TEXT_MAX >> 20);
	if (r < 0)
		return fail(r, "read %s", name);
	r = spec_parse(buf, n, name, spec);
	if (r < 0)
		return r;
	if (text) {
		*text = take_ptr(&buf);
		*len = n;
	}
	return 0;
}

void spec_free_process(struct process_spec *p)
{
	free(p->groups);
	free(p->args);
	free(p->env);
	free(p->rlimits);
	*p = (struct process_spec){0};
}

void spec_free(struct spec *spec)
{
	spec_free_process(&spec->process);
	for (size_t i = 0; i < spec->n_mounts; i++) {
		free(spec->mounts[i].data);
		free(spec->mounts[i].uid_maps.v);
		free(spec->mounts[i].gid_maps.v);
	}
	free(spec->mounts);
	for (int i = 0; i < HOOK_POINTS; i++) {
		for (size_t j = 0; j < spec->hooks[i].n; j++) {
			free(spec->hooks[i].v[j].args);
			free(spec->hooks[i].v[j].env);
		}
		free(spec->hooks[i].v);
	}
	free(spec->uid_maps.v);
	free(spec->gid_maps.v);
	free(spec->devices);
	free(spec->sysctls);
	free(spec->masked_paths);
	free(spec->readonly_paths);
	free((void *)(uintptr_t)spec->limits.io);
	free((void *)(uintptr_t)spec->limits.hugepages);
	free((void *)(uintptr_t)spec->limits.unified);
	free((void *)(uintptr_t)spec->limits.devices);
	json_free(&spec->doc);
	*spec = (struct spec){.limits = CGROUP_LIMITS_NONE};
}
