#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "images/ctr-images/extract_private.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* A tar's permission bits: setuid, setgid and sticky are kept. */
static mode_t mode_of(struct archive_entry *e)
{
	return archive_entry_perm(e) & 07777;
}

int meta_check(const struct extractor *x, struct archive_entry *e)
{
	int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	/* 2^32 - 1 is how chown(2) is told to leave an id as it is. */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return entry_refuse(x, -EINVAL, "its owner %lld:%lld is out of range", (long long)uid, (long long)gid);
	return 0;
}

/* The group of a new file is its directory's, or ours; it is known when both are the same. */
static bool needs_owner(const struct extractor *x, struct archive_entry *e)
{
	return archive_entry_uid(e) != x->uid || archive_entry_gid(e) != x->gid || x->dir_stat.st_gid != x->gid;
}

mode_t meta_first_mode(const struct extractor *x, struct archive_entry *e)
{
	bool dir = archive_entry_filetype(e) == AE_IFDIR;
	/* A directory inherits this bit. */
	bool inherits = dir && (x->dir_stat.st_mode & S_ISGID);
	mode_t mode = mode_of(e);

	if ((mode & 07000) || inherits || x->default_acls || needs_owner(x, e))
		return dir ? 0700 : 0600;
	return mode;
}

static int set_attribute(struct extractor *x, int fd, const char *name, const char *key, const void *value, size_t len)
{
	int r = fd >= 0 ? 0 : dir_work_in(x);
	if (r < 0)
		return r;
	if ((fd >= 0 ? fsetxattr(fd, key, value, len, 0) : lsetxattr(name, key, value, len, 0)) == 0)
		return 0;
	if (errno == EOPNOTSUPP) {
		entry_warn(x, WARN_UNSUPPORTED_XATTR, "the store's filesystem cannot hold its attribute %s", key);
		return 0;
	}
	if (errno == ENOSPC || errno == ERANGE || errno == E2BIG)
		return entry_refuse(x, -errno, "there is no room for its attribute %.100s of %zu bytes", key, len);
	return entry_refuse(x, -errno, "its attribute %.100s cannot be set: %s", key, strerror(errno));
}

enum fate { KEEP, KEEP_ACL, IGNORE, DROP };

/*
 * What becomes of an attribute. overlayfs's own would let an archive redirect directories or hide files;
 * labels of the host's security modules are the host's to give; trusted.* is for the host's privileged
 * programs.
 */
static enum fate attribute_fate(const char *key, mode_t type)
{
	if (after_prefix(key, "trusted.overlay.") || after_prefix(key, "user.overlay."))
		return DROP;
	if (streq(key, "security.capability"))
		return type == AE_IFREG ? KEEP : IGNORE;
	if (after_prefix(key, "security."))
		return IGNORE;
	if (streq(key, ACL_ACCESS) || streq(key, ACL_DEFAULT))
		return type == AE_IFLNK ? IGNORE : KEEP_ACL;
	if (after_prefix(key, "user."))
		return type == AE_IFREG || type == AE_IFDIR ? KEEP : IGNORE;
	return DROP;
}

