/* ninja.c: a plan as a build.ninja. An edge hands its step's text to the shell text of stepper.h, which compares
 * contents and leaves outputs that came out as they were untouched, so that restat ends the chain. Ninja knows no line
 * breaks: texts are written with \n, which printf(1) gives back. */
#include "base/map.h"
#include "base/opt.h"
#include "base/vec.h"
#include "generators/block.h"
#include "generators/stepper.h"

#define STATE ".cairn~ninja"

struct writer {
	struct model *m;
	struct map names;               /* targets and inputs; of targets the step, + 1 */
	uint32_t *seen, round;          /* by step: the goal that was last written with it */
};

/* ---- names and texts ---- */

static const char *name_problem(struct str s)
{
	if (!s.n)
		return "an empty name";
	for (size_t i = 0; i < s.n; i++)
		if (strchr("\n\r\t|", s.s[i]))
			return "a name with a tab, a line break or |";
	return NULL;
}

static void name(struct buf *out, struct str s)
{
	buf_c(out, ' ');
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("$ :", s.s[i]))
			buf_c(out, '$');
		buf_c(out, s.s[i]);
	}
}

static void one_line(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '$')
			buf_c(out, '$');
		buf_c(out, s.s[i] == '\n' || s.s[i] == '\r' ? ' ' : s.s[i]);
	}
}

/* As the format of printf's %b, a line of ninja's for each line. */
static void text(struct buf *out, struct str s)
{
	struct str line;

	while (s.n) {
		ptrdiff_t end = str_chr(s, '\n');

		line = str_head(s, end < 0 ? s.n : (size_t)end);
		s = str_from(s, end < 0 ? s.n : (size_t)end + 1);
		buf_z(out, "$\n    ");
		if (line.n && line.s[0] == ' ')
			buf_c(out, '$');
		for (size_t i = 0; i < line.n; i++) {
			if (line.s[i] == '$' || line.s[i] == '\\')
				buf_c(out, line.s[i]);
			if (line.s[i] == '\r')
				buf_z(out, "\\r");
			else
				buf_c(out, line.s[i]);
		}
		buf_z(out, end < 0 ? "" : "\\n");
	}
}

/* ---- what there is ---- */

static void add_name(struct writer *w, uint32_t step, const char *field, struct str path, uint32_t by)
{
	const char *problem = name_problem(path);
	bool fresh;
	void **slot = map_put(&w->names, path, &fresh);

	if (by != PLAN_NONE)
		*slot = (void *)(uintptr_t)(by + 1);
	if (fresh && problem)
		model_refuse(w->m, step, field, "%s: " STR_FMT, problem, STR_ARG(path));
}

static void gather(struct writer *w)
{
	struct model *m = w->m;

	for (uint32_t i = 0; i < m->plan->nsteps; i++) {
		const struct model_step *t = &m->steps[i];
		struct model_inputs in;

		if (!t->written)
			continue;
		for (size_t n = 0; n < t->ntargets; n++)
			add_name(w, i, "outputs", t->targets[n], i);
		model_inputs(m, i, &in);
		for (size_t n = 0; n < in.nrequired; n++)
			add_name(w, i, "inputs", in.required[n], PLAN_NONE);
	}
	for (uint32_t i = 0; m->sources && i < m->plan->nsources; i++)
		add_name(w, 0, "inputs", plan_path_str(m->plan, m->plan->sources[i]), PLAN_NONE);
}

static bool goal_named(const struct generation *g, struct str what)
{
	for (size_t i = 0; !g->whole && i < g->goals->n; i++)
		if (str_eq(g->goals->v[i], what))
			return true;
	return g->whole;
}

/* Ninja starts nothing after a failure, and an edge's order holds for all who want it. */
static void check_workflows(struct writer *w)
{
	const struct generation *g = w->m->g;
	const struct plan *p = g->plan;

	for (uint32_t i = 0; i < p->nworkflows; i++) {
		struct str what = plan_str(p, p->workflows[i].name);
		bool ordered = false;

		if (!goal_named(g, what))
			continue;
		if (p->workflows[i].finally.n)
			model_refuse_named(w->m, what, "finally", "nothing starts after a failure; name goals to leave the workflow out");
		for (uint32_t k = 0; k < p->workflows[i].steps.n; k++)
			ordered |= p->goals[p->workflows[i].steps.at + k].after.n;
		if (ordered && (g->whole || g->goals->n > 1))
			model_refuse_named(w->m, what, "sequential", "an order that holds for one goal only; generate for this goal alone, or name others");
	}
}

