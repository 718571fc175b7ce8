/* containerlink.h: the stream to the shim of one container: an engine's attach call, pumped through a shimlink. */
#pragma once

#include "runtimes/engine.h"
#include "runtimes/shimlink.h"

struct containerlink;

struct containerlink_calls {
	struct shimlink_calls shim;     /* `broken` is the link's own business and not called, nor are host_... */
	/* Attached: the first time the container is to be started. */
	void (*attached)(void *ctx);
	/* The stream is at its end, or broke: only the engine knows what became of the container. text: why, as far as it is
	 * known, and what the shim itself had to say. */
	void (*ended)(void *ctx, struct str text);
};

/* Attaches at once. Callbacks come from the loop only; all but ended may close the link. id is copied. */
struct containerlink *containerlink_open(struct engine *, struct str id, const struct containerlink_calls *, void *ctx, struct err *);
void containerlink_close(struct containerlink *);       /* NULL is fine */
/* Once more, after ended, to a container that runs still: the conversation goes on where it was. */
void containerlink_again(struct containerlink *);
/* Who is told from now on; the stream goes on. */
void containerlink_owner(struct containerlink *, const struct containerlink_calls *, void *ctx);
/* Who is told of cairn-host's calls, by host_call and its like; NULL: nobody, they are passed over. */
void containerlink_host(struct containerlink *, const struct shimlink_calls *, void *ctx);
/* What the shim is asked through; then push. */
struct shimlink *containerlink_shim(struct containerlink *);
void containerlink_push(struct containerlink *);
