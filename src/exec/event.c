#include "exec/event.h"

#include "sys/loop.h"

static const char *const state_names[] = {
	[STATE_NONE] = "none", [STATE_RAN] = "ran", [STATE_HIT] = "hit", [STATE_RESTORED] = "restored",
	[STATE_SKIPPED] = "skipped", [STATE_BLOCKED] = "blocked", [STATE_FAILED] = "failed",
	[STATE_TIMED_OUT] = "timed-out", [STATE_OOM] = "oom", [STATE_CANCELLED] = "cancelled",
	[STATE_LEFT] = "left", [STATE_UNKNOWN] = "unknown",
};
_Static_assert(countof(state_names) == STATE_UNKNOWN + 1, "each state has a name");

const char *step_state_name(enum step_state state)
{
	return state_names[state];
}

bool step_state_ok(enum step_state state)
{
	return state == STATE_RAN || state == STATE_HIT || state == STATE_RESTORED || state == STATE_SKIPPED;
}

void events_add(struct events *events, void (*see)(void *ctx, const struct event *), void *ctx)
{
	if (events->n == countof(events->sinks))
		BUG("too many sinks of events");
	events->sinks[events->n++] = (struct event_sink){see, ctx};
	events->timed |= see == event_file_see;
}

void events_emit(struct events *events, struct event *e)
{
	/* A hundred thousand hits are told in less time than it would take to look at the clock for each. */
	if (events->timed || e->kind != EVENT_STEP_END || e->state != STATE_HIT)
		e->at_ns = loop_now() - events->start_ns;
	for (size_t i = 0; i < events->n; i++)
		events->sinks[i].see(events->sinks[i].ctx, e);
}
