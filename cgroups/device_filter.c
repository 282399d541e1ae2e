/* The device program is loaded, attached to a cgroup, found again and replaced: bpf(2). */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

/* By this the filter is known again; systemd and others attach programs of their own. */
static const char program_name[] = "ctr_devices";
_Static_assert(sizeof(program_name) <= BPF_OBJ_NAME_LEN, "the kernel keeps 15 characters");

/* The kernel lets no more than this many programs be attached to a cgroup (BPF_CGROUP_MAX_PROGS). */
#define PROGRAMS_MAX 64

#define LOG_SIZE 65536

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load(const struct device_program *program, char *log, size_t log_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program->insns;
	attr.insn_cnt = (uint32_t)program->n;
	/* Only programs that call certain helpers of the kernel must name a licence; this calls none. */
	attr.license = (uintptr_t) "none";
	memcpy(attr.prog_name, program_name, sizeof(program_name));
	attr.log_buf = (uintptr_t)log;
	attr.log_size = (uint32_t)log_size;
	attr.log_level = log ? 1 : 0;
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

/* Says why the kernel did not take PROGRAM. */
static int cannot_load(int r, const struct cgroup *cg, const struct device_program *program)
{
	_cleanup_(freep) char *log = xcalloc(1, LOG_SIZE);
	_cleanup_(closep) int again = load(program, log, LOG_SIZE);
	size_t len = strlen(log);

	/* The verifier's last words say which instruction it minds. */
	if (len)
		debug("the kernel's verifier refuses the device filter (%d): %s", again,
		      log + (len > 900 ? len - 900 : 0));
	if (r == -EPERM)
		return fail(r,
			    "load the device filter of cgroup %s (needs root on the host; without it, leave the device "
			    "rules out: a user namespace lets nobody make device nodes)",
			    cg->path);
	if (r == -ENOSYS || r == -EINVAL)
		return fail(r, "load the device filter of cgroup %s (is CONFIG_CGROUP_BPF in this kernel?)", cg->path);
	return fail(r, "load the device filter of cgroup %s", cg->path);
}

/* Puts PROGRAM on the cgroup; in the place of OLD, at once, unless that is < 0. */
static int attach(const struct cgroup *cg, int program, int old)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cg->fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/* MULTI: beside the programs of others, here and above; every one of them must allow an access. */
	attr.attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? BPF_F_REPLACE : 0);
	attr.replace_bpf_fd = old >= 0 ? (uint32_t)old : 0;
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(const struct cgroup *cg, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cg->fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return sys_bpf(BPF_PROG_DETACH, &attr);
}

/* An fd of the program ID when it is one of ours, else -ENOENT; or negative errno. */
static int open_if_ours(uint32_t id)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	_cleanup_(closep) int fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	int r = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (r < 0)
		return r;
	return streq(info.name, program_name) ? take_fd(&fd) : -ENOENT;
}

/* The next program of ours on the cgroup, searching from place *FROM on: an fd, or -ENOENT when there is none
 * left. Records other failures. */
static int next_of_ours(const struct cgroup *cg, const uint32_t *ids, size_t n, size_t *from)
{
	while (*from < n) {
		int fd = open_if_ours(ids[(*from)++]);

		/* -ENOENT also for one that was taken off meanwhile. */
		if (fd != -ENOENT)
			return fd < 0 ? fail(fd, "look at the device filters of cgroup %s", cg->path) : fd;
	}
	return -ENOENT;
}

static int list_programs(const struct cgroup *cg, uint32_t ids[PROGRAMS_MAX], size_t *n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cg->fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	int r = sys_bpf(BPF_PROG_QUERY, &attr);
	*n = r < 0 ? 0 : attr.query.prog_cnt;
	return r;
}

/* Puts PROGRAM (< 0: none) in the place of all of ours. */
static int replace(const struct cgroup *cg, int program)
{
	uint32_t ids[PROGRAMS_MAX];
	size_t n, from = 0;
	int r = list_programs(cg, ids, &n);

	/* Who may not attach a program, or whose kernel knows none, has not attached one. */
	if (program < 0 && (r == -EPERM || r == -EINVAL || r == -ENOSYS))
		return 0;
	if (r < 0)
		return fail(r, "list the device filters of cgroup %s", cg->path);
	for (;;) {
		_cleanup_(closep) int old = next_of_ours(cg, ids, n, &from);

		if (old < 0 && old != -ENOENT)
			return old;
		if (old < 0)
			break;
		/* More than one is left by a ctr that died at the wrong moment; each only made it stricter. */
		r = program >= 0 ? attach(cg, program, old) : detach(cg, old);
		if (r < 0)
			return fail(r, "replace the device filter of cgroup %s", cg->path);
		program = -EBADF;
	}
	r = program >= 0 ? attach(cg, program, -EBADF) : 0;
	return r < 0 ? fail(r, "attach the device filter to cgroup %s", cg->path) : 0;
}

int device_filter_set(const struct cgroup *cg, const struct device_rule *rules, size_t n, bool fresh)
{
	_cleanup_(device_program_free) struct device_program program;
	int r = device_program_build(rules, n, &program);

	if (r < 0)
		return r;
	if (program.allows_all)
		return fresh ? 0 : device_filter_clear(cg);
	_cleanup_(closep) int fd = load(&program, NULL, 0);
	if (fd < 0)
		return cannot_load(fd, cg, &program);
	if (!fresh)
		return replace(cg, fd);
	r = attach(cg, fd, -EBADF);
	return r < 0 ? fail(r, "attach the device filter to cgroup %s", cg->path) : 0;
}

int device_filter_clear(const struct cgroup *cg)
{
	return replace(cg, -EBADF);
}
