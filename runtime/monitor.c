/* How the monitor starts its container, and what it does when that has ended. */
#include "runtime/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "runtime/listen.h"
#include "runtime/monitor_loop.h"

struct monitor {
	const struct monitor_params *p;
	struct launch launch;
	struct state state;
	struct exit_info exit;
	struct monitor_loop loop;
	int state_dir;
	int root; /* see pin_root */
};

/* The container's ends of its streams, and ours. With a terminal there is only the master, later. */
static int make_streams(struct monitor *m, int child[3])
{
	int in[2] = {-EBADF, -EBADF}, out[2], err[2];

	if (m->p->record->tty)
		return 0;
	/* Our ends do not block; the container's do, as programs expect. */
	if (m->p->record->interactive) {
		if (pipe2(in, O_CLOEXEC) < 0)
			return fail(-errno, "make a pipe");
		fcntl(in[1], F_SETFL, O_NONBLOCK);
	} else if ((in[0] = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC)) < 0) {
		return fail(-errno, "open /dev/null");
	}
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return fail(-errno, "make a pipe");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	child[0] = in[0];
	child[1] = out[1];
	child[2] = err[1];
	m->loop.input = in[1];
	m->loop.output[0] = out[0];
	m->loop.output[1] = err[0];
	return 0;
}

static int make_state_dir(struct monitor *m)
{
	_cleanup_(freep) char *root = record_state_root(m->p->engine);

	m->state_dir = state_dir_create(root, m->p->record->id);
	if (m->state_dir == -EEXIST) {
		/* We hold the container's lock: what is there is a dead run's. */
		state_dir_remove(root, m->p->record->id);
		m->state_dir = state_dir_create(root, m->p->record->id);
	}
	return m->state_dir < 0 ? m->state_dir : 0;
}

static int write_file(const struct monitor *m, const char *name, const char *text)
{
	if (!text)
		return 0;
	_cleanup_(closep) int fd = openat(m->state_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));

	return r < 0 ? fail(r, "write the container's %s", name) : 0;
}

/*
 * The last one to let go of an overlay waits in the kernel for an RCU grace period (kern_unmount), 5 ms and
 * more on a busy machine, and for its layer to be synced. That shall be this process after it has told its
 * clients the exit status, not the container's init before it is seen to have ended.
 */
static void pin_root(struct monitor *m)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)m->launch.container.pid);
	m->root = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int start(struct monitor *m)
{
	const struct monitor_params *p = m->p;
	int streams[3] = {-EBADF, -EBADF, -EBADF}, r;

	m->loop.log = logfile_start(p->record->log_none ? -EBADF : p->dir, p->record->log_max);
	if ((r = make_state_dir(m)) < 0 || (r = make_streams(m, streams)) < 0)
		return r;
	if ((r = write_file(m, RECORD_HOSTS, p->record->hosts)) < 0 ||
	    (r = write_file(m, RECORD_HOSTNAME, p->record->hostname)) < 0)
		return r;
	m->loop.listen = socket_listen_at(m->state_dir, RECORD_SOCKET);
	if (m->loop.listen < 0)
		return m->loop.listen;
	fcntl(m->loop.listen, F_SETFL, O_NONBLOCK);
	state_init(&m->state, p->record->id, "", NULL, p->spec);
	m->state.monitor.pid = getpid();
	if ((r = proc_start_time(m->state.monitor.pid, &m->state.monitor.start)) < 0)
		return fail(r, "read the monitor's start time");
	m->launch = LAUNCH_INIT(.id = p->record->id, .spec = p->spec, .argv0 = p->argv0, .cache_dir = p->cache_dir,
				.default_cgroup = p->record->cgroup, .state_dir = m->state_dir, .state = &m->state);
	m->launch.params.root_fd = p->root_fd;
	m->launch.params.open_root = p->open_root;
	m->launch.params.open_root_arg = p->open_root_arg;
	m->launch.params.user = p->user;
	m->launch.params.die_with_parent = true;
	for (int i = 0; i < 3; i++)
		m->launch.params.stdio[i] = streams[i];
	r = launch_create(&m->launch);
	if (r == 0)
		pin_root(m);
	if (r == 0 && (r = container_start(&m->launch.container, &m->launch.exec_failed)) < 0)
		launch_undo(&m->launch);
	for (int i = 0; i < 3; i++)
		closep(&streams[i]);
	if (r < 0)
		return r;
	if (p->record->tty) {
		m->loop.console = true;
		m->loop.input = m->loop.output[0] = take_fd(&m->launch.container.console);
		fcntl(m->loop.input, F_SETFL, O_NONBLOCK);
	}
	m->loop.pidfd = m->launch.container.pidfd;
	clock_rfc3339(clock_now(), m->exit.started);
	return 0;
}

