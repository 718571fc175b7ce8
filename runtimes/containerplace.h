/* containerplace.h: what of a step's place has to be found out on this machine before its container is made. */
#pragma once

#include "runtimes/containersession.h"

/* By mount of the place: what is mounted, a path of this machine or a volume's name. -1: it is not there. */
int container_sources(const struct job *, struct str **out, struct err *);
/* Who the container runs as; "": the image's own user. */
struct str container_user(const struct job *, const struct container_image *);
/* Tells what the engine warned of when it made the container; NULL is fine. */
void container_warn(const struct job *, const struct node *created);
/* What the engine is asked to make. */
int container_body(const struct job *, const struct container_image *, const struct str *sources, enum engine_kind, struct buf *json, struct err *err);
