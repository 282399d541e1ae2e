/* ctr ps. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "images/ref.h"

#define COMMAND_WIDTH 20
#define PORTS_WIDTH 60
#define SHORT_ID 12

struct ps_opts {
	bool all, quiet, no_trunc, latest;
	int64_t last; /* negative: no limit */
	struct strv filters;
	const char *format;
};

static const struct opt ps_table[] = {
	{OPT_FLAG, 'a', "all", NULL, "Show all containers, not only those that run", offsetof(struct ps_opts, all)},
	{OPT_STRS, 'f', "filter", "KEY=VALUE", "Show only those that fit, see above",
	 offsetof(struct ps_opts, filters)},
	{OPT_STR, 0, "format", "table|json|TEMPLATE", "How to print", offsetof(struct ps_opts, format)},
	{OPT_I64, 'n', "last", "N", "Show the N that were created last, running or not",
	 offsetof(struct ps_opts, last)},
	{OPT_FLAG, 'l', "latest", NULL, "Show the one that was created last, running or not",
	 offsetof(struct ps_opts, latest)},
	{OPT_FLAG, 0, "no-trunc", NULL, "Do not shorten ids and commands", offsetof(struct ps_opts, no_trunc)},
	{OPT_FLAG, 'q', "quiet", NULL, "Print ids only", offsetof(struct ps_opts, quiet)},
	OPT_END,
};

static const struct ps_opts ps_defaults = {.last = -1};

/* docker's word for the state. */
static const char *state_word(const struct found *f)
{
	return f->status == STATUS_STOPPED ? "exited" : status_name(f->status);
}

/* --- filters ------------------------------------------------------------------------------------------ */

static int check_regex(const char *value)
{
	regex_t re;
	char why[128];
	int r = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);

	if (r == 0) {
		regfree(&re);
		return 0;
	}
	regerror(r, &re, why, sizeof(why));
	return refuse(-EINVAL, "--filter name=%.64s is not a regular expression: %s", value, why);
}

static bool match_name(const struct found *f, const char *value)
{
	regex_t re;
	bool found = false;

	if (regcomp(&re, value, REG_EXTENDED | REG_NOSUB) == 0) {
		found = regexec(&re, f->record.name, 0, NULL, 0) == 0;
		regfree(&re);
	}
	return found;
}

static bool match_id(const struct found *f, const char *value)
{
	return after_prefix(f->record.id, value);
}

static const char *const states[] = {"creating", "created", "running", "paused", "exited", "stopped"};

static int check_status(const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (streq(value, states[i]))
			return 0;
	return refuse(-EINVAL, "--filter status=%.32s: the states are created, running, paused and exited", value);
}

static bool match_status(const struct found *f, const char *value)
{
	return streq(state_word(f), streq(value, "stopped") ? "exited" : value);
}

static int check_exited(const char *value)
{
	uint64_t code;

	if (parse_u64(value, 255, &code) < 0)
		return refuse(-EINVAL, "--filter exited=%.32s: an exit status is a number from 0 to 255", value);
	return 0;
}

static bool match_exited(const struct found *f, const char *value)
{
	uint64_t code = 256;

	parse_u64(value, 255, &code);
	return f->status == STATUS_STOPPED && (uint64_t)f->exit.code == code;
}

static int check_label(const char *value)
{
	return *value && *value != '=' ? 0 : refuse(-EINVAL, "--filter label=: give KEY or KEY=VALUE behind it");
}

static bool match_label(const struct found *f, const char *value)
{
	bool whole = strchr(value, '=');

	for (size_t i = 0; i < f->record.labels.n; i++) {
		const char *rest = after_prefix(f->record.labels.v[i], value);
		if (rest && (*rest == '\0' || (!whole && *rest == '=')))
			return true;
	}
	return false;
}

/* An image's name, with or without its tag, or the start of its id. */
static bool match_ancestor(const struct found *f, const char *value)
{
	const struct record *r = &f->record;
	const char *id = after_prefix(value, "sha256:");
	char a[REF_MAX + 1], b[REF_MAX + 1];

	if (!id)
		id = value;
	if (r->image_id && strlen(id) >= 4 && after_prefix(r->image_id, id))
		return true;
	if (!r->image)
		return false;
	if (streq(r->image, value))
		return true;
	return ref_normalise(r->image, a) == 0 && ref_normalise(value, b) == 0 && streq(a, b);
}

static const struct filter {
	const char *key;
	bool every;     /* all values must fit, not just one of them */
	bool any_state; /* asks about containers that do not run, too */
	int (*check)(const char *value);
	bool (*match)(const struct found *f, const char *value);
} filters[] = {
	{"name", false, false, check_regex, match_name},     {"id", false, false, NULL, match_id},
	{"status", false, true, check_status, match_status}, {"label", true, false, check_label, match_label},
	{"ancestor", false, false, NULL, match_ancestor},    {"exited", false, true, check_exited, match_exited},
};

