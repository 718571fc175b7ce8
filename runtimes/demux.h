/* demux.h: two streams in one, as container engines write them where there is no terminal: frames of a byte for the stream
 * (1 stdout, 2 stderr, 3 an error of the engine's own), three zero bytes, the length as four bytes, big-endian, then so many
 * bytes. A frame is no line, and may come in any pieces. */
#pragma once

#include "base/err.h"

struct demux {
	uint8_t head[8];
	unsigned nhead;                 /* bytes of the head that are there */
	uint32_t left;                  /* of the frame's payload */
	struct buf said;                /* what the engine said of itself, at most DEMUX_SAID */
	bool broken;
};

#define DEMUX_SAID 4096
#define DEMUX_INIT {.said = BUF_INIT(DEMUX_SAID)}

void demux_release(struct demux *);
/* Hands on what bytes hold for streams 1 and 2, at once: nothing is kept but the beginning of a head. -1 when the bytes are no
 * such frames, also when asked again. */
int demux_feed(struct demux *, struct str bytes, void (*output)(void *ctx, int stream, struct str), void *ctx, struct err *);
/* The stream is at its end: -1 when that is within a frame, or the engine had something to say, which is then in err. */
int demux_end(struct demux *, struct err *);
