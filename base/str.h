/* Strings: comparison, strict number parsing, growable buffers and vectors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The rest of S after PREFIX, or NULL. */
static inline const char *after_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool has_suffix(const char *s, const char *suffix);

/*
 * Strict decimal numbers: digits only, no sign (parse_i64 allows one '-'), no space, no overflow,
 * within [min, max]. 0 or -EINVAL / -ERANGE; nothing is recorded, since only the caller knows what the
 * number was for.
 */
int parse_u64(const char *s, uint64_t max, uint64_t *out);
int parse_i64(const char *s, int64_t min, int64_t max, int64_t *out);
int parse_octal(const char *s, unsigned int max, unsigned int *out);

/* A size in bytes: "512", "64k", "1.5g", "2GiB" (powers of 1024 all of them). */
int parse_bytes(const char *s, uint64_t *out);

/* "1.5GB"-like text for a size, in powers of 1000 as docker prints it. BUF holds 16 bytes. */
const char *format_bytes(uint64_t bytes, char buf[16]);

/* True when S has a byte that could break a line-based file: control characters and DEL. */
bool has_control(const char *s);

/* The edit distance of two words, for "did you mean". Words over 63 bytes are never near. */
unsigned int edit_distance(const char *a, const char *b);

/* A growable string; always NUL-terminated once anything was added. Zero-initialise. */
struct strbuf {
	char *p;
	size_t len, cap;
};

void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text so far, "" when empty. */
const char *strbuf_str(const struct strbuf *b);
void strbuf_free(struct strbuf *b);

/* A NULL-terminated vector of owned strings. Zero-initialise; .v is NULL while empty. */
struct strv {
	char **v;
	size_t n;
};

void strv_add(struct strv *l, const char *s);
/* Takes ownership of S. */
void strv_take(struct strv *l, char *s);
bool strv_has(const struct strv *l, const char *s);
/* Splits S at each SEP; empty pieces are kept. */
void strv_split(struct strv *l, const char *s, char sep);
void strv_free(struct strv *l);
