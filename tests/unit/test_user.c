/* Users from an image's own passwd and group: a stranger's files, and forms that have meant root elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/user.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/test_user.XXXXXX";
static int root = -EBADF;

__attribute__((constructor(200))) static void set_up(void)
{
	if (!mkdtemp(dir))
		abort();
	root = open(dir, O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "etc", 0755))
		abort();
}

__attribute__((destructor)) static void tear_down(void)
{
	close(root);
	remove_tree_at(AT_FDCWD, dir);
}

static void put_bytes(const char *path, const char *text, size_t len)
{
	unlinkat(root, path, 0);
	int fd = openat(root, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write_all(fd, text, len) == 0);
	close(fd);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void usual_files(void)
{
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
			  "app:x:1000:1001:App:/home/app:/bin/sh\n"
			  "1000:x:77:77:a number for a name:/n:/bin/sh\n"
			  "nohome:x:1002:1002::relative:/bin/sh\n");
	put("etc/group", "root:x:0:\n"
			 "wheel:x:10:root,app\n"
			 "app:x:1001:app\n"
			 "audio:x:29:other,app,third\n"
			 "apples:x:30:appl,apple,xapp\n"
			 "55:x:66:\n");
}

/* Resolves USER and checks ids and home. */
static bool is(const char *user, uid_t uid, gid_t gid, const char *home)
{
	struct user u;

	if (user_resolve(root, user, &u) < 0) {
		printf("# %s: %s\n", user, error_text());
		return false;
	}
	bool same = u.uid == uid && u.gid == gid && streq(u.home, home);
	if (!same)
		printf("# %s is %u:%u %s\n", user, u.uid, u.gid, u.home);
	user_free(&u);
	return same;
}

static bool refused(const char *user)
{
	struct user u;

	if (user_resolve(root, user, &u) < 0)
		return u.uid == 0 && !u.home && !u.groups;
	printf("# \"%s\" is taken for %u:%u\n", user, u.uid, u.gid);
	user_free(&u);
	return false;
}

TEST("names, numbers and both with groups")
{
	usual_files();
	CHECK(is("", 0, 0, "/root"));
	CHECK(is("root", 0, 0, "/root"));
	CHECK(is("app", 1000, 1001, "/home/app"));
	CHECK(is("app:root", 1000, 0, "/home/app"));
	CHECK(is("app:29", 1000, 29, "/home/app"));
	CHECK(is("1002", 1002, 1002, "/"));
	CHECK(is("4000", 4000, 0, "/"));
	CHECK(is("4000:4001", 4000, 4001, "/"));
	CHECK(is("4294967294", 4294967294u, 0, "/"));
}

TEST("a name wins over a number")
{
	usual_files();
	CHECK(is("1000", 77, 77, "/n"));
	CHECK(is("app:55", 1000, 66, "/home/app"));
}

TEST("forms that have meant root elsewhere are refused")
{
	static const char *const bad[] = {
		"1:",
		":2",
		":",
		"1abc",
		"abc1",
		"4294967295",
		"4294967296",
		"4294967295:0",
		"0:4294967295",
		"18446744073709551616",
		"-1",
		"+1",
		"0x0",
		" 0",
		"0 ",
		"1.0",
		"1e3",
		"nobody",
		"root:",
		"root:nosuch",
		"app:app:app",
		"app\n",
		"ro\tot",
		"root\x7f",
		"1000:-1",
		"0:4294967296",
		"-0",
		"\xd9\xa0",
		"99999999999999999999999999999999999999999999999999",
	};

	usual_files();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(bad[i]));
}

TEST("a refusal names the user")
{
	struct user u;

	usual_files();
	CHECK(user_resolve(root, "nobody", &u) == -EINVAL && strstr(error_text(), "no user \"nobody\""));
	CHECK(user_resolve(root, "app:nosuch", &u) == -EINVAL && strstr(error_text(), "no group \"nosuch\""));
	CHECK(user_resolve(root, "4294967296", &u) == -ERANGE && strstr(error_text(), "4294967296"));
}

TEST("supplementary groups are those that list the very name")
{
	struct user u;

	usual_files();
	CHECK(user_resolve(root, "app", &u) == 0);
	CHECK(u.n_groups == 2 && u.groups[0] == 10 && u.groups[1] == 29);
	user_free(&u);
	CHECK(user_resolve(root, "app:root", &u) == 0 && u.n_groups == 0);
	user_free(&u);
	CHECK(user_resolve(root, "4000", &u) == 0 && u.n_groups == 0);
	user_free(&u);
}

