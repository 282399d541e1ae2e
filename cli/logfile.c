#include "cli/logfile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define SECOND INT64_C(1000000000)

/* --- one line ----------------------------------------------------------------------------------------- */

/* Exactly N digits at *P, which is moved; -1 when there are others. */
static int digits(const char **p, const char *end, int n)
{
	int v = 0;

	if (end - *p < n)
		return -1;
	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool eat(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* Days since the epoch in the proleptic Gregorian calendar; years start in March, so that a leap day is
 * the last of one. */
static int64_t days_of(int64_t year, int month, int day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

/* "2026-11-21" */
static bool parse_day(const char **p, const char *end, int64_t *days)
{
	int year = digits(p, end, 4);
	int month = eat(p, end, '-') ? digits(p, end, 2) : -1;
	int day = month > 0 && eat(p, end, '-') ? digits(p, end, 2) : -1;

	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*days = days_of(year, month, day);
	return true;
}

/* "15:40:00.123456789"; 60 is a leap second. */
static bool parse_clock(const char **p, const char *end, int64_t *ns)
{
	int hour = digits(p, end, 2);
	int minute = eat(p, end, ':') ? digits(p, end, 2) : -1;
	int second = minute >= 0 && eat(p, end, ':') ? digits(p, end, 2) : -1;
	int64_t scale = SECOND;

	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	*ns = (hour * INT64_C(3600) + minute * 60 + second) * SECOND;
	if (!eat(p, end, '.'))
		return true;
	const char *first = *p;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		scale /= 10;
		*ns += (**p - '0') * scale;
	}
	return *p > first && *p - first <= 9;
}

/* "Z" or "+01:00", in seconds east. */
static bool parse_zone(const char **p, const char *end, int64_t *east)
{
	*east = 0;
	if (eat(p, end, 'Z'))
		return true;
	bool west = eat(p, end, '-');
	if (!west && !eat(p, end, '+'))
		return false;
	int hours = digits(p, end, 2);
	int minutes = eat(p, end, ':') ? digits(p, end, 2) : -1;
	*east = (hours * INT64_C(3600) + minutes * 60) * (west ? -1 : 1);
	return hours >= 0 && hours <= 24 && minutes >= 0 && minutes <= 59;
}

/* RFC 3339, and nothing else: clock_parse takes more than a log has, and more time. */
static bool parse_time(const char **p, const char *end, int64_t *ns)
{
	int64_t days, in_day, east;

	if (!parse_day(p, end, &days) || !eat(p, end, 'T') || !parse_clock(p, end, &in_day) ||
	    !parse_zone(p, end, &east))
		return false;
	/* An int64_t of nanoseconds ends in the year 2262. */
	return !__builtin_mul_overflow(days * 86400 - east, SECOND, ns) && !__builtin_add_overflow(*ns, in_day, ns);
}

static bool eat_word(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* "TIME stdout F " */
static bool parse_head(const char **p, const char *end, struct log_record *rec)
{
	rec->time = *p;
	if (!parse_time(p, end, &rec->time_ns))
		return false;
	rec->time_len = (size_t)(*p - rec->time);
	rec->err = eat_word(p, end, " stderr ");
	if (!rec->err && !eat_word(p, end, " stdout "))
		return false;
	rec->partial = eat(p, end, 'P');
	if (!rec->partial && !eat(p, end, 'F'))
		return false;
	/* Further tags may follow, each behind a colon (the CRI's log format). */
	if (*p < end && **p == ':')
		while (*p < end && **p != ' ')
			(*p)++;
	return *p == end || eat(p, end, ' ');
}

void log_record_parse(const char *line, size_t len, struct log_record *rec)
{
	const char *p = line, *end = line + len;

	*rec = (struct log_record){0};
	rec->valid = parse_head(&p, end, rec);
	if (!rec->valid) {
		*rec = (struct log_record){0};
		p = line;
	}
	rec->text = p;
	rec->len = (size_t)(end - p);
}

/* --- records off a stream of bytes -------------------------------------------------------------------- */

char *log_reader_space(struct log_reader *r, size_t *room)
{
	if (!r->buf)
		r->buf = xmalloc(LOG_LINE_MAX);
	if (r->start) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	*room = LOG_LINE_MAX - r->end;
	return r->buf + r->end;
}

void log_reader_fill(struct log_reader *r, size_t n)
{
	r->end += n;
}

/* A piece of LEN bytes of a line whose end, when ENDS, is its end. */
static void give_piece(struct log_reader *r, size_t len, bool ends, struct log_record *rec)
{
	const char *piece = r->buf + r->start;

	if (r->inside) {
		*rec = r->overlong;
		rec->resumed = true;
		rec->text = piece;
		rec->len = len;
	} else {
		log_record_parse(piece, len, rec);
		r->overlong = *rec;
		r->overlong.time = NULL;
		r->overlong.time_len = 0;
	}
	if (!ends)
		rec->partial = true;
	r->inside = !ends;
}

bool log_reader_next(struct log_reader *r, bool at_end, struct log_record *rec)
{
	size_t have = r->end - r->start;
	const char *newline = have ? memchr(r->buf + r->start, '\n', have) : NULL;

	if (newline) {
		size_t len = (size_t)(newline - (r->buf + r->start));

		give_piece(r, len, true, rec);
		r->start += len + 1;
		return true;
	}
	if (!have || (!at_end && have < LOG_LINE_MAX))
		return false;
	give_piece(r, have, at_end, rec);
	r->start = r->end;
	return true;
}

void log_reader_free(struct log_reader *r)
{
	free(r->buf);
	*r = (struct log_reader){0};
}

/* --- the last lines ----------------------------------------------------------------------------------- */

#define BLOCK (32u << 10)
/* More than what stands before the text of a line. */
#define HEAD_MAX 128

/* The line at offset AT, of whose bytes HEAD are there; the ones behind it in the file were seen before. */
static void count_line(struct log_tail *t, const char *head, size_t len, int64_t at, int64_t *offset)
{
	struct log_record rec;
	const char *newline = memchr(head, '\n', len);

	if (newline)
		len = (size_t)(newline - head);
	log_record_parse(head, len, &rec);
	if (!rec.valid && !len)
		return;
	bool goes_on = rec.valid && rec.partial && t->after[rec.err];
	bool late = rec.valid && rec.time_ns > t->until_ns;
	if (late)
		return;
	if (!goes_on && t->seen == t->want) {
		t->done = true;
		return;
	}
	if (rec.valid)
		t->after[rec.err] = true;
	t->seen += !goes_on;
	*offset = at;
}

static int read_block(int fd, char *buf, size_t len, int64_t at)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* it became shorter; nobody does that to a log */
		buf += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int log_tail_find(struct log_tail *t, int fd, int64_t size, int64_t *offset)
{
	_cleanup_(freep) char *buf = xmalloc(BLOCK + HEAD_MAX);

	*offset = size;
	t->done = t->want == 0;
	for (int64_t pos = size, block; pos > 0 && !t->done; pos = block) {
		block = pos > BLOCK ? pos - BLOCK : 0;
		/* The heads of lines that start at the end of this block are read once more. */
		size_t len = (size_t)(pos - block), more = (size_t)(size - pos);
		size_t there = len + (more < HEAD_MAX ? more : HEAD_MAX);
		int r = read_block(fd, buf, there, block);

		if (r < 0)
			return r;
		for (size_t i = len; i-- > 0 && !t->done;)
			if (buf[i] == '\n' && i + 1 < there)
				count_line(t, buf + i + 1, there - i - 1, block + (int64_t)i + 1, offset);
		if (block == 0 && !t->done)
			count_line(t, buf, there, 0, offset);
	}
	return 0;
}
