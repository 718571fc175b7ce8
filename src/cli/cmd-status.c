/* How much of a run would be left to do, and the steps that it would start. */
#include "base/json.h"
#include "cli/show.h"
#include "cli/survey.h"
#include "cli/view.h"

static const char *const phrases[SURVEY_STATES] = {
	[SURVEY_HIT] = "up to date", [SURVEY_RESTORE] = "to restore", [SURVEY_RUN] = "to run", [SURVEY_PENDING] = "pending",
	[SURVEY_SKIPPED] = "skipped",
};

static bool worth_a_line(enum survey_state state) { return state == SURVEY_RESTORE || state == SURVEY_RUN || state == SURVEY_PENDING; }

static void as_text(const struct survey *v, struct buf *out)
{
	const struct plan *plan = v->s->plan;
	const char *separator = ": ";

	show_count(out, v->s->selection.n, "step", "steps");
	for (int i = SURVEY_HIT; i < SURVEY_STATES; i++) {
		if (!v->counts[i])
			continue;
		buf_fmt(out, "%s%zu %s", separator, v->counts[i], phrases[i]);
		separator = ", ";
	}
	buf_c(out, '\n');
	for (uint32_t i = 0; i < plan->nsteps; i++) {
		if (!worth_a_line(v->steps[i].state))
			continue;
		buf_fmt(out, "  %-9s  ", survey_state_name(v->steps[i].state));
		show_text(out, plan_step_name(plan, i));
		buf_z(out, v->steps[i].reason.n ? "  # " : "");
		show_text(out, v->steps[i].reason);
		buf_c(out, '\n');
	}
}

static void as_json(const struct survey *v, struct buf *out)
{
	const struct plan *plan = v->s->plan;
	struct json j = {.out = out};

	json_open(&j, '{');
	json_kint(&j, "total", v->s->selection.n);
	for (int i = SURVEY_HIT; i < SURVEY_STATES; i++)
		json_kint(&j, survey_state_name(i), v->counts[i]);
	json_key(&j, "steps");
	json_open(&j, '[');
	for (uint32_t i = 0; i < plan->nsteps; i++) {
		if (!worth_a_line(v->steps[i].state))
			continue;
		json_open(&j, '{');
		json_kstr(&j, "step", plan_step_name(plan, i));
		json_kstr(&j, "status", str_of(survey_state_name(v->steps[i].state)));
		json_kstr(&j, "reason", v->steps[i].reason);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(out, '\n');
}

static int status(int argc, char **argv, struct err *err)
{
	bool json = false;
	struct survey survey = {0};
	struct view v;
	const struct opt opts[] = {{0, "json", OPT_FLAG, &json, NULL, "print JSON"}, SINCE_OPTS(&v.words)};
	int rc = view_options(&v, &cmd_status, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped && (rc = view_plan(&v, err)) == 0 && (rc = view_select(&v, err)) == 0 &&
	    (rc = survey_make(&survey, &v.s, NULL, view_warn, &v, err)) == 0) {
		if (json)
			as_json(&survey, &v.out);
		else
			as_text(&survey, &v.out);
		rc = cmd_print(&v.out, err);
	}
	survey_release(&survey);
	return view_close(&v, rc);
}

const struct command cmd_status = {"status", "say what a run would have to do", "cairn status [--json] [GOAL...]", status};
