#include "exec/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "exec/environ.h"
#include "exec/job.h"
#include "exec/reason.h"
#include "exec/schedule.h"

#define TICK_NS (100ull * 1000 * 1000)
#define PROBE_AHEAD 32                  /* steps known to have to run that wait for a slot, beyond the running ones */

/* A step that has to run and waits for its slot. */
struct waiting { struct probe *probe; struct arena *scratch; struct str reason; };

struct runner {
	struct run *run;
	struct loop *loop;
	struct schedule *schedule;
	struct waiting *waiting;        /* by step */
	enum step_state *states;        /* by step */
	VEC(struct step_job *) jobs;    /* not freed yet; NULL: a free place, which is also the number of its TMPDIR */
	struct secret_values secrets;
	struct loop_watch *tick;
	bool failed;
	struct err fatal;
};

static struct str step_name(const struct runner *r, uint32_t step) { return plan_step_name(r->run->plan, step); }

static void emit_end(struct runner *r, uint32_t step, enum step_state state, const struct job_outcome *o, const struct digest *key, struct str reason)
{
	struct event e = {.kind = EVENT_STEP_END, .step = step_name(r, step), .state = state, .key = key, .reason = reason};

	if (o) {
		e.has_status = o->has_status;
		e.status = o->status;
		e.signal = o->signal;
		e.duration_ns = o->duration_ns;
		e.attempt = o->attempts;
	}
	r->states[step] = state;
	r->run->counts[state]++;
	events_emit(r->run->events, &e);
}

static bool is_bad(enum step_state state) { return state != STATE_NONE && !step_state_ok(state); }

/* A failure stops the rest unless asked to keep going; finally steps run all the same. */
static void note_failure(struct runner *r, uint32_t step)
{
	if (r->run->plan->steps[step].flags & STEP_CONTINUE && r->states[step] != STATE_CANCELLED)
		return;
	r->failed = true;
	if (!r->run->options.keep_going)
		schedule_stop(r->schedule, false);
}

static void end_step(struct runner *r, uint32_t step, enum step_state state, struct str reason)
{
	if (state == STATE_SKIPPED)
		walk_settle_as(r->run->walk, step, WALK_SKIPPED);
	else if (is_bad(state))
		walk_settle_as(r->run->walk, step, WALK_FAILED);
	emit_end(r, step, state, NULL, NULL, reason);
	schedule_done(r->schedule, step);
	if (is_bad(state) && state != STATE_BLOCKED && state != STATE_CANCELLED && state != STATE_LEFT)
		note_failure(r, step);
}

/* What a step's needs came to decides before anything is looked at: 1 it was ended here. */
static bool settled_by_needs(struct runner *r, uint32_t step)
{
	const struct run *run = r->run;
	const struct plan_step *s = &run->plan->steps[step];
	size_t counting = 0, skipped = 0;

	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &run->plan->needs[s->needs.at + i];
		enum step_state state = r->states[need->step];

		if (state == STATE_LEFT) {
			end_step(r, step, STATE_LEFT, str_fmt(run->arena, STR_FMT " is left to another machine", STR_ARG(step_name(r, need->step))));
			return true;
		}
		if (is_bad(state) && (state == STATE_BLOCKED || state == STATE_CANCELLED || !(run->plan->steps[need->step].flags & STEP_CONTINUE))) {
			end_step(r, step, STATE_BLOCKED, str_fmt(run->arena, STR_FMT " %s", STR_ARG(step_name(r, need->step)), step_state_name(state)));
			return true;
		}
		if (need->flags & NEED_ORDER_ONLY)
			continue;
		counting++;
		skipped += state == STATE_SKIPPED;
	}
	if (s->flags & STEP_SKIP || run->selection->wanted[step] & SELECT_SKIP) {
		end_step(r, step, STATE_SKIPPED, S("its condition is false"));
		return true;
	}
	if (counting && skipped == counting) {
		end_step(r, step, STATE_SKIPPED, S("all that it needs was skipped"));
		return true;
	}
	return false;
}

