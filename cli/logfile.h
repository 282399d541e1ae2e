/*
 * A container's log, read: runtime/logfile.h says how it is written.
 *
 * The file may end in the middle of anything (a crash, a full disk), so nothing here fails on its content:
 * a line that is not in the form is a record of its own, with all of the line as its text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line that is taken as a whole; of a longer one the rest comes in records of its own. */
#define LOG_LINE_MAX (64u << 10)

struct log_record {
	bool valid;   /* in the form; else time_ns and err mean nothing */
	bool err;     /* stderr */
	bool partial; /* the text goes on in the stream's next record */
	bool resumed; /* the rest of an overlong line: no new time */
	int64_t time_ns;
	const char *time, *text; /* into the line; not NUL-terminated */
	size_t time_len, len;
};

/* Takes LINE (without its newline) apart. */
void log_record_parse(const char *line, size_t len, struct log_record *rec);

/* Cuts records off bytes that arrive in pieces. Zero-initialise, free with log_reader_free. */
struct log_reader {
	char *buf;
	size_t start, end;
	bool inside; /* an overlong line goes on */
	struct log_record overlong;
};

/* Where to put further bytes: *ROOM of them, which is 0 only before log_reader_next gave all records. */
char *log_reader_space(struct log_reader *r, size_t *room);
/* N bytes were put there. */
void log_reader_fill(struct log_reader *r, size_t n);
/* The next record; its text is good until the next call of log_reader_space. With AT_END, bytes without a
 * newline are a record, too. */
bool log_reader_next(struct log_reader *r, bool at_end, struct log_record *rec);
void log_reader_free(struct log_reader *r);

/*
 * Finds the last WANT lines of a log by reading it backward, in blocks: first of the newest file, then,
 * unless DONE, of the older one. A line is all records up to one that is not partial; those after UNTIL_NS
 * do not count. *OFFSET is where in the file the first of the lines starts. What is meanwhile added
 * behind SIZE is left out. 0 or negative errno, nothing recorded.
 */
struct log_tail {
	uint64_t want;
	int64_t until_ns;
	uint64_t seen; /* from here on private, zero */
	bool after[2], done;
};

int log_tail_find(struct log_tail *t, int fd, int64_t size, int64_t *offset);
