#include "cli/opt.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"

static const char *program = "ctr";
static const char *program_summary = "Run OCI images as containers or as virtual machines";

void opt_set_program(const char *name, const char *summary)
{
	program = name;
	program_summary = summary;
}

const char *opt_program(void)
{
	return program;
}

const char *opt_program_summary(void)
{
	return program_summary;
}

/* What one call of the parser works on. */
struct parse {
	const struct opt *table;
	char *opts;       /* the structure to fill */
	const char *verb; /* "" while the program's own options are parsed */
	int argc, at;     /* AT: the next word */
	char **argv;
	int min_args;
	bool rest_is_command;
	int count; /* positional arguments, gathered in argv[1] and on */
};

/* An option as the user wrote it, for messages. */
struct spelling {
	char text[48];
};

/* "ctr run", or "ctr" before a verb is known. */
static const char *command_name(const struct parse *p, char buf[128])
{
	snprintf(buf, 128, "%s%s%s", program, p->verb[0] ? " " : "", p->verb);
	return buf;
}

/* Records "MESSAGE; see `ctr VERB --help`". */
static int usage_error(const struct parse *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int usage_error(const struct parse *p, const char *fmt, ...)
{
	char message[600], name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return refuse(-EINVAL, "%s; see `%s --help`", message, command_name(p, name));
}

/* --- what is near ------------------------------------------------------------------------------------- */

/* Two neighbouring letters changed places, the commonest slip. */
static bool swapped(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return a[i] && a[i + 1] && a[i] == b[i + 1] && a[i + 1] == b[i] && streq(a + i + 2, b + i + 2);
}

/* How far WORD is from CANDIDATE; NOT_NEAR when nobody would take one for the other. */
#define NOT_NEAR 99
static unsigned int farness(const char *word, const char *candidate)
{
	size_t len = strlen(word);
	unsigned int limit = len < 4 ? 1 : len < 8 ? 2 : 3;
	unsigned int d = swapped(word, candidate) ? 1 : edit_distance(word, candidate);

	if (d <= limit && d < len)
		return d;
	/* The start of a long word is meant for it, but less surely than a slip of the keys. */
	return len >= 3 && after_prefix(candidate, word) ? limit + 1 : NOT_NEAR;
}

static const char *nearest_option(const struct opt *table, const char *word)
{
	unsigned int best = NOT_NEAR;
	const char *found = NULL;

	for (const struct opt *o = table; o && o->name; o++) {
		unsigned int d = o->type == OPT_HEADING ? NOT_NEAR : farness(word, o->name);

		if (d < best) {
			best = d;
			found = o->name;
		}
	}
	return found;
}

const char *opt_nearest_verb(const struct verb *const *verbs, size_t n, const char *word)
{
	unsigned int best = NOT_NEAR;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned int d = opt_verb_listed(verbs[i]) ? farness(word, verbs[i]->name) : NOT_NEAR;

		if (d < best) {
			best = d;
			found = verbs[i]->name;
		}
	}
	return found;
}

/* --- options ------------------------------------------------------------------------------------------ */

static const struct opt *find_long(const struct opt *table, const char *name, size_t len)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->type != OPT_HEADING && strncmp(o->name, name, len) == 0 && !o->name[len])
			return o;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->type != OPT_HEADING && o->letter == letter)
			return o;
	return NULL;
}

static int unknown_option(const struct parse *p, const char *word, const char *meant)
{
	char name[128];

	command_name(p, name);
	if (meant)
		return usage_error(p, "unknown option %.64s for `%s` (did you mean --%s?)", word, name, meant);
	return usage_error(p, "unknown option %.64s for `%s`", word, name);
}

static int store_flag(const struct parse *p, const char *spelled, const char *value, bool *out)
{
	static const char *const words[] = {"false", "true", "0", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(value, words[i])) {
			*out = i & 1;
			return 0;
		}
	return usage_error(p, "%s takes no value but true or false, not \"%.64s\"", spelled, value);
}

