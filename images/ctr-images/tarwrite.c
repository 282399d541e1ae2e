#include "images/ctr-images/tarwrite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/fd.h"

#define BLOCK 512
#define BUFFER (256u << 10) /* a multiple of BLOCK */

/* POSIX.1-2001, pax, "ustar Interchange Format". */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

void tar_open(struct tar_writer *w, int fd)
{
	*w = (struct tar_writer){.fd = fd, .buf = xmalloc(BUFFER)};
}

static int flush(struct tar_writer *w)
{
	int r = write_all(w->fd, w->buf, w->used);

	w->used = 0;
	return r < 0 ? fail(r, "write the archive") : 0;
}

char *tar_room(struct tar_writer *w, size_t *size)
{
	*size = BUFFER - w->used;
	return w->buf + w->used;
}

int tar_filled(struct tar_writer *w, size_t len)
{
	w->used += len;
	w->written += len;
	return w->used == BUFFER ? flush(w) : 0;
}

int tar_data(struct tar_writer *w, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		size_t size;
		char *room = tar_room(w, &size);
		size_t n = len < size ? len : size;

		memcpy(room, p, n);
		int r = tar_filled(w, n);
		if (r < 0)
			return r;
		p += n;
		len -= n;
	}
	return 0;
}

int tar_end_entry(struct tar_writer *w)
{
	static const char zeros[BLOCK];

	return tar_data(w, zeros, (BLOCK - w->written % BLOCK) % BLOCK);
}

int tar_close(struct tar_writer *w)
{
	static const char zeros[2 * BLOCK];
	int r = tar_data(w, zeros, sizeof(zeros));

	if (r == 0)
		r = flush(w);
	tar_abandon(w);
	return r;
}

void tar_abandon(struct tar_writer *w)
{
	free(w->buf);
	*w = (struct tar_writer){.fd = -EBADF};
}

/* One pax record: "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void pax_add(struct strbuf *pax, const char *key, const void *value, size_t len)
{
	size_t rest = 1 + strlen(key) + 1 + len + 1, total = rest;
	char digits[24];
	int n = 0;

	for (int before = -1; n != before;) {
		before = n;
		n = snprintf(digits, sizeof(digits), "%zu", total);
		total = rest + (size_t)n;
	}
	strbuf_printf(pax, "%zu %s=", total, key);
	strbuf_add(pax, value, len);
	strbuf_putc(pax, '\n');
}

static void pax_text(struct strbuf *pax, const char *key, const char *value)
{
	pax_add(pax, key, value, strlen(value));
}

static void pax_number(struct strbuf *pax, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	pax_text(pax, key, text);
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s & 0x80)
			return false;
	return true;
}

/* An octal field; false when the number does not fit, and the field is then 0. */
static bool put_octal(char *field, size_t size, uint64_t value)
{
	bool fits = value < UINT64_C(1) << (3 * (size - 1));
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)size - 1, fits ? (unsigned long long)value : 0);
	memcpy(field, text, size - 1);
	return fits;
}

/* A number that goes to the header, or else to a pax record KEY. */
static void put_number(char *field, size_t size, uint64_t value, struct strbuf *pax, const char *key)
{
	if (!put_octal(field, size, value))
		pax_number(pax, key, value);
}

/* The name of N bytes, cut in two at a slash where it is too long for one field; else by a pax record. */
static void put_name(struct ustar *h, const char *name, size_t n, struct strbuf *pax)
{
	bool plain = is_ascii(name);

	if (plain && n <= sizeof(h->name)) {
		memcpy(h->name, name, n);
		return;
	}
	for (size_t cut = n > 0 ? n - 1 : 0; plain && cut > 0; cut--) {
		if (name[cut] != '/' || cut > sizeof(h->prefix) || n - cut - 1 > sizeof(h->name) || n - cut == 1)
			continue;
		memcpy(h->prefix, name, cut);
		memcpy(h->name, name + cut + 1, n - cut - 1);
		return;
	}
	pax_add(pax, "path", name, n);
	memcpy(h->name, name, n < sizeof(h->name) ? n : sizeof(h->name));
}

static void put_link(struct ustar *h, const char *link, struct strbuf *pax)
{
	size_t n = strlen(link);

	if (n > sizeof(h->link) || !is_ascii(link))
		pax_text(pax, "linkpath", link);
	memcpy(h->link, link, n < sizeof(h->link) ? n : sizeof(h->link));
}

/* Times before 1970, after 2242, and parts of a second. */
static void put_time(struct ustar *h, const struct timespec *t, struct strbuf *pax)
{
	char text[48];

	if (t->tv_sec >= 0 && put_octal(h->mtime, sizeof(h->mtime), (uint64_t)t->tv_sec) && t->tv_nsec == 0)
		return;
	if (t->tv_sec < 0)
		put_octal(h->mtime, sizeof(h->mtime), 0);
	/* Before 1970 the fraction counts back, too: -1.25 is a quarter before -1. */
	int64_t sec = t->tv_sec;
	long ns = t->tv_nsec;
	bool negative = sec < 0;
	if (negative && ns > 0) {
		sec++;
		ns = 1000000000 - ns;
	}
	int n = snprintf(text, sizeof(text), "%s%lld.%09ld", negative && sec == 0 ? "-" : "", (long long)sec, ns);
	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
	pax_text(pax, "mtime", text);
}

