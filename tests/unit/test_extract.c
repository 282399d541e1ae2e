/* Unpacking: what an archive holds arrives, and nothing that it can say touches anything else. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "base/fd.h"
#include "images/ctr-images/extract.h"
#include "test_extract_tar.h"
#include "unit.h"

/* PLACE/root is unpacked into; PLACE/canary is what a hostile archive would like to reach. */
static struct place {
	char path[64];
	int fd, root;
	struct extract_stats stats;
	struct stream_sums sums;
	char warned[1024];
} p;

static void keep_warning(enum log_level level, const char *text)
{
	if (level == LOG_WARNING)
		snprintf(p.warned, sizeof(p.warned), "%s", text);
}

static void setup(void)
{
	p = (struct place){.path = "/var/tmp/ctr-test-extract-XXXXXX"};
	CHECK(mkdtemp(p.path) != NULL);
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(mkdirat(p.fd, "root", 0755) == 0);
	p.root = openat(p.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(replace_file_at(p.fd, "canary", "alive", 5, 0600, false) == 0);
	log_set_sink(keep_warning);
}

static void teardown(void)
{
	char line[16];
	struct stat st;

	CHECK(read_line_at(p.fd, "canary", line, sizeof(line)) == 5 && streq(line, "alive"));
	CHECK(fstatat(p.fd, "canary", &st, 0) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
	log_set_sink(NULL);
	close(p.root);
	close(p.fd);
	CHECK(remove_tree_at(AT_FDCWD, p.path) == 0);
}

/* Unpacks B, which is freed. */
static int unpack_with(struct strbuf *b, const struct extract_options *options)
{
	const struct stream_limits limits = {0};
	struct stream *s;
	_cleanup_(closep) int fd = memfd_create("tar", MFD_CLOEXEC);

	CHECK(fd >= 0 && write_all(fd, b->p, b->len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	strbuf_free(b);
	int r = stream_open(fd, &limits, &s);
	if (r < 0)
		return r;
	r = extract_tar(s, p.root, options, &p.stats);
	if (r == 0)
		r = stream_finish(s, &p.sums);
	stream_close(s);
	return r;
}

static int unpack(struct strbuf *b)
{
	tar_end(b);
	return unpack_with(b, &(struct extract_options){.need_end = true});
}

static int unpack_layer(struct strbuf *b)
{
	tar_end(b);
	return unpack_with(b, &(struct extract_options){.layer = true});
}

static bool good(struct strbuf *b)
{
	int r = unpack(b);

	if (r < 0)
		printf("# %s\n", error_text());
	return r == 0;
}

/* True when B is refused with a sentence that holds both words. */
static bool refused(struct strbuf *b, const char *entry, const char *why)
{
	int r = unpack(b);

	if (r < 0 && strstr(error_text(), entry) && strstr(error_text(), why))
		return true;
	printf("# %d %s\n", r, r < 0 ? error_text() : "");
	return false;
}

static struct stat at(const char *path)
{
	struct stat st = {0};

	if (fstatat(p.root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st.st_mode = 0;
	return st;
}

static bool says(const char *path, const char *text)
{
	char line[256];

	return read_line_at(p.root, path, line, sizeof(line)) >= 0 && streq(line, text);
}

/* The attribute of a file, as text, or "". */
static const char *attribute(const char *path, const char *key)
{
	static char value[256];
	_cleanup_(closep) int fd = openat(p.root, path, O_RDONLY | O_NOFOLLOW);
	ssize_t n = fgetxattr(fd, key, value, sizeof(value) - 1);

	value[n > 0 ? n : 0] = '\0';
	return value;
}

TEST("files, directories, links and nodes arrive with owner, mode and time")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "./", .type = '5', .mode = 0751, .mtime = 1});
	tar_add(&b, (struct tar_item){.name = "./d/", .type = '5', .mode = 01770, .uid = 3, .gid = 4, .mtime = 2});
	tar_add(&b, (struct tar_item){.name = "./d/f", .data = "hello", .mode = 06755, .uid = 1, .gid = 2, .mtime = 3});
	tar_add(&b, (struct tar_item){.name = "./d/s", .type = '2', .link = "../x", .uid = 5, .gid = 6, .mtime = 4});
	tar_add(&b, (struct tar_item){.name = "./d/h", .type = '1', .link = "./d/f"});
	tar_add(&b, (struct tar_item){.name = "./n", .type = '3', .mode = 0666, .major = 1, .minor = 3, .mtime = 5});
	tar_add(&b, (struct tar_item){.name = "./b", .type = '4', .mode = 0600, .major = 259, .minor = 300});
	tar_add(&b, (struct tar_item){.name = "./p", .type = '6', .mode = 0620, .gid = 5});
	CHECK(good(&b));

	struct stat st = at(".");
	CHECK((st.st_mode & 07777) == 0751 && st.st_mtime == 1);
	st = at("d");
	CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 01770 && st.st_uid == 3 && st.st_gid == 4);
	CHECK(st.st_mtime == 2); /* although files were made in it afterwards */
	st = at("d/f");
	CHECK((st.st_mode & 07777) == 06755 && st.st_uid == 1 && st.st_gid == 2 && st.st_mtime == 3);
	CHECK(st.st_size == 5 && st.st_nlink == 2 && says("d/f", "hello") && at("d/h").st_ino == st.st_ino);
	st = at("d/s");
	char target[8] = "";
	CHECK(S_ISLNK(st.st_mode) && st.st_uid == 5 && st.st_gid == 6 && st.st_mtime == 4);
	CHECK(readlinkat(p.root, "d/s", target, sizeof(target) - 1) == 4 && streq(target, "../x"));
	st = at("n");
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) && (st.st_mode & 07777) == 0666 && st.st_mtime == 5);
	CHECK(S_ISBLK(at("b").st_mode) && at("b").st_rdev == makedev(259, 300));
	CHECK(S_ISFIFO(at("p").st_mode) && at("p").st_gid == 5 && (at("p").st_mode & 07777) == 0620);
	CHECK(p.stats.entries == 8 && p.stats.bytes == 5 && p.stats.skipped == 0);
	teardown();
}

