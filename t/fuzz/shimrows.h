/* shimrows.h: an input as a stream of the shim's frames. Sums and sequences would keep a fuzzer out, so an input whose
 * first byte is even is a row of payloads that get right ones: type (u8, the upper bit: more of it follows), length (u16),
 * bytes. After an odd byte it is the stream as it is. */
#pragma once

#include <stdlib.h>

#include "base/str.h"
#include "runtimes/shim/wire.h"

static inline void shim_rows(const uint8_t *data, size_t size, struct buf *out)
{
	uint32_t sequence = 0;
	if (!size)
		return;
	if (data[0] & 1) {
		buf_add(out, data + 1, size - 1);
		return;
	}
	for (size_t at = 1; at + 3 <= size;) {
		uint8_t head[HEAD_SIZE];
		uint32_t type = data[at] & 127;
		size_t n = (size_t)(data[at + 1] | data[at + 2] << 8);
		n = n > size - at - 3 ? size - at - 3 : n;
		n = n > FRAME_MAX ? FRAME_MAX : n;
		struct bytes payload = {data + at + 3, n};
		wire_head(head, type | (data[at] & 128 ? FRAME_MORE : 0), type >= FRAME_SEQUENCED ? ++sequence : 0, payload, (struct bytes){0});
		buf_add(out, head, sizeof(head));
		buf_add(out, payload.p, n);
		at += 3 + n;
	}
}
