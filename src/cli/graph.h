/* graph.h: which steps are drawn, and how: what cmd-graph.c and the forms share. */
#pragma once

#include "cli/survey.h"

struct graph {
	const struct plan *plan;
	const struct survey *survey;    /* NULL: without states */
	uint32_t *steps; uint32_t nsteps;       /* that are drawn, in the plan's order */
	uint32_t *at;                   /* by step id: its place in steps, or PLAN_NONE */
	struct graph_edge { uint32_t from, to; bool order_only; } *edges; size_t nedges;      /* places; from is needed by to */
	uint32_t focus;                 /* step id or PLAN_NONE */
	struct arena *arena;
};

/* What is selected, or of it what lies within depth of focus (PLAN_NONE: all), by needs and by dependents. */
void graph_make(struct graph *, struct arena *, const struct session *, const struct survey *, uint32_t focus, uint32_t depth);
/* "hit", ...; "" without states. */
const char *graph_state(const struct graph *, uint32_t place);

void graph_dot(const struct graph *, struct buf *out);
void graph_mermaid(const struct graph *, struct buf *out);
void graph_json(const struct graph *, struct buf *out);
void graph_svg(const struct graph *, struct buf *out);
/* The picture in a page that shows more on demand; asks no other file. */
void graph_html(const struct graph *, struct buf *out);
