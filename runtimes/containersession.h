/* containersession.h: what the container steps of one run share: the engine, the images that were made sure of, warm
 * containers, and what is left to be removed. */
#pragma once

#include "runtimes/engine.h"
#include "runtimes/runtime.h"

struct container_session;

int container_session_open(const struct runtime_context *, void **session, struct err *);
/* Waits until everything of this run is removed, or the engine says no more. */
void container_session_close(void *session);

/* ---- the engine: found when the first step asks, kept ---- */

struct container_wait;                  /* one who waits; forgotten by container_unwait */
/* Calls fn from the loop, with the engine, or NULL and why (the err is fn's to take from). */
struct container_wait *container_engine(struct container_session *, void (*fn)(void *ctx, struct engine *, struct err *), void *ctx);
void container_unwait(struct container_session *, struct container_wait *);    /* NULL is fine */

/* ---- an image that the engine surely has ---- */

struct container_image {                /* lives as long as the session */
	struct str id;                  /* "sha256:..." */
	struct str user, path;          /* of its configuration; path: PATH, or the engines' default */
	const struct str *entrypoint; size_t nentrypoint;
	const struct str *cmd; size_t ncmd;
	const struct str *env; size_t nenv;     /* NAME=VALUE */
};
/* Looks for it and pulls it where it may be pulled, once for all who wait for the same. fn as above. */
struct container_wait *container_image(struct container_session *, const struct job_image *,
				       void (*fn)(void *ctx, const struct container_image *, struct err *), void *ctx);

/* ---- containers ---- */

struct arena *container_arena(struct container_session *);
const struct runtime_context *container_context(const struct container_session *);
/* The state folder as a label's value: whose containers these are. */
struct str container_owner(const struct container_session *);
/* A name for the next container. */
void container_name(struct container_session *, char out[64]);
/* A container may have been made, or be made yet, whose id nobody was told: it is looked for at the end, at the latest. */
void container_unsure(struct container_session *, struct str name);
/* Those that wait for another step. */
struct containerpool *container_pool(struct container_session *);
/* Removed in the background, by force; whoever used it is done with it. */
void container_discard(struct container_session *, struct str id);
/* Absolute path of the shim's program; NULL with err. */
const char *container_shim(struct container_session *, struct err *);
/* What steps' SSH servers have in common. NULL with err. */
struct hostssh *container_hostssh(struct container_session *, struct err *err);
bool container_selinux(void);
