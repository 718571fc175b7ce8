/* wire.h: numbers, sums, frames and fields as bytes. Part of the shim and of cairn: it uses nothing of either, allocates
 * nothing, and takes no length on trust. */
#pragma once

#include "runtimes/shim/protocol.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

uint32_t crc32_of(uint32_t before, const void *, size_t n);     /* 0 before the first bytes */

void wire_u16(uint8_t *, uint16_t);
void wire_u32(uint8_t *, uint32_t);
void wire_u64(uint8_t *, uint64_t);
uint16_t wire_get16(const uint8_t *);
uint32_t wire_get32(const uint8_t *);
uint64_t wire_get64(const uint8_t *);

/* The head of a frame whose payload is `head` followed by `body`. */
void wire_head(uint8_t out[HEAD_SIZE], uint32_t type, uint32_t sequence, struct bytes head, struct bytes body);
enum lost wire_check_head(const uint8_t head[HEAD_SIZE]);       /* LOST_NONE: length and type may be believed */

/* Takes n bytes off the front; NULL when there are not so many. */
const uint8_t *wire_take(struct bytes *, size_t n);
bool wire_take32(struct bytes *, uint32_t *out);
bool wire_take64(struct bytes *, uint64_t *out);
/* The next field: 1, 0 at the end, -1 when it is cut off. */
int wire_field(struct bytes *, uint16_t *tag, struct bytes *value);
enum { FIELD_HEAD = 6 };
void wire_field_head(uint8_t out[FIELD_HEAD], uint16_t tag, uint32_t length);