TEST("parents that are missing are made, and times of those that are not stay")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "a/", .type = '5', .mtime = 7, .mode = 02755, .gid = 9});
	tar_add(&b, (struct tar_item){.name = "a/b/c/f", .data = "x"});
	CHECK(good(&b));
	CHECK(says("a/b/c/f", "x") && at("a").st_mtime == 7);
	CHECK((at("a/b").st_mode & 07777) == 0755 && at("a/b").st_gid == 0); /* no setgid, no group inherited */
	teardown();
}

TEST("names are bytes: not converted, not normalised")
{
	struct strbuf b = {0}, records = {0};
	static const char composed[] = "caf\xc3\xa9", decomposed[] = "cafe\xcc\x81", latin[] = "caf\xe9";

	setup();
	tar_record(&records, "path", composed, strlen(composed));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "1"});
	tar_record(&records, "path", decomposed, strlen(decomposed));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "2"});
	tar_record(&records, "path", latin, strlen(latin));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "3"});
	tar_record(&records, "linkpath", decomposed, strlen(decomposed));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = "x"});
	CHECK(good(&b));
	CHECK(says(composed, "1") && says(decomposed, "2") && says(latin, "3"));
	char target[16] = "";
	CHECK(readlinkat(p.root, "l", target, sizeof(target) - 1) > 0 && streq(target, decomposed));
	teardown();
}

TEST("long names, large ids and nanoseconds are read")
{
	struct strbuf b = {0}, records = {0};
	char name[300] = "d/";

	setup();
	memset(name + 2, 'n', 250);
	tar_record(&records, "path", name, strlen(name));
	tar_record(&records, "uid", "4000000000", 10);
	tar_record(&records, "mtime", "1000000000.123456789", 20);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "1"});
	CHECK(good(&b));
	struct stat st = at(name);
	CHECK(st.st_uid == 4000000000u && st.st_mtim.tv_sec == 1000000000 && st.st_mtim.tv_nsec == 123456789);
	teardown();
}

