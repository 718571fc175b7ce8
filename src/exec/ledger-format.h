/* ledger-format.h: the bytes of the ledger's journal, shared by ledger*.c alone.
 *
 * Head: LEDGER_MAGIC, then device and inode of the workspace's folder (u64 each). Then frames until the
 * end: sum (u64: XXH3 of all that follows), kind, length of the payload (u32 each), payload. Native byte
 * order: the file never leaves its machine. Texts are a length (u32) and bytes.
 *	SET	step, count (u32), entries: type, algo (u8), mode (u16), size (u64), digest (32, unless
 *		algo is NONE), path, link (LINK only)
 *	FORGET	step
 *	MOVING	from, to
 *	STAGING	path
 *	SETTLED	the "to" or path of one of those two */
#pragma once

#include "exec/ledger.h"

#define LEDGER_MAGIC "cairn ledger 1\n"         /* 16 bytes with its NUL */
#define LEDGER_HEAD 32
#define LEDGER_FRAME 16
#define LEDGER_MAX (1u << 30)

enum frame_kind { FRAME_SET = 1, FRAME_FORGET, FRAME_MOVING, FRAME_STAGING, FRAME_SETTLED };

void ledger_head(struct buf *out, uint64_t dev, uint64_t ino);
/* A frame is begun, its payload added, and it is ended, which fills in its length and sum. */
size_t frame_begin(struct buf *out, enum frame_kind);
void frame_end(struct buf *out, size_t begun);
void frame_text(struct buf *out, struct str);
void frame_entries(struct buf *out, const struct entries *);

/* The next whole frame of image at *at: false at the end, which is where the first one that is not whole begins. */
bool frame_next(struct str image, size_t *at, enum frame_kind *, struct str *payload);
bool frame_take_text(struct str *payload, struct str *out);
/* Texts point into the payload. False: not as it should be. */
bool frame_take_entries(struct arena *, struct str payload, struct entries *out);
bool frame_take_entry(struct str *payload, struct entry *out);