static int ninja_check(struct generation *g, struct err *err)
{
	struct writer *w = arena_new(g->arena, struct writer);

	w->m = model_new(g, STATE);
	w->seen = arena_array(g->arena, g->plan->nsteps + 1, uint32_t);
	gather(w);
	check_workflows(w);
	g->priv = w;
	if (model_checked(w->m, "ninja", err) == 0)
		return 0;
	map_release(&w->names);
	return -1;
}

/* ---- text ---- */

static void head(struct writer *w, struct buf *out)
{
	const struct model *m = w->m;
	CLEANUP_BUF struct buf shell = BUF_INIT(BUF_UNLIMITED);
	VEC(uint32_t) pools = {0};

	buf_z(out, "# Generated from");
	for (uint32_t i = 0; i < m->plan->nspecs; i++)
		buf_fmt(out, "%s " STR_FMT, i ? "," : "", STR_ARG(plan_str(m->plan, m->plan->specs[i])));
	buf_z(out, " for ninja 1.10 or later, to be run in the folder of the spec.\n"
		   "# It is static: which files there are, which conditions hold and what ${{ }} stands for was settled when it was written.\n"
		   "# Records of what ran are in " STATE "; without them everything runs once.\n\n"
		   "ninja_required_version = 1.10\n\n"
		   "rule step\n  command = sh " STATE "/run $slug\n  description = $what\n  rspfile = " STATE "/$slug.step\n  rspfile_content = $text\n  restat = 1\n"
		   "rule step_with_depfile\n  command = sh " STATE "/run $slug\n  description = $what\n  rspfile = " STATE "/$slug.step\n  rspfile_content = $text\n"
		   "  restat = 1\n  depfile = " STATE "/$slug.d\n  deps = gcc\n"
		   "rule passed\n  command = sh " STATE "/run --passed $slugs\n  description = $out\n"
		   "rule shell\n  command = echo '*' >" STATE "/.gitignore && printf %b \"$$(cat " STATE "/run.rsp)\" >$out\n  description = $out\n"
		   "  rspfile = " STATE "/run.rsp\n  rspfile_content = $text\n"
		   "build always: phony\n");
	for (uint32_t i = 0; i < m->plan->nsteps; i++) {
		const struct plan_step *s = &m->plan->steps[i];
		bool seen = !m->steps[i].written || s->pool == PLAN_NONE || !s->pool_size;

		for (size_t n = 0; n < pools.n && !seen; n++)
			seen = pools.v[n] == s->pool;
		if (seen)
			continue;
		vec_add(&pools, s->pool);
		buf_fmt(out, "pool pool%u\n  depth = %u\n", s->pool, s->pool_size);
	}
	vec_free(&pools);
	buf_z(&shell, "_S=" STATE " _mode=ninja _still=\n");
	buf_z(&shell, stepper_text);
	if (m->sources)
		block_sources(&shell, m);
	buf_z(&shell, "case $1 in\n--clean) clean ;;\n--passed) shift; passed \"$@\" ;;\n*) eval \"$(printf %b \"$(cat \"$_S/$1.step\")\")$_nl\" ;;\nesac\n");
	buf_z(out, "\n# --- how steps run: the shell text ---\nbuild " STATE "/run: shell\n  text = ");
	text(out, buf_view(&shell));
	buf_z(out, "\n");
}

static void all_of(const struct model *m, struct buf *out, uint32_t step)
{
	for (size_t i = 0; i < m->steps[step].ntargets; i++)
		name(out, m->steps[step].targets[i]);
}

static void order_only(struct writer *w, struct buf *out, uint32_t step)
{
	const struct model *m = w->m;
	const struct model_step *t = &m->steps[step];
	const struct selection *sel = m->g->selection;

	buf_z(out, " ||");
	for (size_t i = 0; i < t->nneeds; i++)
		if (!m->plan->steps[t->needs[i]].outputs.n)
			all_of(m, out, t->needs[i]);
	for (size_t i = 0; i < t->nafter; i++)
		all_of(m, out, t->after[i]);
	for (size_t i = 0; !m->g->whole && i < sel->norder; i++)
		if (sel->order[i].after == step && m->steps[sel->order[i].before].written)
			all_of(m, out, sel->order[i].before);
}

