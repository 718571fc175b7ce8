#include "runtimes/shimlink-own.h"
#include "runtimes/shimmessage.h"

/* In as many frames as it takes. */
static uint32_t say_message(struct shimlink *l, uint32_t type, uint32_t id, struct buf *m, struct err *err)
{
	if (m->full) {
		buf_release(m);
		err_set(err, ERR_RUNTIME, "unable to ask the shim: arguments, environment and script together are longer than %u bytes",
			MESSAGE_MAX);
		return 0;
	}
	struct bytes all = bytes_of(buf_view(m));
	while (all.n > FRAME_MAX)
		link_say(l, type | FRAME_MORE, (struct bytes){wire_take(&all, FRAME_MAX), FRAME_MAX}, (struct bytes){0});
	link_say(l, type, all, (struct bytes){0});
	buf_release(m);
	return id;
}

static uint32_t next_id(struct shimlink *l)
{
	return ++l->ids ? l->ids : ++l->ids;
}

uint32_t shimlink_step(struct shimlink *l, const struct shim_step *s, struct err *err)
{
	struct buf m = BUF_INIT(MESSAGE_MAX);
	if (l->step)
		BUG("the shim's step %u has not ended", l->step);
	uint32_t id = next_id(l);
	message_step(&m, id, s);
	if (say_message(l, FRAME_STEP, id, &m, err) == 0)
		return 0;
	l->offset[0] = l->offset[1] = 0;
	return l->step = id;
}

void shimlink_signal(struct shimlink *l, uint32_t step, int sig)
{
	uint8_t p[8];
	wire_u32(p, step);
	wire_u32(p + 4, (uint32_t)sig);
	link_say(l, FRAME_SIGNAL, (struct bytes){p, sizeof(p)}, (struct bytes){0});
}

uint32_t shimlink_put(struct shimlink *l, const struct shim_put *p, struct err *err)
{
	struct buf m = BUF_INIT(MESSAGE_MAX);
	if (l->put)
		BUG("the put %u has not ended", l->put);
	uint32_t id = next_id(l);
	message_put(&m, id, p);
	if (say_message(l, FRAME_PUT, id, &m, err) == 0)
		return 0;
	sha256_begin(&l->put_sum);
	l->put_size = 0;
	return l->put = id;
}

size_t shimlink_room(const struct shimlink *l)
{
	size_t held = (size_t)(l->log.end - l->log.acked);
	return held < SHIM_WINDOW ? SHIM_WINDOW - held : 0;
}

void shimlink_put_data(struct shimlink *l, struct str bytes)
{
	struct bytes b = bytes_of(bytes);
	sha256_add(&l->put_sum, b.p, b.n);
	l->put_size += b.n;
	while (b.n) {
		size_t n = b.n < FRAME_MAX ? b.n : FRAME_MAX;
		link_say(l, FRAME_PUT_DATA, (struct bytes){wire_take(&b, n), n}, (struct bytes){0});
	}
}

void shimlink_put_end(struct shimlink *l)
{
	uint8_t size[8];
	struct digest sum;
	sha256_end(&l->put_sum, &sum);
	l->put = 0;
	wire_u64(size, l->put_size);
	link_say(l, FRAME_PUT_END, (struct bytes){size, sizeof(size)}, (struct bytes){sum.bytes, sizeof(sum.bytes)});
}

uint32_t shimlink_get(struct shimlink *l, const char *root, const char *const *paths, size_t n, uint32_t flags, struct err *err)
{
	struct buf m = BUF_INIT(MESSAGE_MAX);
	if (l->get)
		BUG("the get %u has not ended", l->get);
	uint32_t id = next_id(l);
	message_get(&m, id, root, paths, n, flags);
	if (say_message(l, FRAME_GET, id, &m, err) == 0)
		return 0;
	sha256_begin(&l->get_sum);
	l->get_size = 0;
	return l->get = id;
}

void shimlink_end(struct shimlink *l)
{
	link_say(l, FRAME_END, (struct bytes){0}, (struct bytes){0});
}
