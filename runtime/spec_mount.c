/* The words of a mount's "options", as mount(8) and the OCI spec know them. */
#include <errno.h>
#include <linux/mount.h>
#include <sys/mount.h>

#include "runtime/spec.h"

/* musl's and glibc's sys/mount.h may lack it. */
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

static const struct {
	const char *word;
	uint64_t set, clear;
} attributes[] = {
	{"ro", MOUNT_ATTR_RDONLY, 0},
	{"rw", 0, MOUNT_ATTR_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID, 0},
	{"suid", 0, MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV, 0},
	{"dev", 0, MOUNT_ATTR_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC, 0},
	{"exec", 0, MOUNT_ATTR_NOEXEC},
	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
	{"diratime", 0, MOUNT_ATTR_NODIRATIME},
	/* The access-time modes are one field: setting one clears the others, see mount_setattr(2). */
	{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
	{"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
	{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
	{"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
	{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
	{"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
};

static const struct {
	const char *word;
	unsigned int special;
} specials[] = {
	{"bind", MOUNT_BIND},   {"rbind", MOUNT_BIND | MOUNT_RECURSIVE},         {"tmpcopyup", MOUNT_COPY_UP},
	{"idmap", MOUNT_IDMAP}, {"ridmap", MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE}, {"remount", MOUNT_REMOUNT},
};

static const struct {
	const char *word;
	unsigned long flags;
} propagations[] = {
	{"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
	{"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
	{"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
	{"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
};

/* Without effect on a new mount, and known to every caller. */
static const char *const ignored[] = {"defaults", "async", "loud",       "silent",
				      "nomand",   "mand",  "noiversion", "iversion"};

unsigned long mount_propagation(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++)
		if (streq(word, propagations[i].word))
			return propagations[i].flags;
	return 0;
}

static bool set_attribute(const char *word, uint64_t *set, uint64_t *clear)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (!streq(word, attributes[i].word))
			continue;
		/* A later word wins over an earlier one. */
		*set = (*set & ~(attributes[i].clear)) | attributes[i].set;
		*clear = (*clear & ~(attributes[i].set & ~(uint64_t)MOUNT_ATTR__ATIME)) | attributes[i].clear;
		return true;
	}
	return false;
}

int mount_spec_option(struct mount_spec *m, const char *word)
{
	unsigned long propagation = mount_propagation(word);

	if (propagation) {
		m->propagation = propagation;
		return 0;
	}
	if (set_attribute(word, &m->attr_set, &m->attr_clear))
		return 0;
	/* "rro", "rnosuid": the same for the mounts below too. */
	if (word[0] == 'r' && set_attribute(word + 1, &m->rec_attr_set, &m->rec_attr_clear))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
		if (streq(word, specials[i].word)) {
			m->special |= specials[i].special;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (streq(word, ignored[i]))
			return 0;
	if (!*word)
		return -EINVAL;
	m->data[m->n_data++] = word;
	return 0;
}
