/*
 * Memory and ownership.
 *
 * Allocation does not fail here: a process that cannot get a few kilobytes can do nothing useful, so
 * the x functions end it with exit status 125 and one line.
 *
 * Ownership is written in the declaration: `_cleanup_(closep) int fd = -EBADF;` closes at the end of
 * the scope, `return take_fd(&fd);` hands over instead.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xmalloc(size_t size) __attribute__((malloc, alloc_size(1)));
/* Zeroed; the product is checked. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((alloc_size(2, 3)));
char *xstrdup(const char *s) __attribute__((malloc));
char *xstrndup(const char *s, size_t n) __attribute__((malloc));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Frees what a pointer variable holds, for `_cleanup_(freep)`. */
static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void *take_ptr_(void **p)
{
	void *v = *p;

	*p = NULL;
	return v;
}

/* The value of pointer variable P, which becomes NULL. */
#define take_ptr(p) ((__typeof__(*(p)))take_ptr_((void **)(p)))
