/* ctr-oci create, start, run. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/oci.h"
#include "cli/relay.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/listen.h"

struct create_opts {
	const char *bundle, *console_socket, *pid_file, *pidfd_socket;
	bool no_pivot, no_new_keyring, detach, keep, no_subreaper;
	uint64_t preserve_fds;
};

#define CREATE_OPTS                                                                                                    \
	{OPT_STR,                                                                                                      \
	 'b',                                                                                                          \
	 "bundle",                                                                                                     \
	 "DIR",                                                                                                        \
	 "The bundle: config.json and the root filesystem (default .)",                                                \
	 offsetof(struct create_opts, bundle)},                                                                        \
		{OPT_STR,                                                                                              \
		 0,                                                                                                    \
		 "console-socket",                                                                                     \
		 "PATH",                                                                                               \
		 "Send the terminal's master to this unix socket",                                                     \
		 offsetof(struct create_opts, console_socket)},                                                        \
		{OPT_STR,                                                                                              \
		 0,                                                                                                    \
		 "pid-file",                                                                                           \
		 "FILE",                                                                                               \
		 "Write the first process's pid to FILE",                                                              \
		 offsetof(struct create_opts, pid_file)},                                                              \
		{OPT_STR,                                                                                              \
		 0,                                                                                                    \
		 "pidfd-socket",                                                                                       \
		 "PATH",                                                                                               \
		 "Send a pidfd of the first process to this unix socket",                                              \
		 offsetof(struct create_opts, pidfd_socket)},                                                          \
		{OPT_FLAG,                                                                                             \
		 0,                                                                                                    \
		 "no-pivot",                                                                                           \
		 NULL,                                                                                                 \
		 "Refused: only pivot_root keeps the host's root out of reach",                                        \
		 offsetof(struct create_opts, no_pivot)},                                                              \
		{OPT_FLAG,                                                                                             \
		 0,                                                                                                    \
		 "no-new-keyring",                                                                                     \
		 NULL,                                                                                                 \
		 "Keep the caller's session keyring",                                                                  \
		 offsetof(struct create_opts, no_new_keyring)},                                                        \
	{                                                                                                              \
		OPT_U64, 0, "preserve-fds", "N", "Pass N further file descriptors, from 3 on",                         \
			offsetof(struct create_opts, preserve_fds)                                                     \
	}

static const struct opt create_table[] = {CREATE_OPTS, OPT_END};

static const struct opt run_table[] = {
	CREATE_OPTS,
	{OPT_FLAG, 'd', "detach", NULL, "Return once the program runs", offsetof(struct create_opts, detach)},
	{OPT_FLAG, 0, "keep", NULL, "Keep the container's state when it has ended", offsetof(struct create_opts, keep)},
	{OPT_FLAG, 0, "no-subreaper", NULL, "Accepted for compatibility: ctr-oci never becomes a subreaper",
	 offsetof(struct create_opts, no_subreaper)},
	OPT_END,
};

/* Everything that a container under construction holds. */
struct making {
	struct spec spec;
	struct state state;
	struct launch launch;
	int bundle, dir, listen, root;
	char *root_path;
};

