#include "cli/exec_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "cli/relay.h"
#include "runtime/caps.h"
#include "runtime/engine_spec.h"
#include "runtime/seal.h"
#include "runtime/user.h"

/* The container's process with CHANGES made; vectors in it are owned by PLAN. */
struct plan {
	struct process_spec process;
	const char **env;
	struct strv own_env;
	struct user user;
	gid_t *groups; /* of the process, when not the spec's */
};

static bool replaces(const char *entry, const struct strv *changes)
{
	size_t name = strcspn(entry, "=");

	for (size_t i = 0; changes && i < changes->n; i++)
		if (strncmp(changes->v[i], entry, name) == 0 && (changes->v[i][name] == '=' || !changes->v[i][name]))
			return true;
	return false;
}

static void plan_env(struct plan *p, const struct process_spec *base, const struct exec_changes *ch)
{
	size_t n = 0, more = ch->env ? ch->env->n : 0;

	p->env = xcalloc(base->n_env + more + 2, sizeof(*p->env));
	for (size_t i = 0; i < base->n_env; i++)
		if (!replaces(base->env[i], ch->env) && !(ch->user && after_prefix(base->env[i], "HOME=")))
			p->env[n++] = base->env[i];
	for (size_t i = 0; i < more; i++) {
		const char *e = ch->env->v[i];
		const char *ours = strchr(e, '=') ? NULL : getenv(e);

		if (ours)
			strv_take(&p->own_env, xasprintf("%s=%s", e, ours));
		else if (strchr(e, '='))
			strv_add(&p->own_env, e);
	}
	for (size_t i = 0; i < p->own_env.n; i++)
		p->env[n++] = p->own_env.v[i];
	if (ch->terminal && !replaces("TERM=", &p->own_env)) {
		bool has = false;

		for (size_t i = 0; i < n; i++)
			has |= after_prefix(p->env[i], "TERM=") != NULL;
		if (!has)
			p->env[n++] = "TERM=xterm";
	}
	p->process.env = p->env;
	p->process.n_env = n;
}

static void plan_set_user(struct plan *p, const struct user *u)
{
	process_set_user(&p->process, u);
	free(p->groups);
	p->groups = p->process.groups;
}

static int plan_user(struct plan *p, const struct state *s, const char *user, const struct strv *groups)
{
	char path[64];
	int r;

	if (!user && !(groups && groups->n))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)s->init.pid);
	_cleanup_(closep) int root = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(-errno, "open the container's root");
	/* The number was still that process's when it was opened. */
	if (!proc_alive(s->init))
		return refuse(-ESRCH, "container %s is not running", s->id);
	if (user) {
		/* The container's own groups go with its own user. */
		p->process.n_groups = 0;
		if ((r = user_resolve(root, user, &p->user)) < 0)
			return r;
		plan_set_user(p, &p->user);
	}
	for (size_t i = 0; groups && i < groups->n; i++) {
		struct user extra = {.uid = p->process.uid, .gid = p->process.gid, .n_groups = 1};
		gid_t gid;

		if ((r = group_resolve(root, groups->v[i], &gid)) < 0)
			return r;
		extra.groups = &gid;
		plan_set_user(p, &extra);
	}
	return 0;
}

static int plan_caps(struct plan *p, const struct exec_changes *ch)
{
	uint64_t extra = ch->privileged ? caps_all() : 0;

	for (size_t i = 0; ch->caps && i < ch->caps->n; i++) {
		int cap = cap_by_name(ch->caps->v[i]);

		if (cap < 0)
			return refuse(-EINVAL, "unknown capability %s", ch->caps->v[i]);
		extra |= UINT64_C(1) << cap;
	}
	if (!extra)
		return 0;
	p->process.has_caps = true;
	p->process.caps.bounding |= extra;
	p->process.caps.permitted |= extra;
	p->process.caps.effective |= extra;
	return 0;
}

static int make_plan(struct plan *p, const struct spec *spec, const struct state *s, const struct exec_session *e)
{
	const struct exec_changes *ch = e->changes;
	const char *user = ch->user ? ch->user : e->engine ? engine_user(spec) : NULL;
	int r;

	*p = (struct plan){.process = spec->process};
	p->process.args = (const char **)(uintptr_t)ch->args;
	p->process.n_args = ch->n_args;
	p->process.terminal = ch->terminal;
	p->process.no_new_privs |= ch->no_new_privs;
	if (ch->privileged)
		p->process.no_new_privs = false;
	if (ch->apparmor)
		p->process.apparmor = ch->apparmor;
	if (ch->cwd)
		p->process.cwd = ch->cwd;
	if (p->process.cwd[0] != '/')
		return refuse(-EINVAL, "working directory %s must be absolute", p->process.cwd);
	if (ch->terminal)
		relay_window(STDIN_FILENO, &p->process.rows, &p->process.columns);
	if ((r = plan_user(p, s, user, ch->groups)) < 0 || (r = plan_caps(p, ch)) < 0)
		return r;
	plan_env(p, &spec->process, ch);
	return 0;
}

