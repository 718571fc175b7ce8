#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.s, b.s, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_head(s, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || str_eq(str_from(s, s.n - suffix.n), suffix));
}

ptrdiff_t str_chr(struct str s, char c)
{
	const char *at = s.n ? memchr(s.s, c, s.n) : NULL;
	return at ? at - s.s : -1;
}

ptrdiff_t str_rchr(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.s, c, s.n) : NULL;
	return at ? at - s.s : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.s, s.n, needle.s, needle.n) : NULL;
	return at ? at - s.s : -1;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.s[s.n - 1]))
		s.n--;
	while (s.n && is_blank(*s.s)) {
		s.s++;
		s.n--;
	}
	return s;
}

bool str_cut(struct str *rest, char c, struct str *part)
{
	if (rest->n == 0)
		return false;
	ptrdiff_t at = str_chr(*rest, c);
	if (at < 0) {
		*part = *rest;
		*rest = str_from(*rest, rest->n);
	} else {
		*part = str_head(*rest, (size_t)at);
		*rest = str_from(*rest, (size_t)at + 1);
	}
	return true;
}

bool str_u64(struct str s, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.s[i] - '0'), &value))
			return false;
	}
	if (s.n)
		*out = value;
	return s.n > 0;
}

struct str str_dup(struct arena *a, struct str s)
{
	return s.s ? (struct str){arena_dup(a, s.s, s.n), s.n} : s;
}

struct str str_vfmt(struct arena *a, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	if (n < 0)
		BUG("unable to format \"%s\"", fmt);
	char *s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return (struct str){s, (size_t)n};
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	struct str s = str_vfmt(a, fmt, args);
	va_end(args);
	return s;
}

#define NEAR_MAX 64                     /* longer names are not compared */

static size_t min_of(size_t a, size_t b) { return a < b ? a : b; }

/* Edit distance in which two swapped neighbours count once (optimal string alignment). */
static size_t distance(struct str a, struct str b)
{
	size_t rows[3][NEAR_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.n; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			row[j] = min_of(min_of(last[j], row[j - 1]) + 1,
					last[j - 1] + (a.s[i - 1] != b.s[j - 1]));
			if (i > 1 && j > 1 && a.s[i - 1] == b.s[j - 2] && a.s[i - 2] == b.s[j - 1])
				row[j] = min_of(row[j], before[j - 2] + 1);
		}
		size_t *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b.n];
}

struct str str_nearest(struct str s, const struct str *names, size_t n)
{
	struct str best = {0};
	size_t limit = (s.n + 1) / 3;   /* a typing error in each three letters */

	if (s.n > NEAR_MAX)
		return best;
	for (size_t i = 0; i < n && limit > 0; i++) {
		size_t gap = names[i].n > s.n ? names[i].n - s.n : s.n - names[i].n;
		if (names[i].n > NEAR_MAX || gap > limit)
			continue;
		size_t d = distance(s, names[i]);
		if (d <= limit) {
			best = names[i];
			limit = d ? d - 1 : 0;  /* the next must be nearer */
			if (d == 0)
				break;
		}
	}
	return best;
}