int oci_send_fd(const char *path, const char *name, int fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_(closep) int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		return refuse(-ENAMETOOLONG, "socket path %s is too long", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return fail(-errno, "connect to %s", path);
	int r = fd_send(sock, name, strlen(name), &fd, 1);
	return r < 0 ? fail(r, "send %s to %s", name, path) : 0;
}

int oci_write_pid_file(const char *path, pid_t pid)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/'), text[16];
	const char *name = slash ? slash + 1 : copy;

	if (slash)
		*slash = '\0';
	_cleanup_(closep) int dir =
		openat(AT_FDCWD, slash ? (*copy ? copy : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(-errno, "write %s", path);
	/* No newline: conmon and containerd parse the whole file as a number. */
	int n = snprintf(text, sizeof(text), "%d", (int)pid);
	return replace_file_at(dir, name, text, (size_t)n, 0644, false);
}

static int check_options(const struct create_opts *o, const struct spec *spec, bool run)
{
	bool terminal = spec->has_process && spec->process.terminal;

	if (o->no_pivot)
		return refuse(-EOPNOTSUPP, "--no-pivot is not supported: it would leave the host's root within reach");
	if (o->preserve_fds > 1024)
		return refuse(-EINVAL, "--preserve-fds %llu: at most 1024", (unsigned long long)o->preserve_fds);
	if (terminal && !o->console_socket && (!run || o->detach))
		return refuse(-EINVAL,
			      "process.terminal is true: --console-socket is needed to hand the terminal over");
	if (!terminal && o->console_socket)
		return refuse(-EINVAL, "--console-socket is of no use: process.terminal is not true");
	return 0;
}

static int open_bundle(struct making *m, const struct create_opts *o, const char *id, bool run)
{
	_cleanup_(freep) char *text = NULL;
	const char *bundle = o->bundle ? o->bundle : ".";
	char path[PATH_MAX];
	size_t len;
	int r;

	m->bundle = openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->bundle < 0 || !realpath(bundle, path))
		return fail(-errno, "open bundle %s", bundle);
	if ((r = spec_load(m->bundle, STATE_CONFIG, &m->spec, &text, &len)) < 0 ||
	    (r = check_options(o, &m->spec, run)) < 0)
		return r;
	m->root = launch_bundle_root(&m->spec, m->bundle, path, &m->root_path);
	if (m->root < 0)
		return m->root;
	m->dir = state_dir_create(globals.root, id);
	if (m->dir < 0)
		return m->dir;
	state_init(&m->state, id, path, m->root_path, &m->spec);
	/* The spec as it is now is what counts from here on, whatever the caller does to its file. */
	_cleanup_(closep) int fd = openat(m->dir, STATE_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : write_all(fd, text, len);
	return r < 0 ? fail(r, "write %s/%s/" STATE_CONFIG, globals.root, id) : 0;
}

static int create(struct making *m, const struct create_opts *o, const char *id, bool run)
{
	_cleanup_(freep) char *cgroup = xasprintf("/ctr-oci/%s", id);
	struct launch *l = &m->launch;
	int r;

	/* `run` is there to say "go" itself; `create` leaves that to `start`. */
	if (!run && (m->listen = socket_listen_at(m->dir, STATE_SOCKET)) < 0)
		return m->listen;
	*l = LAUNCH_INIT(.id = id, .spec = &m->spec, .argv0 = cli_argv0, .cache_dir = "/run/ctr/seccomp",
			 .no_cgroup = globals.cgroup_manager && streq(globals.cgroup_manager, "disabled"),
			 .default_cgroup = cgroup, .state_dir = m->dir, .state = &m->state);
	l->params.bundle_fd = m->bundle;
	l->params.root_fd = m->root;
	l->params.mount_point = m->root_path;
	l->params.listen_fd = m->listen;
	l->params.no_new_keyring = o->no_new_keyring;
	l->params.preserve_fds = (unsigned int)o->preserve_fds;
	r = launch_create(l);
	if (r < 0)
		return r;
	if (o->console_socket && (r = oci_send_fd(o->console_socket, "terminal", l->container.console)) < 0)
		goto undo;
	if (o->pidfd_socket && (r = oci_send_fd(o->pidfd_socket, "pidfd", l->container.pidfd)) < 0)
		goto undo;
	if (o->pid_file && (r = oci_write_pid_file(o->pid_file, l->container.pid)) < 0)
		goto undo;
	return 0;
undo:
	launch_undo(l);
	return r;
}

static void making_free(struct making *m)
{
	fd_lazy_close = true; /* the process ends next */
	launch_close(&m->launch);
	spec_free(&m->spec);
	state_free(&m->state);
	free(m->root_path);
	closep(&m->bundle);
	closep(&m->dir);
	closep(&m->listen);
	closep(&m->root);
}

static int make(struct making *m, const struct create_opts *o, const char *id, bool run)
{
	*m = (struct making){
		.launch = LAUNCH_INIT(.id = id), .bundle = -EBADF, .dir = -EBADF, .listen = -1, .root = -EBADF};
	int r = open_bundle(m, o, id, run);

	if (r == 0)
		r = create(m, o, id, run);
	if (r < 0) {
		_cleanup_(freep) char *why = xstrdup(error_text());

		if (m->dir >= 0)
			state_dir_remove(globals.root, id);
		error_set_text(why);
		making_free(m);
	}
	return r;
}

static int create_run(void *opts, int argc, char **argv)
{
	const struct create_opts *o = opts;
	struct making m;
	int r = cli_seal();

	(void)argc;
	if (r == 0 && (r = make(&m, o, argv[0], false)) == 0)
		making_free(&m);
	return r;
}

static int run_hooks(const struct state *s, const struct spec *spec, enum hook_point point, enum status status)
{
	struct strbuf doc = {0};

	if (!spec->hooks[point].n)
		return 0;
	state_document(s, status, 0, &doc);
	int r = hooks_run(&spec->hooks[point], doc.p, doc.len);
	strbuf_free(&doc);
	return r;
}

static int start_run(void *opts, int argc, char **argv)
{
	struct state s;
	struct spec spec;
	bool exec_failed;

	(void)opts, (void)argc;
	_cleanup_(closep) int dir = oci_open(argv[0], &s);
	if (dir < 0)
		return dir;
	enum status status = state_status(dir, &s);
	int r = status == STATUS_CREATED
			? spec_load(dir, STATE_CONFIG, &spec, NULL, NULL)
			: refuse(-EINVAL, "container %s is %s, not created", argv[0], status_name(status));
	if (r == 0) {
		r = container_start_remote(dir, STATE_SOCKET, &exec_failed);
		unlinkat(dir, STATE_SOCKET, 0);
		if (r == 0)
			r = run_hooks(&s, &spec, HOOK_POSTSTART, STATUS_RUNNING);
		if (r < 0)
			launch_destroy(&s);
		spec_free(&spec);
	}
	state_free(&s);
	return r;
}

/* Between the exec and the end: in the foreground, or not at all. */
static int stay(struct making *m, const struct create_opts *o, int signals)
{
	struct container *c = &m->launch.container;

	if (o->detach)
		return 0;
	bool terminal = m->spec.process.terminal && !o->console_socket;
	if (terminal)
		relay_raw(STDIN_FILENO);
	struct relay_streams streams = RELAY_NONE;
	if (terminal)
		streams.console = take_fd(&c->console);
	int r = relay_wait(c->pid, c->pidfd, signals, &streams);
	relay_restore();
	return r;
}

static int run_run(void *opts, int argc, char **argv)
{
	const struct create_opts *o = opts;
	struct making m;
	bool exec_failed;

	(void)argc;
	int r = cli_seal();
	if (r < 0)
		return r;
	_cleanup_(closep) int signals = o->detach ? -EBADF : relay_signals();
	r = make(&m, o, argv[0], true);
	if (r < 0)
		return r;
	r = container_start(&m.launch.container, &exec_failed);
	if (r == 0)
		r = run_hooks(&m.state, &m.spec, HOOK_POSTSTART, STATUS_RUNNING);
	if (r < 0)
		container_abort(&m.launch.container);
	else
		r = stay(&m, o, signals);
	if (r < 0 || (!o->detach && !o->keep)) {
		_cleanup_(freep) char *why = xstrdup(error_text());

		if (oci_remove(m.dir, &m.state, &m.spec) < 0)
			report_error();
		error_set_text(why);
	}
	making_free(&m);
	return r;
}

const struct verb oci_create = {
	.name = "create",
	.usage = "[OPTIONS] ID",
	.summary = "Create a container from a bundle, ready to be started",
	.examples = "$ ctr-oci create --bundle ./bundle --pid-file pid web\n",
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.min_args = 1,
	.max_args = 1,
	.run = create_run,
};

const struct verb oci_start = {
	.name = "start",
	.usage = "ID",
	.summary = "Start a created container",
	.examples = "$ ctr-oci start web\n",
	.min_args = 1,
	.max_args = 1,
	.run = start_run,
};

const struct verb oci_run = {
	.name = "run",
	.usage = "[OPTIONS] ID",
	.summary = "Create and start a container, and wait for it",
	.examples = "$ ctr-oci run --bundle ./bundle web\n",
	.opts = run_table,
	.opts_size = sizeof(struct create_opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_run,
};
