/* block.h: a step as words for the shell text of stepper.h. */
#pragma once

#include "generators/model.h"

/* From `step` to the line that runs it, with a final newline. */
void block_write(struct buf *, struct model *, uint32_t step);
/* A shell function that describes all sources; only where model.sources says so. */
void block_sources(struct buf *, const struct model *);
