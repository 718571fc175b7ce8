/* place.h: outputs in the workspace: moved aside before a step, collected after it, put back, restored
 * from a store. Everything is staged as a sibling `.cairn~<run>~*` on the same file system and
 * renamed; nothing is written or removed outside the workspace, through a link that leads out, or
 * (but for what the ledger holds unmodified) without being saved as a blob first. */
#pragma once

#include "cache/store.h"
#include "exec/ledger.h"
#include "plan/plan.h"
#include "plan/result.h"
#include "sys/file.h"

struct content;                         /* resolve/content.h */

struct place {
	int rootfd;
	const char *root;               /* absolute, real */
	struct store *store;
	struct ledger *ledger;
	char run[24];                   /* names staged siblings */
	/* Told of each file of the user that was in an output's place and is now the named blob. */
	void (*saved)(void *ctx, struct str path, const struct digest *);
	void *ctx;
	uint64_t counter;
	bool store_failed;              /* place_collect could not keep some blob: no record may name what it returned */
	/* What a link points to, for a link's digest; NULL: the digest of a file in the workspace, else none. */
	struct content *content;
	bool options;                   /* this run has options (-V) that others have not: what it does not declare stays */
};

struct aside;                           /* in the arena given */

/* Moves the step's earlier outputs (ledger), and whatever else stands where it declares outputs, aside; makes
 * parent folders of literal outputs. STEP_KEEP: copies nothing, moves nothing. A path that the ledger
 * gives to another live step fails. */
int place_clear(struct place *, struct arena *, const struct plan *, uint32_t step, struct aside **, struct err *);
/* The same for a step that worked in a private copy, `from`: what it declares comes from there, in place of what stands here.
 * Missing outputs fail before anything is moved; *aside stays NULL when there is nothing to roll back. */
int place_take(struct place *, struct place *from, struct arena *, const struct plan *, uint32_t step, struct aside **, struct err *);
/* What place_clear would move aside: paths, into a map. Nothing is moved. */
struct map;
int place_earlier(struct place *, struct arena *, const struct plan *, uint32_t step, struct map *out, struct err *);
int place_commit(struct place *, struct aside *, struct err *);          /* the step succeeded: what was aside goes */
int place_rollback(struct place *, struct aside *, struct err *);        /* it failed: partial outputs go, earlier ones come back */

/* Finds what the step wrote under its declarations, sorted by path; files go into the store. A declared
 * output that is missing fails with its name; so does one that holds one of the secrets. to_store false: only digests.
 * root_bound: the first output that contains root as text, or the path of the copy that the step took for it; or "". */
struct place_needles { struct str *secrets; size_t nsecrets; struct str copy; };
int place_collect(struct place *, struct arena *, const struct plan *, uint32_t step, bool to_store,
		  const struct place_needles *, struct entries *out, struct ident **idents /* parallel to out: what each was read under */,
		  struct str *root_bound, struct err *);

/* Makes the workspace hold exactly the result's outputs: 1 restored, 0 a blob is missing (nothing was changed), -1.
 * What the ledger holds for the step and the result lacks is removed if unmodified. Present mtimes. */
int place_restore(struct place *, struct arena *, const struct plan *, uint32_t step, const struct result *, struct err *);
/* Tells the ledger what the step has written. What it wrote under other options and does not declare under these
 * stays in the ledger: options of one run never remove anything. */
int place_note(struct place *, struct arena *, const struct plan *, uint32_t step, const struct entries *, struct err *);
/* Has that been told, and not only by a run with options that this one has not? */
bool place_noted(const struct place *, const struct plan *, uint32_t step);
/* Removes a step's outputs if unmodified (clean, steps that are no more); *n counts files. */
int place_remove(struct place *, struct str step, size_t *n, size_t *kept, struct err *);
