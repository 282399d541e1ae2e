#include "runtime/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/sys.h"

/* Raised when the cached file's layout, or the meaning of what the helper is given, changes. */
#define CACHE_MAGIC "ctrbpf01"
#define HELPER_OUTPUT_MAX (1U << 20)

/* A cached filter: this, then the program. */
struct cache_header {
	char magic[8];
	char key[64];
	uint64_t sum; /* of the program; against damage, not against an enemy, who could not write here */
	uint32_t len;
	uint32_t zero;
};

static const struct {
	const char *name;
	unsigned int flag;
} flags[] = {
	/* One thread is all there is when the filter is loaded. */
	{"SECCOMP_FILTER_FLAG_TSYNC", 0},
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

static int parse_flags(const struct json *profile, unsigned int *out)
{
	const struct json *list = NULL;
	int r = json_want_array(profile, "flags", &list);

	/* Without SPEC_ALLOW the kernel turns speculation defences on that most programs do not need and that
	 * cost a lot; runc's default too. A profile that sets flags, even none, means them. */
	*out = list ? 0 : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	json_each(item, list) {
		size_t i = 0;

		if ((r = json_expect(item, JSON_STRING)) < 0)
			return r;
		while (i < ARRAY_SIZE(flags) && !streq(flags[i].name, item->text))
			i++;
		if (i == ARRAY_SIZE(flags))
			return json_refuse(item, "is \"%s\", which is not a seccomp flag", item->text);
		*out |= flags[i].flag;
	}
	return r;
}

/* What of a profile is not in the program: how it is loaded, and who listens. */
static int parse_options(const struct json *profile, struct seccomp_filter *filter)
{
	const char *path = NULL, *metadata = NULL;
	int r;

	if (!profile) {
		filter->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		return 0;
	}
	if ((r = json_expect(profile, JSON_OBJECT)) < 0 || (r = parse_flags(profile, &filter->flags)) < 0 ||
	    (r = json_want_str(profile, "listenerPath", &path)) < 0 ||
	    (r = json_want_str(profile, "listenerMetadata", &metadata)) < 0)
		return r;
	bool listens = path && *path;
	if (!listens && metadata && *metadata)
		return json_refuse(json_get(profile, "listenerMetadata"), "needs a listenerPath");
	filter->listener_path = listens ? xstrdup(path) : NULL;
	filter->listener_metadata = listens && metadata ? xstrdup(metadata) : NULL;
	return 0;
}

static bool notifies(const struct seccomp_filter *filter)
{
	for (unsigned int i = 0; i < filter->len; i++)
		if (filter->code[i].code == (BPF_RET | BPF_K) && filter->code[i].k == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

/* Settles whether there is a listener, now that the program is known. */
static int settle_listener(const struct json *profile, struct seccomp_filter *filter)
{
	if (notifies(filter)) {
		if (!filter->listener_path)
			return json_refuse(profile, "has SCMP_ACT_NOTIFY but no listenerPath");
		filter->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		return 0;
	}
	/* The spec has a path without use for it ignored; the kernel refuses this flag without a listener. */
	filter->flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	free(filter->listener_path);
	free(filter->listener_metadata);
	filter->listener_path = filter->listener_metadata = NULL;
	return 0;
}

/* Adds a profile's meaning to the digest: of each value the type, the key and what it holds, up to a bracket.
 * As telling as its text, without the time to write that, which a start that finds its filter has no use for. */
static void digest_node(struct sha256 *h, const struct json *node)
{
	char type = (char)('0' + node->type);

	sha256_add(h, &type, 1);
	if (node->key)
		sha256_add(h, node->key, strlen(node->key) + 1);
	if (node->type == JSON_BOOL)
		sha256_add(h, node->boolean ? "t" : "f", 1);
	if (node->text)
		sha256_add(h, node->text, strlen(node->text) + 1);
	json_each(child, node)
		digest_node(h, child);
	sha256_add(h, ")", 1);
}

/*
 * The digest of all that the program depends on. The helper's file stands for what is built into it, so
 * that a new one never finds an old one's filters even when the version is the same. A profile file may
 * ask for the kernel's release; the default policy does not.
 */
static void cache_key(const struct json *profile, uint64_t caps, const char *helper, char key[65])
{
	struct utsname uts = {0};
	struct stat st = {0};
	struct sha256 h;
	char head[512];

	if (uname(&uts) < 0 || stat(helper, &st) < 0)
		debug("cannot tell the kernel or %s apart from another", helper);
	int n = snprintf(head, sizeof(head), "%s %s %s %s %llx %lld.%ld %lld\n", CACHE_MAGIC, CTR_VERSION, uts.machine,
			 profile ? uts.release : "default", (unsigned long long)caps, (long long)st.st_mtim.tv_sec,
			 st.st_mtim.tv_nsec, (long long)st.st_size);
	sha256_init(&h);
	sha256_add(&h, head, n < (int)sizeof(head) ? (size_t)n : sizeof(head) - 1);
	if (profile)
		digest_node(&h, profile);
	sha256_hex(&h, key);
}

/* FNV-1a over whole instructions. */
static uint64_t program_sum(const struct sock_filter *code, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++) {
		uint64_t word;

		memcpy(&word, &code[i], sizeof(word));
		sum = (sum ^ word) * 0x100000001b3;
	}
	return sum;
}

/* Takes the program out of FD's file, when that is whole, ours and what KEY names. */
static bool read_cached(int fd, const char *key, struct seccomp_filter *filter)
{
	struct cache_header h;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mode & (S_IWGRP | S_IWOTH) ||
	    (st.st_uid != geteuid() && st.st_uid != 0))
		return false;
	if (st.st_size <= (off_t)sizeof(h) || st.st_size > (off_t)(sizeof(h) + BPF_MAXINSNS * sizeof(*filter->code)))
		return false;
	size_t size = (size_t)st.st_size, len = (size - sizeof(h)) / sizeof(*filter->code);
	_cleanup_(freep) char *file = xmalloc(size);
	if (read(fd, file, size) != st.st_size)
		return false;
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.magic, CACHE_MAGIC, sizeof(h.magic)) != 0 || memcmp(h.key, key, sizeof(h.key)) != 0 ||
	    h.len != len || size != sizeof(h) + len * sizeof(*filter->code))
		return false;
	/* The program moves to the front of the buffer, which becomes the filter's. */
	memmove(file, file + sizeof(h), len * sizeof(*filter->code));
	if (program_sum((const struct sock_filter *)(const void *)file, len) != h.sum)
		return false;
	filter->code = (struct sock_filter *)(void *)take_ptr(&file);
	filter->len = (unsigned short)len;
	return true;
}

