#include "runtimes/shimlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "runtimes/shimlink-own.h"

#define MS 1000000ull

struct shimlink *shimlink_open(const struct shimlink_calls *calls, void *ctx, uint32_t silence_ms, struct err *err)
{
	struct shimlink *l = xcalloc(1, sizeof(*l));
	l->calls = calls;
	l->ctx = ctx;
	l->silence = silence_ms * MS;
	l->log.size = 4096;
	l->log.ring = xmalloc(l->log.size);
	l->log.held = true;
	l->message.limit = MESSAGE_MAX;
	if (sha256_init(err) == 0 && getrandom(l->session, sizeof(l->session), 0) == (ssize_t)sizeof(l->session))
		return l;
	if (err && !err_any(err))
		err_errno(err, "unable to get random bytes for a session with the shim");
	shimlink_close(l);
	return NULL;
}

static void drop_sum(struct sha256 *sum, bool begun)
{
	struct digest none;
	if (begun)
		sha256_end(sum, &none);
}

void shimlink_close(struct shimlink *l)
{
	if (!l)
		return;
	drop_sum(&l->put_sum, l->put);
	drop_sum(&l->get_sum, l->get);
	buf_release(&l->message);
	vec_free(&l->host);
	free(l->log.ring);
	free(l);
}

/* --- saying --- */

void link_say(struct shimlink *l, uint32_t type, struct bytes head, struct bytes body)
{
	while (!outlog_add(&l->log, type, head, body)) {
		uint8_t *old = l->log.ring, *ring = xmalloc(2 * l->log.size);
		outlog_move(&l->log, ring, 2 * l->log.size);
		free(old);
	}
}

static void say_position(struct shimlink *l, uint32_t type, uint64_t now)
{
	uint8_t position[POSITION_SIZE];
	wire_u64(position, l->frames.position);
	if (!outlog_now(&l->log, type, (struct bytes){position, sizeof(position)}))
		return;
	l->acked = l->frames.position;
	l->said = now;
}

/* --- the stream --- */

void shimlink_connect(struct shimlink *l, uint64_t now)
{
	uint8_t p[HELLO_SIZE] = {0};
	outlog_hold(&l->log);
	l->log.preamble = l->used ? PREAMBLE : 0;
	l->nonce = l->nonce * 6364136223846793005u + now + 1;
	memcpy(p, l->session, sizeof(l->session));
	wire_u64(p + 16, l->nonce);
	wire_u64(p + 24, l->frames.position);
	wire_u32(p + 32, (uint32_t)(l->silence / MS));
	outlog_now(&l->log, FRAME_HELLO, (struct bytes){p, sizeof(p)});
	unframe_seek(&l->frames, FRAME_WELCOME);
	l->first = !l->used;
	l->used = l->connected = true;
	l->ready = false;
	l->heard = l->said = now;
}

static int break_stream(struct shimlink *l, const char *fmt, ...) PRINTF(2, 3);
static int break_stream(struct shimlink *l, const char *fmt, ...)
{
	struct err err = ERR_INIT;
	va_list args;
	char text[256];
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err_set(&err, ERR_RUNTIME, "unable to go on with the shim: %s", text);
	outlog_hold(&l->log);
	l->connected = l->ready = false;
	l->calls->broken(l->ctx, &err);
	err_release(&err);
	return -1;
}

struct str shimlink_pending(const struct shimlink *l)
{
	return l->connected ? str_in(outlog_view(&l->log)) : S("");
}

void shimlink_wrote(struct shimlink *l, size_t n)
{
	outlog_wrote(&l->log, n);
}

uint64_t shimlink_due(const struct shimlink *l)
{
	if (!l->connected || !l->silence)
		return UINT64_MAX;
	uint64_t end = l->heard + l->silence, ping = l->said + l->silence / 4;
	return l->ready && ping < end ? ping : end;
}

void shimlink_tick(struct shimlink *l, uint64_t now)
{
	if (now < shimlink_due(l))
		return;
	if (now >= l->heard + l->silence)
		break_stream(l, "it has been silent for %llu s", (unsigned long long)(l->silence / MS / 1000));
	else
		say_position(l, FRAME_PING, now);
	l->said = now;
}

/* --- being told --- */

static bool welcome(struct shimlink *l, struct bytes b)
{
	uint64_t nonce, position;
	uint32_t pid, flags;
	if (!wire_take64(&b, &nonce) || !wire_take64(&b, &position) || !wire_take32(&b, &pid) || !wire_take32(&b, &flags) || b.n)
		return false;
	if (nonce != l->nonce)          /* the answer to an earlier HELLO, on its way since */
		return true;
	struct outlog *log = &l->log;
	if (!outlog_resume(log, position))
		return false;
	unframe_found(&l->frames);
	bool again = l->known;
	l->known = l->ready = true;
	l->acked = l->frames.position;
	l->calls->ready(l->ctx, again, pid, flags & WELCOME_FIRST);
	return true;
}

static int refused(struct shimlink *l, struct bytes b)
{
	static const char *const reasons[] = {"no reason", "it speaks another version of the protocol", "a frame's head arrived damaged",
		"a frame arrived with an impossible length", "a frame arrived damaged", "a frame is missing",
		"it belongs to another controller", "what it is to repeat is no longer kept", "it did not understand a frame"};
	uint32_t why;
	uint64_t nonce;
	if (!wire_take32(&b, &why) || !wire_take64(&b, &nonce) || b.n || why >= countof(reasons))
		return break_stream(l, "it sent a frame that makes no sense");
	if (!l->ready && !l->first && nonce != l->nonce)
		return 0;               /* said to an earlier stream */
	return break_stream(l, "%s", reasons[why]);
}

static bool told(struct shimlink *l, const struct frame *f)
{
	struct bytes b = f->payload;
	uint64_t position;
	if (f->type == FRAME_ACK || f->type == FRAME_PONG)
		return wire_take64(&b, &position) && !b.n && outlog_ack(&l->log, position);
	return f->type >= FRAME_HOST_CALL ? link_told_host(l, f) : link_told(l, f);
}

static int take_frame(struct shimlink *l, const struct frame *f, uint64_t now)
{
	l->heard = now;
	if (f->type == FRAME_LOST)
		return refused(l, f->payload);
	if (f->type == FRAME_WELCOME && !l->ready)
		return welcome(l, f->payload) ? 0 : break_stream(l, "it does not know this controller's steps");
	if (!told(l, f))
		return l->connected ? break_stream(l, "it sent a frame of type %u that makes no sense", f->type) : -1;
	return l->connected ? 0 : -1;
}

int shimlink_feed(struct shimlink *l, struct str bytes, uint64_t now)
{
	struct bytes b = bytes_of(bytes);
	struct frame f;
	enum unframe_result got;
	if (!l->connected)
		return -1;
	while ((got = unframe_next(&l->frames, &b, FRAME_WELCOME, &f)) != UNFRAME_MORE) {
		if (got == UNFRAME_LOST)
			return break_stream(l, "what it sends arrives damaged");
		if (take_frame(l, &f, now) < 0)
			return -1;
	}
	if (l->ready && l->frames.position - l->acked >= SHIM_ACK)
		say_position(l, FRAME_ACK, now);
	return 0;
}
