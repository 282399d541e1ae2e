/* Limits are applied: each becomes a line written to an interface file of the cgroup (cgroup-v2.rst). */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

int limit_try_write(const struct cgroup *cg, const char *file, const char *value)
{
	int r = write_text_at(cg->fd, file, value);

	if (r == -ENOENT)
		return r;
	return r < 0 ? fail(r, "write \"%.100s\" to %.64s of cgroup %s", value, file, cg->path) : 0;
}

int limit_write(const struct cgroup *cg, const char *file, const char *value)
{
	int r = limit_try_write(cg, file, value);

	return r == -ENOENT ? refuse(-EOPNOTSUPP, "this kernel's cgroups have no %.64s", file) : r;
}

static int write_number(const struct cgroup *cg, const char *file, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return limit_write(cg, file, text);
}

/* A file whose default is "max": to lift a limit that cannot have been set is no error. */
static int write_max(const struct cgroup *cg, const char *file, bool fresh)
{
	int r = fresh ? 0 : limit_try_write(cg, file, "max");

	return r == -ENOENT ? 0 : r;
}

static int write_limit(const struct cgroup *cg, const char *file, int64_t value, bool fresh)
{
	if (value == LIMIT_UNSET)
		return 0;
	return value == LIMIT_MAX ? write_max(cg, file, fresh) : write_number(cg, file, value);
}

/* True when a number can only be honoured by the controller, which for "none" is not the case. */
static bool limits_something(int64_t value)
{
	return value != LIMIT_UNSET && value != LIMIT_MAX;
}

/* The kernel would say no more than EINVAL to these. */
static int check_numbers(const struct cgroup_limits *l)
{
	const struct {
		const char *what;
		int64_t value, min, max;
	} of[] = {{"memory limit", l->memory_max, -1, INT64_MAX},
		  {"memory reservation", l->memory_low, -1, INT64_MAX},
		  {"memory+swap limit", l->memory_swap, -1, INT64_MAX},
		  {"cpu shares", l->cpu_shares, 0, INT64_MAX},
		  {"cpu quota", l->cpu_quota < 0 ? LIMIT_UNSET : l->cpu_quota, 1000, INT64_MAX},
		  {"cpu period", l->cpu_period, 1000, 1000000},
		  {"cpu burst", l->cpu_burst, 0, INT64_MAX},
		  {"cpu idle", l->cpu_idle, 0, 1},
		  {"pids limit", l->pids_max, -1, INT64_MAX},
		  {"io weight", l->io_weight, 10, 1000}};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		if (of[i].value == LIMIT_UNSET || (of[i].value >= of[i].min && of[i].value <= of[i].max))
			continue;
		if (of[i].max == INT64_MAX)
			return refuse(-EINVAL, "%s of %" PRId64 " is less than %" PRId64, of[i].what, of[i].value,
				      of[i].min);
		return refuse(-EINVAL, "%s of %" PRId64 " is not between %" PRId64 " and %" PRId64, of[i].what,
			      of[i].value, of[i].min, of[i].max);
	}
	return 0;
}

/* A unified key names the controller by its first word. The files of the cgroup core need none, but those
 * by which processes are placed, stopped and killed are the runtime's own. */
static int need_unified(const struct key_value *kv, struct controller_needs *needs)
{
	static const char *const ours[] = {"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze",
					   "cgroup.type"};

	if (!*kv->key || strchr(kv->key, '/') || has_control(kv->key) || streq(kv->key, ".") || streq(kv->key, ".."))
		return refuse(-EINVAL, "unified limit \"%.64s\" is not the name of a cgroup interface file", kv->key);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (streq(kv->key, ours[i]))
			return refuse(-EINVAL, "unified limit \"%s\" is not a limit", kv->key);
	size_t len = strcspn(kv->key, ".");
	if (!kv->key[len])
		return refuse(-EINVAL, "unified limit \"%.64s\" is not of the form CONTROLLER.NAME", kv->key);
	if (len == 6 && strncmp(kv->key, "cgroup", 6) == 0)
		return 0;
	return controller_need(needs, kv->key, len, kv->key);
}

static int collect_needs(const struct cgroup_limits *l, struct controller_needs *needs)
{
	const struct {
		bool wanted;
		const char *controller, *limit;
	} of[] = {{limits_something(l->memory_max), "memory", "memory limit"},
		  {l->memory_low != LIMIT_UNSET, "memory", "memory reservation"},
		  {limits_something(l->memory_swap), "memory", "memory+swap limit"},
		  {l->cpu_shares != LIMIT_UNSET, "cpu", "cpu shares"},
		  {limits_something(l->cpu_quota) || l->cpu_period != LIMIT_UNSET, "cpu", "cpu quota"},
		  {l->cpu_burst != LIMIT_UNSET, "cpu", "cpu burst"},
		  {l->cpu_idle != LIMIT_UNSET, "cpu", "cpu idle"},
		  {l->cpus != NULL, "cpuset", "cpuset cpus"},
		  {l->mems != NULL, "cpuset", "cpuset mems"},
		  {limits_something(l->pids_max), "pids", "pids limit"},
		  {l->io_weight != LIMIT_UNSET, "io", "io weight"},
		  {l->n_io > 0, "io", "io limit"},
		  {l->n_hugepages > 0, "hugetlb", "hugepage limit"}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(of); i++)
		if (of[i].wanted)
			r = controller_need(needs, of[i].controller, strlen(of[i].controller), of[i].limit);
	for (size_t i = 0; r == 0 && i < l->n_unified; i++)
		r = need_unified(&l->unified[i], needs);
	return r;
}