static int store_number(const struct parse *p, const struct opt *o, const char *spelled, const char *value)
{
	static const char *const accepted[] = {
		[OPT_U64] = "a whole number from 0 up",
		[OPT_I64] = "a whole number",
		[OPT_BYTES] = "a size such as 512m or 2g",
		[OPT_LIMIT] = "a size such as 512m, or -1 for no limit",
		[OPT_DURATION] = "a duration such as 10s or 1m30s",
	};
	void *to = p->opts + o->offset;
	uint64_t bytes;
	int r;

	if (o->type == OPT_U64)
		r = parse_u64(value, UINT64_MAX, to);
	else if (o->type == OPT_I64)
		r = parse_i64(value, INT64_MIN, INT64_MAX, to);
	else if (o->type == OPT_BYTES)
		r = parse_bytes(value, to);
	else if (o->type == OPT_DURATION)
		r = duration_parse(value, to);
	else if (streq(value, "-1"))
		r = parse_i64(value, -1, -1, to);
	else {
		r = parse_bytes(value, &bytes);
		if (r == 0 && bytes > INT64_MAX)
			r = -ERANGE;
		if (r == 0)
			*(int64_t *)to = (int64_t)bytes;
	}
	if (r == -ERANGE)
		return usage_error(p, "%s takes %s, and %.64s is out of range", spelled, accepted[o->type], value);
	if (r < 0)
		return usage_error(p, "%s takes %s, not \"%.64s\"", spelled, accepted[o->type], value);
	return 0;
}

static int store(const struct parse *p, const struct opt *o, const char *spelled, const char *value)
{
	void *to = p->opts + o->offset;

	switch (o->type) {
	case OPT_FLAG:
		return store_flag(p, spelled, value, to);
	case OPT_STR:
		*(const char **)to = value;
		return 0;
	case OPT_STRS:
		strv_add(to, value);
		return 0;
	default:
		return store_number(p, o, spelled, value);
	}
}

/* Stores the value of O: ATTACHED when it came in the same word, else the next word. */
static int take_value(struct parse *p, const struct opt *o, const char *spelled, const char *attached)
{
	if (!attached && o->type == OPT_FLAG)
		attached = "true";
	if (!attached && p->at >= p->argc)
		return usage_error(p, "%s needs a value, %s %s", spelled, spelled, o->arg ? o->arg : "VALUE");
	return store(p, o, spelled, attached ? attached : p->argv[p->at++]);
}

/* "--name", "--name=value", "--name value". 1 for --help. */
static int parse_long(struct parse *p, const char *word)
{
	const char *name = word + 2, *equals = strchrnul(name, '=');
	size_t len = (size_t)(equals - name);
	const struct opt *o = find_long(p->table, name, len);
	struct spelling s;

	snprintf(s.text, sizeof(s.text), "--%.*s", (int)(len < 40 ? len : 40), name);
	if (o)
		return take_value(p, o, s.text, *equals ? equals + 1 : NULL);
	if (streq(name, "help"))
		return 1;
	return unknown_option(p, s.text, nearest_option(p->table, s.text + 2));
}

/* "-it", "-eA=B", "-e=A=B", "-e A=B". 1 for -h. */
static int parse_cluster(struct parse *p, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		const struct opt *o = find_letter(p->table, *c);
		struct spelling s = {{'-', *c}};

		if (!o && *c == 'h')
			return 1;
		if (!o) {
			/* "-name web" is a slip for "--name web". */
			const struct opt *slip = find_long(p->table, word + 1, strcspn(word + 1, "="));

			return unknown_option(p, slip ? word : s.text, slip ? slip->name : NULL);
		}
		if (o->type == OPT_FLAG && c[1] != '=') {
			take_value(p, o, s.text, NULL);
			continue;
		}
		return take_value(p, o, s.text, c[1] == '=' ? c + 2 : c[1] ? c + 1 : NULL);
	}
	return 0;
}

