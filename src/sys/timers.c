#include "sys/timers.h"

#include <stdlib.h>

#include "base/vec.h"

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct timers *t, size_t i, struct timer *timer)
{
	t->v[i] = timer;
	timer->place = i + 1;
}

static void sift_up(struct timers *t, size_t i, struct timer *timer)
{
	for (; i > 0 && before(timer, t->v[(i - 1) / 2]); i = (i - 1) / 2)
		put(t, i, t->v[(i - 1) / 2]);
	put(t, i, timer);
}

static void sift_down(struct timers *t, size_t i, struct timer *timer)
{
	for (size_t child; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && before(t->v[child + 1], t->v[child]))
			child++;
		if (!before(t->v[child], timer))
			break;
		put(t, i, t->v[child]);
	}
	put(t, i, timer);
}

void timers_add(struct timers *t, struct timer *timer)
{
	timer->order = t->added++;
	(void)vec_push(t);
	sift_up(t, t->n - 1, timer);
}

void timers_remove(struct timers *t, struct timer *timer)
{
	if (!timer->place)
		return;
	size_t hole = timer->place - 1;
	struct timer *last = t->v[--t->n];
	timer->place = 0;
	if (last == timer)
		return;
	if (hole > 0 && before(last, t->v[(hole - 1) / 2]))
		sift_up(t, hole, last);
	else
		sift_down(t, hole, last);
}

void timers_release(struct timers *t)
{
	vec_free(t);
}