/* The number in FILE; "max" is LIMIT_MAX. */
static int read_limit(const struct cgroup *cg, const char *file, int64_t *value)
{
	char text[64];
	ssize_t n = read_line_at(cg->fd, file, text, sizeof(text));

	if (n < 0)
		return fail((int)n, "read %s of cgroup %s", file, cg->path);
	text[strcspn(text, " \n")] = '\0';
	if (streq(text, "max")) {
		*value = LIMIT_MAX;
		return 0;
	}
	int r = parse_i64(text, 0, INT64_MAX, value);
	return r < 0 ? refuse(r, "%s of cgroup %s is no number: %.32s", file, cg->path, text) : 0;
}

static int check_memory_use(const struct cgroup *cg, int64_t limit)
{
	int64_t used = 0;
	int r = read_limit(cg, "memory.current", &used);

	if (r == 0 && limit < used)
		r = refuse(-EBUSY, "a memory limit of %" PRId64 " is below what cgroup %s uses now, %" PRId64 " bytes",
			   limit, cg->path, used);
	return r;
}

static int apply_swap(const struct cgroup *cg, const struct cgroup_limits *l, bool fresh)
{
	int64_t memory = l->memory_max, swap;
	int r = 0;

	/* An update may give the sum alone. */
	if (limits_something(l->memory_swap) && memory == LIMIT_UNSET && !fresh)
		r = read_limit(cg, "memory.max", &memory);
	if (r == 0)
		r = swap_from_total(l->memory_swap, memory, &swap);
	if (r < 0 || !limits_something(swap))
		return r < 0 || swap == LIMIT_UNSET ? r : write_max(cg, "memory.swap.max", fresh);

	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, swap);
	r = limit_try_write(cg, "memory.swap.max", text);
	/* No swap is what a kernel without swap accounting has to offer, if the host has none. */
	if (r == -ENOENT && swap > 0)
		return refuse(
			-EOPNOTSUPP,
			"memory+swap limit: this kernel does not account swap; boot with swapaccount=1 or drop the "
			"limit");
	return r == -ENOENT ? 0 : r;
}

/* The swap first: a memory limit that is lowered makes the kernel swap at once, and kill where it may not. */
static int apply_memory(const struct cgroup *cg, const struct cgroup_limits *l, bool fresh)
{
	int r = 0;

	if (l->memory_check_before_update && !fresh && limits_something(l->memory_max))
		r = check_memory_use(cg, l->memory_max);
	if (r == 0)
		r = apply_swap(cg, l, fresh);
	if (r == 0)
		r = write_limit(cg, "memory.max", l->memory_max, fresh);
	if (r == 0 && l->memory_low != LIMIT_UNSET)
		r = l->memory_low == LIMIT_MAX ? limit_write(cg, "memory.low", "max")
					       : write_number(cg, "memory.low", l->memory_low);
	return r;
}

/* cpu.max is "QUOTA PERIOD"; the kernel keeps the period when the quota stands alone. */
static int apply_cpu_max(const struct cgroup *cg, const struct cgroup_limits *l, bool fresh)
{
	int64_t quota = l->cpu_quota < 0 && l->cpu_quota != LIMIT_UNSET ? LIMIT_MAX : l->cpu_quota;
	char text[64], number[24] = "max";
	int r;

	if (l->cpu_period == LIMIT_UNSET)
		return write_limit(cg, "cpu.max", quota, fresh);
	if (quota == LIMIT_UNSET && !fresh) {
		r = read_limit(cg, "cpu.max", &quota);
		if (r < 0)
			return r;
	}
	if (limits_something(quota))
		snprintf(number, sizeof(number), "%" PRId64, quota);
	snprintf(text, sizeof(text), "%s %" PRId64, number, l->cpu_period);
	return limit_write(cg, "cpu.max", text);
}

