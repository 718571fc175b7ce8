/* leads.h: what patterns have in common with paths and with each other, without trying them all: a
 * pattern matches only what begins with its lead, the literal bytes before its first wild one, and
 * ends with its tail. Private to this room. */
#pragma once

#include "plan/table.h"

struct str pattern_lead(struct arena *, struct str pattern);
struct str pattern_tail(struct arena *, struct str pattern);
/* Surely no path is matched by both, nor lies below what one of them matches. */
bool pattern_disjoint(struct str lead_a, struct str tail_a, struct str lead_b, struct str tail_b);
/* Does it match path or a folder above it? */
bool pattern_holds(struct str pattern, struct str path);

/* Patterns by lead, all in the arena of the table. Those of one lead keep their order. */
struct lead_item { struct str pattern; uint32_t value; struct lead_item *next; };
struct lead_list { struct lead_item *first, *last; };
struct leads {
	struct table by_lead;           /* place in lists */
	struct lead_list *lists;
	size_t *lengths;                /* of leads, ascending */
	size_t nlists, caplists, nlengths, caplengths;
};
void leads_init(struct leads *, struct arena *);
void leads_add(struct leads *, struct str pattern, uint32_t value);
/* Calls see for each pattern that holds path, until it says false. */
void leads_each(const struct leads *, struct str path, bool (*see)(void *ctx, const struct lead_item *), void *ctx);
