/* schedule.h: which step may be looked at and which may start. Knows needs, slots and pools, nothing of how a
 * step runs. Ids are step ids of the plan; among several, the lowest goes first (topological order). */
#pragma once

#include "plan/select.h"

struct schedule;

struct schedule *schedule_open(const struct plan *, const struct selection *, unsigned jobs);
void schedule_close(struct schedule *);
/* A step whose needs are all done; PLAN_NONE when there is none now. finally steps come when all others are done. */
uint32_t schedule_next(struct schedule *);
/* The step has to run: it waits for a slot and its pool. */
void schedule_queue(struct schedule *, uint32_t step);
/* A queued step that may start now, slot and pool taken; PLAN_NONE. */
uint32_t schedule_start(struct schedule *);
size_t schedule_queued(const struct schedule *);
size_t schedule_running(const struct schedule *);        /* released ones too, until they are done */
/* Its process has ended: slot and pool are free for another, while its outputs are still being looked at. */
void schedule_release(struct schedule *, uint32_t step);
/* It came to its end. Whatever waited for it may become ready. */
void schedule_done(struct schedule *, uint32_t step);
/* Nothing that is not running starts any more but finally steps (none when all is true). The next calls of
 * schedule_dropped yield what will not run. */
void schedule_stop(struct schedule *, bool all);
uint32_t schedule_dropped(struct schedule *);
bool schedule_finished(const struct schedule *);
