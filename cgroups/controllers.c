/*
 * Controllers: a limit's file exists in a cgroup only when every ancestor hands the controller down in its
 * cgroup.subtree_control (cgroup-v2.rst, "Controlling Controllers").
 */
#include <ctype.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroups/private.h"

/* Room for the names of more controllers than there are. */
#define LIST_MAX 512

bool controller_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strcspn(p, " ") == len && strncmp(p, name, len) == 0)
			return true;
	}
	return false;
}

int controller_need(struct controller_needs *needs, const char *name, size_t len, const char *limit)
{
	bool valid = len > 0 && len <= CONTROLLER_NAME_MAX;

	for (size_t i = 0; valid && i < len; i++)
		valid = islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '_';
	if (!valid)
		return refuse(-EINVAL, "\"%.64s\" does not begin with the name of a cgroup controller", limit);
	for (size_t i = 0; i < needs->n; i++)
		if (strlen(needs->v[i].name) == len && strncmp(needs->v[i].name, name, len) == 0)
			return 0;
	if (needs->n == CONTROLLERS_MAX)
		return refuse(-E2BIG, "%.64s: limits of more than %d cgroup controllers", limit, CONTROLLERS_MAX);
	memcpy(needs->v[needs->n].name, name, len);
	needs->v[needs->n].name[len] = '\0';
	needs->v[needs->n++].limit = limit;
	return 0;
}

/* /proc/cgroups: "#subsys_name hierarchy num_cgroups enabled"; hierarchy 0 is cgroup2's. False when NAME is
 * not there. */
static bool kernel_lists(const char *name, unsigned int *hierarchy, unsigned int *enabled)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;

	/* v2's io is v1's blkio there. */
	if (streq(name, "io"))
		name = "blkio";
	if (read_file_at(AT_FDCWD, "/proc/cgroups", 65536, &text, NULL) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *rest = after_prefix(line, name);

		if (rest && *rest == '\t' && sscanf(rest, "%u %*u %u", hierarchy, enabled) == 2)
			return true;
	}
	return false;
}

/* Says why the controller NAME is not to be had, and what to do. */
static int no_controller(const char *name, const char *limit)
{
	unsigned int hierarchy, enabled;

	if (!kernel_lists(name, &hierarchy, &enabled))
		return refuse(-EOPNOTSUPP,
			      "%.64s: the %s controller is not in this kernel, or not delegated to this cgroup tree; "
			      "drop the limit or have the controller delegated",
			      limit, name);
	if (!enabled)
		return refuse(
			-EOPNOTSUPP,
			"%.64s: the %s controller is switched off on this host's kernel command line; boot without "
			"cgroup_disable=%s or drop the limit",
			limit, name, streq(name, "io") ? "blkio" : name);
	if (hierarchy)
		return refuse(-EOPNOTSUPP,
			      "%.64s: the %s controller is bound to cgroup v1 on this host; boot with "
			      "systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=%s) or drop the limit",
			      limit, name, name);
	return refuse(-EOPNOTSUPP,
		      "%.64s: the %s controller is not delegated to this cgroup tree; have it delegated (systemd: "
		      "Delegate=yes) or drop the limit",
		      limit, name);
}

/* The rule against internal processes; the kernel applies it to some controllers only, but with the others
 * (cpu, pids) makes the cgroups below unfit for processes ("domain invalid"). The root is exempt, and is the
 * one without a type. */
static bool keeps_processes(int dir)
{
	char text[32];

	return read_line_at(dir, "cgroup.type", text, sizeof(text)) > 0 &&
	       read_line_at(dir, "cgroup.procs", text, sizeof(text)) > 0;
}

/* Describes the error R of enabling WANTED ("+memory +pids") in the cgroup SHOWN, an ancestor. */
static int cannot_enable(int r, int dir, const char *shown, const char *wanted, const struct controller_needs *needs)
{
	char have[LIST_MAX];

	/* The kernel refuses the whole line for one controller that is missing (ENOENT), or that it never heard
	 * of (EINVAL). */
	if ((r == -ENOENT || r == -EINVAL) && read_line_at(dir, "cgroup.controllers", have, sizeof(have)) >= 0)
		for (size_t i = 0; i < needs->n; i++)
			if (!controller_listed(have, needs->v[i].name))
				return no_controller(needs->v[i].name, needs->v[i].limit);
	if (r == -EBUSY)
		return refuse(
			r,
			"cgroup %s has processes of its own, and then cgroup2 does not let it control what is below "
			"it (%s): move them to a cgroup below, or give the container a path elsewhere",
			shown, wanted);
	if (r == -EACCES || r == -EPERM || r == -EROFS)
		return fail(r, "enable %s in cgroup %s, which is not delegated to this user", wanted, shown);
	return fail(r, "enable %s in cgroup %s", wanted, shown);
}

/* Hands down from the ancestor DIR those of NEEDS that it keeps back. */
static int enable_in(int dir, const char *shown, const struct controller_needs *needs)
{
	char have[LIST_MAX], wanted[CONTROLLERS_MAX * (CONTROLLER_NAME_MAX + 2) + 1] = "";
	size_t used = 0;
	ssize_t n = read_line_at(dir, "cgroup.subtree_control", have, sizeof(have));

	if (n < 0)
		return fail((int)n, "read cgroup.subtree_control of cgroup %s", shown);
	for (size_t i = 0; i < needs->n; i++)
		if (!controller_listed(have, needs->v[i].name))
			used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, "%s+%s", used ? " " : "",
						 needs->v[i].name);
	if (!used)
		return 0;
	int r = keeps_processes(dir) ? -EBUSY : write_text_at(dir, "cgroup.subtree_control", wanted);
	return r < 0 ? cannot_enable(r, dir, shown, wanted, needs) : 0;
}

int controllers_enable(const struct cgroup *cg, const struct controller_needs *needs)
{
	char have[LIST_MAX];
	bool all = true;

	if (read_line_at(cg->fd, "cgroup.controllers", have, sizeof(have)) < 0)
		have[0] = '\0';
	for (size_t i = 0; i < needs->n; i++)
		all = all && controller_listed(have, needs->v[i].name);
	if (all)
		return 0;

	_cleanup_(closep) int dir = cgroup_open_root();
	if (dir < 0)
		return dir;
	_cleanup_(freep) char *path = xstrdup(cgroup_relative(cg->path));
	_cleanup_(freep) char *shown = xstrdup("/");
	char *save = NULL;
	for (char *name = strtok_r(path, "/", &save); name;) {
		int r = enable_in(dir, shown, needs);
		if (r < 0)
			return r;
		char *next = strtok_r(NULL, "/", &save);
		if (!next)
			return 0;
		int below = cgroup_open_below(dir, name);
		if (below < 0)
			return fail(below, "open cgroup %s below %s", name, shown);
		close(dir);
		dir = below;
		char *longer = xasprintf("%s%s%s", shown, shown[1] ? "/" : "", name);
		free(shown);
		shown = longer;
		name = next;
	}
	return 0;
}
