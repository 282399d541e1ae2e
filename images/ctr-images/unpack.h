/*
 * Unpacking in a process of its own.
 *
 * The bytes of an archive come from strangers, so a child does all that looks at them, confined to the new
 * layer's own folder (confine.h). What it found out comes back in one fixed-size message; the parent alone
 * can write to the store.
 */
#pragma once

#include "images/ctr-images/extract.h"

struct unpack_job {
	int input;  /* the archive, from where it is */
	int folder; /* a directory with an empty "fs" in it, which becomes the root of the files */
	struct stream_limits limits;
	struct extract_options options; /* its progress is set here */
	const char *progress;           /* what a progress line calls it; NULL: none is shown */
};

struct unpack_result {
	struct stream_sums sums;
	struct extract_stats stats;
};

/* Runs the job to its end. Records the failure; what was unpacked until then is the caller's to remove. */
int unpack_run(const struct unpack_job *job, struct unpack_result *result);

/* From now on SIGINT, SIGTERM and SIGHUP end a running job, so that its caller can clean up. */
void unpack_catch_signals(void);
/* The signal that was caught, or 0. */
int unpack_signal(void);