TEST("attributes and capabilities are kept")
{
	static const unsigned char cap[] = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	struct strbuf b = {0}, records = {0};
	unsigned char got[64];

	setup();
	tar_record(&records, "SCHILY.xattr.user.a", "value", 5);
	tar_record(&records, "SCHILY.xattr.security.capability", cap, sizeof(cap));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "f", .data = "x", .mode = 0555, .uid = 7});
	tar_record(&records, "SCHILY.xattr.user.b", "dir", 3);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "d", .type = '5'});
	CHECK(good(&b));
	CHECK(streq(attribute("f", "user.a"), "value") && streq(attribute("d", "user.b"), "dir"));
	_cleanup_(closep) int fd = openat(p.root, "f", O_RDONLY);
	CHECK(fgetxattr(fd, "security.capability", got, sizeof(got)) == sizeof(cap) &&
	      memcmp(got, cap, sizeof(cap)) == 0);
	CHECK(p.stats.skipped == 0);
	teardown();
}

TEST("overlayfs's own attributes are left out, with a warning")
{
	static const char *const keys[] = {"trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.opaque",
					   "trusted.overlay.metacopy", "trusted.other",          "system.evil"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_(freep) char *key = xasprintf("SCHILY.xattr.%s", keys[i]);
		struct strbuf b = {0}, records = {0};

		setup();
		tar_record(&records, key, "y", 1);
		tar_pax(&b, &records);
		tar_add(&b, (struct tar_item){.name = "d", .type = '5'});
		CHECK(good(&b));
		CHECK(streq(attribute("d", keys[i]), "") && p.stats.skipped == 1);
		CHECK(strstr(p.warned, keys[i]) && strstr(p.warned, "left out"));
		teardown();
	}
}

TEST("labels of the host's security modules are not taken from an archive")
{
	struct strbuf b = {0}, records = {0};

	setup();
	tar_record(&records, "SCHILY.xattr.security.selinux", "system_u:object_r:etc_t:s0", 26);
	tar_record(&records, "SCHILY.xattr.security.ima", "x", 1);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "f"});
	CHECK(good(&b));
	CHECK(streq(attribute("f", "security.selinux"), "") && streq(attribute("f", "security.ima"), ""));
	teardown();
}

TEST("access control lists are kept, and are not inherited by accident")
{
	static const char acl[] = "user::rwx\nuser:daemon:r-x:1\ngroup::r-x\nmask::r-x\nother::---\n";
	struct strbuf b = {0}, records = {0};

	setup();
	tar_record(&records, "SCHILY.acl.access", acl, strlen(acl));
	tar_record(&records, "SCHILY.acl.default", acl, strlen(acl));
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "d/", .type = '5', .mode = 0750});
	tar_add(&b, (struct tar_item){.name = "d/f", .mode = 0644});
	tar_add(&b, (struct tar_item){.name = "d/e/", .type = '5', .mode = 0755});
	CHECK(good(&b));
	_cleanup_(closep) int d = openat(p.root, "d", O_RDONLY), f = openat(p.root, "d/f", O_RDONLY);
	_cleanup_(closep) int e = openat(p.root, "d/e", O_RDONLY);
	unsigned char value[256];
	CHECK(fgetxattr(d, "system.posix_acl_access", value, sizeof(value)) == 4 + 5 * 8);
	CHECK(value[4 + 8] == 2 && value[4 + 8 + 4] == 1); /* the second entry: user 1 */
	CHECK(fgetxattr(d, "system.posix_acl_default", value, sizeof(value)) == 4 + 5 * 8);
	CHECK(fgetxattr(f, "system.posix_acl_access", value, sizeof(value)) < 0 && errno == ENODATA);
	CHECK(fgetxattr(e, "system.posix_acl_default", value, sizeof(value)) < 0 && errno == ENODATA);
	CHECK((at("d/f").st_mode & 07777) == 0644 && (at("d/e").st_mode & 07777) == 0755);
	teardown();
}

TEST("holes stay holes")
{
	struct strbuf b = {0}, records = {0};
	char data[1024] = "1\n1000000\n4\n"; /* GNU.sparse 1.0: one extent */

	setup();
	memcpy(data + 512, "data", 4);
	tar_record(&records, "GNU.sparse.major", "1", 1);
	tar_record(&records, "GNU.sparse.minor", "0", 1);
	tar_record(&records, "GNU.sparse.name", "sparse", 6);
	tar_record(&records, "GNU.sparse.realsize", "10000000", 8);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "GNUSparseFile.0/sparse", .data = data, .len = 516});
	CHECK(good(&b));
	struct stat st = at("sparse");
	CHECK(st.st_size == 10000000 && st.st_blocks < 64);
	_cleanup_(closep) int fd = openat(p.root, "sparse", O_RDONLY);
	char got[4];
	CHECK(pread(fd, got, 4, 1000000) == 4 && memcmp(got, "data", 4) == 0);
	CHECK(p.stats.bytes == 10000000);
	teardown();
}

