/* containerwords.h: the command line and environment of a step in a container, of what the step says and what its image does. */
#pragma once

#include "runtimes/containersession.h"
#include "runtimes/runtime.h"

/* For a step without script and program: the image's entrypoint and what follows it. In the job's arena. */
const char *const *container_argv(const struct job *, const struct container_image *);
/* For the shim, to be added to the container's. In the job's arena. */
const char *const *container_env(const struct job *, const struct container_image *);