static void edge(struct writer *w, struct buf *out, uint32_t step)
{
	struct model *m = w->m;
	const struct plan_step *s = &m->plan->steps[step];
	const struct model_step *t = &m->steps[step];
	CLEANUP_BUF struct buf block = BUF_INIT(BUF_UNLIMITED);
	struct model_inputs in;

	buf_z(out, "\nbuild");
	all_of(m, out, step);
	buf_z(out, s->depfile.n ? ": step_with_depfile" : ": step");
	model_inputs(m, step, &in);
	for (size_t i = 0; i < in.nrequired; i++)
		name(out, in.required[i]);
	buf_z(out, " | " STATE "/run");
	for (size_t i = 0; i < t->nneeds; i++)
		if (m->plan->steps[t->needs[i]].outputs.n)
			all_of(m, out, t->needs[i]);
	for (size_t i = 0; i < in.nmade; i++)
		if (!i || in.made[i - 1].step != in.made[i].step)
			all_of(m, out, in.made[i].step);
	for (size_t i = 0; i < in.nglobbed; i++)
		all_of(m, out, in.globbed[i]);
	buf_z(out, s->flags & STEP_ALL_SOURCES ? " sources" : "");
	buf_z(out, t->always || t->watched ? " always" : "");
	order_only(w, out, step);
	buf_fmt(out, "\n  slug = " STR_FMT "\n", STR_ARG(t->slug));
	buf_z(out, "  what = ");
	one_line(out, plan_step_name(m->plan, step));
	buf_c(out, '\n');
	if (s->flags & STEP_CONSOLE)
		buf_z(out, "  pool = console\n");
	else if (s->pool != PLAN_NONE && s->pool_size)
		buf_fmt(out, "  pool = pool%u\n", s->pool);
	block_write(&block, m, step);
	buf_z(out, "  text = ");
	text(out, buf_view(&block));
	buf_c(out, '\n');
}

/* ---- goals ---- */

static void targets(struct writer *w, struct buf *out, uint32_t step)
{
	const struct model *m = w->m;
	const struct model_step *t = &m->steps[step];

	if (w->seen[step] == w->round)
		return;
	w->seen[step] = w->round;
	if (t->written)
		all_of(m, out, step);
	if (m->plan->steps[step].script_kind != SCRIPT_KIND_NONE)
		return;
	for (size_t i = 0; i < t->nneeds; i++)
		targets(w, out, t->needs[i]);
	for (size_t i = 0; i < t->nafter; i++)
		targets(w, out, t->after[i]);
}

static struct str goal_name(struct writer *w, struct str wish)
{
	while (map_has(&w->names, wish))
		wish = str_fmt(w->m->arena, "run-" STR_FMT, STR_ARG(wish));
	map_put(&w->names, wish, NULL);
	return wish;
}

/* A goal whose steps may fail without stopping others asks in the end whether one did. */
static void goal(struct writer *w, struct buf *out, struct str what, const uint32_t *steps, size_t n)
{
	struct model *m = w->m;
	CLEANUP_BUF struct buf slugs = BUF_INIT(BUF_UNLIMITED);
	bool weak = false;

	for (size_t i = 0; i < n; i++)
		weak |= m->steps[steps[i]].weak;
	for (uint32_t i = 0; weak && i < m->plan->nsteps; i++)
		if (m->steps[i].written && m->plan->steps[i].flags & STEP_CONTINUE) {
			bool reached = false;

			for (size_t k = 0; k < n && !reached; k++)
				reached = steps[k] == i || plan_index_reaches(m->index, steps[k], i);
			if (reached)
				buf_fmt(&slugs, " " STR_FMT, STR_ARG(m->steps[i].slug));
		}
	w->round++;
	buf_z(out, "build");
	name(out, what);
	buf_z(out, slugs.n ? ": passed" : ": phony");
	for (size_t i = 0; i < n; i++)
		targets(w, out, steps[i]);
	buf_z(out, slugs.n ? " always" : "");
	buf_c(out, '\n');
	if (slugs.n)
		buf_fmt(out, "  slugs =" STR_FMT "\n", STR_ARG(buf_view(&slugs)));
}

