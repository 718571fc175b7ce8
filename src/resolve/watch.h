/* watch.h: paths and the identities under which they entered a plan or a key: what has to be as it was
 * for a run to have nothing to do. */
#pragma once

#include "base/vec.h"
#include "plan/entry.h"
#include "sys/file.h"

enum watch_kind {
	WATCH_FILE,                     /* the whole identity counts; mode 0: must be absent */
	WATCH_LIST,                     /* a folder whose entries were listed: the whole identity counts */
	WATCH_DIR,                      /* a folder as output: type and permissions count */
	WATCH_TYPE,                     /* only what it is counts: file, folder, link, nothing */
};

enum watch_fact {                       /* does the plan rest on it, and how? The worse is the larger */
	FACT_NONE,                      /* only a key does */
	FACT_TYPE,                      /* on its type */
	FACT_ASK,                       /* when it changes, questions must be asked again */
	FACT_SPEC,                      /* when it changes, the plan is stale */
};

struct watch {
	struct str path;                /* workspace-relative or absolute */
	struct ident ident;
	uint32_t kind;                  /* enum watch_kind */
	uint16_t fact;                  /* enum watch_fact */
	uint16_t any_key;               /* a tool and the like: any step's key may rest on it */
	struct digest digest;           /* FILE: content under that identity, when known */
};

struct watches { struct watch *v; size_t n, cap; };

/* Is it what it was, as far as that kind of watch goes? */
static inline bool watch_holds(enum watch_kind kind, const struct ident *was, const struct ident *now)
{
	if (kind == WATCH_DIR)
		return was->mode == now->mode;
	if (kind == WATCH_TYPE)
		return (was->mode & S_IFMT) == (now->mode & S_IFMT);
	return ident_eq(was, now);
}

static inline void watch_add(struct watches *w, struct str path, const struct ident *ident, enum watch_kind kind,
			     enum watch_fact fact, const struct digest *digest)
{
	struct watch *new = vec_push(w);

	*new = (struct watch){.path = path, .ident = *ident, .kind = kind, .fact = fact};
	if (digest)
		new->digest = *digest;
}