static bool cache_get(const char *dir, const char *key, struct seccomp_filter *filter)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s.bpf", dir, key) >= (int)sizeof(path))
		return false;
	_cleanup_(closep) int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			debug("not using the seccomp cache %s: %s", path, strerror(errno));
		return false;
	}
	if (read_cached(fd, key, filter))
		return true;
	debug("not using the damaged seccomp cache %s", path);
	return false;
}

/* A cache that cannot be written costs time at the next start, and nothing else. */
static void cache_put(const char *dir, const char *key, const struct seccomp_filter *filter)
{
	struct cache_header h = {.len = filter->len, .sum = program_sum(filter->code, filter->len)};
	_cleanup_(freep) char *name = xasprintf("%s.bpf", key);
	struct strbuf file = {0};

	_cleanup_(closep) int fd = openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make_dirs(dir, 0700) == 0)
		fd = openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		debug("not caching the seccomp filter in %s: %s", dir, strerror(errno));
		return;
	}
	memcpy(h.magic, CACHE_MAGIC, sizeof(h.magic));
	memcpy(h.key, key, sizeof(h.key));
	strbuf_add(&file, &h, sizeof(h));
	strbuf_add(&file, filter->code, filter->len * sizeof(*filter->code));
	/* Not durable: a crash leaves the old file, none, or one whose sum is wrong. */
	if (replace_file_at(fd, name, file.p, file.len, 0600, false) < 0)
		debug("not caching the seccomp filter: %s", error_text());
	strbuf_free(&file);
}