static void end_group(struct runner *r, uint32_t step)
{
	walk_settle_group(r->run->walk, step);
	if (r->run->options.dry_run && r->run->walk->steps[step].state == WALK_PENDING) {
		schedule_done(r->schedule, step);
		return;
	}
	emit_end(r, step, r->run->walk->steps[step].ran ? STATE_RAN : STATE_HIT, NULL, NULL, (struct str){0});
	schedule_done(r->schedule, step);
}

static bool forced(const struct run *run, uint32_t step)
{
	return run->options.force == FORCE_ALL || (run->options.force == FORCE_GOALS && run->selection->wanted[step] & SELECT_GOAL);
}

static int64_t wall_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* A record made elsewhere (or long ago) becomes what the step's last run came to here. */
static void remember_record(struct runner *r, uint32_t step, const struct probe *p, enum step_state state)
{
	const struct history_step *last = history_get(r->run->history, step_name(r, step));
	struct history_step now = {
		.key = p->key, .state = state, .when_ns = p->result.started_ns, .duration_ns = p->result.duration_ns, .log = p->result.log,
	};

	if (last && digest_eq(&last->key, &p->key) && step_state_ok(last->state))
		return;
	history_set(r->run->history, step_name(r, step), &now);
	r->run->changed = true;
}

static void end_cached(struct runner *r, uint32_t step, const struct probe *p, enum step_state state)
{
	struct run *run = r->run;

	/* the outputs may stand here from a time the ledger does not know of */
	if (state == STATE_HIT && !run->options.dry_run && !place_noted(run->place, run->plan, step))
		place_note(run->place, run->arena, run->plan, step, &p->result.outputs, NULL);
	remember_record(r, step, p, state);
	emit_end(r, step, state, NULL, &p->key, state == STATE_RESTORED ?
		 str_fmt(r->run->arena, "%s was not as recorded", p->differs.s ? p->differs.s : "an output") : (struct str){0});
	schedule_done(r->schedule, step);
}

/* Outputs from the store: 1 done, 0 some blob is gone: it has to run; a fault is a warning and a run. */
static bool restore(struct runner *r, uint32_t step, struct probe *p, struct arena *scratch)
{
	struct run *run = r->run;
	const struct entries *outputs = &p->result.outputs;
	struct ident *idents = arena_array(scratch, outputs->n, struct ident);
	struct err err = ERR_INIT;
	int done;

	for (size_t i = 0; i < outputs->n; i++)
		content_forget(run->walk->content, outputs->v[i].path);
	done = place_restore(run->place, scratch, run->plan, step, &p->result, &err);
	if (done < 0) {
		struct event e = {.kind = EVENT_NOTE, .step = step_name(r, step), .warning = true};

		e.text = str_fmt(scratch, "unable to restore its outputs, so it runs: %s", err.text ? err.text : "unknown reason");
		events_emit(run->events, &e);
		err_release(&err);
	}
	if (done <= 0)
		return false;
	for (size_t i = 0; i < outputs->n; i++) {
		file_ident(run->place->rootfd, outputs->v[i].path.s, &idents[i], NULL);
		if (outputs->v[i].type == ENTRY_FILE)
			content_tell(run->walk->content, outputs->v[i].path, &idents[i], &outputs->v[i].digest);
	}
	walk_settle(run->walk, step, &p->key, outputs, idents, true);
	walk_keep_used(run->walk, step, p);
	run->changed = true;
	return true;
}

static void free_waiting(struct waiting *w)
{
	if (w->probe)
		probe_release(w->probe);
	free(w->probe);
	if (w->scratch)
		arena_release(w->scratch);
	free(w->scratch);
	*w = (struct waiting){0};
}

/* The first thing that speaks against leaving the step alone. */
static struct str why(struct runner *r, uint32_t step, const struct probe *p, struct arena *scratch)
{
	const struct run *run = r->run;
	struct reasons reasons = {0};

	if (forced(run, step))
		return S("forced");
	reasons_find(scratch, run->walk, step, p, history_get(run->history, step_name(r, step)), &reasons);
	return reasons.n ? reason_text(scratch, &reasons.v[0]) : S("");
}

