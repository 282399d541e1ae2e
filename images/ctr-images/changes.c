#include "images/ctr-images/changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

#define SPACE " \t\n"

/*
 * The next word of *P, with a Dockerfile's quotes ("..." with backslash escapes, '...' without) taken
 * away; NULL at the end. An open quote gives -EINVAL.
 */
static int next_word(const char **p, char **word)
{
	struct strbuf b = {0};
	char quote = '\0';
	const char *s = *p + strspn(*p, SPACE);

	*word = NULL;
	if (!*s)
		return 0;
	for (; *s && (quote || !strchr(SPACE, *s)); s++) {
		if (*s == '\\' && quote != '\'' && s[1])
			strbuf_putc(&b, *++s);
		else if (quote && *s == quote)
			quote = '\0';
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else
			strbuf_putc(&b, *s);
	}
	*p = s;
	*word = b.p ? b.p : xstrdup("");
	if (!quote)
		return 0;
	free(*word);
	*word = NULL;
	return refuse(-EINVAL, "a quote is not closed");
}

static int split_words(const char *args, struct strv *words)
{
	char *word;

	for (;;) {
		int r = next_word(&args, &word);
		if (r < 0 || !word)
			return r;
		strv_take(words, word);
	}
}

static int parse_array(const char *args, struct strv *out)
{
	struct json_doc doc;
	int r = json_parse(args, strlen(args), "the list", &doc);
	if (r < 0)
		return r;
	r = json_expect(doc.root, JSON_ARRAY);
	json_each(item, doc.root) {
		if (r == 0)
			r = json_expect(item, JSON_STRING);
		if (r == 0)
			strv_add(out, item->text);
	}
	json_free(&doc);
	return r;
}

/* CMD and ENTRYPOINT: a JSON array is the vector, anything else a line for the shell. */
static int set_command(struct strv *command, bool *has, const char *args)
{
	strv_free(command);
	*has = true;
	if (*args == '[')
		return parse_array(args, command);
	if (!*args)
		return 0;
	strv_add(command, "/bin/sh");
	strv_add(command, "-c");
	strv_add(command, args);
	return 0;
}

static int set_cmd(struct changes *c, const char *args)
{
	return set_command(&c->cmd, &c->has_cmd, args);
}

static int set_entrypoint(struct changes *c, const char *args)
{
	return set_command(&c->entrypoint, &c->has_entrypoint, args);
}

static void put_env(struct strv *env, char *pair)
{
	size_t name = strcspn(pair, "=") + 1;

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], pair, name) != 0)
			continue;
		free(env->v[i]);
		env->v[i] = pair;
		return;
	}
	strv_take(env, pair);
}

static void put_label(struct changes *c, char *pair)
{
	char *value = strchr(pair, '=');

	*value++ = '\0';
	for (size_t i = 0; i < c->label_keys.n; i++) {
		if (!streq(c->label_keys.v[i], pair))
			continue;
		free(c->label_values.v[i]);
		c->label_values.v[i] = xstrdup(value);
		free(pair);
		return;
	}
	strv_add(&c->label_keys, pair);
	strv_add(&c->label_values, value);
	free(pair);
}

/* ENV and LABEL: NAME=VALUE..., or NAME and the rest of the line. */
static int split_pairs(const char *args, struct strv *pairs)
{
	size_t name = strcspn(args, SPACE "=");
	int r = 0;

	if (*args != '"' && *args != '\'' && args[name] != '=' && args[name])
		strv_take(pairs, xasprintf("%.*s=%s", (int)name, args, args + name + strspn(args + name, SPACE)));
	else
		r = split_words(args, pairs);
	for (size_t i = 0; r == 0 && i < pairs->n; i++)
		if (!strchr(pairs->v[i], '=') || pairs->v[i][0] == '=')
			r = refuse(-EINVAL, "'%.100s' is not NAME=VALUE", pairs->v[i]);
	return r;
}

static int set_env(struct changes *c, const char *args)
{
	_cleanup_(strv_free) struct strv pairs = {0};
	int r = split_pairs(args, &pairs);

	for (size_t i = 0; r == 0 && i < pairs.n; i++)
		put_env(&c->env, xstrdup(pairs.v[i]));
	return r;
}

static int set_label(struct changes *c, const char *args)
{
	_cleanup_(strv_free) struct strv pairs = {0};
	int r = split_pairs(args, &pairs);

	for (size_t i = 0; r == 0 && i < pairs.n; i++)
		put_label(c, xstrdup(pairs.v[i]));
	return r;
}