/* The value of "KEY=VALUE" when it is for filter K. */
static const char *filter_value(const struct filter *k, const char *text)
{
	const char *rest = after_prefix(text, k->key);

	return rest && *rest == '=' ? rest + 1 : NULL;
}

static int check_filter(const char *text, bool *all)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *value = filter_value(&filters[i], text);

		if (!value)
			continue;
		*all |= filters[i].any_state;
		return filters[i].check ? filters[i].check(value) : 0;
	}
	return refuse(
		-EINVAL,
		"--filter \"%.64s\" is not known: there are name=, id=, status=, label=, ancestor= and exited=", text);
}

static bool fits(const struct found *f, const struct strv *asked)
{
	for (size_t k = 0; k < ARRAY_SIZE(filters); k++) {
		size_t given = 0, fitting = 0;

		for (size_t i = 0; i < asked->n; i++) {
			const char *value = filter_value(&filters[k], asked->v[i]);

			given += value != NULL;
			fitting += value && filters[k].match(f, value);
		}
		if (given && (filters[k].every ? fitting < given : fitting == 0))
			return false;
	}
	return true;
}

/* --- rows --------------------------------------------------------------------------------------------- */

/* "5 minutes ago", "" for no time. */
static void put_ago(struct strbuf *out, const char *time)
{
	char words[32];
	int64_t then;

	if (time && *time && clock_parse(time, &then) == 0)
		strbuf_printf(out, "%s ago", duration_words(clock_now() - then, words));
}

static void put_status(struct strbuf *out, const struct found *f)
{
	char words[32];
	int64_t start;

	switch (f->status) {
	case STATUS_CREATING:
		strbuf_puts(out, "Starting");
		break;
	case STATUS_CREATED:
		strbuf_puts(out, "Created");
		break;
	case STATUS_STOPPED:
		strbuf_printf(out, "Exited (%d) ", f->exit.code);
		put_ago(out, f->exit.finished);
		break;
	default:
		strbuf_puts(out, "Up");
		if (f->state.created && clock_parse(f->state.created, &start) == 0)
			strbuf_printf(out, " %s", duration_words(clock_now() - start, words));
		strbuf_puts(out, f->status == STATUS_PAUSED ? " (Paused)" : "");
	}
}

