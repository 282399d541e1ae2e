/* The numbers behind `stats`. */
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

#define STAT_FILE_MAX (1u << 20)

/* One number, or "max". */
static void read_number(int dirfd, const char *file, uint64_t *value)
{
	char text[64];

	if (read_line_at(dirfd, file, text, sizeof(text)) < 0)
		return;
	if (streq(text, "max"))
		*value = CGROUP_UNLIMITED;
	else
		parse_u64(text, UINT64_MAX, value);
}

struct stat_key {
	const char *key;
	uint64_t *value;
};

/* A file of lines "KEY NUMBER". */
static void read_keys(int dirfd, const char *file, const struct stat_key *keys, size_t n)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;

	if (read_file_at(dirfd, file, STAT_FILE_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *number = strchr(line, ' ');

		if (!number)
			continue;
		*number++ = '\0';
		for (size_t i = 0; i < n; i++)
			if (streq(line, keys[i].key))
				parse_u64(number, UINT64_MAX, keys[i].value);
	}
}

static void add_io(char *line, struct cgroup_stats *s)
{
	const struct stat_key keys[] = {{"rbytes=", &s->io_read_bytes},
					{"wbytes=", &s->io_write_bytes},
					{"rios=", &s->io_reads},
					{"wios=", &s->io_writes}};
	char *save = NULL;

	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			const char *number = after_prefix(word, keys[i].key);
			uint64_t v;

			if (number && parse_u64(number, UINT64_MAX, &v) == 0)
				*keys[i].value += v;
		}
}

/* io.stat has a line a device, "8:0 rbytes=1 wbytes=2 ...": the sum of all. It is there, and empty, when
 * nothing was read or written yet. */
static void read_io(int dirfd, struct cgroup_stats *s)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;

	if (read_file_at(dirfd, "io.stat", STAT_FILE_MAX, &text, NULL) < 0)
		return;
	s->io_read_bytes = s->io_write_bytes = s->io_reads = s->io_writes = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_io(line, s);
}

int cgroup_read_stats(const struct cgroup *cg, struct cgroup_stats *s)
{
	const struct stat_key cpu[] = {{"usage_usec", &s->cpu_usage_us},    {"user_usec", &s->cpu_user_us},
				       {"system_usec", &s->cpu_system_us},  {"nr_periods", &s->cpu_periods},
				       {"nr_throttled", &s->cpu_throttled}, {"throttled_usec", &s->cpu_throttled_us}};
	const struct stat_key memory[] = {{"anon", &s->memory_anon}, {"file", &s->memory_file}};
	const struct stat_key events[] = {{"oom_kill", &s->oom_kills}};

	/* Every byte 0xff makes every field CGROUP_UNKNOWN. */
	memset(s, 0xff, sizeof(*s));
	/* cgroup.events is in every cgroup but the root. */
	int r = cgroup_event(cg->fd, "populated");
	if (r < 0)
		return fail(r, "read the statistics of cgroup %s", cg->path);
	read_keys(cg->fd, "cpu.stat", cpu, ARRAY_SIZE(cpu));
	read_number(cg->fd, "memory.current", &s->memory_current);
	read_number(cg->fd, "memory.peak", &s->memory_peak);
	read_number(cg->fd, "memory.max", &s->memory_max);
	if (s->memory_current != CGROUP_UNKNOWN) {
		read_keys(cg->fd, "memory.stat", memory, ARRAY_SIZE(memory));
		read_keys(cg->fd, "memory.events", events, ARRAY_SIZE(events));
	}
	read_number(cg->fd, "pids.current", &s->pids_current);
	read_number(cg->fd, "pids.max", &s->pids_max);
	read_io(cg->fd, s);
	return 0;
}
