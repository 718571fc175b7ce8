/* imagereason.h: what differs between two images that a step was keyed with, from their descriptions in the store. */
#pragma once

#include "cache/store.h"

/* before, after: identities as keys have them. A sentence each: "layer 3 differs"; of images that are built, what of their
 * Containerfile's key does. None when the store (which may be NULL) no longer has the two descriptions. */
void image_reasons(struct arena *, struct store *, struct str before, struct str after, struct str **out, size_t *n);
