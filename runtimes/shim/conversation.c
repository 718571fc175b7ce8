/* conversation.c: the stream, and what is said on it. The stream may be cut and begin anew on the same two fds, as an
 * engine's attach does: what tells it is a HELLO. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtimes/shim/shim.h"
#include "runtimes/shim/unframe.h"

#define RESERVE (96u << 10)             /* of the log, for frames that cannot wait */

static uint8_t ring[SHIM_WINDOW];

static struct {
	int in, out;
	size_t polled;
	bool greeted, blocked, closed;  /* somebody said HELLO; the stream takes no more now; or never again */
	uint8_t session[16];
	ms heard, silence;
	uint64_t acked;                 /* what the controller was told that we have */
	struct outlog log;
	struct unframe frames;
	uint8_t *message;               /* in parts */
	size_t n, cap;
} talk;

void conversation_begin(int in, int out, ms silence)
{
	free(talk.message);             /* a fuzzer begins again and again */
	memset(&talk, 0, sizeof(talk));
	talk.log.ring = ring;
	talk.log.size = sizeof(ring);
	talk.log.held = true;
	talk.in = in;
	talk.out = out;
	talk.silence = silence;
	talk.heard = now_ms();
	fcntl(out, F_SETFL, fcntl(out, F_GETFL) | O_NONBLOCK);
}

/* --- saying --- */

void say(uint32_t type, struct bytes head, struct bytes body)
{
	if (!outlog_add(&talk.log, type, head, body))
		shim_end(SHIM_FAILED, NULL);    /* a controller that asks on and on and takes no answer */
}

bool say_room(void)
{
	return outlog_room(&talk.log) >= RESERVE + HEAD_SIZE + FRAME_MAX;
}

static void say_position(uint32_t type)
{
	uint8_t position[POSITION_SIZE];
	wire_u64(position, talk.frames.position);
	if (outlog_now(&talk.log, type, (struct bytes){position, sizeof(position)}))
		talk.acked = talk.frames.position;
}

static void say_lost(enum lost why, uint64_t nonce)
{
	uint8_t p[LOST_SIZE];
	wire_u32(p, why);
	wire_u64(p + 4, nonce);
	outlog_hold(&talk.log);
	outlog_now(&talk.log, FRAME_LOST, (struct bytes){p, sizeof(p)});
	unframe_seek(&talk.frames, FRAME_HELLO);
}

void conversation_write(void)
{
	struct bytes b;
	while (!talk.closed && (b = outlog_view(&talk.log)).n) {
		ssize_t n = write(talk.out, b.p, b.n);
		talk.blocked = n < 0 && errno == EAGAIN;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			talk.closed = true;
		if (talk.blocked)
			return;
		if (n > 0)
			outlog_wrote(&talk.log, (size_t)n);
	}
}

bool conversation_flushed(void)
{
	return talk.closed || talk.log.held || !outlog_view(&talk.log).n;
}

/* --- being told --- */

static void welcome(uint64_t nonce)
{
	uint8_t p[WELCOME_SIZE];
	wire_u64(p, nonce);
	wire_u64(p + 8, talk.frames.position);
	wire_u32(p + 16, (uint32_t)getpid());
	wire_u32(p + 20, shim.first ? WELCOME_FIRST : 0);
	outlog_now(&talk.log, FRAME_WELCOME, (struct bytes){p, sizeof(p)});
	talk.acked = talk.frames.position;
	talk.greeted = true;
	talk.closed = false;
	unframe_found(&talk.frames);
}

static bool hello(struct bytes b)
{
	uint64_t nonce, position;
	uint32_t silence, zero;
	const uint8_t *session = wire_take(&b, sizeof(talk.session));
	if (!session || !wire_take64(&b, &nonce) || !wire_take64(&b, &position) || !wire_take32(&b, &silence) ||
	    !wire_take32(&b, &zero) || b.n)
		return false;
	if (talk.greeted && memcmp(session, talk.session, sizeof(talk.session)) != 0) {
		say_lost(LOST_SESSION, nonce);
		return true;
	}
	outlog_hold(&talk.log);
	if (!outlog_resume(&talk.log, position)) {
		say_lost(LOST_POSITION, nonce);
		return true;
	}
	memcpy(talk.session, session, sizeof(talk.session));
	talk.silence = silence ? silence : talk.silence;
	welcome(nonce);
	return true;
}

