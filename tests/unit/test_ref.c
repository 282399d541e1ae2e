/* Image references: what they may look like, and how the store names them. */
#include <errno.h>

#include "base/error.h"
#include "base/str.h"
#include "images/ref.h"
#include "unit.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TAG128                                                                                                         \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                                             \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool becomes(const char *text, const char *canonical)
{
	char out[REF_MAX + 1];

	if (ref_normalise(text, out) == 0 && streq(out, canonical))
		return true;
	printf("# %s: %s\n", text, error_text());
	return false;
}

/* True when TEXT is refused with a sentence that holds WHY. */
static bool refused(const char *text, const char *why)
{
	struct ref ref;

	if (ref_parse(text, &ref) == -EINVAL && strstr(error_text(), why))
		return true;
	printf("# %s: %s\n", text, error_text());
	return false;
}

TEST("a short name stays short, and its tag is latest")
{
	CHECK(becomes("busybox", "busybox:latest"));
	CHECK(becomes("busybox:1.36", "busybox:1.36"));
	CHECK(becomes("library/busybox", "library/busybox:latest"));
	CHECK(becomes("a/b/c/d:x", "a/b/c/d:x"));
}

TEST("a registry has a host, and may have a port")
{
	CHECK(becomes("registry.example/team/app", "registry.example/team/app:latest"));
	CHECK(becomes("registry.example:5000/app:1", "registry.example:5000/app:1"));
	CHECK(becomes("localhost/app", "localhost/app:latest"));
	CHECK(becomes("localhost:5000/app", "localhost:5000/app:latest"));
	CHECK(becomes("Registry.Example/app", "Registry.Example/app:latest"));
	CHECK(becomes("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"));
	CHECK(becomes("[::1]:5000/app:t", "[::1]:5000/app:t"));
	/* Without a path this is a name with a tag. */
	CHECK(becomes("localhost:5000", "localhost:5000"));
}

TEST("separators within a component are '.', '_', '__' and any number of '-'")
{
	CHECK(becomes("a.b_c__d-e---f", "a.b_c__d-e---f:latest"));
	CHECK(refused("a..b", "two of them in a row"));
	CHECK(refused("a___b", "two of them in a row"));
	CHECK(refused("a._b", "two of them in a row"));
	CHECK(refused("-a", "must begin with"));
	CHECK(refused("_a", "must begin with"));
	CHECK(refused(".a", "must begin with"));
	CHECK(refused("a-", "ends with a separator"));
	CHECK(refused("a/b.", "ends with a separator"));
}

TEST("a digest counts, and a tag beside it says nothing more")
{
	CHECK(becomes("app@sha256:" HEX64, "app@sha256:" HEX64));
	CHECK(becomes("app:1.0@sha256:" HEX64, "app@sha256:" HEX64));
	CHECK(becomes("app@sha512:" HEX64 HEX64, "app@sha512:" HEX64 HEX64));
}

TEST("a digest is strict")
{
	CHECK(digest_valid("sha256:" HEX64));
	CHECK(digest_valid("sha512:" HEX64 HEX64));
	CHECK(!digest_valid("sha256:" HEX64 "0"));
	CHECK(!digest_valid("sha256:"));
	CHECK(!digest_valid("sha512:" HEX64));
	CHECK(!digest_valid("SHA256:" HEX64));
	CHECK(!digest_valid("sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	CHECK(!digest_valid("sha256:../../../../../../../../../../../../../../../../../etc/passwd.."));
	CHECK(!digest_valid("md5:d41d8cd98f00b204e9800998ecf8427e"));
	CHECK(refused("app@sha256:abc", "the digest must be"));
	CHECK(refused("app@", "the digest must be"));
	CHECK(refused("app@sha256:" HEX64 "@sha256:" HEX64, "the digest must be"));
}

TEST("what is no reference is refused with what is wrong")
{
	CHECK(refused("", "the name is missing"));
	CHECK(refused(":tag", "the name is missing"));
	CHECK(refused("App", "must be lower case"));
	CHECK(refused("team/App", "must be lower case"));
	CHECK(refused("a//b", "is empty"));
	CHECK(refused("/a", "is empty"));
	CHECK(refused("a/", "is empty"));
	CHECK(refused("../a", "malformed"));
	CHECK(refused("a/../b", "must begin with"));
	CHECK(refused("a b", "may hold"));
	CHECK(refused("a\nb", "may hold"));
	CHECK(refused("a:", "the tag after ':' is missing"));
	CHECK(refused("a:-x", "the tag must begin"));
	CHECK(refused("a:x y", "the tag may hold"));
	CHECK(refused("a:b:c", "may hold"));
	CHECK(refused("host.example:port/a", "port is malformed"));
	CHECK(refused("host.example:/a", "port is malformed"));
	CHECK(refused("host.example:123456/a", "port is malformed"));
	CHECK(refused("-host.example/a", "host name is malformed"));
	CHECK(refused("host-.example/a", "host name is malformed"));
	CHECK(refused("host..example/a", "host name is malformed"));
	CHECK(refused("[::1/a", "IPv6"));
	CHECK(refused(HEX64, "would be an image's id"));
}

TEST("lengths are those of the distribution spec")
{
	char name[REF_NAME_MAX + 2];
	struct ref ref;

	memset(name, 'a', sizeof(name));
	name[REF_NAME_MAX] = '\0';
	CHECK(ref_parse(name, &ref) == 0);
	name[REF_NAME_MAX] = 'a';
	name[REF_NAME_MAX + 1] = '\0';
	CHECK(refused(name, "more than 255"));
	CHECK(ref_parse("a:" TAG128, &ref) == 0);
	CHECK(refused("a:" TAG128 "a", "more than 128"));
}

TEST("a reference that is too long for a file name is refused by the store")
{
	char name[REF_NAME_MAX + 1], out[REF_MAX + 1];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK(ref_normalise(name, out) == -ENAMETOOLONG && strstr(error_text(), "262 characters"));
	name[REF_MAX - strlen(":latest")] = '\0';
	CHECK(ref_normalise(name, out) == 0 && strlen(out) == REF_MAX);
}

TEST("a reference is one file name, and comes back from it")
{
	static const char *const refs[] = {"busybox:latest", "registry.example:5000/a/b:c", "[::1]:1/a:b",
					   "app@sha256:" HEX64};

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		char file[REF_MAX + 1], back[REF_MAX + 1];

		ref_to_file(refs[i], file);
		CHECK(strchr(file, '/') == NULL && strlen(file) == strlen(refs[i]));
		CHECK(ref_from_file(file, back) == 0 && streq(back, refs[i]));
	}
}

TEST("a file that is no reference is not taken for one")
{
	char back[REF_MAX + 1];

	CHECK(ref_from_file("busybox", back) == -EINVAL); /* not canonical */
	CHECK(ref_from_file("busybox:latest.tmp.1+", back) == -EINVAL);
	CHECK(ref_from_file("..", back) == -EINVAL);
	CHECK(ref_from_file("a/b:c", back) == -EINVAL);
	CHECK(ref_from_file("a:b@sha256:" HEX64, back) == -EINVAL);
}

UNIT_MAIN