static bool is_alias(const struct writer *w, struct str what)
{
	const struct plan *p = w->m->plan;
	uint32_t by = (uint32_t)(uintptr_t)map_get(&w->names, what);

	return by && str_eq(plan_step_name(p, by - 1), what) && w->m->steps[by - 1].ntargets == 1 && !w->m->steps[by - 1].weak;
}

static void defaults(struct writer *w, struct buf *out, struct str what)
{
	const struct generation *g = w->m->g;

	if (!g->whole || str_is(what, "default")) {
		buf_z(out, "default");
		name(out, what);
		buf_c(out, '\n');
	}
}

static void workflow_goal(struct writer *w, struct buf *out, const struct plan_workflow *flow)
{
	const struct plan *p = w->m->plan;
	struct str what = goal_name(w, plan_str(p, flow->name));
	VEC(uint32_t) steps = {0};

	for (uint32_t i = 0; i < flow->steps.n; i++) {
		const struct plan_goal *goal_ = &p->goals[flow->steps.at + i];

		for (uint32_t s = 0; !goal_->skip && s < goal_->steps.n; s++)
			vec_add(&steps, p->refs[goal_->steps.at + s]);
	}
	goal(w, out, what, steps.v, steps.n);
	defaults(w, out, what);
	vec_free(&steps);
}

static void command_goal(struct writer *w, struct buf *out, const struct plan_command *c)
{
	const struct plan *p = w->m->plan;
	VEC(uint32_t) steps = {0};
	struct str what = plan_str(p, c->name);

	for (uint32_t i = 0; i < c->steps.n; i++) {
		uint32_t step = p->refs[c->steps.at + i], flags = p->steps[step].flags;

		if (w->m->g->selection->wanted[step] & SELECT_GOAL && !(flags & STEP_VARIANT && !(flags & STEP_ASKED)))
			vec_add(&steps, step);
	}
	if (!is_alias(w, what)) {
		what = goal_name(w, what);
		goal(w, out, what, steps.v, steps.n);
	}
	defaults(w, out, what);
	vec_free(&steps);
}

/* Goals that are patterns or steps have no name here: what they stand for is the default. */
static void unnamed_goals(struct writer *w, struct buf *out)
{
	struct model *m = w->m;
	const struct selection *sel = m->g->selection;
	struct str all;

	for (size_t i = 0; i < m->g->goals->n; i++) {
		bool named = false;

		for (uint32_t k = 0; k < m->plan->ncommands; k++)
			named |= str_eq(plan_str(m->plan, m->plan->commands[k].name), m->g->goals->v[i]);
		for (uint32_t k = 0; k < m->plan->nworkflows; k++)
			named |= str_eq(plan_str(m->plan, m->plan->workflows[k].name), m->g->goals->v[i]);
		if (named)
			continue;
		all = goal_name(w, S("all"));
		goal(w, out, all, sel->goals, sel->ngoals);
		defaults(w, out, all);
		return;
	}
}

static void goals(struct writer *w, struct buf *out)
{
	const struct generation *g = w->m->g;
	const struct plan *p = g->plan;

	buf_z(out, "\n# --- goals ---\n");
	for (uint32_t i = 0; i < p->nworkflows; i++)
		if (goal_named(g, plan_str(p, p->workflows[i].name)))
			workflow_goal(w, out, &p->workflows[i]);
	for (uint32_t i = 0; i < p->ncommands; i++)
		if (p->commands[i].steps.n && goal_named(g, plan_str(p, p->commands[i].name)))
			command_goal(w, out, &p->commands[i]);
	if (!g->whole)
		unnamed_goals(w, out);
}

static int ninja_write(struct generation *g, struct buf *out, struct err *err)
{
	struct writer *w = g->priv;

	(void)err;
	head(w, out);
	if (w->m->sources) {
		buf_z(out, "build sources: phony");
		for (uint32_t i = 0; i < g->plan->nsources; i++)
			name(out, plan_path_str(g->plan, g->plan->sources[i]));
		buf_c(out, '\n');
	}
	buf_z(out, "\n# --- steps ---\n");
	for (uint32_t i = 0; i < g->plan->nsteps; i++)
		if (w->m->steps[i].written)
			edge(w, out, i);
	goals(w, out);
	map_release(&w->names);
	return 0;
}

const struct generator generator_ninja = {
	.name = "ninja",
	.summary = "a build.ninja",
	.mode = 0666,
	.whole = true,
	.check = ninja_check,
	.write = ninja_write,
};
