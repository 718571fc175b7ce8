#include "plan/maker.h"

#include <stdlib.h>

#include "plan/outputs.h"

/* 0 when all is known and sound so far. */
static int settled(const struct maker *m)
{
	/* what is open comes first: once it is known, all mistakes are said together */
	return m->asked ? PLAN_ASKED : m->failed ? -1 : 0;
}

/* Each part goes as far as it can; a later one starts only on what the ones before it know for sure. */
static int make_round(struct maker *m)
{
	int rc;

	if (vars_load(m) < 0 || variants_load(m) < 0)
		return -1;
	expand_all(m);
	if ((rc = settled(m)))
		return rc;
	each_check(m);
	clash_check(m);
	needs_resolve(m);
	if (m->failed || order_steps(m) < 0)
		return -1;
	goals_resolve(m);
	fill_steps(m);
	inputs_resolve(m);
	cache_settle(m);
	return settled(m);
}

static void make_release(struct maker *m)
{
	for (size_t i = 0; m->made && i < m->spec->ncommands; i++) {
		free(m->made[i].v);
		free(m->made[i].before);
	}
	outmap_release(m->outs);
	vec_free(&m->uses);
	build_release(&m->build);
}

int plan_make(const struct spec *spec, struct facts *facts, const struct plan_options *options, struct buf *out,
	      struct err *err)
{
	struct arena round = ARENA_INIT; /* nothing of a round outlives it but the image and its questions */
	struct err said = ERR_INIT;
	struct maker m = {.arena = &round, .spec = spec, .facts = facts, .options = options, .err = &said};
	int rc;

	build_init(&m.build, &round);
	rc = make_round(&m);
	if (rc == PLAN_DONE)
		rc = build_finish(&m.build, spec->name.n ? spec->name : S(""), out, &said);
	if (rc < 0 && err)
		err_move(err, &said);
	err_release(&said);
	make_release(&m);
	arena_release(&round);
	return rc;
}
