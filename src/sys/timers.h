/* timers.h: a binary heap of deadlines for loop.c. A timer knows its place in the heap, so that it can be taken
 * out. Same deadline: the earlier one first. */
#pragma once

#include "base/base.h"

struct timer {
	uint64_t at;                    /* ns */
	uint64_t order;                 /* breaks ties */
	size_t place;                   /* 1-based; 0: in no heap */
};

struct timers {
	struct timer **v;
	size_t n, cap;
	uint64_t added;
};

void timers_add(struct timers *, struct timer *);       /* with `at` set */
void timers_remove(struct timers *, struct timer *);    /* in no heap: nothing */
static inline struct timer *timers_first(const struct timers *t) { return t->n ? t->v[0] : NULL; }
void timers_release(struct timers *);
