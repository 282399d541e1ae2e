/* ctr: the options before the verb, and which verb. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/engine.h"
#include "cli/table.h"
#include "runtime/seal.h"

struct globals globals;
const char *cli_argv0;

static const struct opt global_opts[] = {
	{OPT_STR, 0, "root", "DIR", "Keep images and containers in DIR (default /var/lib/ctr)",
	 offsetof(struct globals, root)},
	{OPT_STR, 0, "state", "DIR", "Keep what lives until a reboot in DIR (default /run/ctr)",
	 offsetof(struct globals, state)},
	{OPT_FLAG, 0, "debug", NULL, "Say what is done and which fallbacks are taken", offsetof(struct globals, debug)},
	{OPT_FLAG, 0, "version", NULL, "Print the version", offsetof(struct globals, version)},
	OPT_END,
};

int cli_report(void)
{
	report_error();
	return EXIT_ENGINE;
}

int cli_finish(int status)
{
	return out_flush() < 0 ? cli_report() : status;
}

int cli_dispatch(const struct verb *const *verbs, size_t n, int argc, char **argv)
{
	const struct verb *verb;
	int r = opt_find_verb(verbs, n, &argc, &argv, &verb);

	if (r < 0)
		return cli_report();
	if (r == 1)
		return cli_finish(0);
	/* Not from the allocator: the first of a sealed verb's two stages would start it for nothing else. */
	static _Alignas(16) char room[2048];
	void *opts = verb->opts_size <= sizeof(room) ? room : xcalloc(1, verb->opts_size);
	r = opt_parse(verb, opts, &argc, &argv);
	if (r == 0) {
		r = verb->run(opts, argc, argv);
		opt_free(verb, opts);
	} else if (r == 1) {
		r = 0;
	}
	if (opts != room)
		free(opts);
	return r < 0 ? cli_report() : cli_finish(r);
}

/* Not realpath: the directory may have to be made first. */
static const char *absolute(const char *path)
{
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	const char *whole = cwd ? xasprintf("%s/%s", cwd, path) : path;

	free(cwd);
	return whole;
}

static int ctr_main(int argc, char **argv)
{
	size_t n;
	const struct verb *const *verbs = engine_verbs(&n);

	opt_set_program("ctr", "Run OCI images as isolated Linux systems: containers today");
	int r = opt_parse_globals(global_opts, &globals, sizeof(globals), &argc, &argv);
	if (r < 0)
		return cli_report();
	globals.root = globals.root ? absolute(globals.root) : "/var/lib/ctr";
	globals.state = globals.state ? absolute(globals.state) : "/run/ctr";
	if (globals.debug)
		log_set_level(LOG_DEBUG);
	if (globals.version) {
		printf("ctr version %s\n", CTR_VERSION);
		return cli_finish(0);
	}
	if (r == 1 || argc == 0) {
		opt_print_overview(verbs, n, global_opts);
		return cli_finish(0);
	}
	if (streq(argv[0], "oci"))
		return oci_main(argc, argv);
	return cli_dispatch(verbs, n, argc, argv);
}

const struct opt *cli_global_options(void)
{
	return global_opts;
}

/* As the kernel gave it: option parsing rearranges the vector. */
static char **whole_argv;

int cli_seal(void)
{
	return seal_self(whole_argv);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	/* No allocation for the usual few: the first of the two stages does nothing else (cli_seal). */
	static char *few[64];
	whole_argv = argc < (int)ARRAY_SIZE(few) ? few : xcalloc((size_t)argc + 1, sizeof(*whole_argv));
	memcpy(whole_argv, argv, (size_t)argc * sizeof(*argv));

	if (ensure_stdio() < 0) {
		report_error();
		return EXIT_ENGINE;
	}
	cli_argv0 = argv[0];
	if (streq(slash ? slash + 1 : argv[0], "ctr-oci"))
		return oci_main(argc, argv);
	return ctr_main(argc, argv);
}