static void would_run(struct runner *r, uint32_t step, struct waiting *w)
{
	struct event e = {.kind = EVENT_NOTE, .step = step_name(r, step)};

	e.text = w->probe->verdict == PROBE_PENDING ? S("would run if what it needs changes") :
		str_fmt(w->scratch, "would run: " STR_FMT, STR_ARG(w->reason));
	events_emit(r->run->events, &e);
	walk_settle_as(r->run->walk, step, WALK_PENDING);
	schedule_done(r->schedule, step);
	free_waiting(w);
}

/* Nothing that the step rests on has changed since the last run: no key need be made. */
static bool still_good(struct runner *r, uint32_t step)
{
	struct digest key;

	if (!r->run->kept || forced(r->run, step) || !snapshot_settle(r->run->kept, r->run->walk, step, &key))
		return false;
	emit_end(r, step, STATE_HIT, NULL, &key, (struct str){0});
	schedule_done(r->schedule, step);
	return true;
}

/* What every machine with a shell offers, and what its configuration says. */
static bool offered(const struct run_options *o, struct str tag)
{
	for (size_t i = 0; i < o->ntags; i++)
		if (str_eq(o->tags[i], tag))
			return true;
	return str_is(tag, "shell");
}

/* The first of the step's own tags that this machine does not offer; {NULL}: it offers all. */
static struct str lacking(const struct run *run, const struct plan_step *s)
{
	for (uint32_t i = 0; i < s->tags.n; i++)
		if (!offered(&run->options, plan_word(run->plan, s->tags, i)))
			return plan_word(run->plan, s->tags, i);
	return (struct str){0};
}

/* It would have to run: is that for another machine to do? */
static bool left_to_others(struct runner *r, uint32_t step)
{
	struct run *run = r->run;
	struct str tag = lacking(run, &run->plan->steps[step]);

	if (!run->options.claim || !tag.s)
		return false;
	free_waiting(&r->waiting[step]);
	end_step(r, step, STATE_LEFT, str_fmt(run->arena, "it is for machines tagged " STR_FMT, STR_ARG(tag)));
	return true;
}

/* Looks at one ready step: ends it, or queues it to run. */
static void consider(struct runner *r, uint32_t step)
{
	struct run *run = r->run;
	struct waiting *w = &r->waiting[step];
	struct err err = ERR_INIT;
	enum verdict verdict;

	if (settled_by_needs(r, step))
		return;
	if (run->plan->steps[step].script_kind == SCRIPT_KIND_NONE) {
		end_group(r, step);
		return;
	}
	if (still_good(r, step))
		return;
	w->probe = xcalloc(1, sizeof(*w->probe));
	w->scratch = xcalloc(1, sizeof(*w->scratch));
	if (walk_probe(run->walk, w->scratch, step, w->probe, &err) < 0) {
		struct str reason = str_dup(run->arena, str_of(err.text ? err.text : "its inputs can't be read"));

		err_release(&err);
		if (left_to_others(r, step))    /* what it runs in is not here to be looked at */
			return;
		free_waiting(w);
		run->lost = true;
		end_step(r, step, STATE_FAILED, reason);
		return;
	}
	verdict = w->probe->verdict;
	if (!forced(run, step) && (verdict == PROBE_HIT || (verdict == PROBE_RESTORE && !run->options.dry_run && restore(r, step, w->probe, w->scratch)))) {
		end_cached(r, step, w->probe, verdict == PROBE_HIT ? STATE_HIT : STATE_RESTORED);
		free_waiting(w);
		return;
	}
	if (left_to_others(r, step))
		return;
	w->reason = why(r, step, w->probe, w->scratch);
	if (!run->options.dry_run) {
		schedule_queue(r->schedule, step);
		return;
	}
	if (verdict == PROBE_RESTORE && !forced(run, step)) {
		struct event e = {.kind = EVENT_NOTE, .step = step_name(r, step), .text = S("would be restored from the cache")};

		events_emit(run->events, &e);
		walk_settle(run->walk, step, &w->probe->key, &w->probe->result.outputs, NULL, false);
		schedule_done(r->schedule, step);
		free_waiting(w);
		return;
	}
	would_run(r, step, w);
}

