/*
 * Go's text/template, as far as scripts for docker and podman use it.
 *
 *   actions     {{pipeline}} {{if}} {{else}} {{else if}} {{with}} {{range}} {{range $k, $v := .}} {{end}}
 *               {{$x := pipeline}} {{$x = pipeline}} {{/ * comment * /}}, and {{- trims -}}
 *   operands    . .A.B $ $x $x.A (pipeline).A "text" `text` 12 -1.5 true false nil
 *   functions   see template_call.c; pipelines: .A | join ","
 *
 * The text is run as it is read, without a tree: a branch not taken is read in "dead" mode, in which
 * only the syntax counts, and a range goes back to the start of its body. Values are JSON nodes, the
 * document's or made here. Depth, memory and the number of actions are bounded.
 */
#include "cli/template.h"

#include <errno.h>
#include <stdio.h>

#include "cli/table.h"

#define DEPTH_MAX 32
#define STEPS_MAX 1000000

/* --- words of an action ------------------------------------------------------------------------------- */

static const struct json nothing = {.type = JSON_NULL};

static void skip_space(struct tpl *t)
{
	t->p += strspn(t->p, " \t\r\n");
}

/* True at "}}" or "-}}". */
static bool at_close(const struct tpl *t)
{
	return strncmp(t->p + (*t->p == '-'), "}}", 2) == 0;
}

static int close_action(struct tpl *t)
{
	skip_space(t);
	if (!at_close(t))
		return tpl_bad(t, t->p, *t->p ? "unexpected here, }} should follow" : "}} is missing");
	t->trim = *t->p == '-';
	t->p += t->trim ? 3 : 2;
	return 0;
}

