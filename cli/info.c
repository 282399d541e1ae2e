/* ctr info and ctr version: what this program is, and what this machine lets it do. */
#include <errno.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cgroups/cgroup.h"
#include "cli/cli.h"
#include "cli/table.h"

struct info_opts {
	const char *format;
};

static const struct opt info_table[] = {
	{OPT_STR, 'f', "format", "json|TEMPLATE", "How to print (default: text)", offsetof(struct info_opts, format)},
	OPT_END,
};

static void put_available(struct json_writer *w, const char *key, bool available, const char *reason)
{
	json_open(w, key, '{');
	json_put_bool(w, "available", available);
	json_put_str(w, "reason", reason);
	json_close(w, '}');
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, " \t\n")) {
		p += strspn(p, " \t\n");
		if (strcspn(p, " \t\n") == len && strncmp(p, word, len) == 0)
			return true;
	}
	return false;
}

/* --- the store ---------------------------------------------------------------------------------------- */

static const char *filesystem_name(const struct statfs *fs)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} known[] = {{EXT4_SUPER_MAGIC, "ext4"},
		     {XFS_SUPER_MAGIC, "xfs"},
		     {BTRFS_SUPER_MAGIC, "btrfs"},
		     {TMPFS_MAGIC, "tmpfs"},
		     {OVERLAYFS_SUPER_MAGIC, "overlay"},
		     {NFS_SUPER_MAGIC, "nfs"},
		     {F2FS_SUPER_MAGIC, "f2fs"},
		     {0x2fc12fc1, "zfs"},
		     {FUSE_SUPER_MAGIC, "fuse"},
		     {0xca451a4e, "bcachefs"},
		     {RAMFS_MAGIC, "ramfs"}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((unsigned long)fs->f_type == known[i].magic)
			return known[i].name;
	return "unknown";
}