static void remember(struct runner *r, uint32_t step, const struct job_outcome *o)
{
	const struct history_step *last = history_get(r->run->history, step_name(r, step));
	struct history_step now = {
		.key = o->key, .state = o->state, .when_ns = wall_now(), .duration_ns = o->duration_ns, .status = o->status,
		.signal = o->signal, .log = o->log, .log_file = o->log_file, .reason = o->reason,
	};

	if (!now.key.algo && last)
		now.key = last->key;
	history_set(r->run->history, step_name(r, step), &now);
	r->run->changed = true;
}

static void job_done(void *ctx, struct step_job *job, const struct job_outcome *o)
{
	struct runner *r = ctx;
	uint32_t step = job_step(job);

	for (size_t i = 0; i < r->jobs.n; i++)
		if (r->jobs.v[i] == job)
			r->jobs.v[i] = NULL;
	if (o->state != STATE_RAN)
		walk_settle_as(r->run->walk, step, WALK_FAILED);
	r->run->lost |= o->lost;
	remember(r, step, o);
	emit_end(r, step, o->state, o, o->key.algo ? &o->key : NULL, str_dup(r->run->arena, o->reason));
	schedule_done(r->schedule, step);
	if (is_bad(o->state))
		note_failure(r, step);
	job_free(job);
}

static void start_queued(struct runner *r);

/* The next process starts before this one's outputs are looked at. */
static void job_ended(void *ctx, struct step_job *job)
{
	struct runner *r = ctx;

	schedule_release(r->schedule, job_step(job));
	start_queued(r);
}

static size_t free_place(struct runner *r)
{
	for (size_t i = 0; i < r->jobs.n; i++)
		if (!r->jobs.v[i])
			return i;
	vec_add(&r->jobs, NULL);
	return r->jobs.n - 1;
}

static void start_step(struct runner *r, uint32_t step)
{
	struct waiting *w = &r->waiting[step];
	struct event e = {
		.kind = EVENT_STEP_START, .step = step_name(r, step), .reason = w->reason, .console = r->run->plan->steps[step].flags & STEP_CONSOLE,
	};
	struct job_call call = {
		.run = r->run, .loop = r->loop, .step = step, .place = free_place(r), .probe = w->probe, .scratch = w->scratch, .reason = w->reason,
		.secrets = &r->secrets, .ended = job_ended, .done = job_done, .ctx = r,
	};

	*w = (struct waiting){0};
	events_emit(r->run->events, &e);
	r->jobs.v[call.place] = job_begin(&call);
}

static void start_queued(struct runner *r)
{
	uint32_t step;

	while ((step = schedule_start(r->schedule)) != PLAN_NONE)
		start_step(r, step);
}

/* The first signal ends what runs and keeps finally steps; the second kills. */
static void on_signal(void *ctx, int sig, int count)
{
	struct runner *r = ctx;

	r->run->interrupted = sig;
	schedule_stop(r->schedule, count > 1);
	for (size_t i = 0; i < r->jobs.n; i++)
		if (r->jobs.v[i])
			job_cancel(r->jobs.v[i], count > 1 ? SIGKILL : sig);
}

static void on_tick(void *ctx)
{
	struct runner *r = ctx;

	r->run->options.tick(r->run->options.tick_ctx);
	r->tick = loop_timer(r->loop, TICK_NS, on_tick, r);
}

/* What will not start any more, said once each. */
static void drop_rest(struct runner *r)
{
	uint32_t step;

	while ((step = schedule_dropped(r->schedule)) != PLAN_NONE) {
		const struct plan_step *s = &r->run->plan->steps[step];
		bool blocked = false;

		for (uint32_t i = 0; i < s->needs.n && !blocked; i++)
			blocked = is_bad(r->states[r->run->plan->needs[s->needs.at + i].step]);
		free_waiting(&r->waiting[step]);
		end_step(r, step, blocked ? STATE_BLOCKED : STATE_CANCELLED,
			 blocked ? S("a step that it needs did not succeed") : r->run->interrupted ? S("interrupted") : S("not started after a failure"));
	}
}

static int turn(struct runner *r, struct err *err)
{
	uint32_t step;

	drop_rest(r);
	while (schedule_queued(r->schedule) < r->run->options.jobs + PROBE_AHEAD && (step = schedule_next(r->schedule)) != PLAN_NONE) {
		consider(r, step);
		start_queued(r);
		if (schedule_running(r->schedule) && loop_turn(r->loop, 0, err) < 0)
			return -1;
	}
	start_queued(r);
	drop_rest(r);
	if (schedule_finished(r->schedule))
		return 0;
	if (!schedule_running(r->schedule) && !schedule_queued(r->schedule))
		return 0;               /* something became ready just now */
	return loop_turn(r->loop, -1, err);
}

