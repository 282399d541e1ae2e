/* Resource limits, from docker's words to the spec's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"

#define CPU_PERIOD_US 100000
#define MEMORY_MIN (512u << 10)

static int limit_memory(struct building *b)
{
	const struct container_opts *o = b->o;
	struct cgroup_limits *l = &b->spec.limits;
	uint64_t swap;

	if (o->memory && o->memory < MEMORY_MIN)
		return refuse(-EINVAL, "--memory of %llu bytes is too little for anything to run; give at least 512k",
			      (unsigned long long)o->memory);
	if (o->memory)
		l->memory_max = (int64_t)o->memory;
	if (o->memory_reservation)
		l->memory_low = (int64_t)o->memory_reservation;
	if (!o->memory_swap)
		return 0;
	if (streq(o->memory_swap, "-1")) {
		l->memory_swap = LIMIT_MAX;
		return 0;
	}
	if (parse_bytes(o->memory_swap, &swap) < 0 || swap > INT64_MAX)
		return refuse(-EINVAL, "bad --memory-swap %.40s: a size like 1g, or -1", o->memory_swap);
	if (!o->memory || swap < o->memory)
		return refuse(-EINVAL,
			      "--memory-swap is memory and swap together: give --memory too, and no more than it");
	l->memory_swap = (int64_t)swap;
	return 0;
}

/* "1.5" as a quota of a period. */
static int parse_cpus(const char *text, int64_t *quota)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n > 0) || n > 100000 || *quota != LIMIT_UNSET)
		return refuse(-EINVAL, "bad --cpus %.40s: a number like 1.5, and not together with --cpu-quota", text);
	*quota = (int64_t)(n * CPU_PERIOD_US + 0.5);
	if (*quota < 1000)
		return refuse(-EINVAL, "--cpus %.40s is below the kernel's least share, 0.01", text);
	return 0;
}

static int limit_cpu(struct building *b)
{
	const struct container_opts *o = b->o;
	struct cgroup_limits *l = &b->spec.limits;

	if (o->cpu_quota != INT64_MIN)
		l->cpu_quota = o->cpu_quota;
	if (o->cpu_period)
		l->cpu_period = (int64_t)o->cpu_period;
	if (o->cpus) {
		int r = parse_cpus(o->cpus, &l->cpu_quota);
		if (r < 0)
			return r;
		l->cpu_period = CPU_PERIOD_US;
	}
	if (o->cpu_shares) {
		if (o->cpu_shares < 2 || o->cpu_shares > 262144)
			return refuse(-EINVAL, "--cpu-shares must be between 2 and 262144");
		l->cpu_shares = (int64_t)o->cpu_shares;
	}
	l->cpus = o->cpuset_cpus;
	l->mems = o->cpuset_mems;
	return 0;
}

/* The limit for the device at "PATH:RATE", one of a growing list. */
static int add_io(struct building *b, const char *option, const char *text, size_t field, bool bytes)
{
	const char *colon = strrchr(text, ':');
	_cleanup_(freep) char *path = xstrndup(text, colon ? (size_t)(colon - text) : 0);
	struct cgroup_limits *l = &b->spec.limits;
	uint64_t rate;
	struct stat st;

	if (!*path || (bytes ? parse_bytes(colon + 1, &rate) : parse_u64(colon + 1, INT64_MAX, &rate)) < 0 ||
	    rate > INT64_MAX)
		return refuse(-EINVAL, "bad %s \"%.80s\": DEVICE:RATE", option, text);
	if (stat(path, &st) < 0)
		return fail(-errno, "%s: %s", option, path);
	if (!S_ISBLK(st.st_mode))
		return refuse(-ENOTBLK, "%s: %s is not a block device", option, path);
	b->io = xreallocarray(b->io, l->n_io + 1, sizeof(*b->io));
	struct io_limit *io = &b->io[l->n_io++];
	*io = (struct io_limit){major(st.st_rdev), minor(st.st_rdev), LIMIT_UNSET, LIMIT_UNSET,
				LIMIT_UNSET,       LIMIT_UNSET,       LIMIT_UNSET};
	*(int64_t *)((char *)io + field) = (int64_t)rate;
	l->io = b->io;
	return 0;
}

static int limit_io(struct building *b)
{
	const struct container_opts *o = b->o;
	const struct {
		const char *option;
		const struct strv *list;
		size_t field;
		bool bytes;
	} lists[] = {
		{"--device-read-bps", &o->read_bps, offsetof(struct io_limit, rbps), true},
		{"--device-write-bps", &o->write_bps, offsetof(struct io_limit, wbps), true},
		{"--device-read-iops", &o->read_iops, offsetof(struct io_limit, riops), false},
		{"--device-write-iops", &o->write_iops, offsetof(struct io_limit, wiops), false},
	};

	if (o->blkio_weight) {
		if (o->blkio_weight < 10 || o->blkio_weight > 1000)
			return refuse(-EINVAL, "--blkio-weight must be between 10 and 1000");
		b->spec.limits.io_weight = (int64_t)o->blkio_weight;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < lists[i].list->n; k++) {
			int r = add_io(b, lists[i].option, lists[i].list->v[k], lists[i].field, lists[i].bytes);
			if (r < 0)
				return r;
		}
	return 0;
}

static int limit_unified(struct building *b)
{
	const struct strv *conf = &b->o->cgroup_conf;

	b->unified = xcalloc(conf->n, sizeof(*b->unified));
	b->spec.limits.unified = b->unified;
	for (size_t i = 0; i < conf->n; i++) {
		const char *eq = strchr(conf->v[i], '=');

		if (!eq || eq == conf->v[i])
			return refuse(-EINVAL, "bad --cgroup-conf \"%.60s\": FILE=VALUE", conf->v[i]);
		b->unified[b->spec.limits.n_unified++] =
			(struct key_value){keep(b, xstrndup(conf->v[i], (size_t)(eq - conf->v[i]))), eq + 1};
	}
	return 0;
}

int build_limits(struct building *b)
{
	const struct container_opts *o = b->o;
	const char *parent = o->cgroup_parent ? o->cgroup_parent : "/ctr";
	int r;

	if (parent[0] != '/')
		return refuse(-EINVAL,
			      "--cgroup-parent %.100s must start with a '/' (it is a path below the cgroup2 mount)",
			      parent);
	b->record.cgroup = xasprintf("%s/%s", parent, b->id);
	b->spec.cgroup_path = b->record.cgroup;
	if (o->pids_limit != INT64_MIN)
		b->spec.limits.pids_max = o->pids_limit > 0 ? o->pids_limit : LIMIT_MAX;
	if ((r = limit_memory(b)) < 0 || (r = limit_cpu(b)) < 0 || (r = limit_io(b)) < 0)
		return r;
	return limit_unified(b);
}
