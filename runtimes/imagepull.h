/* imagepull.h: what an engine must be told to pull an image: the name, who one is to the registry, and whether it may speak
 * http. For engine_pull, whoever calls it. */
#pragma once

#include "base/imageref.h"
#include "runtimes/engine.h"

/* ref has a digest or a tag; platform may be NULL. Texts are in the arena. Asks credential helpers, and so may take a moment. */
void imagepull_prepare(struct arena *, const struct imageref *ref, const struct platform *, const struct str *insecure, size_t n,
		       struct engine_pull *out);
