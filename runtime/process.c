/* From a set-up process to the user's program: what a container's init and an exec do alike. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "runtime/caps.h"
#include "runtime/child.h"
#include "runtime/user.h"

int exec_exit_status(int err)
{
	return err == -ENOENT || err == -ENOTDIR ? 127 : 126;
}

/* The signals that this process ignores, bit n-1 for signal n: field 33 of /proc/PID/stat (proc(5)). One
 * look instead of a call for each of them. */
static unsigned long ignored_signals(void)
{
	char buf[1024], *p;
	unsigned long set = 0;

	if (read_line_at(AT_FDCWD, "/proc/self/stat", buf, sizeof(buf)) < 0 || !(p = strrchr(buf, ')')))
		return ~0UL;
	/* The name, field 2, may hold spaces; behind it come field 3 and the others, one space before each. */
	for (int field = 2; *p && field < 33; p++)
		field += *p == ' ';
	return sscanf(p, "%lu", &set) == 1 ? set : ~0UL;
}

/* What ctr blocks, and what its caller ignored (nohup, a shell's `&`), is none of the program's business. */
void process_reset_signals(void)
{
	unsigned long ignored = ignored_signals();
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (ignored & 1UL << (sig - 1))
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_set_user(struct process_spec *p, const struct user *u)
{
	p->uid = u->uid;
	p->gid = u->gid;
	/* Groups of the command line stand already in the list; the user's own come to them. */
	gid_t *all = xcalloc(p->n_groups + u->n_groups, sizeof(*all));
	if (p->n_groups)
		memcpy(all, p->groups, p->n_groups * sizeof(*all));
	if (u->n_groups)
		memcpy(all + p->n_groups, u->groups, u->n_groups * sizeof(*all));
	p->groups = all;
	p->n_groups += u->n_groups;
	if (u->uid != 0)
		p->caps.effective = p->caps.permitted = p->caps.ambient = 0;
	else
		p->caps.effective = p->caps.permitted = p->caps.bounding;
}

int use_stdio(const int stdio[3])
{
	int copy[3];

	if (stdio[0] == 0 && stdio[1] == 1 && stdio[2] == 2)
		return 0;

	/* By way of copies above 2, since the three may be any of 0, 1, 2 themselves. */
	for (int i = 0; i < 3; i++) {
		copy[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
		if (copy[i] < 0)
			return fail(-errno, "pass file descriptor %d on", i);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(copy[i], i) < 0)
			return fail(-errno, "pass file descriptor %d on", i);
	return 0;
}

static int set_rlimits(const struct process_spec *p)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct rlimit_spec *l = &p->rlimits[i];
		struct rlimit64 {
			uint64_t soft, hard;
		} limit = {l->soft, l->hard};

		if (syscall(SYS_prlimit64, 0, l->resource, &limit, NULL) < 0)
			return errno == EPERM ? refuse(-EPERM,
						       "cannot raise resource limit %d to %llu: ctr itself lacks "
						       "CAP_SYS_RESOURCE",
						       l->resource, (unsigned long long)l->hard)
					      : fail(-errno, "set resource limit %d", l->resource);
	}
	return 0;
}

static int set_scheduling(const struct process_spec *p)
{
	/* ioprio_set(2): IOPRIO_WHO_PROCESS is 1, the class stands above bit 13. */
	if (p->io_class && syscall(SYS_ioprio_set, 1, 0, p->io_class << 13 | p->io_priority) < 0)
		return fail(-errno, "set the I/O priority");
	return 0;
}

static int set_apparmor(const struct process_spec *p, int proc)
{
	if (!p->apparmor || !*p->apparmor || streq(p->apparmor, "unconfined"))
		return 0;
	_cleanup_(freep) char *text = xasprintf("exec %s", p->apparmor);
	int r = write_text_at(proc, "self/attr/apparmor/exec", text);
	if (r == -ENOENT)
		return refuse(r, "AppArmor profile %s: this kernel runs without AppArmor", p->apparmor);
	return r < 0 ? fail(r, "AppArmor profile %s", p->apparmor) : 0;
}