/* The bytes of the character at S; of what is not UTF-8, some. */
static size_t char_bytes(const char *s)
{
	size_t n = 1;

	while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* S in WIDTH characters at most, 0: all of it. */
static void put_cut(struct strbuf *out, const char *s, size_t width)
{
	size_t keep = 0, chars = 0;

	for (size_t at = 0; width && s[at]; at += char_bytes(s + at)) {
		if (chars + 1 == width)
			keep = at;
		if (chars++ < width)
			continue;
		strbuf_add(out, s, keep);
		strbuf_puts(out, "…");
		return;
	}
	strbuf_puts(out, s);
}

static void put_joined(struct strbuf *out, const struct strv *words, const char *between, size_t width)
{
	_cleanup_(strbuf_free) struct strbuf all = {0};

	for (size_t i = 0; i < words->n && (!width || all.len < width * 8); i++) {
		strbuf_puts(&all, i ? between : "");
		strbuf_puts(&all, words->v[i]);
	}
	put_cut(out, strbuf_str(&all), width);
}

static void put_text(struct json_writer *w, const char *key, struct strbuf *text)
{
	json_put_str(w, key, strbuf_str(text));
	text->len = 0;
	if (text->p)
		text->p[0] = '\0';
}

/* The sources of the binds, as docker lists them; the record has "SOURCE:DESTINATION" or that with ":ro". */
static void put_mounts(struct strbuf *out, const struct strv *mounts)
{
	for (size_t i = 0; i < mounts->n; i++) {
		const char *at = mounts->v[i], *colon = NULL;

		if (*at != '/')
			continue;
		for (const char *p = at; (p = strstr(p, ":/")); p++)
			colon = p;
		strbuf_puts(out, out->len ? "," : "");
		strbuf_add(out, at, colon ? (size_t)(colon - at) : strlen(at));
	}
}

static void put_labels(struct json_writer *w, const struct strv *labels)
{
	json_open(w, "Labels", '{');
	for (size_t i = 0; i < labels->n; i++) {
		const char *eq = strchrnul(labels->v[i], '=');
		_cleanup_(freep) char *key = xstrndup(labels->v[i], (size_t)(eq - labels->v[i]));

		json_put_str(w, key, *eq ? eq + 1 : "");
	}
	json_close(w, '}');
}

static void put_row(struct json_writer *w, const struct found *f, bool whole)
{
	_cleanup_(strbuf_free) struct strbuf t = {0};
	const struct record *r = &f->record;
	bool runs = f->status != STATUS_STOPPED && f->status != STATUS_CREATED;

	json_open(w, NULL, '{');
	strbuf_add(&t, r->id, strnlen(r->id, whole ? SIZE_MAX : SHORT_ID));
	put_text(w, "ID", &t);
	json_put_str(w, "Image", r->image ? r->image : r->rootfs ? r->rootfs : "");
	const char *image_id = r->image_id ? r->image_id : "";
	strbuf_add(&t, image_id, strnlen(image_id, whole ? SIZE_MAX : SHORT_ID));
	put_text(w, "ImageID", &t);
	put_joined(&t, &r->command, " ", whole ? 0 : COMMAND_WIDTH);
	put_text(w, "Command", &t);
	json_put_str(w, "CreatedAt", r->created);
	put_ago(&t, r->created);
	json_put_str(w, "Created", strbuf_str(&t));
	put_text(w, "RunningFor", &t);
	put_status(&t, f);
	put_text(w, "Status", &t);
	json_put_str(w, "State", state_word(f));
	put_joined(&t, &r->ports, ", ", whole ? 0 : PORTS_WIDTH);
	put_text(w, "Ports", &t);
	json_put_str(w, "Names", r->name);
	put_labels(w, &r->labels);
	json_put_i64(w, "Pid", runs ? f->state.init.pid : 0);
	put_mounts(&t, &r->mounts);
	put_text(w, "Mounts", &t);
	json_put_str(w, "Networks", r->network ? r->network : "");
	json_put_i64(w, "ExitCode", f->status == STATUS_STOPPED ? f->exit.code : 0);
	json_close(w, '}');
}

static bool is_shown(const struct found *f, const struct ps_opts *o, bool all)
{
	bool active = f->status == STATUS_RUNNING || f->status == STATUS_PAUSED || f->status == STATUS_CREATING;

	return (all || active) && fits(f, &o->filters);
}

static int print_rows(const struct found *list, size_t n, const struct ps_opts *o, bool all)
{
	static const struct column columns[] = {{"CONTAINER ID", "ID"}, {"IMAGE", "Image"},   {"COMMAND", "Command"},
						{"CREATED", "Created"}, {"STATUS", "Status"}, {"PORTS", "Ports"},
						{"NAMES", "Names"}};
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	struct json_doc doc = {0};
	/* A program has no use for half a command. */
	bool whole = o->no_trunc || (!o->quiet && o->format && streq(o->format, "json"));
	int64_t left = o->last >= 0 ? o->last : INT64_MAX;

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < n && left > 0; i++) {
		if (!is_shown(&list[i], o, all))
			continue;
		put_row(&w, &list[i], whole);
		left--;
	}
	json_close(&w, ']');
	int r = json_parse(text.p, text.len, "the list", &doc);
	if (r == 0)
		r = table_print(doc.root, columns, ARRAY_SIZE(columns), o->quiet ? "{{.ID}}" : o->format);
	json_free(&doc);
	return r;
}

static int ps_run(void *opts, int argc, char **argv)
{
	struct ps_opts *o = opts;
	struct found *list = NULL;
	size_t n = 0;
	int r;

	(void)argc, (void)argv;
	if (o->latest)
		o->last = 1;
	bool all = o->all || o->last >= 0;
	for (size_t i = 0; i < o->filters.n; i++)
		if ((r = check_filter(o->filters.v[i], &all)) < 0)
			return r;
	if ((r = cli_open_all(&list, &n)) < 0)
		return r;
	r = print_rows(list, n, o, all);
	cli_close_all(list, n);
	return r;
}

const struct verb verb_ps = {
	.name = "ps",
	.usage = "[OPTIONS]",
	.summary = "List containers",
	.details =
		"Filters, which may be combined; of several values for one key one must fit, of several labels all:\n"
		"  name=REGEX           the name, or a part of it\n"
		"  id=START             the id\n"
		"  status=STATE         created, running, paused or exited\n"
		"  label=KEY[=VALUE]    a label\n"
		"  ancestor=IMAGE       the image, by name or id\n"
		"  exited=N             the exit status\n\n"
		"A template may name: ID, Image, ImageID, Command, CreatedAt, Created, RunningFor, Status, State, "
		"Ports, "
		"Names, Labels, Pid, Mounts, Networks, ExitCode. --format json shortens nothing.",
	.examples = "$ ctr ps -a\n"
		    "$ ctr ps -a --filter status=exited --filter label=tier=web\n"
		    "$ ctr ps --format '{{.Names}}: {{.Status}}'\n"
		    "$ ctr rm $(ctr ps -aq --filter status=exited)\n",
	.group = "Containers",
	.opts = ps_table,
	.opts_size = sizeof(struct ps_opts),
	.defaults = &ps_defaults,
	.run = ps_run,
};
