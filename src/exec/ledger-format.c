#include "exec/ledger-format.h"

struct frame_head { uint64_t sum; uint32_t kind, length; };

_Static_assert(sizeof(struct frame_head) == LEDGER_FRAME, "no padding");
_Static_assert(sizeof(LEDGER_MAGIC) == 16, "the head is 32 bytes");

/* --- writing --- */

void ledger_head(struct buf *out, uint64_t dev, uint64_t ino)
{
	buf_add(out, LEDGER_MAGIC, sizeof(LEDGER_MAGIC));
	buf_add(out, &dev, sizeof(dev));
	buf_add(out, &ino, sizeof(ino));
}

size_t frame_begin(struct buf *out, enum frame_kind kind)
{
	size_t begun = out->n;
	struct frame_head head = {.kind = (uint32_t)kind};
	buf_add(out, &head, sizeof(head));
	return begun;
}

/* The sum covers kind and length too. */
static uint64_t frame_sum(const char *frame, size_t length)
{
	return xxh_bytes(frame + sizeof(uint64_t), LEDGER_FRAME - sizeof(uint64_t) + length).lo;
}

void frame_end(struct buf *out, size_t begun)
{
	struct frame_head head;
	memcpy(&head, out->s + begun, sizeof(head));
	head.length = (uint32_t)(out->n - begun - LEDGER_FRAME);
	memcpy(out->s + begun, &head, sizeof(head));
	head.sum = frame_sum(out->s + begun, head.length);
	memcpy(out->s + begun, &head, sizeof(head));
}

void frame_text(struct buf *out, struct str s)
{
	uint32_t n = (uint32_t)s.n;
	buf_add(out, &n, sizeof(n));
	buf_add(out, s.s, s.n);
}

static void frame_entry(struct buf *out, const struct entry *e)
{
	char fixed[12] = {(char)e->type, (char)e->digest.algo};
	memcpy(fixed + 2, &e->mode, 2);
	memcpy(fixed + 4, &e->size, 8);
	buf_add(out, fixed, sizeof(fixed));
	if (e->digest.algo != DIGEST_NONE)
		buf_add(out, e->digest.bytes, sizeof(e->digest.bytes));
	frame_text(out, e->path);
	if (e->type == ENTRY_LINK)
		frame_text(out, e->link);
}

void frame_entries(struct buf *out, const struct entries *entries)
{
	uint32_t n = (uint32_t)entries->n;
	buf_add(out, &n, sizeof(n));
	for (size_t i = 0; i < entries->n; i++)
		frame_entry(out, &entries->v[i]);
}

/* --- reading --- */

bool frame_next(struct str image, size_t *at, enum frame_kind *kind, struct str *payload)
{
	struct frame_head head;
	if (image.n - *at < sizeof(head))
		return false;
	const char *frame = image.s + *at;
	memcpy(&head, frame, sizeof(head));
	if (head.length > image.n - *at - sizeof(head) || head.kind < FRAME_SET || head.kind > FRAME_SETTLED ||
	    head.sum != frame_sum(frame, head.length))
		return false;
	*kind = (enum frame_kind)head.kind;
	*payload = (struct str){frame + sizeof(head), head.length};
	*at += sizeof(head) + head.length;
	return true;
}

static bool take(struct str *payload, void *out, size_t n)
{
	if (payload->n < n)
		return false;
	memcpy(out, payload->s, n);
	*payload = str_from(*payload, n);
	return true;
}

bool frame_take_text(struct str *payload, struct str *out)
{
	uint32_t n;
	if (!take(payload, &n, sizeof(n)) || payload->n < n)
		return false;
	*out = str_head(*payload, n);
	*payload = str_from(*payload, n);
	return true;
}

bool frame_take_entry(struct str *payload, struct entry *e)
{
	*e = (struct entry){0};
	if (!take(payload, &e->type, 1) || !take(payload, &e->digest.algo, 1) || !take(payload, &e->mode, 2) ||
	    !take(payload, &e->size, 8) || e->type > ENTRY_DIR || e->digest.algo > DIGEST_SHA256)
		return false;
	if (e->digest.algo != DIGEST_NONE && !take(payload, e->digest.bytes, sizeof(e->digest.bytes)))
		return false;
	return frame_take_text(payload, &e->path) && (e->type != ENTRY_LINK || frame_take_text(payload, &e->link));
}

bool frame_take_entries(struct arena *arena, struct str payload, struct entries *out)
{
	uint32_t n;
	*out = (struct entries){NULL, 0};
	if (!take(&payload, &n, sizeof(n)) || n > payload.n / 16)       /* the least an entry takes */
		return false;
	out->v = arena_array(arena, n, struct entry);
	for (out->n = 0; out->n < n; out->n++)
		if (!frame_take_entry(&payload, &out->v[out->n]))
			return false;
	return payload.n == 0;
}
