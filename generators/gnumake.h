/* gnumake.h: what the parts of the make generator share. */
#pragma once

#include "base/map.h"
#include "generators/model.h"

#define STATE ".cairn~make"

/* A phony target: of a command or a workflow. */
struct phony {
	struct str name;                /* as make shall know it */
	struct str is, summary;         /* what it is in the plan */
	bool alias;                     /* a file has the name and is all there is to it */
	const struct plan_command *command; const struct plan_workflow *workflow;       /* one of them */
};

struct maker {
	struct model *m;
	struct map files;               /* all paths that are targets or prerequisites: value is the step that makes it, + 1 */
	struct map names;               /* of phonies */
	struct { struct phony *v; size_t n, cap; } phonies;
	struct str help, clean;
	struct buf all;                 /* names of phonies as prerequisites: one .PHONY for all, since make appends in linear time */
	uint32_t *seen, round;          /* by step: the phony that was last written with it */
};

/* Why make has no way to write it; NULL. */
const char *make_name_problem(struct str);
/* As a target or a prerequisite. */
void make_name(struct buf *, struct str, bool target);
void make_listed(struct buf *, struct str, bool target);       /* after a blank */

/* A phony that stands for these steps, for a workflow, for a command. */
void phony_steps(struct maker *, struct buf *, struct str target, const uint32_t *steps, size_t n);
void phony_workflow(struct maker *, struct buf *, struct str target, const struct plan_workflow *);
void phony_command(struct maker *, struct buf *, struct str target, const struct plan_command *);
