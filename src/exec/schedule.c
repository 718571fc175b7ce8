#include "exec/schedule.h"

#include <stdlib.h>

#include "base/vec.h"

struct heap { VEC(uint32_t) v; };

enum place { WAITING, READY, QUEUED, RUNNING, ENDING, DONE };

struct schedule {
	const struct plan *plan;
	const struct selection *selection;
	unsigned jobs;
	uint32_t *blockers;             /* by step: needs not done yet */
	uint32_t *dependents_at;        /* by step, into dependents; one more entry ends the last */
	uint32_t *dependents;
	uint8_t *where;                 /* enum place */
	struct heap ready, queue, held; /* held: finally steps that are ready before their time */
	uint32_t *pool_used;
	size_t running, ending, left, left_main;
	bool stopped, stopped_all, console;
	uint32_t drop_at;
};

static void heap_push(struct heap *h, uint32_t x)
{
	size_t i = h->v.n;

	vec_add(&h->v, x);
	for (; i && h->v.v[(i - 1) / 2] > x; i = (i - 1) / 2)
		h->v.v[i] = h->v.v[(i - 1) / 2];
	h->v.v[i] = x;
}

static uint32_t heap_pop(struct heap *h)
{
	uint32_t top, x;
	size_t i = 0, child;

	if (!h->v.n)
		return PLAN_NONE;
	top = h->v.v[0];
	x = h->v.v[--h->v.n];
	while ((child = 2 * i + 1) < h->v.n) {
		child += child + 1 < h->v.n && h->v.v[child + 1] < h->v.v[child];
		if (h->v.v[child] >= x)
			break;
		h->v.v[i] = h->v.v[child];
		i = child;
	}
	if (h->v.n)
		h->v.v[i] = x;
	return top;
}

static bool wanted(const struct schedule *s, uint32_t step) { return s->selection->wanted[step]; }
static bool is_finally(const struct schedule *s, uint32_t step) { return s->selection->wanted[step] & SELECT_FINALLY; }

static void each_edge(struct schedule *s, void (*see)(struct schedule *, uint32_t before, uint32_t after))
{
	for (uint32_t i = 0; i < s->plan->nsteps; i++) {
		const struct plan_step *step = &s->plan->steps[i];

		for (uint32_t k = 0; wanted(s, i) && k < step->needs.n; k++) {
			uint32_t need = s->plan->needs[step->needs.at + k].step;

			if (wanted(s, need))
				see(s, need, i);
		}
	}
	for (size_t i = 0; i < s->selection->norder; i++)
		if (wanted(s, s->selection->order[i].before) && wanted(s, s->selection->order[i].after))
			see(s, s->selection->order[i].before, s->selection->order[i].after);
}

static void count_edge(struct schedule *s, uint32_t before, uint32_t after)
{
	s->dependents_at[before + 1]++;
	s->blockers[after]++;
}

static void place_edge(struct schedule *s, uint32_t before, uint32_t after)
{
	s->dependents[s->dependents_at[before]++] = after;
}

static void make_ready(struct schedule *s, uint32_t step)
{
	s->where[step] = READY;
	heap_push(is_finally(s, step) && s->left_main ? &s->held : &s->ready, step);
}

struct schedule *schedule_open(const struct plan *plan, const struct selection *selection, unsigned jobs)
{
	struct schedule *s = xcalloc(1, sizeof(*s));
	uint32_t n = plan->nsteps, pools = 0;

	*s = (struct schedule){.plan = plan, .selection = selection, .jobs = jobs ? jobs : 1};
	s->blockers = xcalloc(n + 1, sizeof(*s->blockers));
	s->dependents_at = xcalloc(n + 2, sizeof(*s->dependents_at));
	s->where = xcalloc(n + 1, 1);
	each_edge(s, count_edge);
	for (uint32_t i = 0; i < n; i++)
		s->dependents_at[i + 1] += s->dependents_at[i];
	s->dependents = xcalloc(s->dependents_at[n] + 1, sizeof(*s->dependents));
	each_edge(s, place_edge);
	for (uint32_t i = n; i > 0; i--)        /* placing moved each start to its end */
		s->dependents_at[i] = s->dependents_at[i - 1];
	s->dependents_at[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (plan->steps[i].pool != PLAN_NONE && plan->steps[i].pool >= pools)
			pools = plan->steps[i].pool + 1;
		s->left += wanted(s, i);
		s->left_main += wanted(s, i) && !is_finally(s, i);
	}
	s->pool_used = xcalloc(pools + 1, sizeof(*s->pool_used));
	for (uint32_t i = 0; i < n; i++)
		if (wanted(s, i) && !s->blockers[i])
			make_ready(s, i);
	return s;
}