/* How many images there are. A store that is not there is not made for that. */
static int count_images(size_t *n)
{
	_cleanup_(freep) char *lock = xasprintf("%s/lock", cli_engine()->root);
	struct image *list = NULL;
	struct store s;

	*n = 0;
	if (faccessat(AT_FDCWD, lock, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	int r = store_open(cli_engine()->root, &s);
	if (r < 0)
		return r;
	r = image_list(&s, &list, n);
	for (size_t i = 0; r == 0 && i < *n; i++)
		image_free(&list[i]);
	if (r == 0)
		free(list);
	store_close(&s);
	return r;
}

static void put_store(struct json_writer *w)
{
	struct statfs fs;
	size_t images;
	int r = count_images(&images);

	json_open(w, "store", '{');
	json_put_str(w, "path", cli_engine()->root);
	if (statfs(cli_engine()->root, &fs) == 0) {
		json_put_str(w, "filesystem", filesystem_name(&fs));
		json_put_u64(w, "size", fs.f_blocks * (uint64_t)fs.f_bsize);
		json_put_u64(w, "free", fs.f_bavail * (uint64_t)fs.f_bsize);
	} else {
		json_put_null(w, "filesystem");
		json_put_u64(w, "size", 0);
		json_put_u64(w, "free", 0);
	}
	json_put_u64(w, "images", images);
	json_put_str(w, "error", r < 0 ? error_text() : NULL);
	json_close(w, '}');
	json_put_str(w, "state", cli_engine()->state);
}

static void put_containers(struct json_writer *w)
{
	uint64_t count[STATUS_STOPPED + 1] = {0};
	struct found *list = NULL;
	size_t n = 0;
	int r = cli_open_all(&list, &n);

	for (size_t i = 0; i < n; i++)
		count[list[i].status]++;
	json_open(w, "containers", '{');
	json_put_u64(w, "total", n);
	json_put_u64(w, "running", count[STATUS_RUNNING]);
	json_put_u64(w, "paused", count[STATUS_PAUSED]);
	json_put_u64(w, "created", count[STATUS_CREATED] + count[STATUS_CREATING]);
	json_put_u64(w, "exited", count[STATUS_STOPPED]);
	json_put_str(w, "error", r < 0 ? error_text() : NULL);
	json_close(w, '}');
	cli_close_all(list, n);
}

/* --- the host ----------------------------------------------------------------------------------------- */

static void put_host(struct json_writer *w)
{
	struct utsname u = {0};
	struct sysinfo si = {0};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	uname(&u);
	sysinfo(&si);
	json_open(w, "host", '{');
	json_put_str(w, "name", u.nodename);
	json_put_str(w, "kernel", u.release);
	json_put_str(w, "machine", u.machine);
	json_put_i64(w, "cpus", cpus);
	json_put_u64(w, "memory", (uint64_t)si.totalram * si.mem_unit);
	json_close(w, '}');
	json_open(w, "user", '{');
	json_put_u64(w, "uid", geteuid());
	json_put_u64(w, "gid", getegid());
	json_put_bool(w, "root", geteuid() == 0);
	json_close(w, '}');
}

/* --- cgroups ------------------------------------------------------------------------------------------ */

struct cgroups {
	const char *point; /* NULL: no cgroup2 */
	char controllers[512], handed_down[512];
	bool own_processes, writable;
};

/* The controllers by which containers are limited. */
static const char *const limits[] = {"memory", "cpu", "pids", "io", "cpuset"};

static void look_at_cgroups(struct cgroups *c)
{
	char text[64];

	*c = (struct cgroups){.point = cgroup_mount_point()};
	_cleanup_(closep) int dir = c->point ? openat(AT_FDCWD, c->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	if (dir < 0)
		return;
	if (read_line_at(dir, "cgroup.controllers", c->controllers, sizeof(c->controllers)) < 0)
		c->controllers[0] = '\0';
	if (read_line_at(dir, "cgroup.subtree_control", c->handed_down, sizeof(c->handed_down)) < 0)
		c->handed_down[0] = '\0';
	/* The true root has no type, and may keep processes beside the cgroups below it. */
	c->own_processes = read_line_at(dir, "cgroup.type", text, sizeof(text)) > 0 &&
			   read_line_at(dir, "cgroup.procs", text, sizeof(text)) > 0;
	c->writable = faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0;
}

/* "unified", "hybrid" (hierarchies of version 1 beside it) or "none". */
static const char *cgroup_mode(const struct cgroups *c)
{
	_cleanup_(freep) char *text = NULL;

	if (!c->point)
		return "none";
	if (read_file_at(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL) < 0)
		return "unified";
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, "0::", 3) != 0)
			return "hybrid";
	return "unified";
}

/* What /proc/cgroups says of a controller that cgroup2 does not offer, in words. */
static char *why_missing(const char *name)
{
	_cleanup_(freep) char *text = NULL;
	const char *v1 = streq(name, "io") ? "blkio" : name;
	unsigned int hierarchy = 0, enabled = 0;
	char *save = NULL;
	bool listed = false;

	if (read_file_at(AT_FDCWD, "/proc/cgroups", 65536, &text, NULL) < 0)
		text = xstrdup("");
	for (char *line = strtok_r(text, "\n", &save); line && !listed; line = strtok_r(NULL, "\n", &save)) {
		const char *rest = after_prefix(line, v1);

		listed = rest && *rest == '\t' && sscanf(rest, "%u %*u %u", &hierarchy, &enabled) == 2;
	}
	if (listed && !enabled)
		return xasprintf("the %s controller is switched off on the kernel's command line (cgroup_disable=%s)",
				 name, v1);
	if (listed && hierarchy)
		return xasprintf("the %s controller is bound to cgroup v1; boot with "
				 "systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=%s)",
				 name, v1);
	return xasprintf("the %s controller is not in this kernel, or not delegated to this cgroup tree", name);
}

/* NULL when a limit by controller NAME works. Caller frees. */
static char *why_not(const struct cgroups *c, const char *name)
{
	if (!c->point)
		return xstrdup("no cgroup2 filesystem is mounted (mount -t cgroup2 none /sys/fs/cgroup)");
	if (!has_word(c->controllers, name))
		return why_missing(name);
	if (has_word(c->handed_down, name))
		return NULL;
	if (!c->writable)
		return xasprintf("the cgroup tree at %s is not delegated to this user", c->point);
	if (c->own_processes)
		return xasprintf("the cgroup at %s has processes of its own, and then cgroup2 lets it control nothing "
				 "below it",
				 c->point);
	return NULL;
}

static void put_cgroup(struct json_writer *w)
{
	struct cgroups c;
	struct strv list = {0};

	look_at_cgroups(&c);
	json_open(w, "cgroup", '{');
	json_put_str(w, "mode", cgroup_mode(&c));
	json_put_str(w, "mountPoint", c.point);
	if (*c.controllers)
		strv_split(&list, c.controllers, ' ');
	json_put_strs(w, "controllers", (const char *const *)list.v, list.n);
	json_open(w, "limits", '{');
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		_cleanup_(freep) char *reason = why_not(&c, limits[i]);

		put_available(w, limits[i], !reason, reason);
	}
	json_close(w, '}');
	json_close(w, '}');
	strv_free(&list);
}

/* --- isolation ---------------------------------------------------------------------------------------- */

