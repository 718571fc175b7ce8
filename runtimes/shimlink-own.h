/* shimlink-own.h: a link from within: shimlink.c the stream, shimlink-ask.c what is asked of the shim, shimlink-told.c what
 * it answers, shimlink-host.c cairn-host. */
#pragma once

#include "base/vec.h"
#include "runtimes/shim/outlog.h"
#include "runtimes/shim/unframe.h"
#include "runtimes/shimlink.h"
#include "sys/sha.h"

static inline struct bytes bytes_of(struct str s) { return (struct bytes){(const uint8_t *)s.s, s.n}; }
static inline struct str str_in(struct bytes b) { return (struct str){b.n ? (const char *)b.p : "", b.n}; }

struct host_call {
	uint32_t id;
	uint32_t room[3];               /* bytes that may still be sent, of streams 1 and 2 */
	uint32_t taken;                 /* of its input, not told yet */
};

struct shimlink {
	const struct shimlink_calls *calls;
	void *ctx;
	uint64_t silence;               /* ns */
	uint8_t session[16];
	uint64_t nonce;
	bool used, known;               /* a stream was there; the shim has answered once */
	bool connected, first, ready;   /* a stream is there; it is the first; it is greeted */
	uint64_t heard, said;           /* when */
	uint64_t acked;                 /* what the shim was told that we have */
	struct outlog log;
	struct unframe frames;
	uint32_t ids;
	uint32_t step;                  /* the one that runs, 0: none */
	uint64_t offset[2];
	uint32_t put, get;              /* 0: none */
	struct sha256 put_sum, get_sum;
	uint64_t put_size, get_size;
	struct buf message;             /* of the shim, in parts */
	VEC(struct host_call) host;
};

void link_say(struct shimlink *, uint32_t type, struct bytes head, struct bytes body);  /* adds to the log */
/* A frame of the shim's log; false: it makes no sense. */
bool link_told(struct shimlink *, const struct frame *);
bool link_told_host(struct shimlink *, const struct frame *);