static bool acknowledged(struct bytes b)
{
	uint64_t position;
	return wire_take64(&b, &position) && !b.n && outlog_ack(&talk.log, position);
}

static bool got_signal(struct bytes b)
{
	uint32_t id, sig;
	if (!wire_take32(&b, &id) || !wire_take32(&b, &sig) || b.n || sig > 64)
		return false;
	step_signal(id, (int)sig);
	return true;
}

/* A message may come in parts; it is handed on as bytes that may be changed. */
static bool gather(const struct frame *f, bool (*act)(uint8_t *message, size_t n))
{
	size_t n = talk.n + f->payload.n;
	if (n > MESSAGE_MAX)
		return false;
	if (n > talk.cap) {
		size_t cap = n < MESSAGE_MAX / 2 ? 2 * n : n;
		uint8_t *more = realloc(talk.message, cap);
		if (!more)
			return false;
		talk.message = more;
		talk.cap = cap;
	}
	if (f->payload.n)
		memcpy(talk.message + talk.n, f->payload.p, f->payload.n);
	talk.n = n;
	if (f->more)
		return true;
	talk.n = 0;
	bool good = act(talk.message, n);
	if (talk.cap > 65536) {
		free(talk.message);
		talk.message = NULL;
		talk.cap = 0;
	}
	return good;
}

static bool act(const struct frame *f)
{
	if (f->type == FRAME_HELLO)
		return hello(f->payload);
	if (!talk.greeted)
		return false;
	switch (f->type) {
	case FRAME_ACK:
		return acknowledged(f->payload);
	case FRAME_PING:
		say_position(FRAME_PONG);
		return acknowledged(f->payload);
	case FRAME_STEP:
		return gather(f, step_begin);
	case FRAME_SIGNAL:
		return got_signal(f->payload);
	case FRAME_PUT:
		return gather(f, put_begin);
	case FRAME_PUT_DATA:
		return put_data(f->payload);
	case FRAME_PUT_END:
		return put_end(f->payload);
	case FRAME_GET:
		return gather(f, get_begin);
	case FRAME_END:
		shim_end(shim.once ? shim.status : 0, NULL);
		return true;
	case FRAME_HOST_DATA:
		return host_data(f->payload);
	case FRAME_HOST_CREDIT:
		return host_credit(f->payload);
	case FRAME_HOST_DONE:
		return host_done(f->payload);
	}
	return false;
}

static void listen_to(struct bytes b)
{
	struct frame f;
	enum unframe_result got;
	while ((got = unframe_next(&talk.frames, &b, FRAME_HELLO, &f)) != UNFRAME_MORE) {
		if (got == UNFRAME_LOST) {
			say_lost(talk.frames.lost, 0);
			continue;
		}
		talk.heard = now_ms();
		if (!act(&f))
			say_lost(LOST_MESSAGE, 0);
	}
	if (!talk.frames.sought && talk.frames.position - talk.acked >= SHIM_ACK)
		say_position(FRAME_ACK);
}

void conversation_read(const struct polls *p)
{
	static uint8_t bytes[65536];
	if (!p->v[talk.polled].revents)
		return;
	ssize_t n = read(talk.in, bytes, sizeof(bytes));
	if (n > 0)
		listen_to((struct bytes){bytes, (size_t)n});
	else if (n == 0)
		shim_end(SHIM_FAILED, "the controller closed the stream");
	else if (errno != EAGAIN && errno != EINTR)
		shim_end(SHIM_FAILED, "the stream from the controller broke");
}

void conversation_poll(struct polls *p)
{
	ms now = now_ms();
	if (now - talk.heard >= talk.silence)
		shim_end(SHIM_FAILED, "the controller has been silent for too long");
	polls_due(p, talk.heard + talk.silence);
	talk.polled = polls_add(p, talk.in, POLLIN);
	if (talk.blocked)
		polls_add(p, talk.out, POLLOUT);
}