static void put_namespaces(struct json_writer *w)
{
	char path[64], max[32];
	struct stat st;

	json_open(w, "namespaces", '[');
	for (int t = 0; t < NS_TYPES; t++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_info[t].proc_name);
		if (stat(path, &st) < 0)
			continue;
		/* An administrator's way to switch a type off. */
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", ns_info[t].proc_name);
		if (read_line_at(AT_FDCWD, path, max, sizeof(max)) > 0 && streq(max, "0"))
			continue;
		json_put_str(w, NULL, ns_info[t].name);
	}
	json_close(w, ']');
}

static bool file_says(const char *path, const char *what)
{
	char text[16];

	return read_line_at(AT_FDCWD, path, text, sizeof(text)) > 0 && text[0] == what[0];
}

static void put_security(struct json_writer *w)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	bool seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int err = abi < 0 ? errno : 0;
	struct stat st;

	put_available(w, "seccomp", seccomp, seccomp ? NULL : "this kernel has no seccomp filters");
	json_open(w, "landlock", '{');
	json_put_bool(w, "available", abi > 0);
	json_put_i64(w, "abi", abi > 0 ? abi : 0);
	json_put_str(w, "reason",
		     abi > 0             ? NULL
		     : err == EOPNOTSUPP ? "switched off on the kernel's command line (lsm=)"
					 : "not in this kernel");
	json_close(w, '}');
	bool apparmor = file_says("/sys/module/apparmor/parameters/enabled", "Y");
	put_available(w, "apparmor", apparmor, apparmor ? NULL : "not enabled in this kernel");
	bool selinux = stat("/sys/fs/selinux/enforce", &st) == 0;
	put_available(w, "selinux", selinux, selinux ? NULL : "not enabled in this kernel");
}

/* True when overlayfs takes KEY in that form. Nothing is mounted: what is asked is whether the key is known. */
static bool overlay_takes(unsigned int command, const char *key, const void *value, int aux)
{
	_cleanup_(closep) int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);

	return fs >= 0 && sys_fsconfig(fs, command, key, value, aux) == 0;
}

/* See images/rootfs.h for the ways. */
static const char *overlay_way(void)
{
	_cleanup_(closep) int dir = openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (overlay_takes(FSCONFIG_SET_FD, "lowerdir+", NULL, dir))
		return "by descriptor";
	/* Before Linux 6.5 any key is taken, and looked at only by the mount. */
	if (overlay_takes(FSCONFIG_SET_STRING, "lowerdir+", "/", 0) &&
	    !overlay_takes(FSCONFIG_SET_STRING, "no-such-key", "/", 0))
		return "one by one";
	return "in one string";
}

static void put_overlay(struct json_writer *w)
{
	_cleanup_(closep) int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	int err = fs < 0 ? errno : 0;

	json_open(w, "overlayfs", '{');
	json_put_bool(w, "available", fs >= 0);
	json_put_str(w, "layers", fs < 0 ? NULL : overlay_way());
	json_put_str(w, "reason",
		     fs >= 0         ? NULL
		     : err == ENODEV ? "this kernel has no overlayfs; load its module (modprobe overlay)"
		     : err == EPERM  ? "only root may ask"
				     : strerror(err));
	json_close(w, '}');
}

static bool cpu_has(const char *flag)
{
	_cleanup_(freep) char *text = NULL;

	/* All processors say the same; the first is enough. */
	if (read_file_at(AT_FDCWD, "/proc/cpuinfo", 16u << 20, &text, NULL) < 0)
		return false;
	char *flags = strstr(text, "\nflags");
	if (!flags)
		return false;
	flags[1 + strcspn(flags + 1, "\n")] = '\0';
	return has_word(flags, flag);
}

static const char *kvm_mode(const char **reason)
{
	_cleanup_(closep) int fd = openat(AT_FDCWD, "/dev/kvm", O_RDWR | O_CLOEXEC);
	struct stat st;

	*reason = NULL;
	if (fd < 0) {
		*reason = errno == ENOENT   ? "/dev/kvm is not there: load kvm_intel or kvm_amd, and look whether the "
					      "firmware has virtualisation switched on"
			  : errno == EACCES ? "/dev/kvm may not be opened by this user: join the group that owns it"
			  : errno == EPERM  ? "/dev/kvm may not be opened here: the device filter of a container?"
					    : "/dev/kvm cannot be opened";
		return "none";
	}
	if (stat("/sys/module/kvm_pvm", &st) == 0 && !cpu_has("vmx") && !cpu_has("svm")) {
		*reason = "kvm_pvm: KVM without support by the processor, too slow to boot a kernel";
		return "emulated";
	}
	return "hardware";
}

