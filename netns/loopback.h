/* The loopback interface of a fresh network namespace. */
#pragma once

/* Sets "lo" up in the calling process's network namespace. Records the failure. */
int loopback_up(void);
