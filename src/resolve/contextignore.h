/* contextignore.h: ignore files of container builds (.dockerignore, .containerignore), as Docker reads them.
 *
 * A line that begins with "#" is a comment; blanks at both ends go; "!" brings back; "." and ".." are resolved, one
 * leading "/" goes. Patterns (contextwild.h) are anchored at the context's root. One that matches a folder matches all below it. The
 * last that matches decides, so that a file can be brought back although its folder is left out.
 *
 * The tar a builder gets is filtered by these rules and holds no ignore file, so that they mean the same on every engine. */
#pragma once

#include "base/err.h"

#define CONTEXTIGNORE_MAX (4u << 20)    /* bytes of an ignore file */
#define CONTEXTIGNORE_NAMES 4

struct contextignore;

/* Where the rules for a Containerfile may stand, in the order of contextignore_choose: NAME.dockerignore and
 * NAME.containerignore beside it, .dockerignore and .containerignore in the context folder ("" is the workspace). */
void contextignore_names(struct arena *, struct str containerfile, struct str context, struct str names[CONTEXTIGNORE_NAMES]);
/* Which one counts: those beside the Containerfile come first. NULL stands for one that is not there; *out is NULL when there is
 * none. -1: Docker would read one and Podman another that differs. */
int contextignore_choose(const struct source *const found[CONTEXTIGNORE_NAMES], const struct source **out, struct err *);

/* All malformed lines are collected, each with its place. src NULL: no rules. */
int contextignore_read(struct arena *, const struct source *src, const struct contextignore **out, struct err *);
/* Is it left out? The path is relative to the context; its parents are looked at as well. */
bool contextignore_match(const struct contextignore *, struct str path);
/* Of a folder that is left out: may something below it be brought back? Never false wrongly. */
bool contextignore_may_enter(const struct contextignore *, struct str dir);
