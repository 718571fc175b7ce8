/* unframe.h: bytes as they come → frames that are whole, undamaged and in order. Part of the shim and of cairn.
 *
 * After anything else it looks at every byte for the frame that begins a stream, and for no other (but for the LOST
 * that may come instead of a WELCOME). */
#pragma once

#include "runtimes/shim/wire.h"

struct unframe {
	uint64_t position;              /* bytes of the other side's log that were received */
	uint32_t sequence;              /* of the last of them */
	uint32_t sought;                /* the type looked for; 0: in step with the other side */
	enum lost lost;                 /* why UNFRAME_LOST */
	size_t n;
	uint8_t held[HEAD_SIZE + FRAME_MAX];
};

struct frame {
	uint32_t type;                  /* without FRAME_MORE */
	bool more;
	struct bytes payload;           /* valid until the next call */
};

enum unframe_result { UNFRAME_MORE, UNFRAME_FRAME, UNFRAME_LOST };

/* Takes from the front of *in what the next frame needs. UNFRAME_MORE: all of it, and no frame is whole.
 * UNFRAME_LOST: `greeting` is being looked for from here on. */
enum unframe_result unframe_next(struct unframe *, struct bytes *in, uint32_t greeting, struct frame *out);
/* From here on it looks for that type. What is held is dropped: it belongs to another stream. */
void unframe_seek(struct unframe *, uint32_t greeting);
void unframe_found(struct unframe *);   /* the frame just returned is the one: in step again */
