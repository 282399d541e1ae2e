/* A tiny tar writer for tests: it writes whatever it is told, above all what no archiver would. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

/* What of an entry a test sets; the rest is zero. */
struct tar_item {
	const char *name, *link, *data;
	size_t len; /* of data; strlen when 0 */
	char type;  /* '0' when not set */
	unsigned int mode, uid, gid, mtime, major, minor;
};

static void tar_octal(char *field, size_t digits, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)digits, value);
	memcpy(field, text + strlen(text) - digits, digits);
}

static void tar_pad(struct strbuf *b)
{
	while (b->len % 512)
		strbuf_putc(b, '\0');
}

static void tar_header(struct strbuf *b, const struct tar_item *i, size_t size)
{
	struct tar_header h = {.type = i->type ? i->type : '0', .magic = "ustar", .version = {'0', '0'}};
	unsigned int sum = 0;

	strncpy(h.name, i->name, sizeof(h.name));
	if (i->link)
		strncpy(h.link, i->link, sizeof(h.link));
	tar_octal(h.mode, 7, i->mode ? i->mode : i->type == '5' ? 0755 : 0644);
	tar_octal(h.uid, 7, i->uid);
	tar_octal(h.gid, 7, i->gid);
	tar_octal(h.size, 11, size);
	tar_octal(h.mtime, 11, i->mtime);
	tar_octal(h.major, 7, i->major);
	tar_octal(h.minor, 7, i->minor);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t k = 0; k < sizeof(h); k++)
		sum += ((const unsigned char *)&h)[k];
	tar_octal(h.checksum, 6, sum);
	h.checksum[6] = '\0';
	strbuf_add(b, &h, sizeof(h));
}

static inline void tar_add(struct strbuf *b, struct tar_item i)
{
	size_t len = i.len || !i.data ? i.len : strlen(i.data);

	tar_header(b, &i, len);
	if (i.data)
		strbuf_add(b, i.data, len);
	tar_pad(b);
}

/* One pax record. */
static inline void tar_record(struct strbuf *records, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char text[24];

	while ((size_t)snprintf(text, sizeof(text), "%zu", total) + rest != total)
		total++;
	strbuf_printf(records, "%zu %s=", total, key);
	strbuf_add(records, value, len);
	strbuf_putc(records, '\n');
}

/* A pax header with these records, for the entry that follows; frees them. */
static inline void tar_pax(struct strbuf *b, struct strbuf *records)
{
	tar_add(b, (struct tar_item){.name = "pax", .type = 'x', .data = records->p, .len = records->len});
	strbuf_free(records);
}

static inline void tar_end(struct strbuf *b)
{
	static const char zeros[1024];

	strbuf_add(b, zeros, sizeof(zeros));
}
