/* shimlink.h: the controller's side of runtimes/shim/protocol.h, as a machine that takes bytes and gives bytes. Whoever
 * owns the stream (an engine's attach, a pod's, a socket) pumps it:
 *
 *	shimlink_connect at the stream's beginning, shimlink_feed what it gives, write what shimlink_pending shows and tell
 *	shimlink_wrote; shimlink_tick when shimlink_due has come.
 *
 * A stream that ended or broke says nothing of a step: connect another one to the same shim, and all goes on where it was,
 * nothing lost and nothing twice. What became of a step is known from `done` alone. Times are loop_now's.
 *
 * Callbacks come from within feed and tick only; they may call anything here but shimlink_close. */
#pragma once

#include "base/err.h"
#include "runtimes/shim/protocol.h"

struct shimlink;

struct shimlink_calls {
	/* The shim answered: `again` when it is the one that this link knew before. pid is its own; first: it is PID 1. */
	void (*ready)(void *ctx, bool again, uint32_t pid, bool first);
	/* The stream is of no use any more; connect another, or give up. The err is the callee's. */
	void (*broken)(void *ctx, struct err *);
	void (*started)(void *ctx, uint32_t step, uint32_t pid);                /* may be NULL */
	void (*output)(void *ctx, uint32_t step, int stream /* 1 or 2 */, struct str bytes);
	/* text: why it was not started */
	void (*done)(void *ctx, const struct shim_done *, struct str text);
	void (*put_done)(void *ctx, uint32_t id, int reason /* errno, 0: it is all there */, struct str text);
	void (*got)(void *ctx, uint32_t id, struct str bytes);                  /* of the archive */
	/* reason EBADMSG also where what arrived is not what was sent */
	void (*get_done)(void *ctx, uint32_t id, int reason, struct str text);
	void (*bye)(void *ctx, struct str text);                                /* the shim ends itself */
	/* cairn-host; all NULL where no step may use it. A call lives until shimlink_host_done or host_gone. */
	void (*host_call)(void *ctx, uint32_t call, char *const *argv, char *const *env, const char *cwd);
	void (*host_input)(void *ctx, uint32_t call, struct str bytes);         /* none: its end. shimlink_host_taken for more */
	void (*host_room)(void *ctx, uint32_t call, int stream);                /* shimlink_host_output takes bytes again */
	void (*host_gone)(void *ctx, uint32_t call);
};

/* silence_ms: without a sign of this side for so long the shim ends itself; this side sends one four times as often, and
 * takes the stream for broken after as long without one of the shim. */
struct shimlink *shimlink_open(const struct shimlink_calls *, void *ctx, uint32_t silence_ms, struct err *);
void shimlink_close(struct shimlink *);

void shimlink_connect(struct shimlink *, uint64_t now);
/* -1: the stream broke (broken was called, or connect has to come first). */
int shimlink_feed(struct shimlink *, struct str bytes, uint64_t now);
struct str shimlink_pending(const struct shimlink *);           /* what to write next; none: nothing */
void shimlink_wrote(struct shimlink *, size_t n);
uint64_t shimlink_due(const struct shimlink *);                 /* UINT64_MAX: never */
void shimlink_tick(struct shimlink *, uint64_t now);

/* --- what is asked of the shim. Ids are the link's own, never 0; 0 with err: too long for a message. --- */

struct shim_step {
	const char *const *argv, *const *env;                   /* NULL-terminated; env NULL: none */
	uint32_t flags;                                         /* STEP_ENV_ADD, STEP_HOST */
	const char *cwd;                                        /* NULL: / */
	bool has_user;
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t ngroups;
	uint32_t umask;
	uint64_t limits[SHIM_LIMITS];                           /* 0: as they are */
	uint64_t timeout_ms;                                    /* 0: none */
	uint32_t grace_ms;                                      /* between SIGTERM and SIGKILL then */
	const char *script_path;                                /* NULL: none */
	struct str script;
};

/* One at a time: after done of the one before. */
uint32_t shimlink_step(struct shimlink *, const struct shim_step *, struct err *);
void shimlink_signal(struct shimlink *, uint32_t step, int sig);

struct shim_put { const char *root; uint32_t flags; bool has_user; uint32_t uid, gid; };
/* Then the archive by shimlink_put, which takes no more than shimlink_room at a time, then shimlink_put_end. One at a time.
 * A step may be asked for right behind it: it runs only if the workspace arrived whole. */
uint32_t shimlink_put(struct shimlink *, const struct shim_put *, struct err *);
size_t shimlink_room(const struct shimlink *);                  /* how much may be put without piling up here */
void shimlink_put_data(struct shimlink *, struct str bytes);
void shimlink_put_end(struct shimlink *);

/* Not while a step runs that writes there. One at a time. */
uint32_t shimlink_get(struct shimlink *, const char *root, const char *const *paths, size_t n, uint32_t flags, struct err *);
/* All is done and received: the shim ends, with its step's status under --once. */
void shimlink_end(struct shimlink *);

/* cairn-host: takes as much as the call has room for (the return value); no bytes: the stream's end. */
size_t shimlink_host_output(struct shimlink *, uint32_t call, int stream, struct str bytes);
void shimlink_host_taken(struct shimlink *, uint32_t call, size_t n);   /* so much input was used up */
void shimlink_host_done(struct shimlink *, uint32_t call, enum shim_kind, uint32_t status, struct str text);
