/* Why steps would run, or why they last ran: every difference from what their last success rested on. */
#include "base/json.h"
#include "base/vec.h"
#include "cli/show.h"
#include "cli/survey.h"
#include "cli/view.h"

#define CHAIN_MAX 64                    /* needs followed to the one that makes a step pending */

/* What is known of a goal only while the survey looks at it. */
struct told { uint32_t step; struct reasons reasons; };

struct explaining {
	struct view *v;
	struct survey survey;
	struct told *told;              /* by goal */
	size_t ntold;
	bool json;
};

static void see(void *ctx, struct survey *survey, uint32_t step, const struct probe *probe, struct arena *scratch)
{
	struct explaining *e = ctx;
	struct arena *a = &survey->s->arena;
	struct told *t = &e->told[e->ntold];
	struct reason clause = {S(""), S(""), survey->steps[step].reason};
	struct reasons found = {0};

	if (!(survey->s->selection.wanted[step] & SELECT_GOAL))
		return;
	e->ntold++;
	t->step = step;
	if (probe)
		reasons_find(scratch, &survey->s->walk, step, probe, history_get(&survey->history, plan_step_name(survey->s->plan, step)),
			     &found);
	if (!found.n && clause.what.n)
		found = (struct reasons){&clause, 1};
	t->reasons = (struct reasons){arena_array(a, found.n, struct reason), found.n};
	for (size_t i = 0; i < found.n; i++)
		t->reasons.v[i] = (struct reason){str_dup(a, found.v[i].tag), str_dup(a, found.v[i].name), str_dup(a, found.v[i].what)};
}

/* The first need that would run or is itself pending; PLAN_NONE. */
static uint32_t blocking_need(const struct survey *v, uint32_t step)
{
	const struct plan *plan = v->s->plan;
	const struct plan_step *s = &plan->steps[step];
	uint32_t pending = PLAN_NONE;

	for (uint32_t i = 0; i < s->needs.n; i++) {
		uint32_t need = plan->needs[s->needs.at + i].step;

		if (v->steps[need].state == SURVEY_RUN)
			return need;
		if (v->steps[need].state == SURVEY_PENDING && pending == PLAN_NONE)
			pending = need;
	}
	return pending;
}

/* The needs from a pending step down to the one that would run. */
static size_t chain(const struct survey *v, uint32_t step, uint32_t *out)
{
	size_t n = 0;

	while (n < CHAIN_MAX && v->steps[step].state == SURVEY_PENDING && (step = blocking_need(v, step)) != PLAN_NONE)
		out[n++] = step;
	return n;
}

/* ---- text ---- */

static const char *verdict_text(enum survey_state state)
{
	static const char *const texts[SURVEY_STATES] = {
		[SURVEY_NONE] = "not looked at", [SURVEY_HIT] = "up to date, nothing would be done",
		[SURVEY_RESTORE] = "its outputs would be restored from the cache", [SURVEY_RUN] = "would run",
		[SURVEY_PENDING] = "would run if what it needs turns out different", [SURVEY_SKIPPED] = "would be skipped",
	};

	return texts[state];
}

static void last_text(const struct survey *v, uint32_t step, struct buf *out)
{
	const struct history_step *h = history_get(&v->history, plan_step_name(v->s->plan, step));

	if (!h) {
		buf_z(out, "  it never ran here\n");
		return;
	}
	buf_fmt(out, "  last: %s ", step_state_name(h->state));
	show_when(out, h->when_ns);
	buf_z(out, ", ");
	show_duration(out, h->duration_ns);
	if (h->reason.n)
		buf_z(out, step_state_ok(h->state) ? "; why: " : ": ");
	show_text(out, h->reason);
	buf_c(out, '\n');
}

static void told_text(const struct survey *v, const struct told *t, struct buf *out)
{
	struct arena *a = &v->s->arena;
	enum survey_state state = v->steps[t->step].state;
	uint32_t needs[CHAIN_MAX];

	show_text(out, plan_step_name(v->s->plan, t->step));
	buf_fmt(out, ": %s\n", verdict_text(state));
	for (size_t i = 0; i < t->reasons.n && state != SURVEY_PENDING; i++) {
		buf_z(out, "  ");
		show_text(out, reason_text(a, &t->reasons.v[i]));
		buf_c(out, '\n');
	}
	for (size_t i = 0, n = chain(v, t->step, needs); i < n; i++) {
		buf_fmt(out, "%*sneeds ", (int)(2 + 2 * i), "");
		show_text(out, plan_step_name(v->s->plan, needs[i]));
		if (v->steps[needs[i]].state == SURVEY_RUN)
			buf_z(out, ", which would run: ");
		if (v->steps[needs[i]].state == SURVEY_RUN)
			show_text(out, v->steps[needs[i]].reason);
		buf_c(out, '\n');
	}
	if (state == SURVEY_PENDING && t->reasons.n > 1)
		buf_fmt(out, "  and waits for %zu more\n", t->reasons.n - 1);
	if (v->s->plan->steps[t->step].script_kind != SCRIPT_KIND_NONE)
		last_text(v, t->step, out);
}