static int apply_cpu(const struct cgroup *cg, const struct cgroup_limits *l, bool fresh)
{
	int r = 0;

	if (l->cpu_idle != LIMIT_UNSET)
		r = write_number(cg, "cpu.idle", l->cpu_idle);
	if (l->cpu_idle == 1 && l->cpu_shares != LIMIT_UNSET)
		/* The kernel refuses a weight for what only runs when nothing else does. */
		debug("cpu shares are left out, since cgroup %s is idle", cg->path);
	else if (r == 0 && l->cpu_shares != LIMIT_UNSET)
		r = write_number(cg, "cpu.weight", (int64_t)cpu_weight_from_shares(l->cpu_shares));
	/* The burst may not be above the quota at any time: it makes way while the quota changes. */
	if (r == 0 && l->cpu_burst != LIMIT_UNSET && !fresh)
		r = limit_write(cg, "cpu.max.burst", "0");
	if (r == 0)
		r = apply_cpu_max(cg, l, fresh);
	if (r == 0 && l->cpu_burst != LIMIT_UNSET && (l->cpu_burst > 0 || fresh))
		r = write_number(cg, "cpu.max.burst", l->cpu_burst);
	return r;
}

/* A list like "0-3,7". */
static int apply_cpuset(const struct cgroup *cg, const char *file, const char *list)
{
	if (!list)
		return 0;
	if (list[strspn(list, "0123456789,-")])
		return refuse(-EINVAL, "%s: \"%.64s\" is not a list like 0-3,7", file, list);
	return limit_write(cg, file, list);
}

static int apply_hugepages(const struct cgroup *cg, const struct hugepage_limit *h)
{
	size_t digits = strspn(h->page_size, "0123456789");
	const char *unit = h->page_size + digits;
	char file[64], text[24];

	if (digits == 0 || digits > 9 || (!streq(unit, "KB") && !streq(unit, "MB") && !streq(unit, "GB")))
		return refuse(-EINVAL, "hugepage limit: \"%.32s\" is not a page size like 2MB", h->page_size);
	snprintf(text, sizeof(text), "%" PRIu64, h->limit);
	snprintf(file, sizeof(file), "hugetlb.%s.max", h->page_size);
	int r = limit_try_write(cg, file, text);
	if (r == -ENOENT)
		return refuse(-EINVAL, "hugepage limit: this host has no pages of %s", h->page_size);
	if (r < 0)
		return r;
	/* Reservations count apart since Linux 5.7. */
	snprintf(file, sizeof(file), "hugetlb.%s.rsvd.max", h->page_size);
	r = limit_try_write(cg, file, text);
	return r == -ENOENT ? 0 : r;
}

/* Some files (io.max) take one line a write. */
static int apply_unified(const struct cgroup *cg, const struct key_value *kv)
{
	_cleanup_(freep) char *copy = xstrdup(kv->value);
	char *save = NULL, *line = strtok_r(copy, "\n", &save);
	int r = 0;

	if (!line)
		return limit_write(cg, kv->key, "");
	for (; r == 0 && line; line = strtok_r(NULL, "\n", &save))
		r = limit_write(cg, kv->key, line);
	return r;
}

/* Callers written in Go give 0, and "", for what they do not set, in the fields where 0 makes no sense. */
static struct cgroup_limits without_zeroes(const struct cgroup_limits *limits)
{
	struct cgroup_limits l = *limits;
	int64_t *const of[] = {&l.memory_max, &l.memory_low, &l.memory_swap, &l.cpu_shares,
			       &l.cpu_quota,  &l.cpu_period, &l.io_weight};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		if (*of[i] == 0)
			*of[i] = LIMIT_UNSET;
	if (l.cpus && !*l.cpus)
		l.cpus = NULL;
	if (l.mems && !*l.mems)
		l.mems = NULL;
	/* For a process inside, 0 and 1 are the same; but with 0 none could be started inside. */
	if (l.pids_max == 0)
		l.pids_max = 1;
	return l;
}

int limits_apply(const struct cgroup *cg, const struct cgroup_limits *limits, bool fresh)
{
	struct cgroup_limits l = without_zeroes(limits);
	struct controller_needs needs = {.n = 0};
	int r = check_numbers(&l);

	if (r == 0)
		r = collect_needs(&l, &needs);
	if (r == 0 && needs.n)
		r = controllers_enable(cg, &needs);
	if (r == 0)
		r = apply_memory(cg, &l, fresh);
	if (r == 0)
		r = apply_cpu(cg, &l, fresh);
	if (r == 0)
		r = apply_cpuset(cg, "cpuset.cpus", l.cpus);
	if (r == 0)
		r = apply_cpuset(cg, "cpuset.mems", l.mems);
	if (r == 0)
		r = write_limit(cg, "pids.max", l.pids_max, fresh);
	if (r == 0)
		r = limits_apply_io(cg, &l);
	for (size_t i = 0; r == 0 && i < l.n_hugepages; i++)
		r = apply_hugepages(cg, &l.hugepages[i]);
	for (size_t i = 0; r == 0 && i < l.n_unified; i++)
		r = apply_unified(cg, &l.unified[i]);
	if (r == 0 && l.n_devices)
		r = device_filter_set(cg, l.devices, l.n_devices, fresh);
	return r;
}
