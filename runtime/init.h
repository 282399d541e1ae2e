/* Private to runtime/: what the clone of container_create becomes. */
#pragma once

#include "runtime/container.h"

/* Runs in the new process until it executes the program; failures go to SYNC. */
_Noreturn void init_main(const struct container_params *params, int sync);
