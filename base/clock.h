/* Wall-clock times as text. */
#pragma once

#include <stdint.h>

/* Now, in nanoseconds since the epoch. */
int64_t clock_now(void);
/* RFC 3339 in UTC with nanoseconds, "2026-11-21T15:40:00.123456789Z"; BUF holds 36 bytes. */
const char *clock_rfc3339(int64_t ns, char buf[36]);
/* An RFC 3339 time (any offset), seconds since the epoch, or a Go duration back from now ("10m"). */
int clock_parse(const char *s, int64_t *ns);
/* A Go-like duration ("1h30m", "10s", "500ms") or plain seconds, in nanoseconds. */
int duration_parse(const char *s, int64_t *ns);
/* "5 minutes", "About an hour", as docker words it; BUF holds 32 bytes. */
const char *duration_words(int64_t ns, char buf[32]);