static void plan_free(struct plan *p)
{
	free(p->env);
	free(p->groups);
	strv_free(&p->own_env);
	user_free(&p->user);
}

static int check_status(int dir, const struct state *s, bool ignore_paused)
{
	enum status status = state_status(dir, s);

	if (status == STATUS_PAUSED && !ignore_paused)
		return refuse(-EBUSY, "container %s is paused: unpause it first", s->id);
	if (status != STATUS_RUNNING && status != STATUS_PAUSED && status != STATUS_CREATED)
		return refuse(-EINVAL, "container %s is not running", s->id);
	return 0;
}

static int open_exec_cgroup(const struct state *s, const char *sub, struct cgroup *cg)
{
	if (!s->cgroup)
		return 0;
	if (!sub || !*sub)
		return cgroup_open(s->cgroup, cg);
	_cleanup_(freep) char *path = xasprintf("%s/%s", s->cgroup, sub[0] == '/' ? sub + 1 : sub);
	return cgroup_open(path, cg);
}

static int wait_for(const struct exec_session *e, struct container *c, int signals, struct relay_streams *streams)
{
	int r = e->started ? e->started(c, e->arg) : 0;

	if (r < 0) {
		container_abort(c);
		return r;
	}
	if (e->detach)
		return 0;
	if (c->console >= 0 && e->relay_console) {
		streams->console = take_fd(&c->console);
		relay_raw(STDIN_FILENO);
	}
	r = relay_wait(c->pid, c->pidfd, signals, streams);
	relay_restore();
	return r;
}

/* The engine gives no terminal of ours away; the OCI face passes on what it has, as its callers expect. */
static int make_streams(const struct exec_session *e, bool terminal, int child[3], struct relay_streams *streams)
{
	if (terminal || !e->engine)
		return 0;
	if (!e->detach)
		return relay_pipes(streams, child, e->no_input);
	/* Whoever reads our output waits for its end, and the program may go on for ever. */
	child[0] = child[1] = child[2] = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	return child[0] < 0 ? fail(-errno, "open /dev/null") : 0;
}

static void close_child_streams(int child[3])
{
	for (int i = 0; i < 3; i++)
		if (child[i] > STDERR_FILENO && (i == 0 || child[i] != child[i - 1]))
			close(child[i]);
}

static int get_filter(const struct exec_session *e, const struct spec *spec, const struct process_spec *p,
		      struct seccomp_filter *filter)
{
	if ((!spec->seccomp && !spec->seccomp_default) || (e->changes && e->changes->privileged))
		return 0;
	_cleanup_(freep) char *helper = find_companion(e->argv0, "ctr-seccomp");
	if (!helper)
		return -ENOENT;
	return seccomp_filter_get(spec->seccomp_default ? NULL : spec->seccomp, p->caps.bounding, e->cache_dir, helper,
				  filter);
}

int exec_in_container(int dir, const struct state *s, const struct exec_session *e, bool *exec_failed)
{
	struct seccomp_filter filter = {0};
	struct container c = CONTAINER_NONE;
	struct cgroup cg = CGROUP_NONE;
	struct relay_streams streams = RELAY_NONE;
	struct plan plan = {0};
	struct spec spec;
	int r;

	*exec_failed = false;
	if ((r = check_status(dir, s, e->ignore_paused)) < 0 ||
	    (r = spec_load(e->config_dir, STATE_CONFIG, &spec, NULL, NULL)) < 0)
		return r;
	_cleanup_(closep) int pidfd = proc_open(s->init);
	_cleanup_(closep) int signals = e->detach ? -EBADF : relay_signals();
	struct exec_params params = {.init_pidfd = pidfd,
				     .spec = &spec,
				     .process = e->process,
				     .cgroup = &cg,
				     .seccomp = &filter,
				     .stdio = {0, 1, 2},
				     .preserve_fds = e->preserve_fds};
	if (e->engine)
		engine_apply(&spec);
	r = pidfd < 0 ? refuse(-ESRCH, "container %s is not running", s->id) : 0;
	if (r == 0 && e->changes && (r = make_plan(&plan, &spec, s, e)) == 0)
		params.process = &plan.process;
	if (r == 0 && (r = get_filter(e, &spec, params.process, &filter)) == 0 &&
	    (r = open_exec_cgroup(s, e->cgroup_sub, &cg)) == 0 &&
	    (r = make_streams(e, params.process->terminal, params.stdio, &streams)) == 0) {
		r = container_exec(&params, &c, exec_failed);
		close_child_streams(params.stdio);
		if (r == 0)
			r = wait_for(e, &c, signals, &streams);
	}
	container_close(&c);
	cgroup_close(&cg);
	seccomp_filter_free(&filter);
	plan_free(&plan);
	spec_free(&spec);
	return r;
}
