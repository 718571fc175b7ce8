/* containerask.h: what the shim of a container is asked for one step: to take its secrets' files, and to run it. */
#pragma once

#include "runtimes/containersession.h"
#include "runtimes/shimlink.h"

struct container_asked { uint32_t step, put; };         /* ids of the shim's; put 0: there were no secrets */

/* Both go out with the next push. The step runs only if its secrets arrived. */
int container_ask(struct shimlink *, const struct job *, const struct container_image *, struct container_asked *, struct err *);
/* After the step: whoever comes next in the container finds none of its secrets. No step runs until that is done. */
int container_take_secrets(struct shimlink *, struct err *);
