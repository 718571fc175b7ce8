#include "runtimes/demux.h"

void demux_release(struct demux *d)
{
	buf_release(&d->said);
}

static int broken(struct demux *d, struct err *err)
{
	d->broken = true;
	return err_set(err, ERR_RUNTIME, "the engine's stream is damaged: byte %u of a frame's head is %u", d->nhead - 1,
		       d->head[d->nhead - 1]);
}

/* A byte of a head: any that can't be one is found at once, so that no damage is taken for a length. */
static int head_byte(struct demux *d, uint8_t byte, struct err *err)
{
	d->head[d->nhead++] = byte;
	if (d->nhead == 1 ? byte > 3 : d->nhead <= 4 && byte != 0)
		return broken(d, err);
	if (d->nhead == 8)
		d->left = (uint32_t)d->head[4] << 24 | (uint32_t)d->head[5] << 16 | (uint32_t)d->head[6] << 8 | d->head[7];
	if (d->nhead == 8 && !d->left)
		d->nhead = 0;
	return 0;
}

static void payload(struct demux *d, struct str part, void (*output)(void *, int, struct str), void *ctx)
{
	if (d->head[0] == 3)            /* what is too long for the buffer is only cut */
		buf_str(&d->said, str_head(part, part.n < DEMUX_SAID - d->said.n ? part.n : DEMUX_SAID - d->said.n));
	else if (d->head[0])
		output(ctx, d->head[0], part);
}

int demux_feed(struct demux *d, struct str bytes, void (*output)(void *ctx, int stream, struct str), void *ctx, struct err *err)
{
	if (d->broken)
		return broken(d, err);
	while (bytes.n) {
		if (d->nhead < 8) {
			if (head_byte(d, (uint8_t)bytes.s[0], err) < 0)
				return -1;
			bytes = str_from(bytes, 1);
			continue;
		}
		struct str part = str_head(bytes, bytes.n < d->left ? bytes.n : d->left);
		bytes = str_from(bytes, part.n);
		d->left -= (uint32_t)part.n;
		if (!d->left)
			d->nhead = 0;
		payload(d, part, output, ctx);
	}
	return 0;
}

int demux_end(struct demux *d, struct err *err)
{
	if (d->said.n)
		return err_set(err, ERR_RUNTIME, "the engine reports: " STR_FMT, STR_ARG(str_trim(buf_view(&d->said))));
	if (d->nhead)
		return err_set(err, ERR_RUNTIME, "the engine's stream ends within a frame");
	return d->broken ? -1 : 0;
}
