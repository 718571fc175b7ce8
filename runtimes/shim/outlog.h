/* outlog.h: what one side sends: its log, kept until the other side has it, and frames outside of the log, which go
 * first but never into the middle of a frame. Part of the shim and of cairn. The memory is the owner's. */
#pragma once

#include "runtimes/shim/wire.h"

struct outlog {
	uint8_t *ring;                  /* position p of the log lies at ring[p % size] */
	size_t size;                    /* a power of two */
	uint64_t acked, sent, end;      /* positions: the other side has it, was written, all there is */
	uint64_t frame;                 /* where the frame begins in which `sent` lies */
	uint32_t sequence;              /* of the last frame */
	bool held;                      /* the log waits for outlog_resume */
	size_t preamble;                /* zeros still to be written */
	uint8_t now[512];               /* frames outside of the log */
	size_t now_n, now_at;
};

static inline size_t outlog_room(const struct outlog *o) { return o->size - (size_t)(o->end - o->acked); }
/* Adds a frame with the payload head, body; false when there is no room. */
bool outlog_add(struct outlog *, uint32_t type, struct bytes head, struct bytes body);
/* Adds a frame outside of the log; false when there is no room for it now. */
bool outlog_now(struct outlog *, uint32_t type, struct bytes payload);
/* The other side has the log up to there; false when that cannot be. */
bool outlog_ack(struct outlog *, uint64_t position);
/* A new stream: nothing has been written to it, and the other side has the log up to there. */
bool outlog_resume(struct outlog *, uint64_t position);
/* No stream: nothing is to be written but what is added outside of the log, until outlog_resume. */
void outlog_hold(struct outlog *);
struct bytes outlog_view(const struct outlog *);        /* what to write next; none: nothing */
void outlog_wrote(struct outlog *, size_t n);           /* so much of it was written */
/* The same log in bigger memory (a power of two); the old memory is free then. */
void outlog_move(struct outlog *, uint8_t *ring, size_t size);
