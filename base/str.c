#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && streq(s + n - m, suffix);
}

static int parse_digits(const char *s, unsigned int base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)(*s - '0');

		if (*s < '0' || digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return -ERANGE;
	}
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_u64(const char *s, uint64_t max, uint64_t *out)
{
	return parse_digits(s, 10, max, out);
}

int parse_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t magnitude;
	int r = parse_digits(s + negative, 10, limit, &magnitude);
	if (r < 0)
		return r;

	int64_t v = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_octal(const char *s, unsigned int max, unsigned int *out)
{
	uint64_t v;
	int r = parse_digits(s, 8, max, &v);

	if (r == 0)
		*out = (unsigned int)v;
	return r;
}

/* The shift of a unit suffix: "", k, kb, kib and so on; -1 when it is none. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "bkmgtp";
	char low[4] = "";

	for (size_t i = 0; unit[i]; i++) {
		if (i >= sizeof(low) - 1)
			return -1;
		low[i] = (char)(unit[i] >= 'A' && unit[i] <= 'Z' ? unit[i] + 32 : unit[i]);
	}
	if (!low[0])
		return 0;
	const char *at = strchr(letters, low[0]);
	if (!at)
		return -1;
	if (at != letters && low[1] && !streq(low + 1, "b") && !streq(low + 1, "ib"))
		return -1;
	if (at == letters && low[1])
		return -1;
	return (int)(at - letters) * 10;
}

int parse_bytes(const char *s, uint64_t *out)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -ERANGE;
	if (p == s)
		return -EINVAL;
	if (*p == '.') {
		const char *start = ++p;
		for (; *p >= '0' && *p <= '9'; p++) {
			if (scale < 1000000) { /* further digits are below a byte's worth */
				fraction = fraction * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
		}
		if (p == start)
			return -EINVAL;
	}
	int shift = unit_shift(p);
	if (shift < 0)
		return -EINVAL;
	if (whole > (UINT64_MAX >> shift) - 1)
		return -ERANGE;
	*out = (whole << shift) + (uint64_t)(((unsigned __int128)fraction << shift) / scale);
	return 0;
}

const char *format_bytes(uint64_t bytes, char buf[16])
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)bytes;
	size_t i = 0;

	for (; v >= 1000 && i + 1 < ARRAY_SIZE(unit); i++)
		v /= 1000;
	if (i == 0)
		snprintf(buf, 16, "%uB", (unsigned int)bytes);
	else
		snprintf(buf, 16, v < 10 ? "%.2f%s" : v < 100 ? "%.1f%s" : "%.0f%s", v, unit[i]);
	return buf;
}

bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[64];
	size_t n = strlen(a), m = strlen(b);

	if (n > 63 || m > 63)
		return 64;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

static void strbuf_grow(struct strbuf *b, size_t extra)
{
	size_t need;

	if (__builtin_add_overflow(b->len, extra + 1, &need))
		need = SIZE_MAX; /* the allocator refuses this */
	if (need <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : 1024;
	while (cap < need && cap <= SIZE_MAX / 2)
		cap *= 2;
	b->cap = cap < need ? need : cap;
	b->p = xreallocarray(b->p, b->cap, 1);
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	strbuf_grow(b, len);
	if (len)
		memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		strbuf_grow(b, (size_t)n);
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

const char *strbuf_str(const struct strbuf *b)
{
	return b->p ? b->p : "";
}

void strbuf_free(struct strbuf *b)
{
	free(b->p);
	*b = (struct strbuf){0};
}

void strv_take(struct strv *l, char *s)
{
	/* Grown in powers of two, so that n alone tells the capacity. */
	if ((l->n & (l->n + 1)) == 0)
		l->v = xreallocarray(l->v, l->n * 2 + 2, sizeof(*l->v));
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strv_add(struct strv *l, const char *s)
{
	strv_take(l, xstrdup(s));
}

bool strv_has(const struct strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return true;
	return false;
}

void strv_split(struct strv *l, const char *s, char sep)
{
	for (;;) {
		const char *end = strchrnul(s, sep);

		strv_take(l, xstrndup(s, (size_t)(end - s)));
		if (!*end)
			return;
		s = end + 1;
	}
}

void strv_free(struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strv){0};
}
