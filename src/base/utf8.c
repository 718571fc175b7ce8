#include "base/utf8.h"

uint32_t utf8_value(const char *s, size_t len)
{
	static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (uint8_t)s[0] & first[len];
	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((uint8_t)s[i] & 0x3f);
	return code;
}

size_t utf8_len(const char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t c = (uint8_t)s[0];
	if (c < 0x80)
		return 1;
	size_t len = c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c >= 0xf8 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (((uint8_t)s[i] & 0xc0) != 0x80)
			return 0;
	uint32_t code = utf8_value(s, len);
	return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : len;
}

size_t utf8_put(uint32_t code, char out[4])
{
	static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(first[len] | code);
	return len;
}
