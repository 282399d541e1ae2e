/*
 * Users and groups of a root filesystem, read from its own /etc/passwd and /etc/group by fd.
 *
 * The files are a stranger's: lines that are not well-formed are skipped, and a name that is not there
 * is an error, never root.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary; owned */
	size_t n_groups;
	char *home; /* owned; "/" when passwd has none */
};

/*
 * USER as docker's -u and an image's User field have it: "", "NAME", "UID", each with ":GROUP" or
 * ":GID". A name wins over a number. A number need not be in passwd; an empty part, a sign, or a number
 * above 4294967294 is refused. Records the failure.
 */
int user_resolve(int rootfd, const char *user, struct user *u);

/* The gid for a group name or number (--group-add). */
int group_resolve(int rootfd, const char *group, gid_t *gid);

void user_free(struct user *u);

/* Makes P run as U, with U's groups besides those it has (P then owns a new list): root keeps the capabilities that P grants, another user
 * starts with none in effect, as after setuid(2). */
struct process_spec;
void process_set_user(struct process_spec *p, const struct user *u);
