/* containerneeds.h: what of a step's `requires` is not in its container. Programs and absolute paths are looked for by the shim,
 * where the step runs; paths of the workspace and variables are known here. */
#pragma once

#include "runtimes/containersession.h"

struct container_needs { const char **paths; size_t n; };       /* below "/", to be listed by the shim; n 0: nothing has to be */

/* Which paths could meet what is required. */
void container_needs(const struct job *, const struct container_image *, struct container_needs *out);
/* listing: the archive that the shim sent of those paths. *missing: a clause naming all that is not there; {NULL}: nothing is missing. */
int container_missing(const struct job *, const struct container_image *, struct str listing, struct str *missing, struct err *);