TEST("of two entries with one name the later counts, whatever the types")
{
	static const char types[] = {'0', '5', '2', '6', '1'};

	for (size_t i = 0; i < sizeof(types); i++)
		for (size_t j = 0; j < sizeof(types); j++) {
			struct strbuf b = {0};
			static const mode_t expected[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFREG};

			setup();
			tar_add(&b, (struct tar_item){.name = "t", .data = "target"});
			tar_add(&b, (struct tar_item){.name = "x", .type = types[i], .link = "t", .mtime = 1});
			if (types[i] == '5')
				tar_add(&b, (struct tar_item){.name = "x/below", .data = "y"});
			tar_add(&b, (struct tar_item){.name = "x", .type = types[j], .link = "t", .mtime = 2});
			CHECK(good(&b));
			CHECK((at("x").st_mode & S_IFMT) == expected[j]);
			CHECK(says("t", "target"));
			if (types[i] == '5' && types[j] == '5')
				CHECK(says("x/below", "y"));
			teardown();
		}
}

TEST("a hard link to itself is nothing new")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	tar_add(&b, (struct tar_item){.name = "./f", .type = '1', .link = "f"});
	CHECK(good(&b) && says("f", "x"));
	teardown();
}

TEST("'..' in a name or in the target of a hard link is refused")
{
	static const char *const names[] = {"../canary", "a/../../canary", "..", "a/..", "/../canary", "./../canary"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct strbuf b = {0};

		setup();
		tar_add(&b, (struct tar_item){.name = names[i], .data = "evil"});
		CHECK(refused(&b, names[i], "'..'"));
		tar_add(&b, (struct tar_item){.name = "link", .type = '1', .link = names[i]});
		CHECK(refused(&b, "'link'", "'..'"));
		teardown();
	}
}

TEST("an absolute name is a name below the root")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "/etc/ctr-test-canary", .data = "x"});
	tar_add(&b, (struct tar_item){.name = "//l", .type = '1', .link = "/etc/ctr-test-canary"});
	CHECK(good(&b));
	CHECK(says("etc/ctr-test-canary", "x") && at("l").st_nlink == 2);
	CHECK(access("/etc/ctr-test-canary", F_OK) < 0);
	teardown();
}

TEST("a symbolic link cannot lead an entry out of the root")
{
	static const char *const targets[] = {
		"..", "../..", "/", "../../../../../../../../..", "/proc/self/cwd", "/proc/self/root"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct strbuf b = {0};

		setup();
		tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = targets[i]});
		tar_add(&b, (struct tar_item){.name = "l/canary", .data = "evil"});
		int r = unpack(&b); /* in the root, or not at all: there is no /proc */
		CHECK(r == 0 ? says("canary", "evil") : strstr(error_text(), "leads nowhere") != NULL);
		tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = targets[i]});
		tar_add(&b, (struct tar_item){.name = "h", .type = '1', .link = "l/canary"});
		unpack(&b);
		tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = targets[i]});
		tar_add(&b, (struct tar_item){.name = "l", .data = "a file now"});
		CHECK(good(&b) && says("l", "a file now"));
		teardown();
	}
}

TEST("a symbolic link leads an entry within the root, as on the system that it shows")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "usr/bin/", .type = '5', .mtime = 5});
	tar_add(&b, (struct tar_item){.name = "bin", .type = '2', .link = "usr/bin"});
	tar_add(&b, (struct tar_item){.name = "bin/sh", .data = "#!"});
	tar_add(&b, (struct tar_item){.name = "abs", .type = '2', .link = "/usr/bin"});
	tar_add(&b, (struct tar_item){.name = "abs/ls", .type = '1', .link = "bin/sh"});
	CHECK(good(&b));
	CHECK(says("usr/bin/sh", "#!") && at("usr/bin/ls").st_nlink == 2 && at("usr/bin").st_mtime == 5);
	CHECK(S_ISLNK(at("bin").st_mode));
	teardown();
}