static int check_step(const struct run *run, const struct plan_step *s, struct err *err)
{
	if (run->options.claim && lacking(run, s).s)
		return 0;
	for (uint32_t i = 0; i < s->tags.n; i++)
		if (!offered(&run->options, plan_word(run->plan, s->tags, i)))
			return err_set(err, ERR_RUNTIME, "it is for machines tagged " STR_FMT ", and this one is not (`tags` in the configuration); "
				       "--claim leaves it to these", STR_ARG(plan_word(run->plan, s->tags, i)));
	return s->script_kind == SCRIPT_KIND_NONE ? 0 : run->runtimes[s->runtime]->check(run->plan, s, err);
}

static int check_all(const struct run *run, struct err *err)
{
	for (uint32_t i = 0; i < run->plan->nsteps; i++)
		if (run->selection->wanted[i] && check_step(run, &run->plan->steps[i], err) < 0)
			return err_wrap(err, "unable to run " STR_FMT, STR_ARG(plan_step_name(run->plan, i)));
	return 0;
}

static void session_note(void *ctx, bool warning, struct str text)
{
	struct run *run = ctx;
	struct event e = {.kind = EVENT_NOTE, .text = text, .warning = warning};

	events_emit(run->events, &e);
}

int run_session(struct run *run, struct loop *loop, uint32_t kind, void **session, struct err *err)
{
	const struct runtime *runtime = run->runtimes[kind];
	struct runtime_context context = {
		.loop = loop, .root = run->place->root, .state_dir = run->state_dir, .engine = run->options.engine, .engine_where = run->options.engine_where,
		.insecure = run->options.insecure, .ninsecure = run->options.ninsecure,
		.run = str_of(run->place->run), .note = session_note, .ctx = run,
	};

	if (runtime->open && !run->sessions[kind] && runtime->open(&context, &run->sessions[kind], err) < 0)
		return -1;
	*session = run->sessions[kind];
	return 0;
}

static int runner_open(struct runner *r, struct run *run, struct err *err)
{
	*r = (struct runner){.run = run};
	if (check_all(run, err) < 0 || secrets_load(run->arena, run->plan, run->place->root, run->options.environ, &r->secrets, err) < 0)
		return -1;
	r->loop = loop_open(err);
	if (!r->loop || loop_signals(r->loop, on_signal, r, err) < 0)
		return -1;
	r->schedule = schedule_open(run->plan, run->selection, run->options.jobs);
	r->waiting = xcalloc(run->plan->nsteps + 1, sizeof(*r->waiting));
	r->states = xcalloc(run->plan->nsteps + 1, sizeof(*r->states));
	return 0;
}

static void runner_close(struct runner *r)
{
	for (uint32_t i = 0; r->waiting && i < r->run->plan->nsteps; i++)
		free_waiting(&r->waiting[i]);
	for (size_t i = 0; i < countof(r->run->sessions); i++)
		if (r->run->sessions[i])
			r->run->runtimes[i]->close(r->run->sessions[i]);
	if (r->loop) {
		loop_remove(r->loop, r->tick);
		loop_close(r->loop);
	}
	schedule_close(r->schedule);
	free(r->waiting);
	free(r->states);
	vec_free(&r->jobs);
}

int run_all(struct run *run, struct err *err)
{
	struct event start = {.kind = EVENT_RUN_START, .total = run->selection->n}, end = {.kind = EVENT_RUN_END};
	struct runner r;
	int rc = runner_open(&r, run, err);

	if (rc == 0) {
		events_emit(run->events, &start);
		if (run->options.tty && run->options.tick)
			r.tick = loop_timer(r.loop, TICK_NS, on_tick, &r);
		while (rc == 0 && !schedule_finished(r.schedule))
			rc = turn(&r, err);
		memcpy(end.counts, run->counts, sizeof(end.counts));
		events_emit(run->events, &end);
	}
	runner_close(&r);
	return rc;
}
