#include "runtime/user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/rootpath.h"
#include "base/str.h"

#define ACCOUNTS_MAX (16u << 20)
#define FIELDS_MAX 7
/* (uid_t)-1 is "no change" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

/* Looks before it opens: a container may have made a device node there, and `exec` reads it from outside of
 * the container's device filter. -ENOENT for what is not a file. */
static int open_accounts(int rootfd, const char *path)
{
	char link[40];
	struct stat st;
	_cleanup_(closep) int fd = root_open(rootfd, rootpath(path), O_PATH, 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int opened = openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
	/* In a container without a /proc we are under its device filter. */
	return opened >= 0 ? opened : root_open(rootfd, rootpath(path), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
}

/* A passwd or group file; a missing one is empty. */
static int read_accounts(int rootfd, const char *path, char **text)
{
	_cleanup_(closep) int fd = open_accounts(rootfd, path);

	if (fd == -ENOENT || fd == -ENOTDIR) {
		*text = xstrdup("");
		return 0;
	}
	int r = fd < 0 ? fd : read_all(fd, ACCOUNTS_MAX, text, NULL);
	return r < 0 ? fail(r, "read the image's %s", path) : 0;
}

/* Cuts the next line off *P into fields; the number of fields, or -1 at the end. Modifies the text. */
static int next_account(char **p, char *field[FIELDS_MAX])
{
	char *line = *p;
	int n = 0;

	if (!line || !*line)
		return -1;
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*p = end ? end + 1 : NULL;
	while (n < FIELDS_MAX) {
		field[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static bool parse_id(const char *s, uint32_t *id)
{
	uint64_t v;

	if (parse_u64(s, ID_MAX, &v) < 0)
		return false;
	*id = (uint32_t)v;
	return true;
}

static bool all_digits(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* Fills U from the passwd line whose name is NAME or, with NAME NULL, whose uid is UID. *LOGIN gets the
 * name (caller frees). */
static bool find_user(char *text, const char *name, uint32_t uid, struct user *u, char **login)
{
	char *field[FIELDS_MAX];
	int n;

	for (char *p = text; (n = next_account(&p, field)) >= 0;) {
		uint32_t line_uid, line_gid;

		if (n < 6 || !*field[0] || !parse_id(field[2], &line_uid) || !parse_id(field[3], &line_gid))
			continue;
		if (name ? !streq(field[0], name) : line_uid != uid)
			continue;
		u->uid = line_uid;
		u->gid = line_gid;
		free(u->home);
		u->home = xstrdup(field[5][0] == '/' && !has_control(field[5]) ? field[5] : "/");
		*login = xstrdup(field[0]);
		return true;
	}
	return false;
}

static bool find_group(char *text, const char *name, gid_t *gid)
{
	char *field[FIELDS_MAX];
	int n;

	for (char *p = text; (n = next_account(&p, field)) >= 0;) {
		uint32_t id;

		if (n >= 3 && streq(field[0], name) && parse_id(field[2], &id)) {
			*gid = id;
			return true;
		}
	}
	return false;
}

static bool lists_member(const char *members, const char *login)
{
	size_t len = strlen(login);

	for (const char *m = members; *m;) {
		size_t n = strcspn(m, ",");

		if (n == len && memcmp(m, login, n) == 0)
			return true;
		m += n + (m[n] == ',');
	}
	return false;
}

static void add_groups_of(char *text, const char *login, struct user *u)
{
	char *field[FIELDS_MAX];
	int n;

	for (char *p = text; (n = next_account(&p, field)) >= 0;) {
		uint32_t id;

		if (n < 4 || !parse_id(field[2], &id) || id == u->gid || !lists_member(field[3], login))
			continue;
		u->groups = xreallocarray(u->groups, u->n_groups + 1, sizeof(gid_t));
		u->groups[u->n_groups++] = id;
	}
}

int group_resolve(int rootfd, const char *group, gid_t *gid)
{
	_cleanup_(freep) char *text = NULL;
	uint32_t id;
	int r = read_accounts(rootfd, "/etc/group", &text);

	if (r < 0)
		return r;
	if (*group && find_group(text, group, gid))
		return 0;
	if (parse_id(group, &id)) {
		*gid = id;
		return 0;
	}
	if (all_digits(group))
		return refuse(-ERANGE, "group %.40s: ids go up to %u", group, ID_MAX);
	return refuse(-EINVAL, "no group \"%.100s\" in the image's /etc/group", group);
}

static int resolve_account(int rootfd, const char *name, struct user *u, char **login)
{
	_cleanup_(freep) char *by_name = NULL;
	_cleanup_(freep) char *by_id = NULL;
	uint32_t id;
	int r = read_accounts(rootfd, "/etc/passwd", &by_name);

	if (r < 0)
		return r;
	by_id = xstrdup(by_name);
	if (find_user(by_name, name, 0, u, login))
		return 0;
	if (parse_id(name, &id)) {
		u->uid = id;
		find_user(by_id, NULL, id, u, login);
		return 0;
	}
	if (all_digits(name))
		return refuse(-ERANGE, "user %.40s: ids go up to %u", name, ID_MAX);
	return refuse(-EINVAL, "no user \"%.100s\" in the image's /etc/passwd", name);
}

static int resolve(int rootfd, const char *user, struct user *u)
{
	const char *colon = strchr(user, ':');
	_cleanup_(freep) char *name = xstrndup(user, colon ? (size_t)(colon - user) : strlen(user));
	_cleanup_(freep) char *login = NULL;
	int r;

	if (has_control(user))
		return refuse(-EINVAL, "the user has a control character in it");
	if (*user && (!*name || (colon && !colon[1])))
		return refuse(-EINVAL, "user \"%.100s\": neither part around the ':' may be empty", user);
	r = resolve_account(rootfd, *name ? name : "0", u, &login);
	if (r < 0)
		return r;
	if (!u->home)
		u->home = xstrdup("/");
	if (colon)
		return group_resolve(rootfd, colon + 1, &u->gid);
	if (!login)
		return 0;
	_cleanup_(freep) char *groups = NULL;
	r = read_accounts(rootfd, "/etc/group", &groups);
	if (r == 0)
		add_groups_of(groups, login, u);
	return r;
}

int user_resolve(int rootfd, const char *user, struct user *u)
{
	*u = (struct user){0};
	int r = resolve(rootfd, user, u);

	if (r < 0)
		user_free(u);
	return r;
}

void user_free(struct user *u)
{
	free(u->groups);
	free(u->home);
	*u = (struct user){0};
}