void schedule_close(struct schedule *s)
{
	if (!s)
		return;
	free(s->blockers);
	free(s->dependents_at);
	free(s->dependents);
	free(s->where);
	free(s->pool_used);
	vec_free(&s->ready.v);
	vec_free(&s->queue.v);
	vec_free(&s->held.v);
	free(s);
}

static bool may(const struct schedule *s, uint32_t step) { return !s->stopped || (is_finally(s, step) && !s->stopped_all); }

uint32_t schedule_next(struct schedule *s)
{
	uint32_t step;

	do
		step = heap_pop(&s->ready);
	while (step != PLAN_NONE && (s->where[step] != READY || !may(s, step)));
	return step;
}

void schedule_queue(struct schedule *s, uint32_t step)
{
	s->where[step] = QUEUED;
	heap_push(&s->queue, step);
}

static bool pool_full(const struct schedule *s, const struct plan_step *step)
{
	return (step->pool != PLAN_NONE && s->pool_used[step->pool] >= step->pool_size) || (step->flags & STEP_CONSOLE && s->console);
}

uint32_t schedule_start(struct schedule *s)
{
	VEC(uint32_t) waiting = {0};
	uint32_t step = PLAN_NONE;

	while (s->running < s->jobs && (step = heap_pop(&s->queue)) != PLAN_NONE) {
		if (s->where[step] != QUEUED || !may(s, step))
			continue;
		if (!pool_full(s, &s->plan->steps[step]))
			break;
		vec_add(&waiting, step);
		step = PLAN_NONE;
	}
	for (size_t i = 0; i < waiting.n; i++)
		heap_push(&s->queue, waiting.v[i]);
	vec_free(&waiting);
	if (step == PLAN_NONE || s->running >= s->jobs)
		return PLAN_NONE;
	s->running++;
	s->where[step] = RUNNING;
	if (s->plan->steps[step].pool != PLAN_NONE)
		s->pool_used[s->plan->steps[step].pool]++;
	s->console |= s->plan->steps[step].flags & STEP_CONSOLE;
	return step;
}

size_t schedule_queued(const struct schedule *s) { return s->queue.v.n; }
size_t schedule_running(const struct schedule *s) { return s->running + s->ending; }

void schedule_release(struct schedule *s, uint32_t step)
{
	if (s->where[step] != RUNNING)
		return;
	s->where[step] = ENDING;
	s->running--;
	s->ending++;
	if (s->plan->steps[step].pool != PLAN_NONE)
		s->pool_used[s->plan->steps[step].pool]--;
	if (s->plan->steps[step].flags & STEP_CONSOLE)
		s->console = false;
}

static void release_held(struct schedule *s)
{
	uint32_t step;

	while ((step = heap_pop(&s->held)) != PLAN_NONE)
		heap_push(&s->ready, step);
}

void schedule_done(struct schedule *s, uint32_t step)
{
	if (s->where[step] == DONE)
		BUG("step %u ended twice", step);
	schedule_release(s, step);
	s->ending -= s->where[step] == ENDING;
	s->where[step] = DONE;
	s->left--;
	if (!is_finally(s, step) && --s->left_main == 0)
		release_held(s);
	for (uint32_t i = s->dependents_at[step]; i < s->dependents_at[step + 1]; i++)
		if (--s->blockers[s->dependents[i]] == 0)
			make_ready(s, s->dependents[i]);
}

void schedule_stop(struct schedule *s, bool all)
{
	s->stopped = true;
	s->stopped_all |= all;
	s->drop_at = 0;
}

uint32_t schedule_dropped(struct schedule *s)
{
	if (!s->stopped)
		return PLAN_NONE;
	for (; s->drop_at < s->plan->nsteps; s->drop_at++) {
		uint32_t i = s->drop_at;

		/* a step whose needs are done in vain is left to schedule_next's caller only if it may go on */
		if (wanted(s, i) && s->where[i] != DONE && s->where[i] < RUNNING && !may(s, i))
			return i;
	}
	return PLAN_NONE;
}

bool schedule_finished(const struct schedule *s) { return s->left == 0; }
