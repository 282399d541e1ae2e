/* Where cgroup2 is mounted. */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

#define MOUNTINFO_MAX (16u << 20)

/* Undoes, in place, the \ooo that the kernel writes for space, tab, newline and backslash. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		bool octal = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
			     s[3] <= '7';

		*to = octal ? (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')) : *s;
		s += octal ? 3 : 0;
	}
	*to = '\0';
}

/* The mount point when LINE is about a cgroup2, else NULL. The format is in proc_pid_mountinfo(5): the fifth
 * field is the mount point, and the filesystem's type follows the lone dash. */
static char *cgroup2_of_line(const char *line, size_t len)
{
	_cleanup_(freep) char *copy = xstrndup(line, len);
	char *save = NULL, *point = NULL;
	unsigned int field = 0;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (++field == 5)
			point = word;
		if (field < 6 || !streq(word, "-"))
			continue;
		const char *type = strtok_r(NULL, " ", &save);
		if (!type || !streq(type, "cgroup2"))
			return NULL;
		unescape(point);
		return xstrdup(point);
	}
	return NULL;
}

char *mountinfo_cgroup2(const char **text)
{
	while (**text) {
		size_t len = strcspn(*text, "\n");
		const char *line = *text;

		*text += len + (line[len] == '\n');
		char *point = cgroup2_of_line(line, len);
		if (point)
			return point;
	}
	return NULL;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static char *search_mountinfo(void)
{
	_cleanup_(freep) char *text = NULL;
	int r = read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL);

	if (r < 0) {
		fail(r, "read /proc/self/mountinfo");
		return NULL;
	}
	for (const char *at = text;;) {
		char *point = mountinfo_cgroup2(&at);

		/* It also lists what lies hidden under a later mount. */
		if (point && is_cgroup2(point))
			return point;
		free(point);
		if (!point)
			break;
	}
	refuse(-ENOENT, "no cgroup2 filesystem is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup");
	return NULL;
}

const char *cgroup_mount_point(void)
{
	/* The places where systemd and everybody after it mount it; reading mountinfo takes longer with
	 * every container that runs. */
	static const char *const usual[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	static const char *found;

	for (size_t i = 0; !found && i < ARRAY_SIZE(usual); i++)
		if (is_cgroup2(usual[i]))
			found = usual[i];
	if (!found)
		found = search_mountinfo();
	return found;
}
