/* Capability names, against libcap's. */
#include <linux/capability.h>
#include <sys/capability.h>

#include "base/str.h"
#include "runtime/caps.h"
#include "tests/unit/unit.h"

TEST("numbers and names are libcap's")
{
	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		char *theirs = cap_to_name((cap_value_t)i);

		CHECK(cap_name(i) && theirs && strcasecmp(cap_name(i), theirs) == 0);
		CHECK(cap_by_name(cap_name(i)) == i && cap_by_name(theirs) == i);
		CHECK(cap_by_name(cap_name(i) + 4) == i);
		cap_free(theirs);
	}
}

TEST("what is no capability has no number and no name")
{
	static const char *const bad[] = {"",      "CAP_",  "ALL",       "CAP_NOSUCH", "CAP_CAP_KILL",
					  "KILL ", " KILL", "CAP_KILLX", "5"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(cap_by_name(bad[i]) == -1);
	CHECK(!cap_name(-1) && !cap_name(64) && !cap_name(CAP_LAST_CAP + 1));
}

TEST("the kernel's own are known, and the default is a part of them")
{
	uint64_t all = caps_all();

	CHECK(all & UINT64_C(1) << CAP_CHECKPOINT_RESTORE);
	CHECK((CAPS_DEFAULT & ~all) == 0);
	CHECK(!(CAPS_DEFAULT &
		(UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_NET_ADMIN |
		 UINT64_C(1) << CAP_SYS_MODULE | UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_DAC_READ_SEARCH)));
	CHECK(__builtin_popcountll(CAPS_DEFAULT) == 14);
}

UNIT_MAIN