static void put_attributes(const struct tar_entry *e, struct strbuf *pax)
{
	for (size_t i = 0; i < e->n_attributes; i++) {
		const struct tar_attribute *a = &e->attributes[i];
		_cleanup_(freep) char *key = xasprintf("SCHILY.xattr.%s", a->name);

		pax_add(pax, key, a->value, a->len);
	}
}

static void put_checksum(struct ustar *h)
{
	unsigned int sum = 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((const unsigned char *)h)[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
}

static int type_of(const struct tar_entry *e, char *type)
{
	if (e->link && !S_ISLNK(e->st->st_mode)) {
		*type = '1';
		return 0;
	}
	switch (e->st->st_mode & S_IFMT) {
	case S_IFREG:
		*type = '0';
		return 0;
	case S_IFLNK:
		*type = '2';
		return 0;
	case S_IFCHR:
		*type = '3';
		return 0;
	case S_IFBLK:
		*type = '4';
		return 0;
	case S_IFDIR:
		*type = '5';
		return 0;
	case S_IFIFO:
		*type = '6';
		return 0;
	default:
		return refuse(-EINVAL, "'%.200s' is of a type that tar has no form for", e->name);
	}
}

/* The pax header: a header of its own, whose data are the records. */
static int put_pax(struct tar_writer *w, const struct strbuf *pax)
{
	struct ustar h = {.type = 'x', .magic = "ustar", .version = {'0', '0'}};

	strcpy(h.name, "PaxHeaders/entry");
	put_octal(h.mode, sizeof(h.mode), 0644);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), pax->len);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	put_checksum(&h);
	int r = tar_data(w, &h, sizeof(h));
	if (r == 0)
		r = tar_data(w, pax->p, pax->len);
	return r == 0 ? tar_end_entry(w) : r;
}

/* The map of GNU.sparse 1.0, which precedes the data: decimal lines, filled up to whole blocks. */
static void write_map(const struct tar_entry *e, struct strbuf *map)
{
	strbuf_printf(map, "%zu\n", e->n_extents);
	for (size_t i = 0; i < e->n_extents; i++)
		strbuf_printf(map, "%llu\n%llu\n", (unsigned long long)e->extents[i].at,
			      (unsigned long long)e->extents[i].len);
	while (map->len % BLOCK)
		strbuf_putc(map, '\0');
}

static uint64_t stored_size(const struct tar_entry *e, const struct strbuf *map)
{
	uint64_t size = map->len;

	if (!e->sparse)
		return (uint64_t)e->st->st_size;
	for (size_t i = 0; i < e->n_extents; i++)
		size += e->extents[i].len;
	return size;
}

/* The name: a directory's ends in a slash; a sparse file's is in a record of its own, and the header has
 * one that readers without knowledge of holes will not take for the file. */
static void put_entry_name(struct ustar *h, const struct tar_entry *e, struct strbuf *pax)
{
	_cleanup_(freep) char *name = xasprintf("%s%s", e->name, h->type == '5' ? "/" : "");

	if (!e->sparse) {
		put_name(h, name, strlen(name), pax);
		return;
	}
	strcpy(h->name, "GNUSparseFile.0/entry");
	pax_text(pax, "GNU.sparse.major", "1");
	pax_text(pax, "GNU.sparse.minor", "0");
	pax_text(pax, "GNU.sparse.name", name);
	pax_number(pax, "GNU.sparse.realsize", (uint64_t)e->st->st_size);
}

int tar_put(struct tar_writer *w, const struct tar_entry *e)
{
	_cleanup_(strbuf_free) struct strbuf pax = {0}, map = {0};
	struct ustar h = {.magic = "ustar", .version = {'0', '0'}};
	int r = type_of(e, &h.type);
	if (r < 0)
		return r;

	put_entry_name(&h, e, &pax);
	if (e->link)
		put_link(&h, e->link, &pax);
	if (e->sparse)
		write_map(e, &map);
	put_octal(h.mode, sizeof(h.mode), e->st->st_mode & 07777);
	put_number(h.uid, sizeof(h.uid), e->st->st_uid, &pax, "uid");
	put_number(h.gid, sizeof(h.gid), e->st->st_gid, &pax, "gid");
	put_number(h.size, sizeof(h.size), h.type == '0' ? stored_size(e, &map) : 0, &pax, "size");
	put_time(&h, &e->st->st_mtim, &pax);
	bool device = h.type == '3' || h.type == '4';
	put_number(h.major, sizeof(h.major), device ? major(e->st->st_rdev) : 0, &pax, "SCHILY.devmajor");
	put_number(h.minor, sizeof(h.minor), device ? minor(e->st->st_rdev) : 0, &pax, "SCHILY.devminor");
	put_attributes(e, &pax);
	put_checksum(&h);
	if (pax.len)
		r = put_pax(w, &pax);
	if (r == 0)
		r = tar_data(w, &h, sizeof(h));
	return r == 0 ? tar_data(w, map.p, map.len) : r;
}
