/* What runs in a container: command, environment, user, limits of the process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/building.h"
#include "cli/relay.h"
#include "runtime/user.h"

#define ENV_FILE_MAX (1u << 20)
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void build_args(struct building *b)
{
	const struct container_opts *o = b->o;
	bool own_entrypoint = o->entrypoint != NULL;

	if (own_entrypoint && *o->entrypoint)
		strv_add(&b->args, o->entrypoint);
	for (size_t i = 0; !own_entrypoint && i < b->config.n_entrypoint; i++)
		strv_add(&b->args, b->config.entrypoint[i]);
	for (int i = 0; i < b->n_command; i++)
		strv_add(&b->args, b->command[i]);
	/* The image's default arguments belong to the image's entrypoint. */
	for (size_t i = 0; b->n_command == 0 && !own_entrypoint && i < b->config.n_cmd; i++)
		strv_add(&b->args, b->config.cmd[i]);
	if (b->args.n == 0 && b->o->rootfs)
		strv_add(&b->args, "sh");
}

static void set_env(struct building *b, const char *entry)
{
	size_t name = strcspn(entry, "=");

	for (size_t i = 0; i < b->env.n; i++) {
		if (strncmp(b->env.v[i], entry, name) != 0 || b->env.v[i][name] != '=')
			continue;
		free(b->env.v[i]);
		b->env.v[i] = xstrdup(entry);
		return;
	}
	strv_add(&b->env, entry);
}

/* "NAME=VALUE", or "NAME" for our own value, if we have one. */
static int add_env(struct building *b, const char *entry)
{
	if (!*entry || *entry == '=')
		return refuse(-EINVAL, "bad variable \"%.60s\": NAME=VALUE or NAME", entry);
	if (strchr(entry, '=')) {
		set_env(b, entry);
		return 0;
	}
	const char *ours = getenv(entry);
	if (ours)
		set_env(b, keep(b, xasprintf("%s=%s", entry, ours)));
	return 0;
}

/* Calls FN for each line of a file that is neither blank nor a comment. */
static int each_line(struct building *b, const char *path, int (*fn)(struct building *, const char *))
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_all(fd, ENV_FILE_MAX, &text, NULL);
	struct strv lines = {0};

	if (r < 0)
		return fail(r, "read %s", path);
	strv_split(&lines, text, '\n');
	for (size_t i = 0; r == 0 && i < lines.n; i++) {
		char *line = lines.v[i] + strspn(lines.v[i], " \t");
		size_t len = strlen(line);

		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (*line && *line != '#' && (r = fn(b, line)) < 0)
			r = fail_in(r, "%s, line %zu", path, i + 1);
	}
	strv_free(&lines);
	return r;
}

static int build_env(struct building *b)
{
	const struct container_opts *o = b->o;
	int r;

	set_env(b, DEFAULT_PATH);
	set_env(b, keep(b, xasprintf("HOSTNAME=%s", b->spec.hostname ? b->spec.hostname : "")));
	if (o->tty)
		set_env(b, "TERM=xterm");
	for (size_t i = 0; i < b->config.n_env; i++)
		if (strchr(b->config.env[i], '=') && b->config.env[i][0] != '=')
			set_env(b, b->config.env[i]);
	for (size_t i = 0; i < o->env_files.n; i++)
		if ((r = each_line(b, o->env_files.v[i], add_env)) < 0)
			return r;
	for (size_t i = 0; i < o->env.n; i++)
		if ((r = add_env(b, o->env.v[i])) < 0)
			return r;
	return 0;
}

static int add_label(struct building *b, const char *label)
{
	if (!*label || *label == '=')
		return refuse(-EINVAL, "bad label \"%.60s\": KEY=VALUE", label);
	size_t key = strcspn(label, "=");
	for (size_t i = 0; i < b->record.labels.n; i++) {
		char **old = &b->record.labels.v[i];

		if (strncmp(*old, label, key) == 0 && ((*old)[key] == '=' || !(*old)[key])) {
			free(*old);
			*old = xstrdup(label);
			return 0;
		}
	}
	strv_add(&b->record.labels, label);
	return 0;
}

/* The image's labels are words about it; they are shown, and nothing ever acts on them. */
static int build_labels(struct building *b)
{
	int r;

	json_each(l, b->config.labels)
		if (l->text && *l->key)
			add_label(b, keep(b, xasprintf("%s=%s", l->key, l->text)));
	for (size_t i = 0; i < b->o->label_files.n; i++)
		if ((r = each_line(b, b->o->label_files.v[i], add_label)) < 0)
			return r;
	for (size_t i = 0; i < b->o->labels.n; i++)
		if ((r = add_label(b, b->o->labels.v[i])) < 0)
			return r;
	return 0;
}

