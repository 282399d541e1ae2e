/*
 * Any archive, compressed or not, unpacked into a scratch directory: nothing beside it may change. The first
 * byte chooses the options. Run as root, or little of it can be unpacked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "images/ctr-images/extract.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define MAX_BYTES (1u << 20)
#define MAX_ENTRIES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* SCRATCH/root is unpacked into; SCRATCH/canary and SCRATCH/dir/canary are to be reached for. */
static char scratch[64];
static int scratch_fd;
static struct stat canary, dir_canary, dir;

static void ignore(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void clean_up(void)
{
	remove_tree_at(AT_FDCWD, scratch);
}

static void make_scratch(void)
{
	snprintf(scratch, sizeof(scratch), "%s/ctr-fuzz-tar-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(scratch));
	atexit(clean_up);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(scratch_fd >= 0 && mkdirat(scratch_fd, "dir", 0700) == 0);
	MUST(replace_file_at(scratch_fd, "canary", "alive", 5, 0600, false) == 0);
	MUST(replace_file_at(scratch_fd, "dir/canary", "alive", 5, 0600, false) == 0);
	MUST(fstatat(scratch_fd, "canary", &canary, 0) == 0 && fstatat(scratch_fd, "dir", &dir, 0) == 0);
	MUST(fstatat(scratch_fd, "dir/canary", &dir_canary, 0) == 0);
	log_set_sink(ignore);
}

/* Any change of a file's content, mode, owner, times or links changes its ctime. */
static void check_same(const char *path, const struct stat *was)
{
	struct stat is;

	MUST(fstatat(scratch_fd, path, &is, AT_SYMLINK_NOFOLLOW) == 0);
	MUST(is.st_ino == was->st_ino && is.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	     is.st_ctim.tv_nsec == was->st_ctim.tv_nsec);
}

static void check_beside(void)
{
	DIR *d = opendir(scratch);
	int n = 0;

	MUST(d);
	while (readdir(d))
		n++;
	closedir(d);
	MUST(n == 5); /* ".", "..", canary, dir, root */
	check_same("canary", &canary);
	check_same("dir", &dir);
	check_same("dir/canary", &dir_canary);
}

static void unpack(int fd, int root, uint8_t flags)
{
	const struct extract_options options = {
		.layer = flags & 1,
		.user_xattrs = flags & 2,
		.need_end = flags & 4,
		.max_bytes = MAX_BYTES,
		.max_entries = MAX_ENTRIES,
	};
	const struct stream_limits limits = {.max_bytes = MAX_BYTES};
	struct extract_stats stats;
	struct stream_sums sums;
	struct stream *s;

	if (stream_open(fd, &limits, &s) < 0)
		return;
	if (extract_tar(s, root, &options, &stats) == 0 && stream_finish(s, &sums) == 0)
		MUST(stats.entries <= MAX_ENTRIES && stats.bytes <= MAX_BYTES && sums.bytes <= MAX_BYTES);
	stream_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!scratch[0])
		make_scratch();
	if (size == 0)
		return 0;
	_cleanup_(closep) int fd = memfd_create("tar", MFD_CLOEXEC);
	MUST(fd >= 0 && write_all(fd, data + 1, size - 1) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(mkdirat(scratch_fd, "root", 0755) == 0);
	{
		_cleanup_(closep) int root = openat(scratch_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		unpack(fd, root, data[0]);
	}
	check_beside();
	MUST(remove_tree_at(scratch_fd, "root") == 0);
	return 0;
}

/* Puts the checksum right in everything that looks like a header; else no change would get past it. */
static void fix_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 1; at + 512 <= size; at += 512) {
		uint8_t *h = data + at;
		char text[8];
		unsigned int sum = 0;

		if (memcmp(h + 257, "ustar", 5) != 0)
			continue;
		memset(h + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += h[i];
		snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(h + 148, text, 7);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	(void)seed;
	size = LLVMFuzzerMutate(data, size, max_size);
	fix_checksums(data, size);
	return size;
}