TEST("a last component that is a symbolic link is replaced, never followed")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "t", .data = "keep"});
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = "t"});
	tar_add(&b, (struct tar_item){.name = "l", .data = "new"});
	tar_add(&b, (struct tar_item){.name = "o", .type = '2', .link = "../canary"});
	tar_add(&b, (struct tar_item){.name = "o", .data = "new", .mode = 0777, .uid = 9});
	CHECK(good(&b) && says("t", "keep") && says("l", "new") && says("o", "new"));
	teardown();
}

TEST("an entry below a file, a dangling link or a loop of links is refused")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	tar_add(&b, (struct tar_item){.name = "f/below", .data = "y"});
	CHECK(refused(&b, "'f/below'", "its parent f is not a directory"));
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = "nowhere"});
	tar_add(&b, (struct tar_item){.name = "l/a/below", .data = "y"});
	CHECK(refused(&b, "'l/a/below'", "its parent l is a symbolic link that leads nowhere"));
	tar_add(&b, (struct tar_item){.name = "x", .type = '2', .link = "y"});
	tar_add(&b, (struct tar_item){.name = "y", .type = '2', .link = "x"});
	tar_add(&b, (struct tar_item){.name = "x/below", .data = "y"});
	CHECK(refused(&b, "'x/below'", "too many symbolic links"));
	teardown();
}

TEST("a hard link to what is not in the archive is refused")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "h", .type = '1', .link = "canary"});
	CHECK(refused(&b, "'h'", "which is not in the archive before it"));
	tar_add(&b, (struct tar_item){.name = "h", .type = '1', .link = "no/canary"});
	CHECK(refused(&b, "'h'", "whose directory is not in the archive"));
	tar_add(&b, (struct tar_item){.name = "d/", .type = '5'});
	tar_add(&b, (struct tar_item){.name = "h", .type = '1', .link = "d"});
	CHECK(refused(&b, "'h'", "which cannot have any"));
	tar_add(&b, (struct tar_item){.name = "h", .type = '1', .link = "/"});
	CHECK(refused(&b, "'h'", "hard link to '/'"));
	teardown();
}

TEST("names and links that no file can have are refused")
{
	struct strbuf b = {0}, records = {0};
	char *longest = xmalloc(6000);

	setup();
	memset(longest, 'a', 300);
	tar_record(&records, "path", longest, 300);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "y"});
	CHECK(refused(&b, "aaa", "a part of the name has 300 bytes"));

	for (int i = 0; i < 6000; i++)
		longest[i] = i % 100 == 99 ? '/' : 'a';
	tar_record(&records, "path", longest, 5000);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "y"});
	CHECK(refused(&b, "aaa", "more bytes than a path may"));

	tar_record(&records, "linkpath", longest, 5000);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = "x"});
	CHECK(refused(&b, "'l'", "longer than a path may be"));

	for (int i = 0; i < 1000; i++)
		longest[i] = i % 2 ? '/' : 'a';
	tar_record(&records, "path", longest, 1000);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "y"});
	CHECK(refused(&b, "a/a/a", "nested more than"));

	tar_add(&b, (struct tar_item){.name = "", .data = "y"});
	CHECK(refused(&b, "", "the name is empty"));
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = ""});
	CHECK(refused(&b, "'l'", "a symbolic link to nothing"));
	tar_add(&b, (struct tar_item){.name = ".", .type = '2', .link = ".."});
	CHECK(refused(&b, "'.'", "the root must be a directory"));
	free(longest);
	teardown();
}

TEST("a name with a NUL ends there, and stays below the root")
{
	struct strbuf b = {0}, records = {0};

	setup();
	tar_record(&records, "path", "safe\0/../../canary", 18);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "x", .data = "y"});
	CHECK(unpack(&b) < 0 || says("safe", "y"));
	teardown();
}

TEST("control characters of a name do not reach the terminal")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "a\033[2J\n/../b", .data = "y"});
	CHECK(refused(&b, "a?[2J?/../b", "'..'"));
	teardown();
}

TEST("owners and device numbers out of range are refused")
{
	struct strbuf b = {0}, records = {0};

	setup();
	tar_record(&records, "uid", "4294967295", 10);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "f", .data = "y"});
	CHECK(refused(&b, "'f'", "out of range"));
	tar_record(&records, "gid", "99999999999999", 14);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "f", .data = "y"});
	CHECK(refused(&b, "'f'", "out of range"));
	tar_add(&b, (struct tar_item){.name = "n", .type = '3', .major = 4096, .minor = 1});
	CHECK(refused(&b, "'n'", "out of range"));
	teardown();
}

