/* Any bytes: what is accepted as an OCI runtime config has the form that its users rely on. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "runtime/spec.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void check_maps(const struct id_maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		MUST(maps->v[i].size && maps->v[i].container + (uint64_t)maps->v[i].size <= UINT32_MAX &&
		     maps->v[i].host + (uint64_t)maps->v[i].size <= UINT32_MAX);
}

static void check_process(const struct process_spec *p)
{
	MUST(p->cwd && p->cwd[0] == '/');
	MUST(p->n_args > 0 && p->args[0] && !p->args[p->n_args]);
	MUST(p->uid != UINT32_MAX && p->gid != UINT32_MAX);
	for (size_t i = 0; i < p->n_groups; i++)
		MUST(p->groups[i] != UINT32_MAX);
	for (size_t i = 0; i < p->n_env; i++)
		MUST(p->env[i]);
	for (size_t i = 0; i < p->n_rlimits; i++)
		MUST(p->rlimits[i].soft <= p->rlimits[i].hard);
	MUST(p->umask >= -1 && p->umask <= 0777);
	MUST(!p->has_oom_score_adj || (p->oom_score_adj >= -1000 && p->oom_score_adj <= 1000));
}

static void check_linux(const struct spec *s)
{
	for (int t = 0; t < NS_TYPES; t++)
		MUST(!s->ns[t].path || (s->ns[t].asked && s->ns[t].path[0] == '/'));
	MUST(!s->ns[NS_USER].asked || s->ns[NS_USER].path || (s->uid_maps.n && s->gid_maps.n));
	check_maps(&s->uid_maps);
	check_maps(&s->gid_maps);
	for (size_t i = 0; i < s->n_devices; i++)
		MUST(s->devices[i].path[0] == '/' && strchr("bcp", s->devices[i].type));
	for (size_t i = 0; i < s->limits.n_devices; i++)
		MUST(strchr("abc", s->limits.devices[i].type));
	for (size_t i = 0; i < s->n_sysctls; i++)
		MUST(s->sysctls[i].key && s->sysctls[i].value);
	for (size_t i = 0; i < s->n_masked; i++)
		MUST(s->masked_paths[i]);
	for (int i = 0; i < 2; i++)
		MUST(s->time_offset_ns[i] < 1000000000);
}

static void check_accepted(const struct spec *s)
{
	MUST(s->version && s->root_path && *s->root_path);
	if (s->has_process)
		check_process(&s->process);
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct mount_spec *m = &s->mounts[i];

		MUST(m->destination && *m->destination && m->type && m->data && !m->data[m->n_data]);
		MUST(!(m->special & MOUNT_BIND) || m->special & MOUNT_REMOUNT || m->source);
		check_maps(&m->uid_maps);
		check_maps(&m->gid_maps);
	}
	for (int i = 0; i < HOOK_POINTS; i++)
		for (size_t j = 0; j < s->hooks[i].n; j++)
			MUST(s->hooks[i].v[j].path[0] == '/' && s->hooks[i].v[j].timeout_s <= INT_MAX / 1000);
	json_each(item, s->annotations)
		MUST(item->type == JSON_STRING);
	check_linux(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec spec;

	log_set_sink(quiet);
	if (spec_parse((const char *)data, size, "config.json", &spec) < 0) {
		MUST(*error_text());
		return 0;
	}
	check_accepted(&spec);
	spec_free(&spec);
	return 0;
}
