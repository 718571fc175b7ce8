/* sequence.h: what the order of a sequential workflow means for steps: nothing that a goal needs starts
 * before the goals before it are done, unless these need it themselves. Private to this room. */
#pragma once

#include "base/vec.h"
#include "plan/select.h"

struct sequence {
	const struct plan *plan;
	uint32_t *mark, round;          /* by step */
	uint32_t *found;
	VEC(struct order) order;
};

void sequence_init(struct sequence *, struct arena *, const struct plan *);
void sequence_release(struct sequence *);
/* Adds the edges that a workflow's list of goals asks for. -1 when there are too many. */
int sequence_add(struct sequence *, struct plan_span goals, struct err *);
/* Two sequential workflows in one run may ask for opposite orders: -1 says so. */
int sequence_check(struct sequence *, struct arena *, const uint8_t *wanted, struct err *);
