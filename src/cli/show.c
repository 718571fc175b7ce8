#include "cli/show.h"

#include <time.h>

void show_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double n = bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_fmt(b, "%u %s", (unsigned)bytes, bytes == 1 ? "byte" : "bytes");
		return;
	}
	for (n /= 1024; n >= 1024 && unit + 1 < countof(units); unit++)
		n /= 1024;
	buf_fmt(b, "%.1f %s", n, units[unit]);
}

void show_duration(struct buf *b, uint64_t ns)
{
	uint64_t ms = ns / 1000000, s = ms / 1000;

	if (ms < 1000)
		buf_fmt(b, "%u ms", (unsigned)ms);
	else if (s < 60)
		buf_fmt(b, "%.2f s", ms / 1000.0);
	else if (s < 3600)
		buf_fmt(b, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		buf_fmt(b, "%llu h %u min", (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60));
}

void show_when(struct buf *b, int64_t ns)
{
	time_t t = ns / 1000000000;
	struct tm tm;
	char text[64];

	if (!localtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_z(b, "an unknown time");
	else
		buf_z(b, text);
}

void show_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.s[i];

		if (c == '\n')
			buf_z(b, "\\n");
		else if (c < ' ' || c == 0x7f)
			buf_fmt(b, "\\x%02x", c);
		else
			buf_c(b, c);
	}
}

size_t show_width(struct str s)
{
	size_t width = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.s[i];

		width += c == '\n' ? 2 : c < ' ' || c == 0x7f ? 4 : (c & 0xc0) != 0x80;
	}
	return width;
}

void show_padded(struct buf *b, struct str s, size_t width)
{
	show_text(b, s);
	for (size_t n = show_width(s); n < width; n++)
		buf_c(b, ' ');
}

void show_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_fmt(b, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}
