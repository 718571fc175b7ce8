/* fill.h: what the parts that write a step's fields share. Private to this room. */
#pragma once

#include "plan/maker.h"

struct env_item {
	struct str name, value;
	uint32_t secret;                /* PLAN_NONE: value counts */
	uint32_t at;                    /* the later one wins */
};

struct filler {
	struct maker *m;
	struct build *b;
	struct table secrets;
	struct table shared;            /* lists and places by their bytes */
	VEC(struct env_item) env;
	struct plan_span env_before, words_before;      /* those of the step before, which are often the same */
};

void fill_secrets(struct filler *);      /* fillenv.c: the plan's secrets */
/* fillenv.c: variables, later ones win; what is passed on; uses of secrets. 0, or what at_text said. */
int fill_env(struct filler *, struct at *, const struct inst *, struct plan_step *);
/* fillplace.c: its runtime, place and secret files. The same. */
int fill_place(struct filler *, struct at *, struct inst *, struct plan_step *);
