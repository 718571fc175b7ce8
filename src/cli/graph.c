#include "cli/graph.h"

#include "base/json.h"
#include "base/vec.h"
#include "cli/show.h"

static struct str name_of(const struct graph *g, uint32_t place) { return plan_step_name(g->plan, g->steps[place]); }

const char *graph_state(const struct graph *g, uint32_t place)
{
	if (!g->survey || g->survey->steps[g->steps[place]].state == SURVEY_NONE)
		return "";
	return survey_state_name(g->survey->steps[g->steps[place]].state);
}

/* Marks what lies within depth: needs before it, dependents behind it. */
static void mark_near(const struct plan *p, const uint8_t *wanted, uint32_t focus, uint32_t depth, uint32_t *before, uint32_t *behind)
{
	for (uint32_t i = 0; i < p->nsteps; i++)
		before[i] = behind[i] = PLAN_NONE;
	before[focus] = behind[focus] = 0;
	for (uint32_t i = focus + 1; i-- > 0;) {
		const struct plan_step *s = &p->steps[i];

		for (uint32_t k = 0; before[i] < depth && k < s->needs.n; k++) {
			uint32_t need = p->needs[s->needs.at + k].step;

			if (before[need] > before[i] + 1)
				before[need] = before[i] + 1;
		}
	}
	for (uint32_t i = focus + 1; i < p->nsteps; i++) {
		const struct plan_step *s = &p->steps[i];

		for (uint32_t k = 0; wanted[i] && k < s->needs.n; k++) {
			uint32_t from = behind[p->needs[s->needs.at + k].step];

			if (from < depth && behind[i] > from + 1)
				behind[i] = from + 1;
		}
	}
}

static void add_edges(struct graph *g)
{
	const struct plan *p = g->plan;
	VEC(struct graph_edge) edges = {0};

	for (uint32_t i = 0; i < g->nsteps; i++) {
		const struct plan_step *s = &p->steps[g->steps[i]];

		for (uint32_t k = 0; k < s->needs.n; k++) {
			const struct plan_need *need = &p->needs[s->needs.at + k];

			if (g->at[need->step] != PLAN_NONE)
				vec_add(&edges, (struct graph_edge){g->at[need->step], i, need->flags & NEED_ORDER_ONLY});
		}
	}
	g->edges = arena_array(g->arena, edges.n, struct graph_edge);
	g->nedges = edges.n;
	if (edges.n)
		memcpy(g->edges, edges.v, edges.n * sizeof(*edges.v));
	vec_free(&edges);
}

void graph_make(struct graph *g, struct arena *a, const struct session *s, const struct survey *survey, uint32_t focus, uint32_t depth)
{
	const struct plan *p = s->plan;
	uint32_t *before = arena_array(a, p->nsteps + 1, uint32_t), *behind = arena_array(a, p->nsteps + 1, uint32_t);

	*g = (struct graph){.plan = p, .survey = survey, .focus = focus, .arena = a};
	g->steps = arena_array(a, p->nsteps + 1, uint32_t);
	g->at = arena_array(a, p->nsteps + 1, uint32_t);
	if (focus != PLAN_NONE)
		mark_near(p, s->selection.wanted, focus, depth, before, behind);
	for (uint32_t i = 0; i < p->nsteps; i++) {
		bool drawn = s->selection.wanted[i] && (focus == PLAN_NONE || before[i] <= depth || behind[i] <= depth);

		g->at[i] = drawn ? g->nsteps : PLAN_NONE;
		if (drawn)
			g->steps[g->nsteps++] = i;
	}
	add_edges(g);
}

/* ---- as text ---- */

static void dot_text(struct buf *out, struct str s)
{
	buf_c(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '"' || s.s[i] == '\\')
			buf_c(out, '\\');
		if (s.s[i] == '\n')
			buf_z(out, "\\n");
		else
			buf_c(out, s.s[i]);
	}
	buf_c(out, '"');
}