/* Eats WORD when it stands here as a whole. */
static bool eat_name(struct tpl *t, const char *word)
{
	size_t n = tpl_name_length(t->p);

	if (n != strlen(word) || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

static bool eat(struct tpl *t, const char *mark)
{
	skip_space(t);
	const char *rest = after_prefix(t->p, mark);
	if (rest)
		t->p = rest;
	return rest;
}

/* --- operands ----------------------------------------------------------------------------------------- */

static int eval_pipeline(struct tpl *t, const struct json **out);

static const struct json *find_member(const struct json *map, const char *name, size_t len)
{
	const struct json *found = NULL, *near = NULL;

	json_each(member, map) {
		if (strncmp(member->key, name, len) == 0 && !member->key[len])
			found = member;
		/* docker's .ID and podman's .Id are one field. */
		if (strncasecmp(member->key, name, len) == 0 && !member->key[len])
			near = member;
	}
	return found ? found : near;
}

/* Follows ".A.B" from V. */
static int eval_fields(struct tpl *t, const struct json *v, const struct json **out)
{
	while (*t->p == '.' && tpl_name_length(t->p + 1)) {
		const char *at = t->p, *name = at + 1;
		size_t len = tpl_name_length(name);

		t->p = name + len;
		if (t->dead || tpl_is_missing(v))
			continue;
		if (v->type != JSON_OBJECT && v->type != JSON_NULL)
			return tpl_bad(t, at, "%s has no fields", tpl_type_name(v));
		const struct json *member = find_member(v, name, len);
		v = member ? member : tpl_new_missing(t, at, v);
	}
	*out = v;
	return 0;
}

static int eval_variable(struct tpl *t, const struct json **out)
{
	const char *at = t->p++;
	size_t len = tpl_name_length(t->p);

	*out = t->root;
	t->p += len;
	if (len == 0)
		return 0;
	for (size_t i = t->n_variables; i-- > 0;) {
		const struct tpl_variable *var = &t->variables[i];

		if (var->len == len && memcmp(var->name, at + 1, len) == 0) {
			*out = var->value;
			return 0;
		}
	}
	return tpl_bad(t, at, "this variable was not set before");
}

/* "text" with Go's simple escapes, or `text`. */
static int eval_quoted(struct tpl *t, const struct json **out)
{
	static const char from[] = "ntr\"'\\", to[] = "\n\t\r\"'\\";
	const char *at = t->p;
	char quote = *t->p++;
	_cleanup_(strbuf_free) struct strbuf text = {0};

	for (; *t->p && *t->p != quote; t->p++) {
		char c = *t->p;

		if (c == '\\' && quote == '"') {
			const char *known = *++t->p ? strchr(from, *t->p) : NULL;

			if (!known)
				return tpl_bad(t, t->p - 1,
					       "only \\n, \\t, \\r, \\\", \\' and \\\\ are known in a text");
			c = to[known - from];
		}
		strbuf_putc(&text, c);
	}
	if (*t->p++ != quote)
		return tpl_bad(t, at, "the closing quote is missing");
	*out = tpl_new_text(t, JSON_STRING, strbuf_str(&text), text.len);
	return 0;
}

static int eval_number(struct tpl *t, const struct json **out)
{
	const char *at = t->p;

	t->p += *t->p == '-';
	size_t digits = strspn(t->p, "0123456789");
	t->p += digits;
	if (digits && *t->p == '.') {
		digits = strspn(t->p + 1, "0123456789");
		t->p += digits + 1;
	}
	if (digits == 0 || tpl_name_length(t->p))
		return tpl_bad(t, at, "this is not a number");
	*out = tpl_new_text(t, JSON_NUMBER, at, (size_t)(t->p - at));
	return 0;
}

static int eval_parenthesis(struct tpl *t, const struct json **out)
{
	const char *at = t->p++;
	int r = eval_pipeline(t, out);

	if (r == 0 && !eat(t, ")"))
		r = tpl_bad(t, *t->p ? t->p : at, "the closing ) is missing");
	return r;
}

/* A value with the fields asked of it. */
static int eval_operand(struct tpl *t, const struct json **out)
{
	const char *at = t->p;
	int r = 0;

	if (*at == '"' || *at == '`')
		return eval_quoted(t, out);
	if (*at == '-' || (*at >= '0' && *at <= '9'))
		return eval_number(t, out);
	if (eat_name(t, "true") || eat_name(t, "false")) {
		*out = tpl_new_bool(*at == 't');
		return 0;
	}
	if (eat_name(t, "nil")) {
		*out = &nothing;
		return 0;
	}
	if (*at == '$')
		r = eval_variable(t, out);
	else if (*at == '(')
		r = eval_parenthesis(t, out);
	else if (*at == '.' && tpl_name_length(at + 1))
		*out = t->dot;
	else if (*at == '.') {
		*out = t->dot;
		t->p++;
		return 0;
	} else if (tpl_name_length(at)) {
		return tpl_bad(t, at, "a call inside another needs ( ) around it");
	} else {
		return tpl_bad(t, at, at_close(t) || !*at ? "a value is missing" : "this is not a value");
	}
	return r < 0 ? r : eval_fields(t, *out, out);
}

/* --- pipelines ---------------------------------------------------------------------------------------- */

/* Counts one action or call against the bounds. */
static int step(struct tpl *t, const char *at)
{
	if (t->bytes > TPL_BYTES_MAX || t->out->len > TPL_BYTES_MAX || ++t->steps > STEPS_MAX)
		return tpl_bad(t, at, "the template makes too much");
	return 0;
}

/* True where a command ends: at "|", ")" or "}}". */
static bool at_command_end(struct tpl *t)
{
	skip_space(t);
	return !*t->p || *t->p == '|' || *t->p == ')' || at_close(t);
}

/* Reads the arguments of F and calls it; PIPED, when there is one, is the last argument. */
static int eval_call(struct tpl *t, const struct tpl_function *f, const struct json *piped, const struct json **out)
{
	struct tpl_call c = {.t = t, .at = t->p, .name = f->name};
	int r = step(t, t->p);

	t->p += strlen(f->name);
	while (r == 0 && (piped || !at_command_end(t))) {
		const struct json *v = piped;

		if (!at_command_end(t))
			r = eval_operand(t, &v);
		else
			piped = NULL;
		if (r == 0 && c.n == f->max)
			r = tpl_bad(t, c.at, "%s takes no more than %u value%s", f->name, f->max, &"s"[f->max == 1]);
		if (r == 0 && !f->maybe)
			r = tpl_want_present(t, v);
		if (r == 0)
			c.arg[c.n++] = v;
	}
	if (r == 0 && c.n < f->min)
		r = tpl_bad(t, c.at, "%s needs %u value%s", f->name, f->min, &"s"[f->min == 1]);
	*out = &nothing;
	return r < 0 || t->dead ? r : f->call(&c, out);
}

static int eval_command(struct tpl *t, const struct json *piped, const struct json **out)
{
	char names[256];

	skip_space(t);
	const char *at = t->p;
	size_t len = tpl_name_length(at);
	bool constant = (len == 4 && (memcmp(at, "true", 4) == 0)) || (len == 5 && memcmp(at, "false", 5) == 0) ||
			(len == 3 && memcmp(at, "nil", 3) == 0);

	if (len && !constant) {
		const struct tpl_function *f = tpl_find_function(at, len);

		return f ? eval_call(t, f, piped, out)
			 : tpl_bad(t, at, "there is no such function, but %s", tpl_function_names(names));
	}
	if (piped)
		return tpl_bad(t, at, "a function must follow |");
	int r = eval_operand(t, out);
	if (r == 0 && !at_command_end(t))
		r = tpl_bad(t, t->p, "unexpected here; only a function takes arguments");
	return r;
}

static int eval_pipeline(struct tpl *t, const struct json **out)
{
	if (++t->depth > DEPTH_MAX)
		return tpl_bad(t, t->p, "nested too deeply");

	int r = eval_command(t, NULL, out);
	while (r == 0 && eat(t, "|"))
		r = eval_command(t, *out, out);
	t->depth--;
	return r;
}

/* --- variables ---------------------------------------------------------------------------------------- */

/* "$a :=", "$a, $b :=" or "$a =" before a pipeline. */
struct declaration {
	unsigned int n;
	bool assign;
	const char *name[2];
	size_t len[2];
};

/* Leaves T where it was, and D empty, when no declaration stands here. */
static void parse_declaration(struct tpl *t, unsigned int max, struct declaration *d)
{
	const char *from = t->p;

	*d = (struct declaration){0};
	do {
		skip_space(t);
		size_t len = *t->p == '$' ? tpl_name_length(t->p + 1) : 0;
		if (len == 0)
			break;
		d->name[d->n] = t->p + 1;
		d->len[d->n++] = len;
		t->p += 1 + len;
	} while (d->n < max && eat(t, ","));
	if (d->n && eat(t, ":="))
		return;
	d->assign = d->n == 1 && eat(t, "=");
	if (!d->assign) {
		d->n = 0;
		t->p = from;
	}
}

static int set_variable(struct tpl *t, const struct declaration *d, unsigned int i, const struct json *value)
{
	for (size_t v = t->n_variables; d->assign && v-- > 0;) {
		struct tpl_variable *var = &t->variables[v];

		if (var->len == d->len[i] && memcmp(var->name, d->name[i], var->len) == 0) {
			var->value = value;
			return 0;
		}
	}
	if (d->assign)
		return tpl_bad(t, d->name[i] - 1, "this variable was not set before with :=");
	if (t->n_variables == TPL_VARIABLES_MAX)
		return tpl_bad(t, d->name[i] - 1, "more than %d variables", TPL_VARIABLES_MAX);
	t->variables[t->n_variables++] = (struct tpl_variable){d->name[i], d->len[i], value};
	return 0;
}

/* --- blocks ------------------------------------------------------------------------------------------- */

enum block { BLOCK_IF, BLOCK_WITH, BLOCK_RANGE };

static int run_list(struct tpl *t);
static int run_block(struct tpl *t, enum block kind, const char *at);

/* Runs what stands before the block's {{else}} or {{end}}. AT is the block's word. */
static int run_body(struct tpl *t, const char *at, const struct json *dot, bool dead)
{
	const struct json *outer_dot = t->dot;
	bool outer_dead = t->dead;
	size_t n = t->n_variables;

	t->dot = dot;
	t->dead = dead;
	int r = run_list(t);
	t->dot = outer_dot;
	t->dead = outer_dead;
	t->n_variables = n;
	if (r == 0 && t->stop == TPL_AT_TEXT_END)
		r = tpl_bad(t, at, "its {{end}} is missing");
	return r;
}

/* After a body: what follows {{else}}, when that is where it ended. */
static int run_else(struct tpl *t, const char *at, bool dead)
{
	bool outer_dead = t->dead;
	int r;

	if (t->stop != TPL_AT_ELSE)
		return 0;
	skip_space(t);
	const char *word = t->p;
	bool more_if = eat_name(t, "if"), more_with = !more_if && eat_name(t, "with");
	if (more_if || more_with) {
		/* One {{end}} ends both. */
		t->dead = dead;
		r = run_block(t, more_if ? BLOCK_IF : BLOCK_WITH, word);
		t->dead = outer_dead;
		return r;
	}
	r = close_action(t);
	if (r == 0)
		r = run_body(t, at, t->dot, dead);
	if (r == 0 && t->stop == TPL_AT_ELSE)
		r = tpl_bad(t, t->stop_at, "a second {{else}}");
	return r;
}

/* One turn of a range; TURN says where its body starts. */
struct turn {
	const char *at, *body;
	bool trim;
	const struct declaration *d;
};

static int run_turn(struct tpl *t, const struct turn *turn, const struct json *key, const struct json *item)
{
	size_t n = t->n_variables;
	int r = step(t, turn->at);

	t->p = turn->body;
	t->trim = turn->trim;
	for (unsigned int i = 0; r == 0 && i < turn->d->n; i++)
		r = set_variable(t, turn->d, i, i + 1 < turn->d->n ? key : item);
	if (r == 0)
		r = run_body(t, turn->at, item, t->dead);
	t->n_variables = n;
	return r;
}

static int run_range(struct tpl *t, const char *at, const struct declaration *d, const struct json *v)
{
	struct turn turn = {at, t->p, t->trim, d};
	size_t turns = 0, n = 0;
	int r = 0;

	if (t->dead)
		v = &nothing;
	if (v->type == JSON_ARRAY) {
		json_each(item, v) {
			r = run_turn(t, &turn, tpl_new_number(t, turns++), item);
			if (r < 0)
				return r;
		}
	} else if (v->type == JSON_OBJECT) {
		_cleanup_(freep) struct tpl_member *list = tpl_sorted_members(v, &n);

		for (; r == 0 && turns < n; turns++) {
			const char *key = list[turns].node->key;

			r = run_turn(t, &turn, tpl_new_text(t, JSON_STRING, key, strlen(key)), list[turns].node);
		}
	} else if (v->type != JSON_NULL) {
		return tpl_bad(t, at, "range takes a list or a map, not %s", tpl_type_name(v));
	}
	if (r == 0 && turns == 0) {
		bool outer_dead = t->dead;

		t->dead = true;
		r = run_turn(t, &turn, &nothing, &nothing);
		t->dead = outer_dead;
	}
	return r < 0 ? r : run_else(t, at, t->dead || turns > 0);
}

/* Behind the block's word: its pipeline, its bodies, up to and with {{end}}. */
static int run_block(struct tpl *t, enum block kind, const char *at)
{
	size_t n = t->n_variables;
	struct declaration d;
	const struct json *v;

	if (++t->depth > DEPTH_MAX)
		return tpl_bad(t, at, "nested too deeply");
	parse_declaration(t, kind == BLOCK_RANGE ? 2 : 1, &d);
	int r = eval_pipeline(t, &v);
	if (r == 0)
		r = close_action(t);
	if (r == 0 && kind != BLOCK_RANGE && d.n)
		r = set_variable(t, &d, 0, v);
	if (r < 0)
		return r;
	if (kind == BLOCK_RANGE) {
		r = run_range(t, at, &d, v);
	} else {
		bool yes = tpl_truth(v);

		r = run_body(t, at, kind == BLOCK_WITH ? v : t->dot, t->dead || !yes);
		if (r == 0)
			r = run_else(t, at, t->dead || yes);
	}
	t->n_variables = n;
	t->depth--;
	return r;
}

/* --- text and actions --------------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies what stands before the next action. As with docker, \t and \n are a tab and a newline. */
static void copy_text(struct tpl *t)
{
	const char *end = strstr(t->p, "{{");
	size_t from = t->out->len;
	bool leading = t->trim;

	if (!end)
		end = t->p + strlen(t->p);
	while (t->p < end) {
		bool escape = t->p[0] == '\\' && (t->p[1] == 'n' || t->p[1] == 't');
		char c = escape ? t->p[1] == 'n' ? '\n' : '\t' : *t->p;

		t->p += escape ? 2 : 1;
		leading = leading && blank(c);
		if (!leading && !t->dead)
			strbuf_putc(t->out, c);
	}
	if (*end && end[2] == '-' && blank(end[3]))
		while (t->out->len > from && blank(t->out->p[t->out->len - 1]))
			t->out->p[--t->out->len] = '\0';
	t->trim = false;
}

static int run_comment(struct tpl *t, const char *at)
{
	const char *end = strstr(t->p, "*/");

	if (!end)
		return tpl_bad(t, at, "the end of the comment is missing");
	t->p = end + 2;
	return close_action(t);
}

/* {{pipeline}}, or {{$x := pipeline}}, which prints nothing. */
static int run_pipeline(struct tpl *t)
{
	struct declaration d;
	const struct json *v;
	_cleanup_(strbuf_free) struct strbuf text = {0};

	parse_declaration(t, 1, &d);
	int r = eval_pipeline(t, &v);
	if (r == 0)
		r = close_action(t);
	if (r == 0 && d.n)
		return set_variable(t, &d, 0, v);
	if (r == 0)
		r = tpl_want_present(t, v);
	if (r < 0 || t->dead)
		return r;
	tpl_put_text(&text, v, false);
	if (t->shown)
		text_show(t->out, strbuf_str(&text));
	else
		strbuf_add(t->out, strbuf_str(&text), text.len);
	return 0;
}

/* At "{{". 1 when the action ends the list: {{else}} is left open, since "if" may follow. */
static int run_action(struct tpl *t)
{
	static const char *const unknown[] = {"break", "continue", "define", "template", "block"};
	const char *at = t->p;
	int r = step(t, at);
	if (r < 0)
		return r;

	t->p += 2;
	if (t->p[0] == '-' && blank(t->p[1]))
		t->p += 2;
	skip_space(t);
	if (after_prefix(t->p, "/*"))
		return run_comment(t, at);
	at = t->p;
	t->stop_at = at;
	if (eat_name(t, "end")) {
		t->stop = TPL_AT_END;
		r = close_action(t);
		return r < 0 ? r : 1;
	}
	if (eat_name(t, "else")) {
		t->stop = TPL_AT_ELSE;
		return 1;
	}
	if (eat_name(t, "if"))
		return run_block(t, BLOCK_IF, at);
	if (eat_name(t, "with"))
		return run_block(t, BLOCK_WITH, at);
	if (eat_name(t, "range"))
		return run_block(t, BLOCK_RANGE, at);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (eat_name(t, unknown[i]))
			return tpl_bad(t, at, "%s is not supported in templates", unknown[i]);
	return run_pipeline(t);
}

/* Runs text and actions up to the end of the text or of the block, see t->stop. */
static int run_list(struct tpl *t)
{
	int r = 0;

	while (r == 0) {
		copy_text(t);
		if (!*t->p) {
			t->stop = TPL_AT_TEXT_END;
			return 0;
		}
		r = run_action(t);
	}
	return r < 0 ? r : 0;
}

/* --- the public face ---------------------------------------------------------------------------------- */

static int run(const char *template, const struct json *node, struct strbuf *out, bool shown, bool dead)
{
	_cleanup_(strbuf_free) struct strbuf text = {0};
	struct tpl t = {
		.start = template,
		.p = template,
		.root = node,
		.dot = node,
		.out = &text,
		.shown = shown,
		.dead = dead,
	};
	int r = run_list(&t);

	if (r == 0 && t.stop != TPL_AT_TEXT_END)
		r = tpl_bad(&t, t.stop_at, "no {{if}}, {{with}} or {{range}} is open here");
	if (r == 0 && text.len)
		strbuf_add(out, text.p, text.len);
	tpl_free(&t);
	return r;
}

int template_expand(const char *template, const struct json *node, struct strbuf *out)
{
	return run(template, node, out, false, false);
}

int template_expand_shown(const char *template, const struct json *node, struct strbuf *out)
{
	return run(template, node, out, true, false);
}

int template_check(const char *template)
{
	return run(template, &nothing, NULL, false, true);
}
