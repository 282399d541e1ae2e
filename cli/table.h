/*
 * Lists for eyes and for programs.
 *
 * A verb that lists builds rows as JSON text with base/json.h, one object a row, and gives it with the
 * columns of its table to table_print, which serves --format table (default), json, {{template}} and
 * --quiet. Templates are the subset of Go's that scripts use: {{.Field}}, {{.A.B}}, {{json .}},
 * {{json .A}}, {{index .A "k"}}, {{range .A}}..{{end}}, {{if .A}}..{{else}}..{{end}}, {{join .A ","}},
 * {{lower .A}}, {{upper .A}}, {{printf "fmt" .A}}, {{len .A}}, and the prefix "table ".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

struct column {
	const char *title; /* "CONTAINER ID" */
	const char *field; /* member of a row shown in it; a string or number */
};

/* Prints ROWS (a JSON array of objects) to stdout. FORMAT: NULL or "table", "json", "{{...}}",
 * "table {{...}}". 0 or -EINVAL for a bad template, recorded. */
int table_print(const struct json *rows, const struct column *columns, size_t n, const char *format);

/* Expands TEMPLATE for one NODE and appends to OUT. */
int template_expand(const char *template, const struct json *node, struct strbuf *out);
