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
};

struct watch {
	struct str path;                /* workspace-relative or absolute */
	struct ident ident;
	uint32_t kind;
	uint32_t fact;                  /* the plan rests on it (spec file, listing), not only a key */
	struct digest digest;           /* FILE: content under that identity, when known */
};

struct watches { struct watch *v; size_t n, cap; };

static inline void watch_add(struct watches *w, struct str path, const struct ident *ident, enum watch_kind kind,
			     bool fact, const struct digest *digest)
{
	struct watch *new = vec_push(w);

	*new = (struct watch){.path = path, .ident = *ident, .kind = kind, .fact = fact};
	if (digest)
		new->digest = *digest;
}