TEST("the device that overlayfs takes for a deleted file is left out")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "gone", .type = '3'});
	CHECK(good(&b) && at("gone").st_mode == 0 && p.stats.skipped == 1 && strstr(p.warned, "0:0"));
	teardown();
}

TEST("an archive that is cut short anywhere is refused")
{
	struct strbuf whole = {0};

	tar_add(&whole, (struct tar_item){.name = "d/", .type = '5'});
	tar_add(&whole, (struct tar_item){.name = "d/f", .data = "some content of the file"});
	tar_add(&whole, (struct tar_item){.name = "g", .data = "more"});
	size_t content = whole.len;
	for (size_t len = 0; len < content; len += 100) {
		struct strbuf b = {0};

		setup();
		strbuf_add(&b, whole.p, len);
		CHECK(unpack_with(&b, &(struct extract_options){.need_end = true}) < 0);
		if (!strstr(error_text(), "cut short") && !strstr(error_text(), "empty") &&
		    !strstr(error_text(), "not a tar"))
			printf("# %zu: %s\n", len, error_text());
		CHECK(strstr(error_text(), "cut short") || strstr(error_text(), "empty") ||
		      strstr(error_text(), "not a tar"));
		teardown();
	}
	strbuf_free(&whole);
}

TEST("what is not a tar archive, or has a damaged header, is refused")
{
	struct strbuf b = {0};

	setup();
	strbuf_puts(&b, "This is just some text, and not an archive of any kind.\n");
	CHECK(refused(&b, "not a tar archive", ""));
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	tar_add(&b, (struct tar_item){.name = "g", .data = "x"});
	b.p[1024 + 3] ^= 1;
	CHECK(refused(&b, "after 'f'", "Damaged"));
	strbuf_puts(&b, "");
	CHECK(unpack_with(&b, &(struct extract_options){0}) < 0 && strstr(error_text(), "the archive is empty"));
	teardown();
}

TEST("malformed and giant extended headers are refused")
{
	static const char *const bad[] = {"nonsense", "5 a=b", "999999999999 path=x\n", "10 path\nxx\n", "0 a=b\n"};
	struct strbuf b = {0}, records = {0};

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strbuf_puts(&records, bad[i]);
		tar_pax(&b, &records);
		tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
		CHECK(unpack(&b) < 0);
	}
	char *big = xcalloc(1, 2 << 20);
	memset(big, 'a', 2 << 20);
	tar_record(&records, "comment", big, 2 << 20);
	tar_pax(&b, &records);
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	CHECK(unpack(&b) < 0);
	free(big);
	for (int i = 0; i < 100; i++) {
		tar_record(&records, "comment", "x", 1);
		tar_pax(&b, &records);
	}
	CHECK(unpack(&b) < 0);
	teardown();
}

TEST("caps on files and bytes are kept")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "a", .data = "12345"});
	tar_add(&b, (struct tar_item){.name = "b", .data = "12345"});
	tar_end(&b);
	CHECK(unpack_with(&b, &(struct extract_options){.max_bytes = 9}) == -EFBIG && strstr(error_text(), "'b'"));
	tar_add(&b, (struct tar_item){.name = "a"});
	tar_add(&b, (struct tar_item){.name = "b"});
	tar_end(&b);
	CHECK(unpack_with(&b, &(struct extract_options){.max_entries = 1}) == -EFBIG &&
	      strstr(error_text(), "1 entries"));
	teardown();
}

TEST("a size that is larger than what follows, or than any file, is refused")
{
	struct strbuf b = {0};

	setup();
	tar_header(&b, &(struct tar_item){.name = "f"}, (size_t)4 << 30);
	CHECK(refused(&b, "'f'", "cut short"));
	tar_header(&b, &(struct tar_item){.name = "f"}, (size_t)4 << 30);
	tar_end(&b);
	CHECK(unpack_with(&b, &(struct extract_options){.max_bytes = 1 << 30}) == -EFBIG);
	teardown();
}

