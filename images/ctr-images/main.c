/*
 * ctr-images: the part of ctr that parses what strangers wrote. See docs/architecture.md.
 */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "images/ctr-images/unpack.h"
#include "images/ctr-images/verbs.h"

static const struct verb verbs[] = {
	{"import", import_usage, verb_import},
	{"export", export_usage, verb_export},
};

int usage_error(const char *verb, const char *usage)
{
	fprintf(stderr, "usage: ctr-images %s %s", verb, usage);
	return 125;
}

static void help(void)
{
	puts("usage: ctr-images VERB ARGUMENTS\n\n"
	     "The helper of ctr that unpacks and packs archives; ctr runs it when there is such work.\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("%s %s\n", verbs[i].name, verbs[i].usage);
	puts("--version\n--help");
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "--help";

	if (ensure_stdio() < 0) {
		report_error();
		return 125;
	}
	if (getenv("CTR_DEBUG"))
		log_set_level(LOG_DEBUG);
	if (streq(word, "--version")) {
		puts("ctr-images " CTR_VERSION);
		return 0;
	}
	if (streq(word, "--help")) {
		help();
		return argc > 1 ? 0 : 125;
	}
	/* Before anything is confined; and no file that names modules to load is ever read. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!streq(word, verbs[i].name))
			continue;
		int status = verbs[i].run(argc - 1, argv + 1);
		if (unpack_signal()) { /* everything is cleaned up; end as the signal would have */
			signal(unpack_signal(), SIG_DFL);
			raise(unpack_signal());
		}
		return status;
	}
	refuse(-EINVAL, "ctr-images has no verb '%s'; see ctr-images --help", word);
	report_error();
	return 125;
}
