/* containerpool.h: containers of `reuse: true` steps that wait for the next step of the same settings, each with the stream to its shim. What
 * the steps of one container have in common is its key: two steps may share one only if all that a container is made of is the same. */
#pragma once

#include "base/digest.h"
#include "runtimes/containerlink.h"
#include "runtimes/containersession.h"

struct containerpool;

struct container_warm { struct str id; struct containerlink *link; };

/* May this step take a container that others used? No where the container holds something that is one step's own: a private copy
 * of the workspace, a port of this machine. */
bool container_reusable(const struct job *);
/* sources: containerplace.h's. A folder that was replaced is another one: a mount would show the old. */
struct xxh container_key(const struct job *, const struct container_image *, const struct str *sources);

struct containerpool *containerpool_new(struct container_session *);
/* Ends all that wait. */
void containerpool_free(struct containerpool *);        /* NULL is fine */
/* false: there is none. The caller, whose the link is now, sets itself as its owner. id lives in the arena. */
bool containerpool_take(struct containerpool *, struct xxh key, struct arena *, struct container_warm *);
/* The link must not have told its end; the pool's now. id is copied. secrets: the step had files of some, which go. */
void containerpool_give(struct containerpool *, struct xxh key, struct container_warm, bool secrets);
