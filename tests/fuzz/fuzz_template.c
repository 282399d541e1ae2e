/*
 * Templates on any text: the first line of the input is the JSON document, the rest the template. What
 * template_expand accepts, template_check must accept too.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cli/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fallback[] =
		"{\"A\":\"text\",\"L\":[\"x\",\"y\"],\"M\":{\"k\":{\"P\":\"1\"}},\"N\":3,\"T\":true,\"Z\":null}";
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	_cleanup_(strbuf_free) struct strbuf raw = {0}, shown = {0};
	char *template = strchr(text, '\n');
	struct json_doc doc;

	if (template)
		*template ++ = '\0';
	else
		template = text;
	if (json_parse(text, strlen(text), "input", &doc) < 0 &&
	    json_parse(fallback, strlen(fallback), "fallback", &doc) < 0)
		abort();
	int r = template_expand(template, doc.root, &raw);
	if (r == 0 && template_check(template) < 0)
		abort();
	if (template_expand_shown(template, doc.root, &shown) == 0 && r < 0)
		abort();
	/* What is shown is safe to show again: nothing in it changes but the template's own characters. */
	shown.len = 0;
	text_show(&shown, strbuf_str(&raw));
	for (size_t i = 0; i < shown.len; i++)
		if ((unsigned char)shown.p[i] < 0x20)
			abort();
	json_free(&doc);
	return 0;
}
