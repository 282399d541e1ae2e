/* Any text: what is accepted as a reference is one safe file name, and comes back from it unchanged. */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "images/ref.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const struct ref *ref)
{
	char canonical[REF_MAX + 1], again[REF_MAX + 1], file[REF_MAX + 1], back[REF_MAX + 1];

	MUST(ref->name[0] && (ref->tag[0] || ref->digest[0]));
	MUST(!ref->digest[0] || digest_valid(ref->digest));
	if (ref_canonical(ref, canonical) < 0)
		return;
	MUST(ref_normalise(canonical, again) == 0 && streq(canonical, again));
	ref_to_file(canonical, file);
	MUST(file[0] != '.' && !strchr(file, '/') && !has_control(file));
	MUST(ref_from_file(file, back) == 0 && streq(back, canonical));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	char name[REF_MAX + 1];
	struct ref ref;

	if (ref_parse(text, &ref) == 0)
		check_accepted(&ref);
	if (ref_from_file(text, name) == 0)
		MUST(ref_parse(name, &ref) == 0);
	return 0;
}
