/* reason.h: why a step has to run, or why its outputs are put back: leaf by leaf against what its last success in this
 * workspace rested on. For people; nothing decides by it. */
#pragma once

#include "exec/history.h"
#include "resolve/walk.h"

struct reason {
	struct str tag;                 /* "input", "env", "tool" ... as in doc/cache-keys.md; "output", "need"; "": none */
	struct str name;                /* which of them: a path, a variable's name; "" */
	struct str what;                /* "content changed", "gcc -> clang" */
};
struct reasons { struct reason *v; size_t n; };

/* What speaks against the step being left alone, in a key's order; none for PROBE_HIT. last: NULL when it never ran
 * here. Texts live in the arena. A store that can't say is a reason of its own, never an error. */
void reasons_find(struct arena *, struct walk *, uint32_t step, const struct probe *, const struct history_step *last,
		  struct reasons *);
/* "input src/a.c: content changed", "env CC: gcc -> clang", or what alone where there is no tag. */
struct str reason_text(struct arena *, const struct reason *);
