/* seen.h: what patterns match and what steps need, each worked out once for the many steps that ask.
 * Private to this room. */
#pragma once

#include "plan/outputs.h"

struct seen;
struct seen *seen_new(struct maker *);

enum { SEEN_NOT, SEEN_ORDER_ONLY, SEEN_COUNTS };
/* Is it a direct need, and does it count? */
int seen_direct(const struct need_set *, uint32_t step);
/* Is step among the needs, or what these need? */
bool seen_reaches(struct seen *, const struct need_set *, uint32_t step);
/* All of these; valid until the next question about another set. */
const uint32_t *seen_closure(struct seen *, const struct need_set *, uint32_t *n);

struct seen_source { struct str path; uint32_t id; };   /* temporary path id */
struct seen_maker { const struct outdecl *decl; bool surely; /* a folder or pattern for certain */ };
struct seen_pattern {
	struct str pattern;
	bool asked;
	struct seen_source *sources; size_t nsources;           /* on disk, covered by no output */
	const struct outdecl **literals; size_t nliterals;      /* literal outputs it matches, not of variants */
	struct seen_maker *makers; size_t nmakers;              /* what may turn out to hold a match, by step */
};
/* The first of its makers that is not before step. */
size_t seen_maker_at(const struct seen_pattern *, uint32_t step);
/* NULL: asked, or said what is wrong. Without ask_sources there are no sources in it. */
const struct seen_pattern *seen_pattern(struct seen *, struct str pattern, bool ask_sources, struct loc);