static void put_kvm(struct json_writer *w)
{
	const char *reason, *mode = kvm_mode(&reason);

	json_open(w, "kvm", '{');
	json_put_str(w, "mode", mode);
	json_put_str(w, "reason", reason);
	json_close(w, '}');
}

/* --- as text ------------------------------------------------------------------------------------------ */

static const struct json *at(const struct json *o, const char *path)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	char *save = NULL;

	for (char *word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save))
		o = json_get(o, word);
	return o;
}

static const char *text_at(const struct json *o, const char *path)
{
	const struct json *node = at(o, path);

	return node && node->text ? node->text : "";
}

static const char *bytes_at(const struct json *o, const char *path, char buf[16])
{
	uint64_t v = 0;

	parse_u64(text_at(o, path), UINT64_MAX, &v);
	return format_bytes(v, buf);
}

static void put_list(struct strbuf *out, const struct json *list)
{
	if (!list || !list->child)
		strbuf_puts(out, "none");
	json_each(item, list)
		strbuf_printf(out, "%s%s", item == list->child ? "" : ", ", item->text);
}

/* "  TITLE: yes" or "  TITLE: no (why)". */
static void put_answer(struct strbuf *out, const char *title, const struct json *answer)
{
	const struct json *yes = json_get(answer, "available");
	const char *reason = text_at(answer, "reason");

	strbuf_printf(out, "  %s: %s", title, yes && yes->boolean ? "yes" : "no");
	strbuf_printf(out, *reason ? " (%s)" : "%s", reason);
}

static void show_store(struct strbuf *out, const struct json *info)
{
	char free_bytes[16], size[16];

	strbuf_puts(out, "\nStore\n  path: ");
	text_show(out, text_at(info, "store.path"));
	if (at(info, "store.filesystem"))
		strbuf_printf(out, " (%s, %s free of %s)", text_at(info, "store.filesystem"),
			      bytes_at(info, "store.free", free_bytes), bytes_at(info, "store.size", size));
	strbuf_puts(out, "\n  state: ");
	text_show(out, text_at(info, "state"));
	strbuf_printf(out, "\n  containers: %s (%s running, %s paused, %s created, %s exited)",
		      text_at(info, "containers.total"), text_at(info, "containers.running"),
		      text_at(info, "containers.paused"), text_at(info, "containers.created"),
		      text_at(info, "containers.exited"));
	strbuf_printf(out, "\n  images: %s\n", text_at(info, "store.images"));
	static const char *const errors[] = {"containers.error", "store.error"};
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (!at(info, errors[i]))
			continue;
		strbuf_puts(out, "  error: ");
		text_show(out, text_at(info, errors[i]));
		strbuf_putc(out, '\n');
	}
}

static void show_host(struct strbuf *out, const struct json *info)
{
	char memory[16];

	strbuf_puts(out, "\nHost\n  name: ");
	text_show(out, text_at(info, "host.name"));
	strbuf_puts(out, "\n  kernel: ");
	text_show(out, text_at(info, "host.kernel"));
	strbuf_printf(out, " %s\n  cpus: %s\n  memory: %s\n  user: %s\n", text_at(info, "host.machine"),
		      text_at(info, "host.cpus"), bytes_at(info, "host.memory", memory),
		      streq(text_at(info, "user.uid"), "0") ? "root" : text_at(info, "user.uid"));
}

static void show_cgroup(struct strbuf *out, const struct json *info)
{
	strbuf_printf(out, "\nCgroups\n  mode: %s\n  mounted at: ", text_at(info, "cgroup.mode"));
	text_show(out, at(info, "cgroup.mountPoint") ? text_at(info, "cgroup.mountPoint") : "nowhere");
	strbuf_puts(out, "\n  controllers: ");
	put_list(out, at(info, "cgroup.controllers"));
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		_cleanup_(freep) char *title = xasprintf("%s limit", limits[i]);

		put_answer(out, title, json_get(at(info, "cgroup.limits"), limits[i]));
		strbuf_putc(out, '\n');
	}
}

static void show_isolation(struct strbuf *out, const struct json *info)
{
	static const char *const answers[] = {"seccomp", "landlock", "apparmor", "selinux", "overlayfs"};

	strbuf_puts(out, "\nIsolation\n  namespaces: ");
	put_list(out, at(info, "namespaces"));
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct json *answer = json_get(info, answers[i]);

		put_answer(out, answers[i], answer);
		if (json_get(answer, "layers"))
			strbuf_printf(out, " (layers are given %s)", text_at(answer, "layers"));
		if (json_get(answer, "abi") && !streq(text_at(answer, "abi"), "0"))
			strbuf_printf(out, " (ABI %s)", text_at(answer, "abi"));
		strbuf_putc(out, '\n');
	}
	const char *reason = text_at(info, "kvm.reason");
	strbuf_printf(out, "  kvm: %s", text_at(info, "kvm.mode"));
	strbuf_printf(out, *reason ? " (%s)\n" : "%s\n", reason);
}

