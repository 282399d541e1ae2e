/*
 * Lists for eyes and for programs.
 *
 * A verb that lists builds rows as JSON text with base/json.h, one object a row, and gives it with the
 * columns of its table to table_print, which serves --format table (default), json and {{template}};
 * --quiet is the template of the one column that it shows ("{{.ID}}"). Every row should have every
 * member, null or empty where there is nothing to say: a template that asks for a member that is not
 * there is refused, so that a misspelt name does not pass for an empty value.
 *
 * Templates are the subset of Go's that scripts use (cli/template.c has it in full): {{.Field}},
 * {{.A.B}}, {{json .}}, {{index .A "k"}}, {{range .A}}..{{end}}, {{if .A}}..{{else}}..{{end}},
 * {{join .A ","}}, {{lower .A}}, {{printf "fmt" .A}}, {{len .A}}, and the prefix "table ".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct column {
	const char *title; /* "CONTAINER ID" */
	const char *field; /* member of a row shown in it; arrays of strings are joined */
};

/*
 * Prints ROWS (a JSON array of objects) to stdout. FORMAT: NULL or "table"; "json", one indented array;
 * "{{...}}", a line for each row, or once for all rows when it starts with {{range .}}; or
 * "table {{...}}\t{{...}}". 0 or -EINVAL for a bad template, recorded, with nothing printed.
 */
int table_print(const struct json *rows, const struct column *columns, size_t n, const char *format);

/* Expands TEMPLATE for one NODE and appends to OUT. 0 or -EINVAL, recorded, with nothing appended. */
int template_expand(const char *template, const struct json *node, struct strbuf *out);
/* The same with values as text_show gives them, for a terminal. */
int template_expand_shown(const char *template, const struct json *node, struct strbuf *out);
/* The syntax alone: 0 or -EINVAL, recorded. */
int template_check(const char *template);
/* Expands TEMPLATE for NODE to stdout, with a newline; on a terminal, values as text_show gives them. */
int template_print(const char *template, const struct json *node);

/*
 * Appends text that a stranger may have written so that it can do no harm to a terminal: control
 * characters, bytes that are not UTF-8 and marks that reorder text become \n, \x1b, \u202e.
 */
void text_show(struct strbuf *out, const char *s);

/* The columns that S takes on a terminal. */
size_t text_width(const char *s);

/* JSON text as it is, or made harmless as above when stdout is a terminal. */
void json_show(struct strbuf *out, const char *text);

/* Writes to stdout behind what stdio holds; a failure is kept for out_flush. */
void out_write(const char *data, size_t len);

/* To be called at the end of every verb that prints: 0, or the negative errno of the first failed write
 * to stdout, recorded. */
int out_flush(void);
