/* Devices of the host that a container may use. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"

static void add_rule(struct building *b, char type, int64_t major, int64_t minor, const char *access)
{
	size_t n = b->spec.limits.n_devices++;

	b->rules = xreallocarray(b->rules, n + 1, sizeof(*b->rules));
	b->rules[n] = (struct device_rule){.allow = true,
					   .type = type,
					   .major = major,
					   .minor = minor,
					   .read = strchr(access, 'r'),
					   .write = strchr(access, 'w'),
					   .mknod = strchr(access, 'm')};
	b->spec.limits.devices = b->rules;
}

static void add_node(struct building *b, const char *path, const struct stat *st)
{
	b->devices = xreallocarray(b->devices, b->spec.n_devices + 1, sizeof(*b->devices));
	b->devices[b->spec.n_devices++] = (struct device_spec){.path = path,
							       .type = S_ISBLK(st->st_mode) ? 'b' : 'c',
							       .major = major(st->st_rdev),
							       .minor = minor(st->st_rdev),
							       .mode = st->st_mode & 0777,
							       .uid = st->st_uid,
							       .gid = st->st_gid};
	b->spec.devices = b->devices;
}

/* "HOST[:CTR][:rwm]" */
static int add_device(struct building *b, const char *text)
{
	struct strv parts = {0};
	const char *host, *path, *access = "rwm";
	struct stat st;
	int r = 0;

	strv_split(&parts, text, ':');
	host = path = parts.v[0];
	if (parts.n > 1 && parts.v[1][0] == '/')
		path = parts.v[1];
	if (parts.n > 1 && parts.v[parts.n - 1][0] != '/')
		access = parts.v[parts.n - 1];
	if (parts.n > 3 || host[0] != '/' || path[0] != '/' || !*access || strspn(access, "rwm") != strlen(access))
		r = refuse(-EINVAL, "bad --device \"%.100s\": HOST-PATH[:CONTAINER-PATH][:rwm]", text);
	else if (stat(host, &st) < 0)
		r = fail(-errno, "device %s", host);
	else if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		r = refuse(-ENODEV, "%s is not a device", host);
	if (r == 0) {
		add_node(b, keep(b, xstrdup(path)), &st);
		add_rule(b, S_ISBLK(st.st_mode) ? 'b' : 'c', major(st.st_rdev), minor(st.st_rdev), access);
	}
	strv_free(&parts);
	return r;
}

static bool parse_number(const char *s, int64_t *n)
{
	*n = -1;
	return streq(s, "*") || parse_i64(s, 0, UINT32_MAX, n) == 0;
}

/* "c 10:* rwm" */
static int add_rule_option(struct building *b, const char *text)
{
	char type[2], ma[16], mi[16], access[8];
	int64_t major, minor;
	int used = 0;

	if (sscanf(text, "%1[abc] %15[0-9*]:%15[0-9*] %7[rwm]%n", type, ma, mi, access, &used) != 4 || text[used] ||
	    !parse_number(ma, &major) || !parse_number(mi, &minor))
		return refuse(-EINVAL,
			      "bad --device-cgroup-rule \"%.60s\": \"c MAJOR:MINOR rwm\" with * for any number", text);
	add_rule(b, type[0], major, minor, access);
	return 0;
}

/* Every device node directly in the host's /dev, for --privileged. */
static int add_all_devices(struct building *b)
{
	static const char *const own[] = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"};
	DIR *dir = opendir("/dev");

	if (!dir)
		return fail(-errno, "read /dev");
	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;
		bool skip = fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0;

		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			skip |= streq(e->d_name, own[i]);
		if (!skip && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			add_node(b, keep(b, xasprintf("/dev/%s", e->d_name)), &st);
	}
	closedir(dir);
	add_rule(b, 'a', -1, -1, "rwm");
	return 0;
}

int build_devices(struct building *b)
{
	const struct container_opts *o = b->o;
	size_t n = b->spec.limits.n_devices;
	int r = 0;

	b->rules = xcalloc(n, sizeof(*b->rules));
	memcpy(b->rules, b->spec.limits.devices, n * sizeof(*b->rules));
	b->spec.limits.devices = b->rules;
	/* In a user namespace no device program is needed for safety, and nodes are bound one by one. */
	if (o->privileged && !b->spec.maps.n)
		r = add_all_devices(b);
	for (size_t i = 0; r == 0 && i < o->devices.n; i++)
		r = add_device(b, o->devices.v[i]);
	for (size_t i = 0; r == 0 && i < o->device_rules.n; i++)
		r = add_rule_option(b, o->device_rules.v[i]);
	return r;
}