TEST("a plain root filesystem may have files that are called like whiteouts")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "d/.wh.f", .data = "x"});
	tar_add(&b, (struct tar_item){.name = "d/.wh..wh..opq", .data = "x"});
	CHECK(good(&b) && says("d/.wh.f", "x") && says("d/.wh..wh..opq", "x"));
	CHECK(streq(attribute("d", "trusted.overlay.opaque"), ""));
	teardown();
}

TEST("a layer's whiteouts become overlayfs's")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "d/", .type = '5', .mtime = 3});
	tar_add(&b, (struct tar_item){.name = "d/.wh.gone"});
	tar_add(&b, (struct tar_item){.name = "e/.wh..wh..opq"});
	tar_add(&b, (struct tar_item){.name = ".wh..wh.plnk", .type = '5'});
	CHECK(unpack_layer(&b) == 0);
	CHECK(S_ISCHR(at("d/gone").st_mode) && at("d/gone").st_rdev == 0 && at("d").st_mtime == 3);
	CHECK(streq(attribute("e", "trusted.overlay.opaque"), "y") && at("e/.wh..wh..opq").st_mode == 0);
	CHECK(at(".wh..wh.plnk").st_mode == 0);
	teardown();
}

TEST("a whiteout does not touch what its own layer has, in either order")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	tar_add(&b, (struct tar_item){.name = ".wh.f"});
	tar_add(&b, (struct tar_item){.name = ".wh.g"});
	tar_add(&b, (struct tar_item){.name = "g", .data = "y"});
	tar_add(&b, (struct tar_item){.name = "d/x", .data = "z"});
	tar_add(&b, (struct tar_item){.name = ".wh.d"});
	tar_add(&b, (struct tar_item){.name = ".wh.e"});
	tar_add(&b, (struct tar_item){.name = "e/", .type = '5'});
	tar_add(&b, (struct tar_item){.name = ".wh.h"});
	tar_add(&b, (struct tar_item){.name = "h/i/x", .data = "z"});
	CHECK(unpack_layer(&b) == 0);
	CHECK(says("f", "x") && says("g", "y") && says("d/x", "z") && says("h/i/x", "z"));
	CHECK(streq(attribute("d", "trusted.overlay.opaque"), "y"));
	CHECK(streq(attribute("e", "trusted.overlay.opaque"), "y"));
	CHECK(streq(attribute("h", "trusted.overlay.opaque"), "y"));
	teardown();
}

TEST("a whiteout of nothing, of '.' or of '..' is refused, and one through a link stays inside")
{
	static const char *const names[] = {".wh.", ".wh..", ".wh..."};
	struct strbuf b = {0};

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		tar_add(&b, (struct tar_item){.name = names[i]});
		CHECK(unpack_layer(&b) == -EINVAL);
	}
	tar_add(&b, (struct tar_item){.name = "l", .type = '2', .link = ".."});
	tar_add(&b, (struct tar_item){.name = "l/.wh.canary"});
	CHECK(unpack_layer(&b) == 0 && S_ISCHR(at("canary").st_mode));
	teardown();
}

TEST("marks for overlayfs's user mode are of that mode")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "e/.wh..wh..opq"});
	tar_end(&b);
	CHECK(unpack_with(&b, &(struct extract_options){.layer = true, .user_xattrs = true}) == 0);
	CHECK(streq(attribute("e", "user.overlay.opaque"), "y"));
	teardown();
}

TEST("removing a file's own directory while it is being filled does not confuse anything")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "a/b/f", .data = "1"});
	tar_add(&b, (struct tar_item){.name = "a/b", .data = "a file"});
	tar_add(&b, (struct tar_item){.name = "a", .data = "a file"});
	tar_add(&b, (struct tar_item){.name = "a/", .type = '5', .mtime = 9});
	tar_add(&b, (struct tar_item){.name = "a/b/f", .data = "2"});
	CHECK(good(&b) && says("a/b/f", "2") && at("a").st_mtime == 9);
	teardown();
}

TEST("the digest and the size are those of the archive")
{
	struct strbuf b = {0};

	setup();
	tar_add(&b, (struct tar_item){.name = "f", .data = "x"});
	CHECK(good(&b));
	CHECK(p.sums.bytes == 2048 && p.sums.packed_bytes == 2048 && streq(p.sums.digest, p.sums.packed_digest));
	teardown();
}

UNIT_MAIN