static int change_user(const struct process_spec *p)
{
	struct cap_sets sets = p->caps;
	int r;

	if (p->umask >= 0)
		umask((mode_t)p->umask);
	if (p->has_caps && (r = caps_drop_bounding(sets.bounding)) < 0)
		return r;
	/* Capabilities must survive the change of user so that the asked-for ones can be kept. */
	if (p->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail(-errno, "keep capabilities");
	if (syscall(SYS_setgroups, p->n_groups, p->groups) < 0)
		return fail(-errno, "set supplementary groups");
	if (syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0)
		return fail(-errno, "become group %u", p->gid);
	if (syscall(SYS_setresuid, p->uid, p->uid, p->uid) < 0)
		return fail(-errno, "become user %u", p->uid);
	if (p->has_caps)
		return caps_set(&sets);
	return 0;
}

static int change_directory(const struct process_spec *p)
{
	char where[PATH_MAX];

	if (streq(p->cwd, "/")) /* where both init and exec stand already */
		return 0;

	if (chdir(p->cwd) < 0)
		return fail(-errno, "enter the working directory %s", p->cwd);
	/* A directory outside the root shows as "(unreachable)..." (CVE-2024-21626). */
	if (syscall(SYS_getcwd, where, sizeof(where)) < 0)
		return fail(-errno, "working directory %s", p->cwd);
	if (where[0] != '/')
		return refuse(-EPERM, "working directory %s lies outside the container", p->cwd);
	return 0;
}

int process_become(const struct process_spec *p, int proc, const struct seccomp_filter *filter, int *listener)
{
	int r;

	if ((r = set_rlimits(p)) < 0 || (r = set_scheduling(p)) < 0 || (r = set_apparmor(p, proc)) < 0)
		return r;
	/* Without no_new_privs a filter needs CAP_SYS_ADMIN, which goes with the user. */
	if (filter && filter->code && !p->no_new_privs && (r = seccomp_filter_load(filter, listener)) < 0)
		return r;
	if ((r = change_user(p)) < 0 || (r = change_directory(p)) < 0)
		return r;
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(-errno, "set no_new_privs");
	return 0;
}

static const char *env_value(const struct process_spec *p, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = p->n_env; i-- > 0;)
		if (strncmp(p->env[i], name, len) == 0 && p->env[i][len] == '=')
			return p->env[i] + len + 1;
	return NULL;
}

/* 0 when PATH is a file that we may execute, else why not. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? (errno == ENOSYS ? 0 : -errno) : 0;
}

static char *not_executable(const char *name, int err)
{
	/* The words that podman looks for to tell 127 from 126. */
	if (exec_exit_status(err) == 127)
		refuse(err, "%s: executable file not found in the container", name);
	else if (err == -EACCES)
		refuse(err, "%s: permission denied: it is not executable in the container", name);
	else
		fail(err, "%s cannot be executed in the container", name);
	errno = -err;
	return NULL;
}

char *process_find(const struct process_spec *p)
{
	const char *name = p->args[0], *path = env_value(p, "PATH");
	int err = -ENOENT;

	if (strchr(name, '/')) {
		err = executable(name);
		return err == 0 ? xstrdup(name) : not_executable(name, err);
	}
	if (!*name)
		return not_executable("an empty command", -ENOENT);
	for (path = path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; *path;) {
		size_t n = strcspn(path, ":");
		_cleanup_(freep) char *full = xasprintf("%.*s/%s", (int)n, n ? path : ".", name);
		int r = executable(full);

		if (r == 0)
			return take_ptr(&full);
		if (r != -ENOENT && r != -ENOTDIR && err == -ENOENT)
			err = r;
		path += n + (path[n] == ':');
	}
	return not_executable(name, err);
}

char **process_env(const struct process_spec *p, int root)
{
	char **env = xcalloc(p->n_env + 2, sizeof(*env));
	size_t n = 0;

	for (size_t i = 0; i < p->n_env; i++)
		env[n++] = (char *)(uintptr_t)p->env[i];
	if (!env_value(p, "HOME")) {
		char id[16];
		struct user u;

		snprintf(id, sizeof(id), "%u", p->uid);
		const char *home = user_resolve(root, id, &u) == 0 ? u.home : "/";
		env[n++] = xasprintf("HOME=%s", home);
		user_free(&u);
	}
	return env;
}

/*
 * Closed now, not by the exec: until that is past its point of no return, the program's path, its `#!` line
 * and its ELF interpreter could name the host's files by way of /proc/self/fd/N (CVE-2024-21626).
 */
int close_others(const int *keep, size_t n, unsigned int preserve_fds)
{
	unsigned int first = STDERR_FILENO + 1 + preserve_fds;

	/* A caller that promised more fds than it passed left room there for ours. */
	for (unsigned int fd = STDERR_FILENO + 1; fd < first; fd++) {
		bool kept = false;

		for (size_t i = 0; i < n; i++)
			kept |= keep[i] == (int)fd;
		if (!kept && fcntl((int)fd, F_GETFD) > 0)
			close((int)fd);
	}
	/* The gaps between those to keep, from the lowest on. */
	for (;;) {
		unsigned int next = ~0U;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= (int)first && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next > first && sys_close_range(first, next == ~0U ? next : next - 1, 0) < 0)
			return fail(-errno, "close file descriptors");
		if (next == ~0U)
			return 0;
		first = next + 1;
	}
}

int process_execute(const struct process_spec *p, const char *path, char **env, const struct seccomp_filter *filter,
		    unsigned int preserve_fds, int sync)
{
	int r = close_others(&sync, 1, preserve_fds);

	if (r < 0)
		return r;
	if (filter && filter->code && p->no_new_privs) {
		int listener = -EBADF;

		r = seccomp_filter_load(filter, &listener);
		if (r < 0)
			return r;
	}
	execve(path, (char *const *)p->args, env);
	r = -errno;
	if (r == -ENOENT)
		return refuse(r, "%s: executable file not found in the container: its interpreter is missing", path);
	if (r == -EACCES)
		return refuse(r, "%s: permission denied", path);
	return fail(r, "execute %s", path);
}
