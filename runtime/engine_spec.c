#include "runtime/engine_spec.h"

void engine_apply(struct spec *spec)
{
	const struct json *a = json_get(spec->annotations, ANNOTATION_SECCOMP);

	spec->seccomp_default = a && a->text && streq(a->text, "default");
}

const char *engine_user(const struct spec *spec)
{
	const struct json *a = json_get(spec->annotations, ANNOTATION_USER);

	return a ? a->text : NULL;
}
