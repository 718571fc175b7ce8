/* outputs.h: who declares which output: by literal path, and by pattern. Private to this room. */
#pragma once

#include "plan/maker.h"

struct outdecl {
	struct inst *by;
	const struct declared *what;
	uint32_t next;                  /* another declaration of the same literal; TABLE_NONE */
};

struct outmap {
	struct arena *arena;
	VEC(struct outdecl) all;        /* not the "!" ones */
	struct table literals;          /* path -> first in all */
	struct leads globs;             /* value: place in all */
	uint32_t *sorted; size_t nsorted;       /* literals by path */
	uint32_t *leads; struct str *lead; size_t nleads; /* patterns by lead, and their leads */
};

/* The outputs of an instance, its depfile among them, into the instance. */
int outputs_declare(struct at *, struct inst *);

struct outmap *outmap_new(struct maker *);       /* of all instances that m->made has */
void outmap_release(struct outmap *);
/* Is path an output, or below one? Then it is no source. */
bool outmap_covers(const struct outmap *, struct str path);
/* The declaration that covers path: not a variant's if another does; NULL. */
const struct outdecl *outmap_find(const struct outmap *, struct str path);
/* Does the instance declare it, or a folder or pattern that holds it, and not take it away? */
bool inst_covers(const struct inst *, struct str path);
/* The literals that begin with `lead`: a range in sorted. */
void outmap_range(const struct outmap *, struct str lead, size_t *from, size_t *to);
/* Calls see for every declaration that may make something the pattern matches: literals it matches,
 * what lies above its lead, and patterns that are not surely disjoint. */
void outmap_meets(const struct outmap *, struct str pattern, void (*see)(void *ctx, const struct outdecl *), void *ctx);

bool same_command(const struct inst *, const struct inst *);    /* variants of one step, or the step itself */