static int set_ports(struct changes *c, const char *args)
{
	_cleanup_(strv_free) struct strv words = {0};
	int r = split_words(args, &words);

	for (size_t i = 0; r == 0 && i < words.n; i++) {
		_cleanup_(freep) char *port = xasprintf("%s%s", words.v[i], strchr(words.v[i], '/') ? "" : "/tcp");

		if (!strv_has(&c->ports, port))
			strv_add(&c->ports, port);
	}
	return r;
}

static int set_volumes(struct changes *c, const char *args)
{
	_cleanup_(strv_free) struct strv words = {0};
	int r = *args == '[' ? parse_array(args, &words) : split_words(args, &words);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		if (!strv_has(&c->volumes, words.v[i]))
			strv_add(&c->volumes, words.v[i]);
	return r;
}

static int set_text(char **text, const char *args)
{
	free(*text);
	*text = xstrdup(args);
	return 0;
}

static int set_user(struct changes *c, const char *args)
{
	return set_text(&c->user, args);
}

static int set_workdir(struct changes *c, const char *args)
{
	return set_text(&c->workdir, args);
}

static int set_stop_signal(struct changes *c, const char *args)
{
	return set_text(&c->stop_signal, args);
}

static const struct {
	const char *word;
	int (*set)(struct changes *c, const char *args);
	bool may_be_empty;
} instructions[] = {
	{"CMD", set_cmd, true},         {"ENTRYPOINT", set_entrypoint, true}, {"ENV", set_env, false},
	{"USER", set_user, false},      {"WORKDIR", set_workdir, false},      {"EXPOSE", set_ports, false},
	{"VOLUME", set_volumes, false}, {"LABEL", set_label, false},          {"STOPSIGNAL", set_stop_signal, false},
};

int changes_add(struct changes *c, const char *instruction)
{
	const char *word = instruction + strspn(instruction, SPACE);
	size_t len = strcspn(word, SPACE);
	const char *rest = word + len + strspn(word + len, SPACE);
	size_t n = strlen(rest);

	while (n && strchr(SPACE, rest[n - 1]))
		n--;
	_cleanup_(freep) char *args = xstrndup(rest, n);
	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (strlen(instructions[i].word) != len || strncasecmp(word, instructions[i].word, len) != 0)
			continue;
		if (!*args && !instructions[i].may_be_empty)
			return refuse(-EINVAL, "--change %s needs a value", instructions[i].word);
		int r = instructions[i].set(c, args);
		return r < 0 ? fail_in(r, "--change '%.200s'", instruction) : 0;
	}
	return refuse(-EINVAL,
		      "--change '%.200s' begins with none of CMD, ENTRYPOINT, ENV, USER, WORKDIR, EXPOSE, VOLUME, "
		      "LABEL, STOPSIGNAL",
		      instruction);
}

void changes_free(struct changes *c)
{
	strv_free(&c->cmd);
	strv_free(&c->entrypoint);
	strv_free(&c->env);
	strv_free(&c->ports);
	strv_free(&c->volumes);
	strv_free(&c->label_keys);
	strv_free(&c->label_values);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	*c = (struct changes){0};
}

/* A list as Go writes a map[string]struct{}. */
static void put_set(struct json_writer *w, const char *key, const struct strv *l)
{
	if (!l->n)
		return;
	json_open(w, key, '{');
	for (size_t i = 0; i < l->n; i++) {
		json_open(w, l->v[i], '{');
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void put_list(struct json_writer *w, const char *key, const struct strv *l)
{
	if (l->n)
		json_put_strs(w, key, (const char *const *)l->v, l->n);
}

static void put_text(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_put_str(w, key, value);
}

void changes_write(const struct changes *c, struct json_writer *w)
{
	json_open(w, "config", '{');
	put_text(w, "User", c->user);
	put_set(w, "ExposedPorts", &c->ports);
	put_list(w, "Env", &c->env);
	put_list(w, "Entrypoint", &c->entrypoint);
	put_list(w, "Cmd", &c->cmd);
	put_set(w, "Volumes", &c->volumes);
	put_text(w, "WorkingDir", c->workdir);
	if (c->label_keys.n) {
		json_open(w, "Labels", '{');
		for (size_t i = 0; i < c->label_keys.n; i++)
			json_put_str(w, c->label_keys.v[i], c->label_values.v[i]);
		json_close(w, '}');
	}
	put_text(w, "StopSignal", c->stop_signal);
	json_close(w, '}');
}
