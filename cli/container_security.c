/* Capabilities, seccomp, and the other fences. */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"
#include "runtime/caps.h"
#include "runtime/engine_spec.h"

#define PROFILE_MAX (4u << 20)

struct fences {
	bool seccomp_default, no_new_privs, unmasked;
	const char *apparmor;
};

static int cap_mask(const char *name, uint64_t *mask)
{
	if (strcasecmp(name, "ALL") == 0) {
		*mask = caps_all();
		return 0;
	}
	int cap = cap_by_name(name);
	if (cap < 0)
		return refuse(-EINVAL, "unknown capability %.60s (CHOWN, NET_ADMIN, ..., ALL)", name);
	*mask = UINT64_C(1) << cap;
	return 0;
}

static int build_caps(struct building *b)
{
	const struct container_opts *o = b->o;
	uint64_t set = o->privileged ? caps_all() : CAPS_DEFAULT, add = 0, drop = 0, mask;
	int r;

	for (size_t i = 0; i < o->cap_add.n; i++) {
		if ((r = cap_mask(o->cap_add.v[i], &mask)) < 0)
			return r;
		add |= mask;
	}
	for (size_t i = 0; i < o->cap_drop.n; i++) {
		if ((r = cap_mask(o->cap_drop.v[i], &mask)) < 0)
			return r;
		/* As docker: "drop ALL" goes first, so that single ones can be added back. */
		if (strcasecmp(o->cap_drop.v[i], "ALL") == 0)
			set = 0;
		else
			drop |= mask;
	}
	set = (set | add) & ~drop;
	b->spec.caps = (struct cap_sets){.bounding = set, .permitted = set, .effective = set};
	return 0;
}

static int load_profile(struct building *b, const char *path)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	size_t len;
	int r = fd < 0 ? -errno : read_all(fd, PROFILE_MAX, &text, &len);

	if (r < 0)
		return fail(r, "read seccomp profile %s", path);
	if ((r = json_parse(text, len, path, &b->seccomp_doc)) < 0)
		return r;
	b->spec.seccomp = b->seccomp_doc.root;
	return 0;
}

static int apply_option(struct building *b, const char *option, struct fences *f)
{
	const char *v;

	if ((v = after_prefix(option, "seccomp="))) {
		f->seccomp_default = false;
		return streq(v, "unconfined") ? 0 : load_profile(b, v);
	}
	if (streq(option, "no-new-privileges") || streq(option, "no-new-privileges=true") ||
	    streq(option, "no-new-privileges:true")) {
		f->no_new_privs = true;
	} else if (streq(option, "no-new-privileges=false") || streq(option, "no-new-privileges:false")) {
		f->no_new_privs = false;
	} else if ((v = after_prefix(option, "apparmor="))) {
		f->apparmor = v;
	} else if (streq(option, "systempaths=unconfined")) {
		f->unmasked = true;
	} else if (!streq(option, "label=disable") && !streq(option, "label:disable")) {
		return refuse(-EINVAL,
			      "unknown --security-opt \"%.60s\" (seccomp=, no-new-privileges, apparmor=, "
			      "systempaths=unconfined, label=disable)",
			      option);
	}
	return 0;
}

static int build_annotations(struct building *b, const struct fences *f)
{
	const struct strv *given = &b->o->annotations;
	size_t n = 0;

	b->annotations = xcalloc(given->n + 2, sizeof(*b->annotations));
	for (size_t i = 0; i < given->n; i++) {
		const char *a = given->v[i], *eq = strchr(a, '=');

		if (!eq || eq == a)
			return refuse(-EINVAL, "bad --annotation \"%.60s\": KEY=VALUE", a);
		if (after_prefix(a, ANNOTATION_PREFIX))
			return refuse(-EINVAL,
				      "annotation %.60s: names that start with " ANNOTATION_PREFIX " are ctr's own", a);
		b->annotations[n++] = (struct key_value){keep(b, xstrndup(a, (size_t)(eq - a))), eq + 1};
	}
	if (f->seccomp_default)
		b->annotations[n++] = (struct key_value){ANNOTATION_SECCOMP, "default"};
	const char *user = b->o->user && *b->o->user ? b->o->user : b->config.user ? b->config.user : "";
	b->annotations[n++] = (struct key_value){ANNOTATION_USER, user};
	b->spec.annotations = b->annotations;
	b->spec.n_annotations = n;
	return 0;
}

static void set_mount_option(struct building *b, const char *destination, const char *options)
{
	for (size_t i = 0; i < b->spec.n_mounts; i++) {
		struct build_mount *m = &b->spec.mounts[i];

		if (streq(m->destination, destination)) {
			strv_free(&m->options);
			strv_split(&m->options, options, ',');
		}
	}
}

int build_security(struct building *b)
{
	const struct container_opts *o = b->o;
	struct fences f = {
		.seccomp_default = !o->privileged, .no_new_privs = !o->privileged, .unmasked = o->privileged};
	int r;

	for (size_t i = 0; i < o->security.n; i++)
		if ((r = apply_option(b, o->security.v[i], &f)) < 0)
			return r;
	if (o->privileged) {
		set_mount_option(b, "/sys", "nosuid,noexec,nodev");
		set_mount_option(b, "/sys/fs/cgroup", "nosuid,noexec,nodev,relatime");
	}
	b->spec.no_new_privs = f.no_new_privs;
	b->spec.unmasked = f.unmasked;
	b->spec.apparmor = f.apparmor;
	if ((r = build_caps(b)) < 0)
		return r;
	return build_annotations(b, &f);
}
