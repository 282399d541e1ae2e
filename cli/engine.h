/* The engine's verbs. */
#pragma once

#include "cli/opt.h"

const struct verb *const *engine_verbs(size_t *n);
const struct opt *cli_global_options(void);
