/* module.h: heavy libraries live in modules (build/lib/NAME.so), loaded on first use, so that a no-op
 * never pays for them. Found beside the program (lib/), or under its ../lib/cairn. */
#pragma once

#include <limits.h>

#include "base/err.h"

/* The absolute path of a file that comes with the modules, found as they are. */
int module_file(const char *name, char out[PATH_MAX], struct err *err);
/* The module's table, whose symbol is cairn_module; loaded once a process. NULL with err set. */
const void *module_load(const char *name, struct err *);
