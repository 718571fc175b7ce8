#include "runtimes/shim/wire.h"

#include <string.h>

/* Eight bytes at a time ("slicing by 8", Kounavis and Berry 2005). */
static uint32_t table[8][256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		table[0][i] = c;
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

uint32_t crc32_of(uint32_t before, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t c = ~before;
	if (!table[0][1])
		make_table();
	for (; n >= 8; p += 8, n -= 8) {
		uint32_t low = wire_get32(p) ^ c, high = wire_get32(p + 4);
		c = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
		    table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
	}
	while (n--)
		c = c >> 8 ^ table[0][(c ^ *p++) & 255];
	return ~c;
}

void wire_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

void wire_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

void wire_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

uint16_t wire_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t wire_get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t wire_get64(const uint8_t *p)
{
	return wire_get32(p) | (uint64_t)wire_get32(p + 4) << 32;
}

void wire_head(uint8_t out[HEAD_SIZE], uint32_t type, uint32_t sequence, struct bytes head, struct bytes body)
{
	memcpy(out, SHIM_VERSION, 4);
	wire_u32(out + HEAD_LENGTH, (uint32_t)(head.n + body.n));
	wire_u32(out + HEAD_TYPE, type);
	wire_u32(out + HEAD_SEQUENCE, sequence);
	wire_u32(out + HEAD_SUM, crc32_of(crc32_of(0, head.p, head.n), body.p, body.n));
	wire_u32(out + HEAD_HEADSUM, crc32_of(0, out, HEAD_HEADSUM));
}

enum lost wire_check_head(const uint8_t head[HEAD_SIZE])
{
	if (memcmp(head, SHIM_VERSION, 4) != 0)
		return LOST_VERSION;
	if (wire_get32(head + HEAD_HEADSUM) != crc32_of(0, head, HEAD_HEADSUM))
		return LOST_HEAD;
	return wire_get32(head + HEAD_LENGTH) > FRAME_MAX ? LOST_LENGTH : LOST_NONE;
}

const uint8_t *wire_take(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;
	if (n > b->n)
		return NULL;
	b->p += n;
	b->n -= n;
	return p;
}

bool wire_take32(struct bytes *b, uint32_t *out)
{
	const uint8_t *p = wire_take(b, 4);
	*out = p ? wire_get32(p) : 0;
	return p;
}

bool wire_take64(struct bytes *b, uint64_t *out)
{
	const uint8_t *p = wire_take(b, 8);
	*out = p ? wire_get64(p) : 0;
	return p;
}

int wire_field(struct bytes *b, uint16_t *tag, struct bytes *value)
{
	if (!b->n)
		return 0;
	const uint8_t *head = wire_take(b, FIELD_HEAD);
	if (!head)
		return -1;
	*tag = wire_get16(head);
	value->n = wire_get32(head + 2);
	value->p = wire_take(b, value->n);
	return value->p ? 1 : -1;
}

void wire_field_head(uint8_t out[FIELD_HEAD], uint16_t tag, uint32_t length)
{
	wire_u16(out, tag);
	wire_u32(out + 2, length);
}