/* Walks the words; positional arguments end up in argv[1..count]. 1 when help was asked. */
static int parse_words(struct parse *p)
{
	bool options = true;

	for (p->at = 1; p->at < p->argc;) {
		char *word = p->argv[p->at++];
		int r;

		if (!options || word[0] != '-' || !word[1]) {
			/* Never behind the word that was read, so nothing unread is overwritten. */
			p->argv[++p->count] = word;
			if (p->rest_is_command && p->count >= p->min_args)
				options = false;
			continue;
		}
		if (streq(word, "--")) {
			options = false;
			continue;
		}
		r = word[1] == '-' ? parse_long(p, word) : parse_cluster(p, word);
		if (r != 0)
			return r;
	}
	p->argv[p->count + 1] = NULL;
	return 0;
}

/* --- positional arguments ----------------------------------------------------------------------------- */

/* The next word of USAGE that must be given (not in brackets): its length, 0 when there is none. */
static size_t required_word(const char **usage)
{
	const char *s = *usage;
	int depth = 0;

	for (; *s; s++) {
		depth += (*s == '[') - (*s == ']');
		if (depth == 0 && *s != ' ' && *s != ']')
			break;
	}
	size_t len = strcspn(s, " ");
	*usage = s + len;
	return len;
}

static int too_few(const struct parse *p, const struct verb *verb)
{
	char list[256] = "", name[128];
	const char *usage = verb->usage;
	size_t used = 0;

	for (int i = 0; i < verb->min_args; i++) {
		size_t len = required_word(&usage);
		const char *word = usage - len;
		bool repeated = len > 3 && memcmp(usage - 3, "...", 3) == 0;
		const char *join = i == 0 ? "" : i + 1 < verb->min_args ? ", " : " and ";
		const char *article = repeated ? "at least one " : len && strchr("AEIOU", *word) ? "an " : "a ";

		if (len == 0)
			return usage_error(p, "`%s` needs %d arguments, not %d", command_name(p, name), verb->min_args,
					   p->count);
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s%.*s", join, article,
					 (int)(repeated ? len - 3 : len), word);
		if (used >= sizeof(list))
			break;
	}
	return usage_error(p, "`%s` needs %s", command_name(p, name), list);
}

static int check_count(const struct parse *p, const struct verb *verb)
{
	char name[128];

	if (p->count < verb->min_args)
		return too_few(p, verb);
	if (verb->max_args < 0 || p->count <= verb->max_args)
		return 0;
	if (verb->max_args == 0)
		return usage_error(p, "`%s` takes no arguments, but \"%.64s\" was given", command_name(p, name),
				   p->argv[1]);
	return usage_error(p, "`%s` takes %s%d argument%s, and \"%.64s\" is one too many", command_name(p, name),
			   verb->min_args < verb->max_args ? "at most " : "", verb->max_args,
			   verb->max_args == 1 ? "" : "s", p->argv[verb->max_args + 1]);
}

/* --- the public face ---------------------------------------------------------------------------------- */

static void free_values(const struct opt *table, char *opts)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->type == OPT_STRS)
			strv_free((void *)(opts + o->offset));
}

void opt_free(const struct verb *verb, void *opts)
{
	free_values(verb->opts, opts);
}

int opt_parse(const struct verb *verb, void *opts, int *argc, char ***argv)
{
	struct parse p = {
		.table = verb->opts,
		.opts = opts,
		.verb = verb->name,
		.argc = *argc,
		.argv = *argv,
		.min_args = verb->min_args,
		.rest_is_command = verb->rest_is_command,
	};

	if (verb->defaults)
		memcpy(opts, verb->defaults, verb->opts_size);
	else if (verb->opts_size)
		memset(opts, 0, verb->opts_size);
	int r = parse_words(&p);
	if (r == 1)
		opt_print_help(verb);
	if (r == 0)
		r = check_count(&p, verb);
	if (r != 0) {
		free_values(verb->opts, opts);
		return r;
	}
	*argc = p.count;
	*argv = p.argv + 1;
	return 0;
}

