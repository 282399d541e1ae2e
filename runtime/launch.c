#include "runtime/launch.h"

#include <errno.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "runtime/hooks.h"
#include "runtime/seal.h"

/* How long a killed cgroup may take to become empty before that is called an error. */
#define KILL_TIMEOUT_MS 10000

static int cgroup_path_of(const struct launch *l, char **path)
{
	const char *asked = l->spec->cgroup_path;

	if (!asked || !*asked) {
		*path = xstrdup(l->default_cgroup);
		return 0;
	}
	/* "slice:prefix:name" is the systemd form. */
	if (strchr(asked, ':'))
		return refuse(-EOPNOTSUPP,
			      "cgroupsPath %.100s is systemd's form, which this version of ctr does not do; "
			      "use --cgroup-manager cgroupfs in the caller",
			      asked);
	*path = xasprintf("%s%s", asked[0] == '/' ? "" : "/", asked);
	return 0;
}

static int make_cgroup(struct launch *l)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (l->no_cgroup)
		return 0;
	if ((r = cgroup_path_of(l, &path)) < 0 || (r = cgroup_create(path, &l->spec->limits, &l->cgroup)) < 0)
		return r;
	l->state->cgroup = take_ptr(&path);
	l->params.cgroup = &l->cgroup;
	return 0;
}

static int get_filter(struct launch *l)
{
	const struct spec *s = l->spec;

	if (!s->seccomp && !s->seccomp_default)
		return 0;
	_cleanup_(freep) char *helper = find_companion(l->argv0, "ctr-seccomp");
	if (!helper)
		return -ENOENT;
	int r = seccomp_filter_get(s->seccomp_default ? NULL : s->seccomp, s->process.caps.bounding, l->cache_dir,
				   helper, &l->seccomp);
	if (r < 0)
		return r;
	if (l->seccomp.listener_path)
		return refuse(-EOPNOTSUPP, "linux.seccomp.listenerPath is not supported by this version of ctr");
	l->params.seccomp = &l->seccomp;
	return 0;
}

/* prestart and createRuntime: in our namespaces, with the state as it is now. */
static int run_runtime_hooks(pid_t pid, void *arg)
{
	struct launch *l = arg;
	struct strbuf doc = {0};
	int r;

	l->state->init = (struct proc_id){.pid = pid};
	state_document(l->state, STATUS_CREATING, 0, &doc);
	r = hooks_run(&l->spec->hooks[HOOK_PRESTART], doc.p, doc.len);
	if (r == 0)
		r = hooks_run(&l->spec->hooks[HOOK_CREATE_RUNTIME], doc.p, doc.len);
	strbuf_free(&doc);
	return r;
}

static bool any_hook(const struct spec *s)
{
	for (int i = 0; i < HOOK_POINTS; i++)
		if (s->hooks[i].n)
			return true;
	return false;
}

static int create(struct launch *l)
{
	struct strbuf doc = {0};
	int r;

	l->params.id = l->id;
	l->params.spec = l->spec;
	l->params.runtime_hooks = run_runtime_hooks;
	l->params.hooks_arg = l;
	if (any_hook(l->spec)) {
		state_document(l->state, STATUS_CREATING, 0, &doc);
		l->params.hook_state = doc.p;
		l->params.hook_state_len = doc.len;
	}
	r = container_create(&l->params, &l->container, &l->exec_failed);
	strbuf_free(&doc);
	if (r < 0)
		return r;
	l->state->init.pid = l->container.pid;
	r = proc_start_time(l->container.pid, &l->state->init.start);
	if (r < 0)
		return fail(r, "read the start time of the container's first process");
	return state_write(l->state_dir, l->state);
}

int launch_create(struct launch *l)
{
	int r;

	if (!l->spec->has_process)
		return refuse(-EINVAL, "config.json has no process: there is nothing to run");
	if ((r = get_filter(l)) < 0 || (r = make_cgroup(l)) < 0 || (r = create(l)) < 0)
		launch_undo(l);
	return r;
}

void launch_undo(struct launch *l)
{
	/* Undoing must not hide what went wrong. */
	_cleanup_(freep) char *why = xstrdup(error_text());

	container_abort(&l->container);
	if (l->cgroup.fd >= 0 && (cgroup_kill(&l->cgroup, KILL_TIMEOUT_MS) < 0 || cgroup_remove(&l->cgroup) < 0))
		warning("%s", error_text());
	launch_close(l);
	error_set_text(why);
}

void launch_close(struct launch *l)
{
	container_close(&l->container);
	cgroup_close(&l->cgroup);
	seccomp_filter_free(&l->seccomp);
}

int launch_bundle_root(const struct spec *spec, int bundle_fd, const char *bundle, char **path)
{
	int fd = sys_open_tree(bundle_fd, spec->root_path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return fail(-errno, "open the root filesystem %s", spec->root_path);
	*path = spec->root_path[0] == '/' ? xstrdup(spec->root_path) : xasprintf("%s/%s", bundle, spec->root_path);
	return fd;
}

static int destroy_cgroup(const char *path)
{
	struct cgroup cg = CGROUP_NONE;
	int r = cgroup_remove_empty(path);

	if (r != -EBUSY)
		return r < 0 ? fail(r, "remove cgroup %s", path) : 0;
	if ((r = cgroup_open(path, &cg)) == 0 && (r = cgroup_kill(&cg, KILL_TIMEOUT_MS)) == 0)
		r = cgroup_remove(&cg);
	cgroup_close(&cg);
	return r == -ENOENT ? 0 : r;
}

int launch_destroy(const struct state *s)
{
	if (s->cgroup)
		return destroy_cgroup(s->cgroup);
	_cleanup_(closep) int pidfd = proc_open(s->init);
	if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL) == 0 && proc_wait_gone(pidfd, KILL_TIMEOUT_MS) == 0)
		return refuse(-ETIMEDOUT, "process %d does not die", (int)s->init.pid);
	return 0;
}
