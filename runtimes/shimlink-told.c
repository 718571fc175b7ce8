#include <errno.h>

#include "runtimes/shimlink-own.h"

static bool got_output(struct shimlink *l, struct bytes b)
{
	uint32_t step, stream;
	uint64_t offset;
	if (!wire_take32(&b, &step) || !wire_take32(&b, &stream) || !wire_take64(&b, &offset) || stream < 1 || stream > 2 ||
	    !b.n || !step || step != l->step || offset != l->offset[stream - 1])
		return false;
	l->offset[stream - 1] += b.n;
	l->calls->output(l->ctx, step, (int)stream, str_in(b));
	return true;
}

static bool got_done(struct shimlink *l, struct bytes b)
{
	struct shim_done d = {0};
	uint32_t kind, zero;
	if (!wire_take32(&b, &d.step) || !wire_take32(&b, &kind) || !wire_take32(&b, &d.status) || !wire_take32(&b, &d.flags) ||
	    !wire_take32(&b, &d.leftovers) || !wire_take32(&b, &zero) || !wire_take64(&b, &d.user_us) ||
	    !wire_take64(&b, &d.system_us) || !wire_take64(&b, &d.max_rss_kb))
		return false;
	d.kind = kind;
	if (!d.step || d.step != l->step || kind > SHIM_NOT_STARTED || (kind == SHIM_EXITED && d.status > 255))
		return false;
	l->step = 0;
	l->calls->done(l->ctx, &d, str_in(b));
	return true;
}

static bool got_started(struct shimlink *l, struct bytes b)
{
	uint32_t step, pid;
	if (!wire_take32(&b, &step) || !wire_take32(&b, &pid) || b.n || !step || step != l->step)
		return false;
	if (l->calls->started)
		l->calls->started(l->ctx, step, pid);
	return true;
}

static bool got_put_done(struct shimlink *l, struct bytes b)
{
	uint32_t id, reason;
	if (!wire_take32(&b, &id) || !wire_take32(&b, &reason) || !id || reason > INT32_MAX)
		return false;
	l->calls->put_done(l->ctx, id, (int)reason, str_in(b));
	return true;
}

static bool got_data(struct shimlink *l, struct bytes b)
{
	if (!l->get || !b.n)
		return false;
	sha256_add(&l->get_sum, b.p, b.n);
	l->get_size += b.n;
	l->calls->got(l->ctx, l->get, str_in(b));
	return true;
}

static bool got_all(struct shimlink *l, struct bytes b)
{
	uint32_t id, reason;
	uint64_t size;
	struct digest sum;
	if (!wire_take32(&b, &id) || !wire_take32(&b, &reason) || !wire_take64(&b, &size) || !id || id != l->get || reason > INT32_MAX)
		return false;
	const uint8_t *told = wire_take(&b, sizeof(sum.bytes));
	if (!told)
		return false;
	sha256_end(&l->get_sum, &sum);
	l->get = 0;
	struct str text = str_in(b);
	if (!reason && (size != l->get_size || memcmp(sum.bytes, told, sizeof(sum.bytes)) != 0)) {
		reason = EBADMSG;
		text = S("unable to use the archive: its digest does not match");
	}
	l->calls->get_done(l->ctx, id, (int)reason, text);
	return true;
}

bool link_told(struct shimlink *l, const struct frame *f)
{
	struct bytes b = f->payload;
	switch (f->type) {
	case FRAME_STARTED:
		return got_started(l, b);
	case FRAME_OUTPUT:
		return got_output(l, b);
	case FRAME_DONE:
		return got_done(l, b);
	case FRAME_PUT_DONE:
		return got_put_done(l, b);
	case FRAME_GET_DATA:
		return got_data(l, b);
	case FRAME_GET_DONE:
		return got_all(l, b);
	case FRAME_BYE:
		if (l->calls->bye)
			l->calls->bye(l->ctx, str_in(b));
		return true;
	}
	return false;
}
