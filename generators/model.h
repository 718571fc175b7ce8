/* model.h: a plan as tools that run it natively need it: who is written, under which name, what it waits for. Shared by
 * the make, ninja and sh generators, whose steps are run by one shell text (stepper.h). */
#pragma once

#include "generators/generator.h"
#include "generators/refusals.h"

struct model_step {
	bool written;                   /* wanted, not a group, not skipped */
	bool always;                    /* has no key: runs every time */
	bool watched;                   /* rests on what a tool that compares times can't see: looked at in every run */
	bool stamp;                     /* its record is among its targets: literal outputs don't tell all of it */
	bool weak;                      /* it, or one that it needs, may fail and yet not stop the others */
	struct str slug;                /* its name as a file's and a variable's: letters, digits, . _ - */
	struct str *targets; size_t ntargets;   /* paths: required literal outputs, and the record if stamp */
	uint32_t *needs; size_t nneeds; /* written steps, through groups: those whose outputs are inputs */
	uint32_t *after; size_t nafter; /* those that only come first */
};

struct model {
	const struct generation *g;
	const struct plan *plan;
	struct arena *arena;
	const char *state;              /* folder of records, workspace-relative */
	struct plan_index *index;
	struct model_step *steps;       /* by step id */
	uint32_t n;                     /* how many are written */
	bool sources;                   /* some step reads all sources */
	struct refusals refusals;
};

/* What every native form can't express is refused already; the caller adds its own and ends with model_checked. */
struct model *model_new(struct generation *, const char *state);
void model_refuse(struct model *, uint32_t step, const char *field, const char *fmt, ...) PRINTF(4, 5);
/* The same where there is no step: of a workflow, a command. */
void model_refuse_named(struct model *, struct str name, const char *field, const char *fmt, ...) PRINTF(4, 5);
/* All refusals as one error. */
int model_checked(struct model *, const char *tool, struct err *);
/* The literal outputs that must be there after it ran. */
bool model_required(const struct plan_output *);

/* What a step of the model reads. */
struct model_inputs {
	struct str *required; size_t nrequired;         /* sources */
	struct str *optional; size_t noptional;
	struct model_made { uint32_t step; struct str path; } *made; size_t nmade;      /* of steps that are not among needs; by step */
	uint32_t *globbed; size_t nglobbed;             /* steps whose records globs are matched with, not among needs */
};
void model_inputs(struct model *, uint32_t step, struct model_inputs *out);