static int parse_limit(const char *s, uint64_t *v)
{
	if (streq(s, "-1") || streq(s, "unlimited")) {
		*v = UINT64_MAX;
		return 0;
	}
	return parse_u64(s, UINT64_MAX - 1, v);
}

/* "nofile=1024:4096" */
static int add_ulimit(struct building *b, const char *text)
{
	static const char *const names[] = {"as",      "core",     "cpu",        "data",   "fsize", "locks",
					    "memlock", "msgqueue", "nice",       "nofile", "nproc", "rss",
					    "rtprio",  "rttime",   "sigpending", "stack"};
	const char *eq = strchr(text, '=');
	_cleanup_(freep) char *name = xstrndup(text, eq ? (size_t)(eq - text) : 0);
	struct build_rlimit *l = &b->rlimits[b->spec.n_rlimits];
	struct strv parts = {0};
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		known |= streq(name, names[i]);
	strv_split(&parts, eq ? eq + 1 : "", ':');
	int r = parts.n > 2 ? -EINVAL : parse_limit(parts.v[0], &l->soft);
	if (r == 0)
		r = parse_limit(parts.v[parts.n - 1], &l->hard);
	strv_free(&parts);
	if (!known || r < 0 || l->soft > l->hard)
		return refuse(-EINVAL,
			      "bad --ulimit %.60s: NAME=SOFT[:HARD] with a name such as nofile, nproc, core, memlock "
			      "and SOFT not above HARD",
			      text);
	char *upper = xasprintf("RLIMIT_%s", name);
	for (char *p = upper; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	l->name = keep(b, upper);
	b->spec.n_rlimits++;
	return 0;
}

static int build_ulimits(struct building *b)
{
	b->rlimits = xcalloc(b->o->ulimits.n, sizeof(*b->rlimits));
	b->spec.rlimits = b->rlimits;
	for (size_t i = 0; i < b->o->ulimits.n; i++) {
		int r = add_ulimit(b, b->o->ulimits.v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The user is resolved in the root filesystem at the start; a bad form can be told now. */
static int build_user(struct building *b)
{
	const struct container_opts *o = b->o;
	unsigned int mask;

	if (o->umask) {
		if (parse_octal(o->umask, 0777, &mask) < 0)
			return refuse(-EINVAL, "bad --umask %.20s: an octal number up to 777", o->umask);
		b->spec.umask = (int)mask;
	}
	b->gids = xcalloc(o->groups.n, sizeof(*b->gids));
	b->spec.groups = b->gids;
	for (size_t i = 0; i < o->groups.n; i++) {
		uint64_t gid;

		if (parse_u64(o->groups.v[i], UINT32_MAX - 1, &gid) < 0)
			return refuse(-EINVAL, "bad --group-add %.40s: a group id", o->groups.v[i]);
		b->gids[b->spec.n_groups++] = (gid_t)gid;
	}
	return 0;
}

int build_process(struct building *b)
{
	const struct container_opts *o = b->o;
	struct spec_build *s = &b->spec;
	int r;

	build_args(b);
	if (b->args.n == 0)
		return refuse(-EINVAL, "no command: image %s has no default one, so give one after its name",
			      b->record.image);
	if ((r = build_env(b)) < 0 || (r = build_labels(b)) < 0 || (r = build_ulimits(b)) < 0 ||
	    (r = build_user(b)) < 0)
		return r;
	s->args = (const char *const *)b->args.v;
	s->n_args = b->args.n;
	s->env = (const char *const *)b->env.v;
	s->n_env = b->env.n;
	s->cwd = o->workdir ? o->workdir : b->config.workdir ? b->config.workdir : "/";
	if (s->cwd[0] != '/' || has_control(s->cwd))
		return refuse(-EINVAL, "working directory \"%.100s\" must be an absolute path", s->cwd);
	s->terminal = o->tty;
	if (o->tty)
		relay_window(STDIN_FILENO, &s->rows, &s->columns);
	if (o->oom_score_adj != INT64_MIN) {
		if (o->oom_score_adj < -1000 || o->oom_score_adj > 1000)
			return refuse(-EINVAL, "--oom-score-adj must be between -1000 and 1000");
		s->has_oom = true;
		s->oom_score_adj = (int)o->oom_score_adj;
	}
	for (size_t i = 0; i < b->args.n; i++)
		strv_add(&b->record.command, b->args.v[i]);
	return 0;
}