/* Sets the attributes whose fate is WANTED; those to be dropped are warned of once, with the first pass. */
static int apply_attributes(struct extractor *x, struct archive_entry *e, int fd, const char *name, enum fate wanted)
{
	const char *key;
	const void *value;
	size_t len;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &key, &value, &len) == ARCHIVE_OK) {
		enum fate fate = attribute_fate(key, archive_entry_filetype(e));

		if (fate == DROP && wanted == KEEP) {
			bool overlay = strstr(key, ".overlay.") != NULL;
			entry_warn(x, overlay ? WARN_OVERLAY_XATTR : WARN_XATTR, "its attribute %.100s is left out",
				   key);
		}
		if (fate != wanted)
			continue;
		if (streq(key, ACL_DEFAULT))
			x->default_acls = true;
		int r = set_attribute(x, fd, name, key, value, len);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel's form of an ACL, include/uapi/linux/posix_acl_xattr.h: entries by rising tag. */
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

struct acl_xattr {
	uint32_t version;
	struct acl_entry entries[];
};

#define ACL_VERSION 2
#define ACL_NO_ID UINT32_MAX

static const struct {
	int libarchive;
	uint16_t tag;
} acl_tags[] = {
	{ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01}, {ARCHIVE_ENTRY_ACL_USER, 0x02}, {ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04},
	{ARCHIVE_ENTRY_ACL_GROUP, 0x08},    {ARCHIVE_ENTRY_ACL_MASK, 0x10}, {ARCHIVE_ENTRY_ACL_OTHER, 0x20},
};

/* The entries of one tag, added at *N. A user or group that is known by name alone cannot be kept: the
 * names are those of the archive's system. */
static void collect_acl(struct extractor *x, struct archive_entry *e, int type, size_t which, struct acl_entry *out,
			size_t *n)
{
	int t, perm, tag, id;
	const char *who;

	archive_entry_acl_reset(e, type);
	while (archive_entry_acl_next(e, type, &t, &perm, &tag, &id, &who) == ARCHIVE_OK) {
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

		if (tag != acl_tags[which].libarchive)
			continue;
		if (named && id < 0) {
			entry_warn(x, WARN_ACL, "its access control list names %.60s without a number; left out",
				   who ? who : "somebody");
			continue;
		}
		out[(*n)++] = (struct acl_entry){
			.tag = htole16(acl_tags[which].tag),
			.perm = htole16(perm & 7),
			.id = htole32(named ? (uint32_t)id : ACL_NO_ID),
		};
	}
}

/* Sets the ACL that came as text (SCHILY.acl.*, star and GNU tar). */
static int apply_acl_text(struct extractor *x, struct archive_entry *e, const char *name, int fd, int type)
{
	int count = archive_entry_acl_count(e, type);
	if (count <= 0)
		return 0;

	/* Of an access list libarchive counts the three entries that are in the mode only when there are
	 * others. */
	size_t room = (size_t)count + 3, n = 0;
	_cleanup_(freep) struct acl_xattr *acl = xcalloc(1, sizeof(*acl) + room * sizeof(acl->entries[0]));
	acl->version = htole32(ACL_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(acl_tags); i++)
		collect_acl(x, e, type, i, acl->entries, &n);
	bool access = type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	if (!access)
		x->default_acls = true;
	return set_attribute(x, fd, name, access ? ACL_ACCESS : ACL_DEFAULT, acl,
			     sizeof(*acl) + n * sizeof(acl->entries[0]));
}

/* Takes away what a directory's default ACL gave; no such attribute is fine. */
static int drop_inherited_acls(struct extractor *x, int fd, const char *name)
{
	int r = fd >= 0 ? 0 : dir_work_in(x);
	if (r < 0)
		return r;
	if (fd >= 0) {
		fremovexattr(fd, ACL_ACCESS);
		return 0;
	}
	lremovexattr(name, ACL_ACCESS);
	lremovexattr(name, ACL_DEFAULT);
	return 0;
}

static int apply_acls(struct extractor *x, struct archive_entry *e, int fd, const char *name)
{
	int r = apply_attributes(x, e, fd, name, KEEP_ACL);

	if (r == 0)
		r = apply_acl_text(x, e, name, fd, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	if (r == 0 && archive_entry_filetype(e) == AE_IFDIR)
		r = apply_acl_text(x, e, name, fd, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);
	return r;
}

static int apply_owner(struct extractor *x, struct archive_entry *e, int fd, const char *name)
{
	uid_t uid = (uid_t)archive_entry_uid(e);
	gid_t gid = (gid_t)archive_entry_gid(e);
	int r = fd >= 0 ? fchown(fd, uid, gid) : fchownat(x->dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);

	if (r < 0 && errno == EINVAL)
		return entry_refuse(x, -EINVAL, "its owner %u:%u has no place in this user namespace", uid, gid);
	return r < 0 ? entry_fail(x, -errno, "set its owner") : 0;
}

static int apply_times(struct extractor *x, struct archive_entry *e, int fd, const char *name)
{
	struct timespec t[2];

	t[1] = (struct timespec){.tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e)};
	t[0] = t[1];
	if (archive_entry_atime_is_set(e))
		t[0] = (struct timespec){.tv_sec = archive_entry_atime(e), .tv_nsec = archive_entry_atime_nsec(e)};
	int r = fd >= 0 ? futimens(fd, t) : utimensat(x->dir, name, t, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? entry_fail(x, -errno, "set its times") : 0;
}

int meta_apply(struct extractor *x, struct archive_entry *e, int fd, const char *name, mode_t made_mode)
{
	mode_t mode = mode_of(e);
	bool old = made_mode == META_OLD, link = archive_entry_filetype(e) == AE_IFLNK;
	int r = 0;

	if (old || needs_owner(x, e))
		r = apply_owner(x, e, fd, name);
	if (r == 0)
		r = apply_attributes(x, e, fd, name, KEEP);
	if (r == 0 && x->default_acls && !link)
		r = drop_inherited_acls(x, fd, name);
	if (r == 0 && !link && made_mode != mode && (fd >= 0 ? fchmod(fd, mode) : fchmodat(x->dir, name, mode, 0)) < 0)
		r = entry_fail(x, -errno, "set its mode");
	if (r == 0)
		r = apply_acls(x, e, fd, name);
	return r == 0 ? apply_times(x, e, fd, name) : r;
}
