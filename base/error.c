#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char text[ERROR_TEXT_MAX];
static enum log_level threshold = LOG_WARNING;

static void sink_stderr(enum log_level level, const char *line)
{
	static const char *const prefix[] = {"ctr: ", "ctr: warning: ", "ctr: debug: "};

	/* One write, so that lines of several processes do not interleave. */
	char out[ERROR_TEXT_MAX + 32];
	int n = snprintf(out, sizeof(out), "%s%s", prefix[level], line);
	if (n > (int)sizeof(out) - 2)
		n = sizeof(out) - 2;
	/* Names of strangers' files and users stand in messages; none of their bytes steers a terminal. */
	for (int i = 0; i < n; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = '?';
	out[n++] = '\n';
	if (write(STDERR_FILENO, out, (size_t)n) < 0)
		return;
}

static log_sink sink = sink_stderr;

int fail(int err, const char *fmt, ...)
{
	char line[ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (snprintf(text, sizeof(text), "%s: %s", line, strerror(-err)) < 0)
		text[0] = '\0';
	return err;
}

int refuse(int err, const char *fmt, ...)
{
	char line[ERROR_TEXT_MAX];
	va_list ap;

	/* By way of a copy: an argument may be the old text. */
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	memcpy(text, line, sizeof(text));
	return err;
}

int fail_in(int err, const char *fmt, ...)
{
	char prefix[ERROR_TEXT_MAX / 2];
	char whole[ERROR_TEXT_MAX + ERROR_TEXT_MAX / 2 + 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "%s: %s", prefix, text);
	error_set_text(whole);
	return err;
}

const char *error_text(void)
{
	return text[0] ? text : "unknown error";
}

void error_set_text(const char *new_text)
{
	size_t len = strnlen(new_text, sizeof(text) - 1);

	memmove(text, new_text, len);
	text[len] = '\0';
}

void log_set_sink(log_sink new_sink)
{
	sink = new_sink ? new_sink : sink_stderr;
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

static void log_line(enum log_level level, const char *fmt, va_list ap)
{
	char line[ERROR_TEXT_MAX];

	vsnprintf(line, sizeof(line), fmt, ap);
	sink(level, line);
}

void warning(const char *fmt, ...)
{
	va_list ap;

	if (threshold < LOG_WARNING)
		return;
	va_start(ap, fmt);
	log_line(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void debug(const char *fmt, ...)
{
	va_list ap;

	if (threshold < LOG_DEBUG)
		return;
	va_start(ap, fmt);
	log_line(LOG_DEBUG, fmt, ap);
	va_end(ap);
}

void report_error(void)
{
	sink(LOG_ERROR, error_text());
}
