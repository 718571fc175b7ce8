/* What can be named: workflows, commands with their params and, if asked for, their steps. */
#include "base/json.h"
#include "cli/show.h"
#include "cli/view.h"

#define NAME_WIDTH_MAX 40

struct listing { const struct plan *plan; struct buf *out; size_t width; bool steps; };

/* ---- text ---- */

static void param_text(struct listing *l, const struct plan_param *p)
{
	struct str preset = plan_str(l->plan, p->preset), help = plan_str(l->plan, p->help);

	buf_fmt(l->out, "  %*s  --", (int)l->width, "");
	show_text(l->out, plan_str(l->plan, p->name));
	buf_c(l->out, '=');
	show_text(l->out, p->required ? S("...") : preset);
	if (help.n || p->required)
		buf_z(l->out, "  ");
	show_text(l->out, help);
	if (p->required)
		buf_z(l->out, help.n ? " (required)" : "(required)");
	buf_c(l->out, '\n');
}

static void row(struct listing *l, struct str name, struct str summary)
{
	buf_z(l->out, "  ");
	if (summary.n) {
		show_padded(l->out, name, l->width);
		buf_z(l->out, "  ");
		show_text(l->out, summary);
	} else {
		show_text(l->out, name);
	}
}

static void command_text(struct listing *l, const struct plan_command *c)
{
	struct str summary = plan_str(l->plan, c->summary);

	row(l, plan_str(l->plan, c->name), summary);
	if (c->steps.n > 1)
		buf_fmt(l->out, " (%u steps)", c->steps.n);
	buf_c(l->out, '\n');
	for (uint32_t i = 0; i < c->params.n; i++)
		param_text(l, &l->plan->params[c->params.at + i]);
	for (uint32_t i = 0; l->steps && i < c->steps.n; i++) {
		buf_z(l->out, "    ");
		show_text(l->out, plan_step_name(l->plan, l->plan->refs[c->steps.at + i]));
		buf_c(l->out, '\n');
	}
}

static void widen(struct listing *l, struct plan_text name)
{
	size_t n = show_width(plan_str(l->plan, name));

	if (n > l->width && n <= NAME_WIDTH_MAX)
		l->width = n;
}

static void as_text(struct listing *l)
{
	const struct plan *plan = l->plan;

	for (uint32_t i = 0; i < plan->nworkflows; i++)
		widen(l, plan->workflows[i].name);
	for (uint32_t i = 0; i < plan->ncommands; i++)
		widen(l, plan->commands[i].name);
	if (plan->nworkflows)
		buf_z(l->out, "Workflows:\n");
	for (uint32_t i = 0; i < plan->nworkflows; i++) {
		struct str name = plan_str(plan, plan->workflows[i].name), summary = plan_str(plan, plan->workflows[i].summary);

		row(l, name, summary.n || !str_is(name, "default") ? summary : S("What `cairn run` does without a goal"));
		buf_c(l->out, '\n');
	}
	if (plan->ncommands)
		buf_fmt(l->out, "%sCommands:\n", plan->nworkflows ? "\n" : "");
	for (uint32_t i = 0; i < plan->ncommands; i++)
		command_text(l, &plan->commands[i]);
	if (!plan->nworkflows && !plan->ncommands)
		buf_z(l->out, "There are no commands yet.\n");
}

/* ---- JSON ---- */

static void names_json(struct json *j, const struct plan *plan, const char *key, struct plan_span steps)
{
	json_key(j, key);
	json_open(j, '[');
	for (uint32_t i = 0; i < steps.n; i++)
		json_str(j, plan_step_name(plan, plan->refs[steps.at + i]));
	json_close(j, ']');
}

static void goals_json(struct json *j, const struct plan *plan, const char *key, struct plan_span goals)
{
	json_key(j, key);
	json_open(j, '[');
	for (uint32_t g = 0; g < goals.n; g++) {
		struct plan_span steps = plan->goals[goals.at + g].steps;

		for (uint32_t i = 0; i < steps.n; i++)
			json_str(j, plan_step_name(plan, plan->refs[steps.at + i]));
	}
	json_close(j, ']');
}

static void params_json(struct json *j, const struct plan *plan, struct plan_span params)
{
	json_key(j, "params");
	json_open(j, '[');
	for (uint32_t i = 0; i < params.n; i++) {
		const struct plan_param *p = &plan->params[params.at + i];

		json_open(j, '{');
		json_kstr(j, "name", plan_str(plan, p->name));
		if (p->required)
			json_kbool(j, "required", true);
		else
			json_kstr(j, "default", plan_str(plan, p->preset));
		json_kstr(j, "help", plan_str(plan, p->help));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void as_json(struct listing *l)
{
	const struct plan *plan = l->plan;
	struct json j = {.out = l->out};

	json_open(&j, '{');
	json_kstr(&j, "name", plan_str(plan, plan->head->name));
	json_key(&j, "commands");
	json_open(&j, '[');
	for (uint32_t i = 0; i < plan->ncommands; i++) {
		const struct plan_command *c = &plan->commands[i];

		json_open(&j, '{');
		json_kstr(&j, "name", plan_str(plan, c->name));
		json_kstr(&j, "summary", plan_str(plan, c->summary));
		json_kstr(&j, "file", plan_str(plan, c->file));
		json_kint(&j, "line", c->line);
		params_json(&j, plan, c->params);
		json_kint(&j, "count", c->steps.n);
		if (l->steps)
			names_json(&j, plan, "steps", c->steps);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "workflows");
	json_open(&j, '[');
	for (uint32_t i = 0; i < plan->nworkflows; i++) {
		const struct plan_workflow *w = &plan->workflows[i];

		json_open(&j, '{');
		json_kstr(&j, "name", plan_str(plan, w->name));
		json_kstr(&j, "summary", plan_str(plan, w->summary));
		if (l->steps) {
			goals_json(&j, plan, "steps", w->steps);
			goals_json(&j, plan, "finally", w->finally);
		}
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(l->out, '\n');
}

static int list(int argc, char **argv, struct err *err)
{
	bool json = false;
	struct listing l = {0};
	struct view v;
	const struct opt opts[] = {
		{0, "steps", OPT_FLAG, &l.steps, NULL, "show the steps, too"},
		{0, "json", OPT_FLAG, &json, NULL, "print JSON"},
	};
	int rc = view_options(&v, &cmd_list, opts, countof(opts), argc, argv, VIEW_NONE, err);

	if (rc == 0 && !v.helped && (rc = view_plan(&v, err)) == 0) {
		l.plan = v.s.plan;
		l.out = &v.out;
		if (json)
			as_json(&l);
		else
			as_text(&l);
		rc = cmd_print(&v.out, err);
	}
	return view_close(&v, rc);
}

const struct command cmd_list = {"list", "list workflows, commands and their params", "cairn list [--steps] [--json]", list};