/* A file in memory, above the standard descriptors, which the helper's take the place of. */
static int temporary_file(void)
{
	_cleanup_(closep) int fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0)
		return fail(-errno, "make a temporary file");
	if (fd > STDERR_FILENO)
		return take_fd(&fd);
	int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return high < 0 ? fail(-errno, "make a temporary file") : high;
}

/* Says on the helper's standard error why there is no filter, and ends. */
static _Noreturn void give_up(int err)
{
	if (write_all(err, error_text(), strlen(error_text())) < 0)
		_exit(126);
	_exit(127);
}

/* Becomes HELPER, with IO for its standard descriptors and nothing else of ours. */
static _Noreturn void exec_helper(const char *helper, uint64_t caps, bool builtin, const int io[3])
{
	char hex[20];
	char *argv[] = {(char[]){"ctr-seccomp"}, (char[]){"--caps"}, hex, builtin ? (char[]){"--default"} : NULL, NULL};
	char *envp[] = {NULL};
	bool ready = true;

	snprintf(hex, sizeof(hex), "%llx", (unsigned long long)caps);
	for (int i = 0; i < 3; i++)
		ready &= dup2(io[i], i) == i;
	/* Descriptors that our caller left open too. */
	if (ready && sys_close_range(STDERR_FILENO + 1, ~0U, 0) == 0)
		execve(helper, argv, envp);
	fail(-errno, "run %s", helper);
	give_up(STDERR_FILENO);
}

/* Runs the helper as a child of its own, whose status it ends with. */
static _Noreturn void mind_helper(const char *helper, uint64_t caps, bool builtin, const int io[3])
{
	int status;

	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();
	if (pid == 0)
		exec_helper(helper, caps, builtin, io);
	if (pid < 0) {
		fail(-errno, "start %s", helper);
		give_up(io[2]);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			_exit(126);
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	refuse(-EIO, "%s was killed by signal %d", helper, WTERMSIG(status));
	give_up(io[2]);
}

/*
 * Starts the helper and waits for its end; its status, or negative errno, recorded.
 *
 * The caller may ignore SIGCHLD, which would reap the helper behind our back, or count its children by it.
 * So a process between, which sends no signal when it ends, stands in; the helper itself can not, since exec
 * sets the signal back.
 */
static int run_helper(const char *helper, uint64_t caps, bool builtin, const int io[3])
{
	pid_t pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	int status;

	if (pid < 0)
		return fail(-errno, "start %s", helper);
	if (pid == 0)
		mind_helper(helper, caps, builtin, io);
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return fail(-errno, "wait for %s", helper);
	return WIFEXITED(status) ? WEXITSTATUS(status) : refuse(-EIO, "%s was stopped by a signal", helper);
}

static int read_back(int fd, char **text, size_t *len)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return read_all(fd, HELPER_OUTPUT_MAX, text, len);
}

/* Hands on what the helper said: its last line is the error when STATUS says so, the rest are notes. */
static int take_messages(const char *helper, int fd, int status)
{
	_cleanup_(freep) char *text = NULL;
	char *last = NULL, *save = NULL;
	int r = read_back(fd, &text, NULL);

	if (r < 0)
		return fail(r, "read what %s says", helper);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (last)
			debug("%s", last);
		last = line;
	}
	if (status)
		return last ? refuse(-EINVAL, "%s", last) : refuse(-EIO, "%s failed with status %d", helper, status);
	if (last)
		debug("%s", last);
	return 0;
}

