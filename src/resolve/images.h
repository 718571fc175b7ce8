/* images.h: what each image of a plan really is. Asked at most once a run, when the first step that runs in it is
 * looked at. Main thread only; may block on an engine, a registry and the files of a context. */
#pragma once

#include "base/digest.h"
#include "plan/plan.h"

struct images;

struct image_fact {
	struct digest identity;         /* what enters keys; DIGEST_NONE: it can't be told, and steps in it are not cached */
	struct str problem;             /* why it can't be told */
};

/* image: into plan->images. images NULL: nobody can tell. The answer lives as long as images. */
const struct image_fact *images_fact(struct images *, uint32_t image);
