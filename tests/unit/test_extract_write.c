/* Written archives: what our writer writes, our extractor unpacks; the same input gives the same bytes. */
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
#include "images/ctr-images/tarwrite.h"
#include "unit.h"

static char place[64];
static int root, archive;
static struct tar_writer w;

static void setup(void)
{
	strcpy(place, "/var/tmp/ctr-test-write-XXXXXX");
	CHECK(mkdtemp(place) != NULL);
	root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	archive = memfd_create("tar", MFD_CLOEXEC);
	CHECK(root >= 0 && archive >= 0);
	tar_open(&w, archive);
}

/* Ends the archive and unpacks it. */
static bool unpack(void)
{
	struct extract_stats stats;
	struct stream *s;

	CHECK(tar_close(&w) == 0 && lseek(archive, 0, SEEK_SET) == 0);
	CHECK(stream_open(archive, &(struct stream_limits){0}, &s) == 0);
	int r = extract_tar(s, root, &(struct extract_options){.need_end = true}, &stats);
	stream_close(s);
	if (r < 0)
		printf("# %s\n", error_text());
	return r == 0;
}

static void teardown(void)
{
	close(archive);
	close(root);
	CHECK(remove_tree_at(AT_FDCWD, place) == 0);
}

static struct stat at(const char *path)
{
	struct stat st = {0};

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st.st_mode = 0;
	return st;
}

static struct stat of(mode_t mode)
{
	return (struct stat){.st_mode = mode, .st_nlink = 1, .st_mtim = {.tv_sec = 1}};
}

static int put(const char *name, const struct stat *st, const char *link)
{
	return tar_put(&w, &(struct tar_entry){.name = name, .st = st, .link = link});
}

TEST("every type of file comes back")
{
	struct stat st;

	setup();
	st = of(S_IFDIR | 01777);
	CHECK(put(".", &st, NULL) == 0);
	st = of(S_IFREG | 04755);
	st.st_size = 5;
	CHECK(put("f", &st, NULL) == 0 && tar_data(&w, "hello", 5) == 0 && tar_end_entry(&w) == 0);
	CHECK(put("h", &st, "f") == 0);
	st = of(S_IFLNK | 0777);
	CHECK(put("l", &st, "../f") == 0);
	st = of(S_IFCHR | 0600);
	st.st_rdev = makedev(1, 5);
	CHECK(put("c", &st, NULL) == 0);
	st = of(S_IFIFO | 0640);
	CHECK(put("p", &st, NULL) == 0);
	st = of(S_IFSOCK | 0640);
	CHECK(put("s", &st, NULL) == -EINVAL && strstr(error_text(), "'s'"));
	CHECK(unpack());
	CHECK((at(".").st_mode & 07777) == 01777 && (at("f").st_mode & 07777) == 04755 && at("f").st_size == 5);
	CHECK(at("h").st_ino == at("f").st_ino && S_ISLNK(at("l").st_mode) && S_ISFIFO(at("p").st_mode));
	CHECK(S_ISCHR(at("c").st_mode) && at("c").st_rdev == makedev(1, 5));
	teardown();
}

TEST("names of every length and any bytes come back")
{
	static const size_t lengths[] = {1, 99, 100, 101, 155, 156, 200, 254, 255};
	char name[1024];
	struct stat st = of(S_IFREG | 0644);

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(name, 'a', lengths[i]);
		name[lengths[i]] = '\0';
		CHECK(put(name, &st, NULL) == 0);
		/* The same below directories, where the header's two fields may do. */
		snprintf(name, sizeof(name), "%0*d/%0*d", (int)lengths[i], 1, (int)lengths[i], 2);
		CHECK(put(name, &st, NULL) == 0);
	}
	CHECK(put("caf\xc3\xa9 \xff\n", &st, NULL) == 0);
	CHECK(unpack());
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(name, 'a', lengths[i]);
		name[lengths[i]] = '\0';
		CHECK(S_ISREG(at(name).st_mode));
		snprintf(name, sizeof(name), "%0*d/%0*d", (int)lengths[i], 1, (int)lengths[i], 2);
		CHECK(S_ISREG(at(name).st_mode));
	}
	CHECK(S_ISREG(at("caf\xc3\xa9 \xff\n").st_mode));
	teardown();
}

TEST("long links, large owners and parts of a second come back")
{
	char target[512];
	struct stat st = of(S_IFLNK | 0777);
	char got[513] = "";

	setup();
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	CHECK(put("l", &st, target) == 0);
	st = of(S_IFREG | 0644);
	st.st_uid = 4000000000u;
	st.st_gid = 2097152;
	st.st_mtim = (struct timespec){.tv_sec = 123456789, .tv_nsec = 100};
	CHECK(put("f", &st, NULL) == 0);
	st.st_mtim = (struct timespec){.tv_sec = -5};
	CHECK(put("old", &st, NULL) == 0);
	st.st_mtim = (struct timespec){.tv_sec = (time_t)1 << 33};
	CHECK(put("new", &st, NULL) == 0);
	CHECK(unpack());
	CHECK(readlinkat(root, "l", got, sizeof(got) - 1) == sizeof(target) - 1 && streq(got, target));
	CHECK(at("f").st_uid == 4000000000u && at("f").st_gid == 2097152);
	CHECK(at("f").st_mtim.tv_sec == 123456789 && at("f").st_mtim.tv_nsec == 100);
	CHECK(at("old").st_mtim.tv_sec == -5 && at("new").st_mtim.tv_sec == (time_t)1 << 33);
	teardown();
}

TEST("attributes come back")
{
	const struct tar_attribute list[] = {{.name = (char[]){"user.a"}, .value = (char[]){"1\n=2"}, .len = 4},
					     {.name = (char[]){"user.b"}, .value = (char[]){""}, .len = 0}};
	struct stat st = of(S_IFREG | 0644);
	char value[16];

	setup();
	CHECK(tar_put(&w, &(struct tar_entry){.name = "f", .st = &st, .attributes = list, .n_attributes = 2}) == 0);
	CHECK(unpack());
	_cleanup_(closep) int fd = openat(root, "f", O_RDONLY);
	CHECK(fgetxattr(fd, "user.a", value, sizeof(value)) == 4 && memcmp(value, "1\n=2", 4) == 0);
	CHECK(fgetxattr(fd, "user.b", value, sizeof(value)) == 0);
	teardown();
}

TEST("holes come back as holes")
{
	const struct tar_extent extents[] = {{4096, 3}, {1 << 20, 2}, {3 << 20, 0}};
	struct stat st = of(S_IFREG | 0644);
	char got[3];

	setup();
	st.st_size = 3 << 20;
	CHECK(tar_put(&w, &(struct tar_entry){
				  .name = "f", .st = &st, .sparse = 1, .extents = extents, .n_extents = 3}) == 0);
	CHECK(tar_data(&w, "abcde", 5) == 0 && tar_end_entry(&w) == 0);
	CHECK(unpack());
	CHECK(at("f").st_size == 3 << 20 && at("f").st_blocks <= 16);
	_cleanup_(closep) int fd = openat(root, "f", O_RDONLY);
	CHECK(pread(fd, got, 3, 4096) == 3 && memcmp(got, "abc", 3) == 0);
	CHECK(pread(fd, got, 2, 1 << 20) == 2 && memcmp(got, "de", 2) == 0);
	teardown();
}

TEST("a full disk is told")
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct tar_writer f;

	tar_open(&f, full);
	CHECK(tar_close(&f) == -ENOSPC && strstr(error_text(), "write the archive"));
	close(full);
}

UNIT_MAIN
