#include "runtimes/shim/unframe.h"

#include <string.h>

static size_t length_of(const struct unframe *u)
{
	return wire_get32(u->held + HEAD_LENGTH);
}

/* Could a sought frame begin with what is held? Frames that begin a stream are short, so little is ever held for them. */
static bool may_be_sought(const struct unframe *u)
{
	size_t known = u->n < 4 ? u->n : 4;
	if (memcmp(u->held, SHIM_VERSION, known) != 0)
		return false;
	if (u->n < HEAD_SIZE)
		return true;
	uint32_t type = wire_get32(u->held + HEAD_TYPE);
	bool right = type == u->sought || (type == FRAME_LOST && u->sought == FRAME_WELCOME);
	return right && wire_check_head(u->held) == LOST_NONE && length_of(u) <= HELLO_SIZE;
}

static void drop_one(struct unframe *u)
{
	memmove(u->held, u->held + 1, --u->n);
}

static bool hold(struct unframe *u, struct bytes *in, size_t want)
{
	size_t n = want - u->n < in->n ? want - u->n : in->n;
	memcpy(u->held + u->n, wire_take(in, n), n);
	u->n += n;
	return u->n == want;
}

static bool sum_matches(const struct unframe *u)
{
	return wire_get32(u->held + HEAD_SUM) == crc32_of(0, u->held + HEAD_SIZE, length_of(u));
}

static enum unframe_result deliver(struct unframe *u, struct frame *out)
{
	uint32_t type = wire_get32(u->held + HEAD_TYPE);
	*out = (struct frame){.type = type & ~FRAME_MORE, .more = type & FRAME_MORE,
		.payload = {u->held + HEAD_SIZE, length_of(u)}};
	u->n = 0;
	return UNFRAME_FRAME;
}

static enum unframe_result lose(struct unframe *u, enum lost why, uint32_t greeting)
{
	u->lost = why;
	u->sought = greeting;
	if (u->n > HEAD_SIZE)
		u->n = 0;
	return UNFRAME_LOST;
}

static enum unframe_result seek(struct unframe *u, struct bytes *in, struct frame *out)
{
	for (;;) {
		while (u->n && !may_be_sought(u))
			drop_one(u);
		if (u->n == HEAD_SIZE + (u->n < HEAD_SIZE ? 0 : length_of(u))) {
			if (sum_matches(u))
				return deliver(u, out);
			drop_one(u);
			continue;
		}
		if (!u->n) {            /* a long way may have to be skipped */
			const uint8_t *at = in->n ? memchr(in->p, SHIM_VERSION[0], in->n) : NULL;
			wire_take(in, at ? (size_t)(at - in->p) : in->n);
		}
		if (!in->n)
			return UNFRAME_MORE;
		hold(u, in, u->n + 1);
	}
}

enum unframe_result unframe_next(struct unframe *u, struct bytes *in, uint32_t greeting, struct frame *out)
{
	if (u->sought)
		return seek(u, in, out);
	if (u->n < HEAD_SIZE) {
		if (!hold(u, in, HEAD_SIZE))
			return UNFRAME_MORE;
		enum lost why = wire_check_head(u->held);
		if (why)
			return lose(u, why, greeting);
	}
	if (!hold(u, in, HEAD_SIZE + length_of(u)))
		return UNFRAME_MORE;
	uint32_t type = wire_get32(u->held + HEAD_TYPE) & ~FRAME_MORE, sequence = wire_get32(u->held + HEAD_SEQUENCE);
	if (!sum_matches(u))
		return lose(u, LOST_SUM, greeting);
	if (sequence != (type >= FRAME_SEQUENCED ? u->sequence + 1 : 0))
		return lose(u, LOST_SEQUENCE, greeting);
	if (type >= FRAME_SEQUENCED) {
		u->sequence++;
		u->position += u->n;
	}
	return deliver(u, out);
}

void unframe_seek(struct unframe *u, uint32_t greeting)
{
	u->sought = greeting;
	u->n = 0;
}

void unframe_found(struct unframe *u)
{
	u->sought = 0;
}
