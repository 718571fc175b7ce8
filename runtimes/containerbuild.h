/* containerbuild.h: an image that is built from a Containerfile, for the container steps of a run: its bases are made sure of under
 * the names that the file has for them, the context is packed, the engine builds. The image is labelled and named by its key, so
 * that it is found again. */
#pragma once

#include "runtimes/containersession.h"

#define LABEL_BUILT "io.cairn.image"    /* the key */

struct container_build;

/* The name of an image of that key, by which it is looked for. */
struct str container_build_ref(struct arena *, const struct job_build *);
/* image->build is copied but for its context, which must be valid while anybody waits. done: from the loop, the id or "" and why. */
struct container_build *container_build_new(struct container_session *, const struct job_image *image,
					    void (*done)(void *ctx, struct str id, struct err *), void *ctx);
void container_build_start(struct container_build *, struct engine *);
void container_build_free(struct container_build *);    /* NULL is fine */
