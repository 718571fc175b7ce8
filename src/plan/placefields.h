/* placefields.h: a step's place as fields of a manifest. Private to this room. */
#pragma once

#include "plan/manifest.h"
#include "plan/plan.h"

/* What a step can observe of it, and therefore what enters its key: mounts, networks, user, security. Not the
 * image, whose identity is a fact; not limits and ports, which change no output. */
void place_key_fields(const struct plan *, const struct plan_place *, struct buf *out);
/* All of it, for comparing plans. */
void place_fields(const struct plan *, const struct plan_place *, struct buf *out);