/* What the helper reads: the profile's text, or nothing. */
static int helper_input(const struct json *profile)
{
	if (!profile) {
		int fd = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);

		return fd < 0 ? fail(-errno, "open /dev/null") : fd;
	}
	_cleanup_(closep) int fd = temporary_file();
	if (fd < 0)
		return fd;
	struct strbuf text = {0};
	struct json_writer w = {.out = &text};
	json_put_node(&w, NULL, profile);
	int r = write_all(fd, text.p, text.len);
	strbuf_free(&text);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? fail(r, "write the seccomp profile") : take_fd(&fd);
}

/* Compiles PROFILE, or the default policy when it is NULL. */
static int compile(const struct json *profile, uint64_t caps, const char *helper, struct seccomp_filter *filter)
{
	_cleanup_(closep) int in = helper_input(profile);
	if (in < 0)
		return in;
	_cleanup_(closep) int out = temporary_file();
	if (out < 0)
		return out;
	_cleanup_(closep) int err = temporary_file();
	if (err < 0)
		return err;
	_cleanup_(freep) char *code = NULL;
	size_t size = 0;

	int r = run_helper(helper, caps, !profile, (int[]){in, out, err});
	if (r < 0 || (r = take_messages(helper, err, r)) < 0)
		return r;
	r = read_back(out, &code, &size);
	if (r < 0)
		return fail(r, "read the seccomp filter");
	if (!size || size % sizeof(*filter->code) || size / sizeof(*filter->code) > BPF_MAXINSNS)
		return refuse(-EIO, "%s gave %zu bytes, which are no filter", helper, size);
	filter->code = (struct sock_filter *)(void *)take_ptr(&code);
	filter->len = (unsigned short)(size / sizeof(*filter->code));
	return 0;
}

static int get_code(const struct json *profile, uint64_t caps, const char *cache_dir, const char *helper,
		    struct seccomp_filter *filter)
{
	char key[65];

	if (!cache_dir)
		return compile(profile, caps, helper, filter);
	cache_key(profile, caps, helper, key);
	if (cache_get(cache_dir, key, filter))
		return 0;
	int r = compile(profile, caps, helper, filter);
	if (r == 0)
		cache_put(cache_dir, key, filter);
	return r;
}

int seccomp_filter_get(const struct json *profile, uint64_t caps, const char *cache_dir, const char *helper,
		       struct seccomp_filter *filter)
{
	int r;

	*filter = (struct seccomp_filter){0};
	if ((r = parse_options(profile, filter)) < 0 || (r = get_code(profile, caps, cache_dir, helper, filter)) < 0 ||
	    (r = settle_listener(profile, filter)) < 0)
		seccomp_filter_free(filter);
	return r;
}

static int set_filter(unsigned int with, const struct sock_fprog *program)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, with, program);
}

/* WITH less the flags that this kernel does not know and that make no filter weaker: without a program
 * an unknown flag is EINVAL and a known one EFAULT, see seccomp(2). */
static unsigned int known_flags(unsigned int with)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		unsigned int flag = flags[i].flag;
		unsigned int needs = with & SECCOMP_FILTER_FLAG_NEW_LISTENER;

		if (!(with & flag) || set_filter(flag | needs, NULL) == 0 || errno != EINVAL)
			continue;
		debug("this kernel has no %s; loading the filter without", flags[i].name);
		with &= ~flag;
	}
	return with;
}

int seccomp_filter_load(const struct seccomp_filter *filter, int *listener)
{
	struct sock_fprog program = {.len = filter->len, .filter = filter->code};

	*listener = -EBADF;
	if (!filter->code)
		return 0;
	int r = set_filter(filter->flags, &program);
	if (r < 0 && errno == EINVAL)
		r = set_filter(known_flags(filter->flags), &program);
	if (r < 0 && errno == EACCES)
		return refuse(-EACCES, "load the seccomp filter: that takes no_new_privs or CAP_SYS_ADMIN");
	if (r < 0)
		return fail(-errno, "load the seccomp filter");
	if (filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		*listener = r;
	return 0;
}

void seccomp_filter_free(struct seccomp_filter *filter)
{
	free(filter->code);
	free(filter->listener_path);
	free(filter->listener_metadata);
	*filter = (struct seccomp_filter){0};
}