static const char *const colors[SURVEY_STATES] = {
	[SURVEY_HIT] = "#d7f0dc", [SURVEY_RESTORE] = "#d6e6fb", [SURVEY_RUN] = "#ffd9b8", [SURVEY_PENDING] = "#fff1b8", [SURVEY_SKIPPED] = "#e6e6e6",
};

static const char *color_of(const struct graph *g, uint32_t place)
{
	return g->survey && g->survey->steps[g->steps[place]].state != SURVEY_NONE ? colors[g->survey->steps[g->steps[place]].state] : "#ffffff";
}

void graph_dot(const struct graph *g, struct buf *out)
{
	buf_z(out, "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n");
	for (uint32_t i = 0; i < g->nsteps; i++) {
		buf_fmt(out, "  s%u [label=", i);
		dot_text(out, name_of(g, i));
		buf_fmt(out, ", fillcolor=\"%s\"", color_of(g, i));
		if (*graph_state(g, i))
			buf_fmt(out, ", tooltip=\"%s\"", graph_state(g, i));
		buf_z(out, g->steps[i] == g->focus ? ", penwidth=3];\n" : "];\n");
	}
	for (size_t i = 0; i < g->nedges; i++)
		buf_fmt(out, "  s%u -> s%u%s;\n", g->edges[i].from, g->edges[i].to, g->edges[i].order_only ? " [style=dashed]" : "");
	buf_z(out, "}\n");
}

static void mermaid_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.s[i];

		if (strchr("\"#<>&;`", c) || c < ' ')
			buf_fmt(out, "#%u;", c);
		else
			buf_c(out, s.s[i]);
	}
}

void graph_mermaid(const struct graph *g, struct buf *out)
{
	buf_z(out, "flowchart LR\n");
	for (uint32_t i = 0; i < g->nsteps; i++) {
		buf_fmt(out, "  s%u[\"", i);
		mermaid_text(out, name_of(g, i));
		buf_z(out, "\"]");
		if (*graph_state(g, i))
			buf_fmt(out, ":::%s", graph_state(g, i));
		buf_c(out, '\n');
	}
	for (size_t i = 0; i < g->nedges; i++)
		buf_fmt(out, "  s%u %s s%u\n", g->edges[i].from, g->edges[i].order_only ? "-.->" : "-->", g->edges[i].to);
	for (int i = SURVEY_HIT; g->survey && i < SURVEY_STATES; i++)
		buf_fmt(out, "  classDef %s fill:%s\n", survey_state_name(i), colors[i]);
	if (g->focus != PLAN_NONE)
		buf_fmt(out, "  style s%u stroke-width:4px\n", g->at[g->focus]);
}

void graph_json(const struct graph *g, struct buf *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_kint(&j, "cairn_graph", 1);
	json_key(&j, "steps");
	json_open(&j, '[');
	for (uint32_t i = 0; i < g->nsteps; i++) {
		const struct plan_step *s = &g->plan->steps[g->steps[i]];

		json_open(&j, '{');
		json_kstr(&j, "step", name_of(g, i));
		json_kstr(&j, "command", plan_str(g->plan, s->command));
		if (s->summary.n)
			json_kstr(&j, "summary", plan_str(g->plan, s->summary));
		if (*graph_state(g, i)) {
			json_kstr(&j, "status", str_of(graph_state(g, i)));
			if (g->survey->steps[g->steps[i]].reason.n)
				json_kstr(&j, "reason", g->survey->steps[g->steps[i]].reason);
		}
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "edges");
	json_open(&j, '[');
	for (size_t i = 0; i < g->nedges; i++) {
		json_open(&j, '{');
		json_kstr(&j, "from", name_of(g, g->edges[i].from));
		json_kstr(&j, "to", name_of(g, g->edges[i].to));
		if (g->edges[i].order_only)
			json_kbool(&j, "order_only", true);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(out, '\n');
}
