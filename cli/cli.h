/* What the verbs share. */
#pragma once

#include <stdbool.h>

#include "cli/opt.h"
#include "images/store.h"
#include "runtime/record.h"

/* Exit statuses of the engine's own (docker's and podman's). */
#define EXIT_ENGINE 125
#define EXIT_CANNOT_EXEC 126
#define EXIT_NOT_FOUND 127

/* Options before the verb. */
struct globals {
	const char *root;  /* the store; for the OCI face the state directory */
	const char *state; /* the engine's state directory */
	bool debug, version;
	/* the OCI face's */
	const char *log, *log_format, *log_level, *cgroup_manager, *rootless, *criu;
	bool systemd_cgroup;
};

extern struct globals globals;
/* This process's name, absolute once it is sealed: where helper programs are looked for. */
extern const char *cli_argv0;

/* Finds the verb that ARGV starts with among VERBS, parses its options and runs it. The exit status. */
int cli_dispatch(const struct verb *const *verbs, size_t n, int argc, char **argv);

/* Flushes stdout; EXIT_ENGINE, reported, when that fails, else STATUS. */
int cli_finish(int status);

/* Reports the recorded error; EXIT_ENGINE. */
int cli_report(void);

/* For the verbs that enter a container: goes on in a sealed copy of this program (runtime/seal.h). Called
 * before anything is done. */
int cli_seal(void);

/* The OCI runtime's command line (called as ctr-oci or `ctr oci`). */
int oci_main(int argc, char **argv);

/* "KILL", "SIGKILL", "9", "RTMIN+3": the number, or -EINVAL, recorded. */
int signal_by_name(const char *name);

/* The engine's two roots, from the global options. */
const struct engine *cli_engine(void);

/* Opens the image store under the engine's root; at its first use the embedded image is put in. */
int cli_store(struct store *s);

/* image_find, and for the embedded image's name one more try after putting it in again. */
int cli_find_image(struct store *s, const char *name, struct image *img);

/* Every container, read but with its directories closed again, newest first; those that vanish meanwhile
 * are left out. Free with cli_close_all. */
int cli_open_all(struct found **list, size_t *n);
void cli_close_all(struct found *list, size_t n);

/* Calls FN for each of the names; goes on after a failure, which is reported. 0, or EXIT_ENGINE when one
 * failed. On success the name is printed when PRINT. */
int cli_each(char **names, int n, int (*fn)(const char *name, void *arg), void *arg, bool print);
