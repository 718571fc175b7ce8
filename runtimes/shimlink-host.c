/* shimlink-host.c: commands that steps ask for by cairn-host. Each stream of a call has credit, so that nothing piles up on
 * either side when a command or a step does not read. */
#include "runtimes/shimlink-own.h"
#include "runtimes/shimmessage.h"

static struct host_call *call_find(struct shimlink *l, uint32_t id)
{
	for (size_t i = 0; i < l->host.n; i++)
		if (l->host.v[i].id == id)
			return &l->host.v[i];
	return NULL;
}

static void call_drop(struct shimlink *l, struct host_call *c)
{
	*c = l->host.v[--l->host.n];
}

static bool got_call(struct shimlink *l, const struct frame *f)
{
	buf_add(&l->message, f->payload.p, f->payload.n);
	if (f->more || l->message.full)
		return !l->message.full;
	struct arena arena = ARENA_INIT;
	struct host_request r;
	bool good = l->calls->host_call && l->host.n < HOST_CALLS && host_request_read(buf_view(&l->message), &arena, &r) &&
		    !call_find(l, r.call);
	if (good) {
		vec_add(&l->host, (struct host_call){.id = r.call, .room = {0, HOST_CREDIT, HOST_CREDIT}});
		l->calls->host_call(l->ctx, r.call, r.argv, r.env, r.cwd);
	}
	arena_release(&arena);
	buf_clear(&l->message);
	return good;
}

static bool got_input(struct shimlink *l, struct bytes b)
{
	uint32_t call, stream;
	if (!wire_take32(&b, &call) || !wire_take32(&b, &stream) || stream != 0)
		return false;
	if (call_find(l, call))         /* else it is over already */
		l->calls->host_input(l->ctx, call, str_in(b));
	return true;
}

static bool got_credit(struct shimlink *l, struct bytes b)
{
	uint32_t call, stream, n;
	if (!wire_take32(&b, &call) || !wire_take32(&b, &stream) || !wire_take32(&b, &n) || b.n || stream < 1 || stream > 2)
		return false;
	struct host_call *c = call_find(l, call);
	if (!c)
		return true;
	if (n > HOST_CREDIT - c->room[stream])
		return false;
	c->room[stream] += n;
	l->calls->host_room(l->ctx, call, (int)stream);
	return true;
}

static bool got_gone(struct shimlink *l, struct bytes b)
{
	uint32_t call;
	if (!wire_take32(&b, &call) || b.n)
		return false;
	struct host_call *c = call_find(l, call);
	if (c) {
		call_drop(l, c);
		l->calls->host_gone(l->ctx, call);
	}
	return true;
}

static void say_host(struct shimlink *l, uint32_t type, uint32_t call, uint32_t number, struct bytes body)
{
	uint8_t head[HOST_DATA_HEAD];
	wire_u32(head, call);
	wire_u32(head + 4, number);
	link_say(l, type, (struct bytes){head, sizeof(head)}, body);
}

size_t shimlink_host_output(struct shimlink *l, uint32_t call, int stream, struct str bytes)
{
	struct host_call *c = call_find(l, call);
	size_t most = FRAME_MAX - HOST_DATA_HEAD;
	if (!c)
		return bytes.n;
	if (bytes.n) {
		size_t room = c->room[stream] > HOST_FRAME ? c->room[stream] - HOST_FRAME : 0;
		most = room < most ? room : most;
		bytes.n = bytes.n < most ? bytes.n : most;
		if (!bytes.n)
			return 0;
		c->room[stream] -= (uint32_t)bytes.n + HOST_FRAME;
	}
	say_host(l, FRAME_HOST_DATA, call, (uint32_t)stream, bytes_of(bytes));
	return bytes.n;
}

void shimlink_host_taken(struct shimlink *l, uint32_t call, size_t n)
{
	struct host_call *c = call_find(l, call);
	uint8_t amount[4];
	if (!c)
		return;
	c->taken += (uint32_t)n;
	if (c->taken < HOST_CREDIT / 4)
		return;
	wire_u32(amount, c->taken);
	c->taken = 0;
	say_host(l, FRAME_HOST_CREDIT, call, 0, (struct bytes){amount, sizeof(amount)});
}

void shimlink_host_done(struct shimlink *l, uint32_t call, enum shim_kind kind, uint32_t status, struct str text)
{
	uint8_t rest[4];
	struct host_call *c = call_find(l, call);
	struct buf body CLEANUP_BUF = BUF_INIT(4096);
	if (!c)
		return;
	wire_u32(rest, status);
	buf_add(&body, rest, sizeof(rest));
	buf_str(&body, text);
	call_drop(l, c);
	say_host(l, FRAME_HOST_DONE, call, kind, bytes_of(buf_view(&body)));
}

bool link_told_host(struct shimlink *l, const struct frame *f)
{
	switch (f->type) {
	case FRAME_HOST_CALL:
		return got_call(l, f);
	case FRAME_HOST_DATA:
		return got_input(l, f->payload);
	case FRAME_HOST_CREDIT:
		return got_credit(l, f->payload);
	case FRAME_HOST_GONE:
		return got_gone(l, f->payload);
	}
	return false;
}
