/* module.h: heavy libraries live in modules (build/lib/NAME.so), loaded on first use, so that a no-op
 * never pays for them. Found beside the program (lib/), or under its ../lib/cairn. */
#pragma once

#include "base/err.h"

/* The module's table, whose symbol is cairn_module; loaded once a process. NULL with err set. */
const void *module_load(const char *name, struct err *);
