/* stepfields.h: a step's definition as a manifest, for comparing two plans. Private to this room. */
#pragma once

#include "plan/manifest.h"
#include "plan/plan.h"

void step_fields(const struct plan *, const struct plan_step *, struct buf *out);