static void show_info(const struct json *info)
{
	_cleanup_(strbuf_free) struct strbuf out = {0};

	strbuf_printf(&out, "ctr %s, for version %s of the OCI runtime specification\n", text_at(info, "version"),
		      text_at(info, "specVersion"));
	show_store(&out, info);
	show_host(&out, info);
	show_cgroup(&out, info);
	show_isolation(&out, info);
	out_write(out.p, out.len);
}

/* --- the verbs ---------------------------------------------------------------------------------------- */

static int check_format(const char *format, const char *example)
{
	if (!format || streq(format, "json"))
		return 0;
	if (!strstr(format, "{{"))
		return refuse(-EINVAL, "--format takes json or a template such as '{{.%s}}', not \"%.64s\"", example,
			      format);
	return template_check(format);
}

/* Prints the document by FORMAT, or with SHOW when that is NULL. */
static int print(const struct strbuf *text, const char *format, void (*show)(const struct json *))
{
	_cleanup_(strbuf_free) struct strbuf out = {0}, shown = {0};
	struct json_writer w = {.out = &out, .indent = 2};
	struct json_doc doc = {0};
	int r = json_parse(text->p, text->len, "the result", &doc);

	if (r < 0)
		return r;
	if (!format) {
		show(doc.root);
	} else if (streq(format, "json")) {
		json_put_node(&w, NULL, doc.root);
		json_show(&shown, strbuf_str(&out));
		strbuf_putc(&shown, '\n');
		out_write(shown.p, shown.len);
	} else {
		r = template_print(format, doc.root);
	}
	json_free(&doc);
	return r;
}

static int info_run(void *opts, int argc, char **argv)
{
	const struct info_opts *o = opts;
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	int r = check_format(o->format, "host.kernel");

	(void)argc, (void)argv;
	if (r < 0)
		return r;
	json_open(&w, NULL, '{');
	json_put_str(&w, "version", CTR_VERSION);
	json_put_str(&w, "specVersion", SPEC_VERSION);
	put_store(&w);
	put_containers(&w);
	put_host(&w);
	put_cgroup(&w);
	put_namespaces(&w);
	put_security(&w);
	put_overlay(&w);
	put_kvm(&w);
	json_close(&w, '}');
	return print(&text, o->format, show_info);
}

const struct verb verb_info = {
	.name = "info",
	.usage = "[OPTIONS]",
	.summary = "Show what this machine offers to containers, and what is stored",
	.details = "Says of each kind of limit and of each fence whether it works here and, where not, why.",
	.examples = "$ ctr info\n"
		    "$ ctr info --format '{{.cgroup.mode}}'\n"
		    "$ ctr info --format json | jq '.cgroup.limits'\n",
	.group = "System",
	.opts = info_table,
	.opts_size = sizeof(struct info_opts),
	.run = info_run,
};

static void show_version(const struct json *doc)
{
	printf("ctr version %s\nOCI runtime specification %s\n%s/%s\n", text_at(doc, "Client.Version"),
	       text_at(doc, "Client.SpecVersion"), text_at(doc, "Client.Os"), text_at(doc, "Client.Arch"));
}

static int version_run(void *opts, int argc, char **argv)
{
	const struct info_opts *o = opts;
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	int r = check_format(o->format, "Client.Version");

	(void)argc, (void)argv;
	if (r < 0)
		return r;
	json_open(&w, NULL, '{');
	json_open(&w, "Client", '{');
	json_put_str(&w, "Version", CTR_VERSION);
	json_put_str(&w, "SpecVersion", SPEC_VERSION);
	json_put_str(&w, "Os", "linux");
	json_put_str(&w, "Arch", image_host_architecture());
	json_close(&w, '}');
	json_close(&w, '}');
	return print(&text, o->format, show_version);
}

const struct verb verb_version = {
	.name = "version",
	.usage = "[OPTIONS]",
	.summary = "Show the version",
	.examples = "$ ctr version\n"
		    "$ ctr version --format '{{.Client.Version}}'\n",
	.group = "System",
	.opts = info_table,
	.opts_size = sizeof(struct info_opts),
	.run = version_run,
};