/* ---- JSON ---- */

static void reasons_json(struct json *j, const struct reasons *reasons)
{
	json_key(j, "reasons");
	json_open(j, '[');
	for (size_t i = 0; i < reasons->n; i++) {
		const struct reason *r = &reasons->v[i];

		json_open(j, '{');
		if (r->tag.n)
			json_kstr(j, "field", r->tag);
		if (r->name.n)
			json_kstr(j, "name", r->name);
		json_kstr(j, "text", r->what);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void last_json(struct json *j, const struct history_step *h)
{
	char key[DIGEST_TEXT_MAX];

	json_key(j, "last");
	json_open(j, '{');
	json_kstr(j, "state", str_of(step_state_name(h->state)));
	json_kint(j, "when_ns", h->when_ns);
	json_kint(j, "duration_ns", h->duration_ns);
	if (h->key.algo != DIGEST_NONE)
		json_kstr(j, "key", str_of(digest_text(&h->key, key)));
	if (h->reason.n)
		json_kstr(j, "reason", h->reason);
	json_close(j, '}');
}

static void told_json(const struct survey *v, const struct told *t, struct json *j)
{
	const struct history_step *h = history_get(&v->history, plan_step_name(v->s->plan, t->step));
	uint32_t needs[CHAIN_MAX];
	size_t n = chain(v, t->step, needs);
	char key[DIGEST_TEXT_MAX];

	json_open(j, '{');
	json_kstr(j, "step", plan_step_name(v->s->plan, t->step));
	json_kstr(j, "status", str_of(survey_state_name(v->steps[t->step].state)));
	if (v->steps[t->step].key.algo != DIGEST_NONE)
		json_kstr(j, "key", str_of(digest_text(&v->steps[t->step].key, key)));
	reasons_json(j, &t->reasons);
	if (n) {
		json_key(j, "because_of");
		json_open(j, '[');
		for (size_t i = 0; i < n; i++)
			json_str(j, plan_step_name(v->s->plan, needs[i]));
		json_close(j, ']');
	}
	if (h)
		last_json(j, h);
	json_close(j, '}');
}

/* ---- the command ---- */

static void all_told(struct explaining *e)
{
	struct buf *out = &e->v->out;
	struct json j = {.out = out};

	if (e->json)
		json_open(&j, '[');
	for (size_t i = 0; i < e->ntold; i++) {
		if (e->json)
			told_json(&e->survey, &e->told[i], &j);
		else
			told_text(&e->survey, &e->told[i], out);
	}
	if (e->json) {
		json_close(&j, ']');
		buf_c(out, '\n');
	}
}

static int explain_goals(struct explaining *e, struct err *err)
{
	struct view *v = e->v;
	struct survey_look look = {see, e};

	if (!v->words.goals.n)
		return err_set(err, ERR_USAGE, "cairn explain needs the name of a step or command; usage: %s", cmd_explain.usage);
	if (view_plan(v, err) < 0 || view_select(v, err) < 0)
		return -1;
	e->told = arena_array(&v->s.arena, v->s.plan->nsteps + 1, struct told);
	if (survey_make(&e->survey, &v->s, &look, view_warn, v, err) < 0)
		return -1;
	all_told(e);
	return cmd_print(&v->out, err);
}

static int explain(int argc, char **argv, struct err *err)
{
	struct view v;
	struct explaining e = {.v = &v};
	const struct opt opts[] = {{0, "json", OPT_FLAG, &e.json, NULL, "print JSON"}};
	int rc = view_options(&v, &cmd_explain, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped)
		rc = explain_goals(&e, err);
	survey_release(&e.survey);
	return view_close(&v, rc);
}

const struct command cmd_explain = {"explain", "tell why steps would run, or why they did", "cairn explain [--json] STEP...", explain};
