#include "base64.h"

void base64_add(struct buf *out, struct str s, bool url)
{
	static const char letters[2][65] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	};

	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)(uint8_t)s.s[i] << 16 | (left > 1 ? (uint32_t)(uint8_t)s.s[i + 1] << 8 : 0) |
			     (left > 2 ? (uint8_t)s.s[i + 2] : 0);
		char four[4] = {letters[url][v >> 18], letters[url][v >> 12 & 63], letters[url][v >> 6 & 63], letters[url][v & 63]};

		if (left < 3)
			four[3] = '=';
		if (left < 2)
			four[2] = '=';
		buf_add(out, four, 4);
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool base64_read(struct arena *a, struct str s, struct str *out)
{
	size_t n = s.n, used = 0;
	uint32_t v = 0;
	char *to;

	while (n && s.n - n < 2 && s.s[n - 1] == '=')
		n--;
	if (n % 4 == 1 || (n < s.n && s.n % 4))
		return false;
	to = arena_alloc(a, n / 4 * 3 + 3);
	for (size_t i = 0; i < n; i++) {
		int six = value_of(s.s[i]);

		if (six < 0)
			return false;
		v = (v << 6 | (uint32_t)six) & 0xffffff;
		if (i % 4)
			to[used++] = (char)(v >> (6 - i % 4 * 2) & 0xff);
	}
	to[used] = '\0';
	*out = (struct str){to, used};
	return true;
}
