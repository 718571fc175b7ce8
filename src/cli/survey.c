#include "cli/survey.h"

#include <stdlib.h>

#include "sys/pool.h"

const char *survey_state_name(enum survey_state state)
{
	static const char *const names[SURVEY_STATES] = {"none", "hit", "restore", "would-run", "pending", "skipped"};

	return names[state];
}

static void put(struct survey *v, uint32_t step, enum survey_state state, struct str reason)
{
	v->steps[step].state = state;
	v->steps[step].reason = reason;
	v->counts[state]++;
}

/* The kept state says it all: a run would find nothing to do. */
static void from_snapshot(struct survey *v)
{
	uint32_t n;
	const struct snapshot_step *rows = snapshot_steps(v->s->snapshot, &n);

	for (uint32_t i = 0; i < n; i++) {
		put(v, rows[i].step, rows[i].state == KEPT_SKIPPED ? SURVEY_SKIPPED : SURVEY_HIT, (struct str){0});
		v->steps[rows[i].step].key = rows[i].key;
	}
}

/* Its own condition, or all that it needs was skipped. */
static bool skipped(struct survey *v, uint32_t step)
{
	const struct plan *plan = v->s->plan;
	const struct plan_step *s = &plan->steps[step];
	size_t counting = 0, gone = 0;

	if (s->flags & STEP_SKIP || v->s->selection.wanted[step] & SELECT_SKIP) {
		put(v, step, SURVEY_SKIPPED, S("its condition is false"));
		return true;
	}
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &plan->needs[s->needs.at + i];

		if (need->flags & NEED_ORDER_ONLY)
			continue;
		counting++;
		gone += v->steps[need->step].state == SURVEY_SKIPPED;
	}
	if (!counting || gone < counting)
		return false;
	put(v, step, SURVEY_SKIPPED, S("all that it needs was skipped"));
	return true;
}

static struct str first_reason(struct survey *v, uint32_t step, const struct probe *probe, struct arena *scratch)
{
	struct arena *a = &v->s->arena;
	struct reasons reasons;

	reasons_find(scratch, &v->s->walk, step, probe, history_get(&v->history, plan_step_name(v->s->plan, step)), &reasons);
	if (!reasons.n)
		return (struct str){0};
	if (reasons.n == 1)
		return str_dup(a, reason_text(scratch, &reasons.v[0]));
	return str_fmt(a, STR_FMT " (and %zu more)", STR_ARG(reason_text(scratch, &reasons.v[0])), reasons.n - 1);
}

static void settle(struct survey *v, uint32_t step, const struct probe *probe, struct arena *scratch)
{
	struct walk *w = &v->s->walk;

	v->steps[step].key = probe->key;
	switch (probe->verdict) {
	case PROBE_HIT:                         /* has settled itself */
		put(v, step, SURVEY_HIT, (struct str){0});
		return;
	case PROBE_RESTORE:
		put(v, step, SURVEY_RESTORE, first_reason(v, step, probe, scratch));
		walk_settle(w, step, &probe->key, &probe->result.outputs, NULL, false);
		return;
	case PROBE_PENDING:
		if (v->s->plan->steps[step].flags & STEP_CACHED) {
			put(v, step, SURVEY_PENDING, first_reason(v, step, probe, scratch));
			break;
		}
		put(v, step, SURVEY_RUN, plan_str(v->s->plan, v->s->plan->steps[step].uncached));
		break;
	case PROBE_MISS:
	case PROBE_UNCACHED:
		put(v, step, SURVEY_RUN, first_reason(v, step, probe, scratch));
		break;
	}
	walk_settle_as(w, step, WALK_PENDING);
}

static void group(struct survey *v, uint32_t step)
{
	struct walk *w = &v->s->walk;
	struct probe pending = {.verdict = PROBE_PENDING};
	struct arena scratch = ARENA_INIT;

	walk_settle_group(w, step);
	if (w->steps[step].state == WALK_PENDING)
		put(v, step, SURVEY_PENDING, first_reason(v, step, &pending, &scratch));
	else
		put(v, step, SURVEY_HIT, (struct str){0});
	arena_release(&scratch);
}

static void one(struct survey *v, uint32_t step, const struct survey_look *look)
{
	struct walk *w = &v->s->walk;
	struct arena scratch = ARENA_INIT;
	struct probe probe;
	struct err err = ERR_INIT;
	const struct probe *shown = &probe;

	if (skipped(v, step)) {
		walk_settle_as(w, step, WALK_SKIPPED);
		shown = NULL;
	} else if (v->s->plan->steps[step].script_kind == SCRIPT_KIND_NONE) {
		group(v, step);
		shown = NULL;
	} else if (walk_probe(w, &scratch, step, &probe, &err) < 0) {
		/* a run would end it as failed with this sentence */
		put(v, step, SURVEY_RUN, str_dup(&v->s->arena, str_of(err.text ? err.text : "its inputs can't be read")));
		walk_settle_as(w, step, WALK_PENDING);
		err_release(&err);
		probe_release(&probe);
		shown = NULL;
	} else {
		settle(v, step, &probe, &scratch);
	}
	if (look)
		look->see(look->ctx, v, step, shown, &scratch);
	if (shown)
		probe_release(&probe);
	arena_release(&scratch);
}

/* All sources that will be asked for, read at once. */
static void read_ahead(struct session *s)
{
	const struct plan *plan = s->plan;
	struct str *paths = arena_array(&s->arena, plan->npaths + 1, struct str);
	bool *taken = xcalloc(plan->npaths + 1, sizeof(*taken));
	size_t n = 0;

	for (uint32_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (!s->selection.wanted[i] || !(step->flags & STEP_CACHED))
			continue;
		for (uint32_t k = 0; k < step->inputs.n; k++) {
			uint32_t path = plan->inputs[step->inputs.at + k].path;

			if (plan->paths[path].producer == PLAN_NONE && !taken[path])
				paths[n++] = plan_path_str(plan, path);
			taken[path] = true;
		}
	}
	content_prefetch(s->content, paths, n, pool_cpus());
	free(taken);
}

int survey_make(struct survey *v, struct session *s, const struct survey_look *look, void (*warn)(void *ctx, struct str text), void *ctx,
		struct err *err)
{
	*v = (struct survey){.s = s, .steps = arena_array(&s->arena, s->plan->nsteps + 1, struct survey_step)};
	if (!look && !s->loose && s->plan_kept && session_check(s) == SNAPSHOT_SAME) {
		from_snapshot(v);
		return 0;
	}
	if (session_walk(s, warn, ctx, err) < 0 || history_read(&s->arena, session_path(s, "history"), &v->history, err) < 0)
		return -1;
	read_ahead(s);
	for (uint32_t i = 0; i < s->plan->nsteps; i++)
		if (s->selection.wanted[i])
			one(v, i, look);
	return 0;
}

void survey_release(struct survey *v) { history_release(&v->history); }
