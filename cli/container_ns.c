/* The namespaces of a container, and what has a name in them. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"

/* A range of ids for each container with --userns auto: 4096 of them above 2^29, where no distribution
 * puts users (see systemd's UIDS-GIDS for who uses what). */
#define AUTO_BASE 0x20000000u
#define AUTO_SIZE 65536u
#define AUTO_SLOTS 4096u

/* /proc/PID/ns/TYPE of a running container. */
static int container_ns_path(struct building *b, const char *name, enum ns_type type, const char **path)
{
	struct found f;
	int r = record_open(b->engine, name, &f);

	if (r < 0)
		return r;
	if (f.status != STATUS_RUNNING && f.status != STATUS_PAUSED)
		r = refuse(-EINVAL, "container %s is not running: it has no %s namespace to share", name,
			   ns_info[type].name);
	else
		*path = keep(b, xasprintf("/proc/%d/ns/%s", (int)f.state.init.pid, ns_info[type].proc_name));
	found_close(&f);
	return r;
}

/* One of the MODE options: NULL and "private" (and PRIVATE_WORD), "host", "container:NAME", "ns:PATH". */
static int build_mode(struct building *b, const char *option, const char *mode, const char *private_word,
		      enum ns_type type)
{
	const char *rest;

	if (!mode || streq(mode, "private") || (private_word && streq(mode, private_word)))
		return 0;
	if (streq(mode, "host")) {
		b->spec.ns[type] = false;
		return 0;
	}
	if ((rest = after_prefix(mode, "ns:")) && rest[0] == '/') {
		b->spec.ns_path[type] = rest;
		return 0;
	}
	if ((rest = after_prefix(mode, "container:")) && type != NS_CGROUP)
		return container_ns_path(b, rest, type, &b->spec.ns_path[type]);
	if (type == NS_NET && !strchr(mode, ':'))
		return refuse(-EOPNOTSUPP,
			      "--network %.60s: this version of ctr knows none, host, container:NAME and ns:PATH; "
			      "bridges are not built yet",
			      mode);
	return refuse(-EINVAL, "bad %s %.60s: private, host, container:NAME or ns:/PATH", option, mode);
}

static int claim_auto_range(struct building *b)
{
	_cleanup_(freep) char *dir_path = xasprintf("%s/userns", b->engine->root);
	int r = make_dirs(dir_path, 0700);

	if (r < 0)
		return r;
	_cleanup_(closep) int dir = openat(AT_FDCWD, dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(-errno, "open %s", dir_path);
	unsigned int start = 0;
	sscanf(b->id, "%4x", &start);
	for (unsigned int i = 0; i < AUTO_SLOTS; i++) {
		unsigned int slot = (start + i) % AUTO_SLOTS;
		char name[16];

		snprintf(name, sizeof(name), "%u", slot);
		if (symlinkat(b->id, dir, name) < 0) {
			if (errno == EEXIST)
				continue;
			return fail(-errno, "claim a range of ids");
		}
		b->maps[b->spec.maps.n++] = (struct id_map){0, AUTO_BASE + slot * AUTO_SIZE, AUTO_SIZE};
		b->record.user_range = xstrdup(name);
		return 0;
	}
	return refuse(-ENOSPC, "--userns auto: all %u ranges of ids are taken", AUTO_SLOTS);
}

static int add_map(struct building *b, const char *text)
{
	struct id_map *m = &b->maps[b->spec.maps.n];
	unsigned int used = 0;

	if (sscanf(text, "%u:%u:%u%n", &m->container, &m->host, &m->size, (int *)&used) != 3 || text[used] || !m->size)
		return refuse(-EINVAL, "bad --uidmap %.60s: CONTAINER-ID:HOST-ID:SIZE", text);
	b->spec.maps.n++;
	return 0;
}

static int build_user_ns(struct building *b)
{
	const struct container_opts *o = b->o;
	int r = 0;

	b->maps = xcalloc(o->uid_maps.n + 1, sizeof(*b->maps));
	b->spec.maps.v = b->maps;
	for (size_t i = 0; r == 0 && i < o->uid_maps.n; i++)
		r = add_map(b, o->uid_maps.v[i]);
	if (r == 0 && o->userns && streq(o->userns, "auto") && o->uid_maps.n == 0)
		r = claim_auto_range(b);
	else if (r == 0 && o->userns && !streq(o->userns, "host") && !streq(o->userns, "auto"))
		r = refuse(-EINVAL, "bad --userns %.60s: host or auto (or --uidmap)", o->userns);
	b->spec.ns[NS_USER] = b->spec.maps.n > 0;
	return r;
}

static int build_hostname(struct building *b)
{
	const char *name = b->o->hostname;

	if (!b->spec.ns[NS_UTS] || b->spec.ns_path[NS_UTS]) {
		if (name)
			return refuse(-EINVAL, "--hostname needs a uts namespace of the container's own");
		return 0;
	}
	if (!name)
		name = keep(b, xasprintf("%.12s", b->id));
	if (!*name || strlen(name) > 64 || has_control(name) || strpbrk(name, " /"))
		return refuse(-EINVAL, "bad host name \"%.80s\": up to 64 letters, digits, dots and dashes", name);
	b->spec.hostname = name;
	b->spec.domainname = b->o->domainname;
	return 0;
}

static int build_sysctls(struct building *b)
{
	b->sysctls = xcalloc(b->o->sysctls.n, sizeof(*b->sysctls));
	b->spec.sysctls = b->sysctls;
	for (size_t i = 0; i < b->o->sysctls.n; i++) {
		const char *s = b->o->sysctls.v[i], *eq = strchr(s, '=');

		if (!eq || eq == s)
			return refuse(-EINVAL, "bad --sysctl %.60s: NAME=VALUE", s);
		b->sysctls[b->spec.n_sysctls++] = (struct key_value){keep(b, xstrndup(s, (size_t)(eq - s))), eq + 1};
	}
	return 0;
}

int build_namespaces(struct building *b)
{
	const struct container_opts *o = b->o;
	int r;

	if ((r = build_mode(b, "--network", o->network, "none", NS_NET)) < 0 ||
	    (r = build_mode(b, "--ipc", o->ipc, NULL, NS_IPC)) < 0 ||
	    (r = build_mode(b, "--pid", o->pid, NULL, NS_PID)) < 0 ||
	    (r = build_mode(b, "--uts", o->uts, NULL, NS_UTS)) < 0 ||
	    (r = build_mode(b, "--cgroupns", o->cgroupns, NULL, NS_CGROUP)) < 0 || (r = build_user_ns(b)) < 0 ||
	    (r = build_hostname(b)) < 0 || (r = build_sysctls(b)) < 0)
		return r;
	b->record.network = xstrdup(o->network ? o->network : "none");
	if (o->time_offset) {
		b->spec.ns[NS_TIME] = true;
		b->spec.boot_offset_s = b->spec.monotonic_offset_s = o->time_offset;
	}
	return 0;
}
