/*
 * Errors and diagnostics.
 *
 * A fallible function returns 0 (or a descriptor >= 0) on success and a negative errno on failure.
 * The function that met the failure describes it, once, with fail() or refuse(); the functions above
 * it return the number, adding a prefix only where that helps the reader. The description is one
 * sentence that a user can act on, kept in a process-wide buffer until the next failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ERROR_TEXT_MAX 1024

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Records "FMT: strerror(-err)" and returns ERR (a negative errno). */
int fail(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Records FMT alone, for failures whose errno would tell the user nothing, and returns ERR. */
int refuse(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "FMT: " before the recorded description and returns ERR. */
int fail_in(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The last recorded description; never NULL. Valid until the next fail(), refuse() or fail_in(). */
const char *error_text(void);

/* Replaces the recorded description, e.g. by one that arrived from another process. */
void error_set_text(const char *text);

enum log_level { LOG_ERROR, LOG_WARNING, LOG_DEBUG };

/* Where diagnostics go. The default writes "ctr: TEXT" to stderr. */
typedef void (*log_sink)(enum log_level level, const char *text);

void log_set_sink(log_sink sink);
void log_set_level(enum log_level level);

/* A thing the user should know although the command goes on. */
void warning(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A thing only somebody debugging wants to know; every fallback taken is logged here. */
void debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Reports the recorded description at LOG_ERROR. */
void report_error(void);
