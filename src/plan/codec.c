#include "plan/codec.h"

#define SUM_BYTES 16

void codec_put_u8(struct buf *b, uint8_t n)
{
	buf_add(b, &n, 1);
}

static void put_bytes(struct buf *b, uint64_t n, size_t count)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(n >> 8 * i);
	buf_add(b, bytes, count);
}

void codec_put_u32(struct buf *b, size_t n)
{
	if (n > UINT32_MAX)
		BUG("a record field of %zu bytes", n);
	put_bytes(b, n, 4);
}

void codec_put_u64(struct buf *b, uint64_t n)
{
	put_bytes(b, n, 8);
}

void codec_put_str(struct buf *b, struct str s)
{
	codec_put_u32(b, s.n);
	buf_str(b, s);
	buf_c(b, 0);
}

void codec_put_digest(struct buf *b, const struct digest *d)
{
	codec_put_u8(b, d->algo);
	if (d->algo != DIGEST_NONE)
		buf_add(b, d->bytes, sizeof(d->bytes));
}

void codec_put_entries(struct buf *b, const struct entries *entries)
{
	codec_put_u32(b, entries->n);
	for (size_t i = 0; i < entries->n; i++) {
		const struct entry *e = &entries->v[i];

		codec_put_u8(b, e->type);
		codec_put_str(b, e->path);
		put_bytes(b, e->mode, 2);
		codec_put_u64(b, e->size);
		codec_put_digest(b, &e->digest);
		codec_put_str(b, e->link);
	}
}

void codec_put_sum(struct buf *b)
{
	struct xxh sum = xxh_bytes(b->s, b->n);

	codec_put_u64(b, sum.lo);
	codec_put_u64(b, sum.hi);
}

/* ---- reading ---- */

static const char *take(struct codec_in *in, size_t n)
{
	const char *at = in->rest.s;

	if (in->bad || in->rest.n < n) {
		in->bad = true;
		return NULL;
	}
	in->rest = str_from(in->rest, n);
	return at;
}

static uint64_t get_bytes(struct codec_in *in, size_t count)
{
	const uint8_t *p = (const uint8_t *)take(in, count);
	uint64_t n = 0;

	for (size_t i = 0; p && i < count; i++)
		n |= (uint64_t)p[i] << 8 * i;
	return n;
}

uint8_t codec_get_u8(struct codec_in *in)
{
	return (uint8_t)get_bytes(in, 1);
}

uint32_t codec_get_u32(struct codec_in *in)
{
	return (uint32_t)get_bytes(in, 4);
}

uint64_t codec_get_u64(struct codec_in *in)
{
	return get_bytes(in, 8);
}

struct str codec_get_str(struct codec_in *in)
{
	uint32_t n = codec_get_u32(in);
	const char *s = take(in, (size_t)n + 1);

	in->bad |= s && s[n];
	return s ? (struct str){s, n} : S("");
}

struct digest codec_get_digest(struct codec_in *in)
{
	struct digest d = {.algo = codec_get_u8(in)};
	const char *s;

	if (d.algo > DIGEST_SHA256)
		in->bad = true;
	if (d.algo != DIGEST_NONE && (s = take(in, sizeof(d.bytes))))
		memcpy(d.bytes, s, sizeof(d.bytes));
	return d;
}

uint32_t codec_get_count(struct codec_in *in, size_t least)
{
	uint32_t n = codec_get_u32(in);

	if (n > in->rest.n / least)
		in->bad = true;
	return in->bad ? 0 : n;
}

struct entries codec_get_entries(struct codec_in *in, struct arena *a)
{
	uint32_t n = codec_get_count(in, 1 + 5 + 2 + 8 + 1 + 5);
	struct entries out = {arena_array(a, n + 1, struct entry), 0};

	for (; out.n < n && !in->bad; out.n++) {
		struct entry *e = &out.v[out.n];

		e->type = codec_get_u8(in);
		e->path = codec_get_str(in);
		e->mode = (uint16_t)get_bytes(in, 2);
		e->size = codec_get_u64(in);
		e->digest = codec_get_digest(in);
		e->link = codec_get_str(in);
		in->bad |= e->type > ENTRY_DIR || e->mode > 07777 || !codec_path_sound(e->path) ||
			   (e->link.n && memchr(e->link.s, 0, e->link.n)) ||
			   (out.n && entry_cmp(e - 1, e) >= 0);
	}
	return out;
}

bool codec_open(struct codec_in *in, struct str bytes, struct str head)
{
	struct codec_in sum;
	struct xxh want;

	if (bytes.n < head.n + SUM_BYTES || !str_starts(bytes, head))
		return false;
	sum.bad = false;
	sum.rest = str_from(bytes, bytes.n - SUM_BYTES);
	want.lo = codec_get_u64(&sum);
	want.hi = codec_get_u64(&sum);
	*in = (struct codec_in){.rest = {bytes.s + head.n, bytes.n - head.n - SUM_BYTES}};
	return xxh_eq(want, xxh_bytes(bytes.s, bytes.n - SUM_BYTES));
}

bool codec_path_inside(struct str path)
{
	struct str part, rest = path;

	if (!path.n || memchr(path.s, 0, path.n) || path.s[path.n - 1] == '/')
		return false;
	while (str_cut(&rest, '/', &part)) {
		if (!part.n || str_is(part, ".") || str_is(part, ".."))
			return false;
	}
	return true;
}

bool codec_path_sound(struct str path)
{
	return codec_path_inside(path.n && path.s[0] == '/' ? str_from(path, 1) : path);
}
