/* place-parts.h: what place*.c share and nobody else needs. */
#pragma once

#include "base/vec.h"
#include "exec/beneath.h"
#include "exec/place.h"

/* --- place-walk.c: what stands where a step declares outputs --- */

struct standing {
	struct str path;                /* in the walk's arena, followed by a NUL */
	struct stat st;
	bool whole;                     /* a literal folder that is an output with all it holds */
	bool literal;                   /* named by an output itself, not found by a pattern or below a folder */
};
struct standings {
	VEC(struct standing) v;
	bool blocked;                   /* a file stands where a parent folder is to be made */
};
void standings_release(struct standings *);

enum {
	WALK_TOPS = 1 << 0,             /* of a whole folder only the folder itself */
	WALK_PARENTS = 1 << 1,          /* make parent folders of literal outputs */
	WALK_NEEDED = 1 << 2,           /* an output at which nothing stands is an error, unless it is optional */
};
/* Sorted by path, unique, and nothing below a whole folder when only tops are asked for. */
int place_standing(struct place *, struct arena *, const struct plan *, uint32_t step, unsigned flags,
		   struct standings *out, struct err *);
/* Everything below a folder that is not staged, the folder itself not. */
int place_below(struct place *, struct arena *, struct str folder, struct standings *out, struct err *);
/* Has the step a pattern that takes away? Then no folder is wholly its own. */
bool place_takes_away(const struct plan *, uint32_t step);

/* --- place-save.c --- */

/* The digest of what was read, which is all of the file. */
int place_hash(int fd, struct digest *out, struct err *);
struct entry *place_find(const struct entries *, struct str path);      /* by path; NULL */
/* Is what stands there e still? 1, 0, -1. */
int place_unmodified(int dir, const char *name, const struct stat *, const struct entry *e, struct err *);
/* Looks at what is at `name` in folder dir and once was at path. Content that is neither as old (what the step
 * wrote last) or the ledger has it nor in the store is put there and told. *unmodified: it is what a step wrote. */
int place_save(struct place *, int dir, const char *name, struct str path, const struct entries *old, bool *unmodified,
	       struct err *);
/* The same for all that a folder holds. */
int place_save_below(struct place *, struct str folder, struct str path, const struct entries *old, struct err *);
/* Fails when path is of a step of the plan that is neither this one nor a variant of the same. */
int place_check_owner(struct place *, const struct plan *, uint32_t step, struct str path, struct err *);

/* --- place-aside.c --- */

struct move {
	struct str from, to;
	bool folder;
	bool undeclared;                /* of the ledger alone: comes back when it was modified */
	bool done, back;                /* was moved; was moved back */
};
struct aside {
	const struct plan *plan;
	uint32_t step;
	bool keep;
	struct entries old;             /* what the ledger said of the step then */
	struct move *moves;
	size_t n;
	struct str *folders;            /* of the ledger alone, deepest last: go when they are empty */
	size_t nfolders;
};
/* As place_clear, whatever STEP_KEEP says. */
int aside_move(struct place *, struct arena *, const struct plan *, uint32_t step, struct aside **, struct err *);
/* Halves of place_commit: what can fail, and notes for the journal; then what can't. */
int aside_save(struct place *, struct aside *, struct err *);
void aside_drop(struct place *, struct aside *);
/* Everything goes back to where it was, over what stands there. */
int aside_return(struct place *, struct aside *, struct err *);

/* A name for a sibling in folder dir. */
struct str place_sibling(struct place *, struct arena *, struct str dir);
