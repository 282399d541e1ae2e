/* SHA-256 against FIPS 180-4's examples and against sha256sum. */
#include <stdlib.h>
#include <unistd.h>

#include "base/sha256.h"
#include "tests/unit/unit.h"

static bool digest_is(const void *data, size_t len, const char *want)
{
	struct sha256 h;
	char hex[65];

	sha256_init(&h);
	sha256_add(&h, data, len);
	sha256_hex(&h, hex);
	return strcmp(hex, want) == 0;
}

TEST("the standard's examples")
{
	CHECK(digest_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	CHECK(digest_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK(digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
	CHECK(digest_is("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
			"ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"));
}

TEST("a million letters, in pieces of every size")
{
	char piece[257];
	struct sha256 h;
	char hex[65];
	size_t left = 1000000, size = 1;

	memset(piece, 'a', sizeof(piece));
	sha256_init(&h);
	while (left) {
		size_t n = size < left ? size : left;
		sha256_add(&h, piece, n);
		left -= n;
		size = size % sizeof(piece) + 1;
	}
	sha256_hex(&h, hex);
	CHECK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0);
}

TEST("sha256sum says the same for every length up to three blocks")
{
	unsigned char data[200];
	char path[] = "/tmp/test_sha256.XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37 + 11);
	for (size_t n = 0; fd >= 0 && n < sizeof(data); n += n < 50 || n > 70 ? 13 : 1) {
		char command[128], want[65] = "";

		CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
		snprintf(command, sizeof(command), "sha256sum <%s", path);
		FILE *p = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own constant words */
		CHECK(p && fread(want, 1, 64, p) == 64);
		if (p)
			pclose(p);
		CHECK(digest_is(data, n, want));
	}
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
}

UNIT_MAIN
