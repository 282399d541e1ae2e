/* The root filesystem of a container's first process. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "base/sys.h"
#include "runtime/child.h"
#include "runtime/mountfd.h"
#include "runtime/user.h"

/*
 * Attaches the detached root mount in our own mount namespace, as pivot_root(2) wants it. A bundle's goes
 * where hooks look for it; else "/" will do, which is always there.
 */
int child_attach_root(struct child *c)
{
	unsigned long propagation = c->spec->root_propagation ? c->spec->root_propagation : MS_SLAVE | MS_REC;

	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(-errno, "cut mount propagation to the host");
	/* "shared" is given back after the pivot, when nothing of the host is in reach of it. */
	if (propagation & MS_SHARED)
		propagation = MS_SLAVE | MS_REC;
	int root = c->params->root_fd >= 0 ? c->params->root_fd : c->params->open_root(c->params->open_root_arg);
	if (root < 0)
		return root;
	int r = mountfd_set(root, 0, 0, propagation, true);
	if (r < 0)
		return fail(r, "set the propagation of the root filesystem");
	const char *where = c->params->mount_point ? c->params->mount_point : "/";
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
	r = sys_move_mount(root, "", AT_FDCWD, where, flags) < 0 ? -errno : 0;
	/* Root of a user namespace may not get to the bundle; only hooks would miss that place. */
	if (r == -EACCES && c->new_user_ns)
		r = sys_move_mount(root, "", AT_FDCWD, "/", flags) < 0 ? -errno : 0;
	if (r < 0)
		return fail(r, "attach the root filesystem");
	c->root = root;
	return 0;
}

int child_resolve_process(struct child *c)
{
	struct process_spec *p = &c->process;
	struct user u;

	if (c->params->user) {
		int r = user_resolve(c->root, c->params->user, &u);
		if (r < 0)
			return r;
		process_set_user(p, &u);
	}
	/* As every runtime does; one that cannot be made is reported by the chdir. */
	int dir = root_make_dirs(c->root, rootpath(p->cwd), 0755);
	closep(&dir);
	return 0;
}

int child_enter_root(struct child *c)
{
	int r;

	if (c->spec->root_readonly && (r = mountfd_set(c->root, MOUNT_ATTR_RDONLY, 0, 0, false)) < 0)
		return fail(r, "make the root filesystem read-only");
	if (fchdir(c->root) < 0)
		return fail(-errno, "enter the root filesystem");
	/* The old root lands on top of the new one and is taken off again, see pivot_root(2). */
	if (sys_pivot_root(".", ".") < 0)
		return fail(-errno, "pivot to the root filesystem");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(-errno, "detach the host's root");
	if (chdir("/") < 0)
		return fail(-errno, "enter the root filesystem");
	if ((c->spec->root_propagation & (MS_SHARED | MS_UNBINDABLE)) &&
	    mount(NULL, "/", NULL, c->spec->root_propagation, NULL) < 0)
		return fail(-errno, "set the propagation of the root filesystem");
	return 0;
}

/* What a sysctl belongs to; one outside a namespace of the container's own would change the host. */
static int sysctl_namespace(const struct spec *spec, const char *name)
{
	static const char *const ipc[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
					  "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
	bool is_ipc = after_prefix(name, "fs.mqueue.") != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
		is_ipc |= streq(name, ipc[i]);
	if (is_ipc)
		return spec->ns[NS_IPC].asked ? 0
					      : refuse(-EINVAL, "sysctl %s needs an ipc namespace of its own", name);
	if (after_prefix(name, "net."))
		return spec->ns[NS_NET].asked ? 0
					      : refuse(-EINVAL, "sysctl %s needs a network namespace of its own", name);
	if (streq(name, "kernel.domainname") || streq(name, "kernel.hostname"))
		return spec->ns[NS_UTS].asked ? 0 : refuse(-EINVAL, "sysctl %s needs a uts namespace of its own", name);
	return refuse(-EINVAL, "sysctl %s is not in a namespace: it would change the host", name);
}

int child_write_sysctls(struct child *c)
{
	for (size_t i = 0; i < c->spec->n_sysctls; i++) {
		const struct key_value *s = &c->spec->sysctls[i];
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "sys/%s", s->key);
		/* Either "net.ipv4.ip_forward" or, for names with dots of their own, slashes. */
		bool slashes = strchr(s->key, '/') != NULL;

		if (n >= (int)sizeof(path) || strstr(s->key, ".."))
			return refuse(-EINVAL, "bad sysctl name %.100s", s->key);
		_cleanup_(freep) char *dotted = xstrdup(s->key);
		for (char *p = dotted; *p; p++)
			*p = *p == '/' ? '.' : *p;
		int r = sysctl_namespace(c->spec, dotted);
		if (r < 0)
			return r;
		for (char *p = path; !slashes && *p; p++)
			*p = *p == '.' ? '/' : *p;
		r = write_text_at(c->proc, path, s->value);
		if (r < 0)
			return fail(r, "set sysctl %s to %s", s->key, s->value);
	}
	return 0;
}
