#include "exec/termtext.h"

#include <stdio.h>

struct range { uint32_t from, to; };

/* Two columns wide in terminals, the ranges of Unicode's EastAsianWidth.txt (W, F) that matter, coarsely. */
static const struct range wide[] = {
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
	{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
	{0x20000, 0x3fffd},
};
/* Combining marks, joiners, variation selectors. */
static const struct range none[] = {
	{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a}, {0x64b, 0x65f}, {0x200b, 0x200f}, {0x202a, 0x202e},
	{0x2060, 0x2064}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

static bool in(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].from && c <= r[i].to)
			return true;
	return false;
}

static size_t columns(uint32_t c)
{
	return c < 0x300 ? 1 : in(none, countof(none), c) ? 0 : in(wide, countof(wide), c) ? 2 : 1;
}

/* The character text begins with; its length. 0: none that may go to a terminal. Directional overrides have no place
 * in a name either. */
static size_t decode(struct str text, uint32_t *c)
{
	unsigned char b = (unsigned char)text.s[0];
	size_t n = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
	if (!n || n > text.n)
		return 0;
	*c = n == 1 ? b : b & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)text.s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | ((unsigned char)text.s[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	bool bad = *c < 0x20 || (*c >= 0x7f && *c < 0xa0) || *c < least[n] || (*c >= 0xd800 && *c < 0xe000) ||
		   *c > 0x10ffff || (*c >= 0x202a && *c <= 0x202e) || (*c >= 0x2066 && *c <= 0x2069);
	return bad ? 0 : n;
}

size_t term_clip(struct buf *out, struct str text, size_t cols)
{
	size_t used = 0, fits = out->n, fits_used = 0;   /* where an ellipsis still has room */
	while (text.n) {
		uint32_t c = '?';
		size_t n = decode(text, &c), w = n ? columns(c) : 1;
		if (used + w > cols) {
			if (!cols)
				return 0;
			out->n = fits;
			buf_z(out, "…");
			return fits_used + 1;
		}
		buf_add(out, n ? text.s : "?", n ? n : 1);
		used += w;
		text = str_from(text, n ? n : 1);
		if (used < cols) {
			fits = out->n;
			fits_used = used;
		}
	}
	return used;
}

const char *term_time(uint64_t ns, char out[TERM_TIME_MAX])
{
	uint64_t s = ns / 1000000000;
	if (ns < 995000000)
		snprintf(out, TERM_TIME_MAX, "%.2fs", (double)ns / 1e9);
	else if (s < 60)
		snprintf(out, TERM_TIME_MAX, "%.1fs", (double)(ns / 100000000) / 10);
	else if (s < 3600)
		snprintf(out, TERM_TIME_MAX, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		snprintf(out, TERM_TIME_MAX, "%lluh%02um", (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60));
	return out;
}

void term_quote(struct buf *out, struct str word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-";
	bool safe = word.n > 0;
	for (size_t i = 0; i < word.n; i++)
		safe &= word.s[i] && strchr(plain, word.s[i]);
	if (safe) {
		buf_str(out, word);
		return;
	}
	buf_c(out, '\'');
	for (size_t i = 0; i < word.n; i++)
		if (word.s[i] == '\'')
			buf_z(out, "'\\''");
		else
			buf_c(out, word.s[i]);
	buf_c(out, '\'');
}
