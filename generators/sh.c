/* sh.c: a plan as one POSIX script that runs its steps one after the other, in an order that keeps all others. */
#include "generators/block.h"
#include "generators/stepper.h"

#define STATE ".cairn~sh"

struct script { struct model *m; uint32_t *order; size_t n; uint8_t *state; };

static int sh_check(struct generation *g, struct err *err)
{
	g->priv = model_new(g, STATE);
	return model_checked(g->priv, "sh", err);
}

/* ---- the order ---- */

/* What must come before a step: its needs, and those that a sequential workflow puts first. */
static void visit(struct script *s, uint32_t step)
{
	const struct plan *p = s->m->plan;
	const struct selection *sel = s->m->g->selection;
	const struct plan_step *it = &p->steps[step];

	if (s->state[step])
		return;
	s->state[step] = 1;
	for (uint32_t i = 0; i < it->needs.n; i++)
		visit(s, p->needs[it->needs.at + i].step);
	for (size_t i = 0; i < sel->norder; i++)
		if (sel->order[i].after == step && sel->wanted[sel->order[i].before])
			visit(s, sel->order[i].before);
	if (s->m->steps[step].written)
		s->order[s->n++] = step;
}

static void put_in_order(struct script *s, bool last)
{
	const struct plan *p = s->m->plan;
	const uint8_t *wanted = s->m->g->selection->wanted;

	for (uint32_t i = 0; i < p->nsteps; i++)
		if (wanted[i] && !(wanted[i] & SELECT_FINALLY) == !last)
			visit(s, i);
}

/* ---- text ---- */

static void head(struct buf *out, const struct script *s)
{
	const struct plan *p = s->m->plan;

	buf_z(out, "#!/bin/sh\n# Generated from");
	for (uint32_t i = 0; i < p->nspecs; i++)
		buf_fmt(out, "%s " STR_FMT, i ? "," : "", STR_ARG(plan_str(p, p->specs[i])));
	buf_z(out, ", to be run in the folder of the spec. It runs what has to run, in order, and stops at the first failure.\n"
		   "# Options: --clean removes what the steps made and the records in " STATE "; --force runs everything.\n"
		   "# It is static: which files there are, which conditions hold and what ${{ }} stands for was settled when it was written.\n\n"
		   "_S=" STATE " _mode=sh _still=\n"
		   "mkdir -p \"$_S\" && echo '*' >\"$_S/.gitignore\" || exit 3\n");
	buf_z(out, stepper_text);
	if (s->m->sources)
		block_sources(out, s->m);
	buf_z(out, "has_passed() {\n\tfor _s; do grep -qxF \"$_s\" \"$_S/passed\" || return; done\n}\n: >\"$_S/passed\"\n");
	buf_z(out, "case ${1-} in\n--clean) clean; exit ;;\n--force) rm -f \"$_S\"/*.in ;;\n'') ;;\n*) echo \"unknown option $1\" >&2; exit 2 ;;\nesac\n");
}

static void body(struct buf *out, struct script *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		buf_c(out, '\n');
		block_write(out, s->m, s->order[i]);
	}
}

/* What runs in the end runs whatever became of others, but for what it needs. */
static void last_body(struct buf *out, struct script *s, size_t from)
{
	buf_z(out, from < s->n ? "\n# --- whatever happened ---\n" : "");
	for (size_t i = from; i < s->n; i++) {
		const struct model_step *t = &s->m->steps[s->order[i]];

		buf_z(out, "\nhas_passed");
		for (size_t k = 0; k < t->nneeds; k++)
			buf_fmt(out, " " STR_FMT, STR_ARG(s->m->steps[t->needs[k]].slug));
		for (size_t k = 0; k < t->nafter; k++)
			buf_fmt(out, " " STR_FMT, STR_ARG(s->m->steps[t->after[k]].slug));
		buf_z(out, " && (\n");
		block_write(out, s->m, s->order[i]);
		buf_z(out, ") || _failed=1\n");
	}
}

/* Those that may fail and let the others go on make the whole fail in the end. */
static void verdict(struct buf *out, const struct script *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		if (!(s->m->plan->steps[s->order[i]].flags & STEP_CONTINUE))
			continue;
		buf_z(out, any ? " " : "\npassed ");
		buf_str(out, s->m->steps[s->order[i]].slug);
		any = true;
	}
	buf_z(out, any ? " || _failed=1\n" : "");
}

static int sh_write(struct generation *g, struct buf *out, struct err *err)
{
	struct script s = {.m = g->priv};
	size_t main;

	(void)err;
	s.order = arena_array(g->arena, g->plan->nsteps + 1, uint32_t);
	s.state = arena_array(g->arena, g->plan->nsteps + 1, uint8_t);
	put_in_order(&s, false);
	main = s.n;
	put_in_order(&s, true);
	head(out, &s);
	buf_z(out, "\n(\n:");
	body(out, &s, 0, main);
	buf_z(out, ")\n_failed=$?\n");
	last_body(out, &s, main);
	verdict(out, &s);
	buf_z(out, "exit $_failed\n");
	return 0;
}

const struct generator generator_sh = {
	.name = "sh",
	.summary = "a POSIX shell script",
	.mode = 0777,
	.check = sh_check,
	.write = sh_write,
};
