/* image.h: what the parts that read and write plan images share. Private to this room. */
#pragma once

#include "plan/plan.h"

#define PLAN_MAGIC "cairnpl"            /* with its NUL: 8 bytes */

static inline struct xxh plan_sum(const struct plan_head *head, size_t size)
{
	return xxh_bytes(&head->size, size - offsetof(struct plan_head, size));
}
/* What is wrong with the references, texts and values of a plan whose sections are in bounds; NULL. */
const char *plan_check(const struct plan *);