TEST("without files numbers and root work, names do not")
{
	unlinkat(root, "etc/passwd", 0);
	unlinkat(root, "etc/group", 0);
	CHECK(is("", 0, 0, "/"));
	CHECK(is("0", 0, 0, "/"));
	CHECK(is("5:6", 5, 6, "/"));
	CHECK(refused("root") && refused("app"));
}

TEST("broken lines are skipped")
{
	put("etc/passwd",
	    "\n:\n::::::\n:x:0:0::/:/bin/sh\napp\napp:x\napp:x:0\napp:x::0::/:\napp:x:0:\napp:x:-1:0::/:/\n"
	    "app:x:4294967296:0::/:/\napp:x:4294967295:0::/:/\napp:x:0x0:0::/:/\napp:x: 0:0::/:/\n"
	    "app:x:12:13:ok:/ok:/bin/sh:more:fields:still\napp:x:0:0:second:/:/bin/sh");
	CHECK(is("app", 12, 13, "/ok"));
	CHECK(refused("x"));
	put("etc/group",
	    "\n:::\nwheel\nwheel:x\nwheel:x:\nwheel:x:-1:\nwheel:x:4294967296:\nwheel:x:14\nlast:x:15:app");
	CHECK(is("app:wheel", 12, 14, "/ok"));
	CHECK(is("app:last", 12, 15, "/ok"));
}

TEST("a home that is no path, or could break a file, is the root directory")
{
	put("etc/passwd", "a:x:1:1::relative:/\nb:x:2:2:::/\nc:x:3:3::/home/\x01"
			  "bad:/\nd:x:4:4::/home/\rx:/\n");
	CHECK(is("a", 1, 1, "/") && is("b", 2, 2, "/") && is("c", 3, 3, "/") && is("d", 4, 4, "/"));
}

TEST("what follows a NUL byte is no account")
{
	static const char text[] = "app:x:1000:1000::/:/\n\0root2:x:0:0::/:/\n";

	put_bytes("etc/passwd", text, sizeof(text) - 1);
	CHECK(is("app", 1000, 1000, "/"));
	CHECK(refused("root2"));
}

TEST("very long lines and many of them are read")
{
	struct strbuf text = {0};

	for (int i = 0; i < 100000; i++)
		strbuf_putc(&text, 'a' + i % 26);
	strbuf_puts(&text, ":x:5:5::/:/\n");
	for (int i = 0; i < 20000; i++)
		strbuf_printf(&text, "user%d:x:%d:%d::/home/%d:/bin/sh\n", i, 2000 + i, 2000 + i, i);
	put("etc/passwd", strbuf_str(&text));
	put("etc/group", "");
	CHECK(is("user19999", 21999, 21999, "/home/19999"));
	strbuf_free(&text);
}

TEST("a passwd that is a link out of the root is not the host's")
{
	unlinkat(root, "etc/passwd", 0);
	CHECK(symlinkat("../../../../../../etc/passwd", root, "etc/passwd") == 0);
	CHECK(refused("root"));
	unlinkat(root, "etc/passwd", 0);
	CHECK(symlinkat("/real-passwd", root, "etc/passwd") == 0);
	put("real-passwd", "inside:x:8:9::/in:/\n");
	CHECK(is("inside", 8, 9, "/in"));
	unlinkat(root, "etc/passwd", 0);
}

TEST("a passwd that is a directory or a pipe is an error, not a wait")
{
	CHECK(mkdirat(root, "etc/passwd", 0755) == 0);
	CHECK(refused("app"));
	unlinkat(root, "etc/passwd", AT_REMOVEDIR);
	CHECK(mkfifoat(root, "etc/passwd", 0644) == 0);
	CHECK(refused("app"));
	unlinkat(root, "etc/passwd", 0);
}

TEST("a passwd without end is refused")
{
	unlinkat(root, "etc/passwd", 0);
	int fd = openat(root, "etc/passwd", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && ftruncate(fd, INT64_C(1) << 40) == 0);
	close(fd);
	CHECK(refused("app"));
	unlinkat(root, "etc/passwd", 0);
}

TEST("a group on its own")
{
	gid_t gid = 7;

	usual_files();
	CHECK(group_resolve(root, "audio", &gid) == 0 && gid == 29);
	CHECK(group_resolve(root, "123", &gid) == 0 && gid == 123);
	CHECK(group_resolve(root, "55", &gid) == 0 && gid == 66);
	CHECK(group_resolve(root, "", &gid) < 0 && group_resolve(root, "-1", &gid) < 0);
	CHECK(group_resolve(root, "4294967295", &gid) == -ERANGE && gid == 66);
}

UNIT_MAIN