static void report(int sock, const struct monitor *m, int error)
{
	struct monitor_report msg = {
		.error = error, .exec_failed = m->launch.exec_failed, .pid = (int32_t)m->launch.container.pid};

	if (error)
		snprintf(msg.text, sizeof(msg.text), "%s", error_text());
	fd_send(sock, &msg, sizeof(msg), NULL, 0);
	close(sock);
}

static bool was_oom_killed(const struct monitor *m)
{
	struct cgroup_stats stats;

	return m->launch.cgroup.fd >= 0 && cgroup_read_stats(&m->launch.cgroup, &stats) == 0 &&
	       stats.oom_kills != CGROUP_UNKNOWN && stats.oom_kills > 0;
}

/* After the end, or after a failure to start: the cgroup, the record of the end, the state, the container
 * itself when it was asked for. The state goes before the lock, which goes with this process. */
static void put_away(struct monitor *m)
{
	const struct monitor_params *p = m->p;
	_cleanup_(freep) char *root = record_state_root(p->engine);

	if (!m->exit.oom_killed)
		m->exit.oom_killed = was_oom_killed(m);
	if (m->launch.cgroup.fd >= 0)
		launch_destroy(&m->state);
	clock_rfc3339(clock_now(), m->exit.finished);
	if (!p->record->remove)
		record_write_exit(p->dir, &m->exit, true);
	logfile_close(&m->loop.log);
	if (p->record->remove)
		record_remove(p->engine, p->record);
	if (m->state_dir >= 0)
		state_dir_remove(root, p->record->id);
}

static int wait_status(const struct monitor *m)
{
	int status = 0;

	while (waitpid(m->launch.container.pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The maker's streams are not ours to hold: whoever reads them waits for their end. */
static void let_go_of_stdio(void)
{
	int null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	closep(&null);
	if (chdir("/") < 0)
		debug("cannot change to /");
}

/* Signals meant for the maker's terminal are not for us; TERM is passed on to the container. */
static void monitor_signals(void)
{
	sigset_t none;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void monitor_main(const struct monitor_params *p, int sock)
{
	struct monitor m = {.p = p,
			    .launch = LAUNCH_INIT(.id = p->record->id),
			    .loop = MONITOR_LOOP_INIT,
			    .root = -EBADF,
			    .state_dir = -EBADF};

	setsid();
	prctl(PR_SET_NAME, "ctr-monitor", 0, 0, 0);
	int r = start(&m);
	let_go_of_stdio();
	monitor_signals();
	if (r < 0) {
		m.exit.code = m.launch.exec_failed ? exec_exit_status(r) : 125;
		m.exit.error = xstrdup(error_text());
		put_away(&m);
		error_set_text(m.exit.error);
		report(sock, &m, r);
		_exit(1);
	}
	report(sock, &m, 0);
	if (p->client >= 0)
		monitor_loop_add(&m.loop, p->client, true);
	if (p->root_fd >= 0)
		close(p->root_fd);
	m.loop.interactive = p->record->interactive;
	monitor_loop_run(&m.loop);
	m.exit.code = wait_status(&m);
	put_away(&m);
	/* At exit the kernel may end the clients' streams before the lock: they would find it held. */
	close(p->lock);
	monitor_loop_finish(&m.loop, m.exit.code);
	_exit(0);
}

static int read_report(int sock, bool *exec_failed)
{
	struct monitor_report msg;
	ssize_t n = fd_recv(sock, &msg, sizeof(msg), NULL, NULL);

	if (n != sizeof(msg))
		return refuse(-ECANCELED, "the container's monitor ended before the container ran");
	*exec_failed = msg.exec_failed;
	if (!msg.error)
		return 0;
	msg.text[sizeof(msg.text) - 1] = '\0';
	error_set_text(msg.text);
	return msg.error;
}

pid_t monitor_start(const struct monitor_params *p, bool *exec_failed)
{
	int pair[2];

	*exec_failed = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(-errno, "make a socket pair");
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		if (p->maker_client >= 0)
			close(p->maker_client);
		monitor_main(p, pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return fail(-errno, "start the container's monitor");
	}
	int r = read_report(pair[0], exec_failed);
	close(pair[0]);
	if (r < 0)
		waitpid(pid, NULL, 0);
	return r < 0 ? r : pid;
}
