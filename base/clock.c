#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

#define SECOND INT64_C(1000000000)

int64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

const char *clock_rfc3339(int64_t ns, char buf[36])
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t n = strftime(buf, 36, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 36 - n, ".%09dZ", (int)(ns % SECOND));
	return buf;
}

int duration_parse(const char *s, int64_t *ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {{"ms", 1000000}, {"us", 1000}, {"ns", 1}, {"h", 3600 * SECOND}, {"m", 60 * SECOND}, {"s", SECOND}};
	int64_t total = 0;

	if (!*s)
		return -EINVAL;
	while (*s) {
		int64_t v = 0;
		const char *from = s;

		for (; *s >= '0' && *s <= '9'; s++)
			if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
				return -ERANGE;
		if (s == from)
			return -EINVAL;
		int64_t scale = !*s && total == 0 ? SECOND : 0;
		for (size_t i = 0; *s && scale == 0 && i < ARRAY_SIZE(units); i++) {
			const char *rest = after_prefix(s, units[i].unit);
			if (rest) {
				scale = units[i].ns;
				s = rest;
			}
		}
		if (scale == 0)
			return -EINVAL;
		if (__builtin_mul_overflow(v, scale, &v) || __builtin_add_overflow(total, v, &total))
			return -ERANGE;
	}
	*ns = total;
	return 0;
}

/* The offset part of an RFC 3339 time, in seconds east. */
static int parse_offset(const char *s, int64_t *seconds)
{
	unsigned int h, m;

	*seconds = 0;
	if (streq(s, "Z") || streq(s, "z") || !*s)
		return 0;
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || sscanf(s + 1, "%2u:%2u", &h, &m) != 2)
		return -EINVAL;
	*seconds = (int64_t)(h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
	return 0;
}

static int parse_rfc3339(const char *s, int64_t *ns)
{
	struct tm tm = {0};
	int used = 0;

	if (sscanf(s, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3)
		return -EINVAL;
	s += used;
	if (*s == 'T' || *s == ' ') {
		if (sscanf(s + 1, "%2d:%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 3)
			return -EINVAL;
		s += 1 + used;
	}
	int64_t fraction = 0, scale = SECOND;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++)
			if (scale > 1) {
				scale /= 10;
				fraction += (*s - '0') * scale;
			}
	int64_t offset;
	int r = parse_offset(s, &offset);
	if (r < 0)
		return r;
	if (tm.tm_year < 1700 || tm.tm_year > 2200) /* what nanoseconds in 64 bits can hold, and sense */
		return -ERANGE;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ns = ((int64_t)timegm(&tm) - offset) * SECOND + fraction;
	return 0;
}

int clock_parse(const char *s, int64_t *ns)
{
	uint64_t seconds;
	int64_t back;

	if (parse_u64(s, (uint64_t)(INT64_MAX / SECOND), &seconds) == 0) {
		*ns = (int64_t)seconds * SECOND;
		return 0;
	}
	if (parse_rfc3339(s, ns) == 0)
		return 0;
	int r = duration_parse(s, &back);
	if (r == 0)
		*ns = clock_now() - back;
	return r;
}

const char *duration_words(int64_t ns, char buf[32])
{
	int64_t s = ns / SECOND;

	if (s < 1)
		snprintf(buf, 32, "Less than a second");
	else if (s == 1)
		snprintf(buf, 32, "1 second");
	else if (s < 60)
		snprintf(buf, 32, "%lld seconds", (long long)s);
	else if (s < 120)
		snprintf(buf, 32, "About a minute");
	else if (s < 3600)
		snprintf(buf, 32, "%lld minutes", (long long)(s / 60));
	else if (s < 7200)
		snprintf(buf, 32, "About an hour");
	else if (s < 48 * 3600)
		snprintf(buf, 32, "%lld hours", (long long)(s / 3600));
	else if (s < 14 * 86400)
		snprintf(buf, 32, "%lld days", (long long)(s / 86400));
	else if (s < 60 * 86400)
		snprintf(buf, 32, "%lld weeks", (long long)(s / (7 * 86400)));
	else if (s < 730 * 86400LL)
		snprintf(buf, 32, "%lld months", (long long)(s / (30 * 86400)));
	else
		snprintf(buf, 32, "%lld years", (long long)(s / (365 * 86400LL)));
	return buf;
}