int opt_parse_globals(const struct opt *globals, void *opts, size_t opts_size, int *argc, char ***argv)
{
	struct parse p = {
		.table = globals,
		.opts = opts,
		.verb = "",
		.argc = *argc,
		.argv = *argv,
		.rest_is_command = true,
	};

	memset(opts, 0, opts_size);
	int r = parse_words(&p);
	if (r != 0) {
		free_values(globals, opts);
		return r;
	}
	*argc = p.count;
	*argv = p.argv + 1;
	return 0;
}

/* --- verbs -------------------------------------------------------------------------------------------- */

bool opt_opens_group(const struct verb *const *verbs, size_t i)
{
	if (!opt_verb_listed(verbs[i]))
		return false;
	for (size_t j = 0; j < i; j++)
		if (opt_verb_listed(verbs[j]) && streq(opt_verb_group(verbs[j]), opt_verb_group(verbs[i])))
			return false;
	return true;
}

/* What follows WORD and a space in NAME, or NULL: the second word of a verb in group WORD. */
static const char *in_group(const char *name, const char *word)
{
	const char *rest = after_prefix(name, word);

	return rest && *rest == ' ' ? rest + 1 : NULL;
}

/* "`ctr network` needs a command: create, ls, rm". */
static int group_alone(const struct verb *const *verbs, size_t n, const char *word)
{
	char list[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof(list); i++) {
		const char *second = opt_verb_listed(verbs[i]) ? in_group(verbs[i]->name, word) : NULL;

		if (second)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", second);
	}
	return refuse(-EINVAL, "`%s %s` needs a command: %s; see `%s %s --help`", program, word, list, program, word);
}

static int unknown_verb(const struct verb *const *verbs, size_t n, const char *group, const char *word)
{
	char typed[140], first[64], group_help[70] = "";
	const char *meant;

	snprintf(typed, sizeof(typed), "%.64s%s%.64s", group ? group : "", group ? " " : "", word);
	if (group)
		snprintf(group_help, sizeof(group_help), " %.64s", group);
	meant = opt_nearest_verb(verbs, n, typed);
	for (size_t i = 0; !meant && !group && i < n; i++) {
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(verbs[i]->name, " "), verbs[i]->name);
		if (opt_verb_listed(verbs[i]) && farness(word, first) != NOT_NEAR)
			meant = first;
	}
	if (meant)
		return refuse(-EINVAL, "unknown command `%s %s` (did you mean `%s %s`?); see `%s%s --help`", program,
			      typed, program, meant, program, group_help);
	return refuse(-EINVAL, "unknown command `%s %s`; see `%s%s --help`", program, typed, program, group_help);
}

int opt_find_verb(const struct verb *const *verbs, size_t n, int *argc, char ***argv, const struct verb **out)
{
	const char *word = *argc > 0 ? (*argv)[0] : NULL, *next = *argc > 1 ? (*argv)[1] : NULL;
	bool group = false;

	*out = NULL;
	if (!word)
		return refuse(-EINVAL, "a command is missing; see `%s --help`", program);
	for (size_t i = 0; i < n; i++) {
		const char *second = in_group(verbs[i]->name, word);

		group = group || second;
		if (second && next && streq(second, next)) {
			*out = verbs[i];
			--*argc;
			++*argv;
			return 0;
		}
		if (streq(verbs[i]->name, word))
			*out = verbs[i];
	}
	if (*out)
		return 0;
	if (!group)
		return unknown_verb(verbs, n, NULL, word);
	if (!next)
		return group_alone(verbs, n, word);
	if (!streq(next, "--help") && !streq(next, "-h"))
		return unknown_verb(verbs, n, word, next);
	opt_print_group(verbs, n, word);
	return 1;
}
