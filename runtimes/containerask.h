/* containerask.h: what the shim of a container is asked for one step: to take its files, of secrets and the like, and to run it. */
#pragma once

#include "runtimes/containerhost.h"
#include "runtimes/containersession.h"
#include "runtimes/shimlink.h"

struct container_asked { uint32_t step, put, known; };  /* ids of the shim's; put 0: there were no secrets, known 0: no known_hosts */

/* All go out with the next push. The step runs only if its secrets arrived. host: NULL without a way back. */
int container_ask(struct shimlink *, const struct job *, const struct container_image *, const struct containerhost *host,
		  struct container_asked *, struct err *);
/* After the step: whoever comes next in the container finds none of its secrets. No step runs until that is done. */
int container_take_secrets(struct shimlink *, struct err *);
