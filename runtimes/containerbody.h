/* containerbody.h: the body of an engine's "create container" call, from a step of a plan. Docker's API, which Podman speaks
 * as well (docs.docker.com/reference/api/engine, "ContainerCreate"). Pure: all that it needs is handed to it.
 *
 * A container is made for the shim, which runs the step: nothing of the step's environment, script or secrets is in the body,
 * so nobody who may inspect containers sees them. */
#pragma once

#include "base/err.h"
#include "plan/plan.h"

#define CONTAINER_SHIM "/cairn/shim"    /* where the container finds it */
#define CONTAINER_HOST_DIR "/cairn/bin" /* for a step with host_ssh, first in its PATH: the shim once more, as cairn-host */

/* Labels by which cairn finds its own again. */
#define LABEL_OWNER "io.cairn.owner"    /* the state folder that it belongs to, as a hash */
#define LABEL_RUN "io.cairn.run"
#define LABEL_STEP "io.cairn.step"

struct container_mount { struct str source, target; bool readonly; };  /* bind, absolute on both sides */

struct containerbody {
	const struct plan *plan;
	const struct plan_step *step;
	struct str image;               /* id */
	struct str shim;                /* absolute path on this machine */
	struct str root;                /* of the workspace as this step sees it, absolute on this machine */
	struct str owner, run;
	struct str silence;             /* seconds after which the shim ends when nobody is there any more */
	struct str user;                /* what the shim runs as, "UID:GID"; empty: the image's */
	const struct str *sources;      /* by mount of the step's place: BIND: absolute; VOLUME: name; CUSTOM: where it was mounted */
	bool selinux;                   /* the host labels files: the workspace's are left as they are */
	bool podman;
};

void containerbody_write(const struct containerbody *, struct buf *json);

/* Is there a field that no container can keep, or not this cairn yet? ERR_RUNTIME names it. */
int containerbody_check(const struct plan *, const struct plan_step *, struct err *);
