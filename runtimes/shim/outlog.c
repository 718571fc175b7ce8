#include "runtimes/shim/outlog.h"

#include <string.h>

static const uint8_t zeros[4096];

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static struct bytes part(const struct outlog *o, uint64_t from, uint64_t to)
{
	size_t at = (size_t)(from & (o->size - 1));
	return (struct bytes){o->ring + at, least((size_t)(to - from), o->size - at)};
}

static void copy_in(struct outlog *o, struct bytes b)
{
	while (b.n) {
		struct bytes to = part(o, o->end, o->end + b.n);
		memcpy((uint8_t *)to.p, wire_take(&b, to.n), to.n);
		o->end += to.n;
	}
}

/* Where the frame that begins at `from` ends. */
static uint64_t frame_end(const struct outlog *o, uint64_t from)
{
	uint8_t length[4];
	for (size_t i = 0; i < 4; i++)
		length[i] = o->ring[(from + HEAD_LENGTH + i) & (o->size - 1)];
	return from + HEAD_SIZE + wire_get32(length);
}

bool outlog_add(struct outlog *o, uint32_t type, struct bytes head, struct bytes body)
{
	uint8_t frame[HEAD_SIZE];
	if (outlog_room(o) < HEAD_SIZE + head.n + body.n)
		return false;
	wire_head(frame, type, ++o->sequence, head, body);
	copy_in(o, (struct bytes){frame, HEAD_SIZE});
	copy_in(o, head);
	copy_in(o, body);
	return true;
}

bool outlog_now(struct outlog *o, uint32_t type, struct bytes payload)
{
	if (o->now_n + HEAD_SIZE + payload.n > sizeof(o->now))
		return false;
	wire_head(o->now + o->now_n, type, 0, payload, (struct bytes){0});
	memcpy(o->now + o->now_n + HEAD_SIZE, payload.p, payload.n);
	o->now_n += HEAD_SIZE + payload.n;
	return true;
}

/* Does a frame begin at the position, or the log end there? */
static bool on_boundary(const struct outlog *o, uint64_t position)
{
	uint64_t at = o->acked;
	while (at < position)
		at = frame_end(o, at);
	return at == position;
}

bool outlog_ack(struct outlog *o, uint64_t position)
{
	if (position < o->acked || position > o->sent || !on_boundary(o, position))
		return false;
	o->acked = position;
	return true;
}

bool outlog_resume(struct outlog *o, uint64_t position)
{
	if (position < o->acked || position > o->end || !on_boundary(o, position))
		return false;
	o->acked = o->sent = o->frame = position;
	o->held = false;
	return true;
}

void outlog_hold(struct outlog *o)
{
	o->now_n = o->now_at = o->preamble = 0;
	o->held = true;
}

/* Frames outside of the log are emptied as a whole, so what is in there was not written. */
static bool now_is_next(const struct outlog *o)
{
	return o->now_n && (o->now_at || o->held || o->sent == o->frame);
}

struct bytes outlog_view(const struct outlog *o)
{
	if (o->preamble)
		return (struct bytes){zeros, least(o->preamble, sizeof(zeros))};
	if (now_is_next(o))
		return (struct bytes){o->now + o->now_at, o->now_n - o->now_at};
	if (o->held)
		return (struct bytes){0};
	return part(o, o->sent, o->now_n ? frame_end(o, o->frame) : o->end);
}

void outlog_wrote(struct outlog *o, size_t n)
{
	if (o->preamble) {
		o->preamble -= n;
		return;
	}
	if (now_is_next(o)) {
		o->now_at += n;
		if (o->now_at == o->now_n)
			o->now_n = o->now_at = 0;
		return;
	}
	o->sent += n;
	while (o->frame < o->sent && frame_end(o, o->frame) <= o->sent)
		o->frame = frame_end(o, o->frame);
}

void outlog_move(struct outlog *o, uint8_t *ring, size_t size)
{
	for (uint64_t p = o->acked; p < o->end;) {
		struct bytes from = part(o, p, o->end);
		size_t at = (size_t)(p & (size - 1)), n = least(from.n, size - at);
		memcpy(ring + at, from.p, n);
		p += n;
	}
	o->ring = ring;
	o->size = size;
}
