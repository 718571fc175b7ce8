/* buf.c: the growing buffer of str.h. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

void buf_release(struct buf *b)
{
	free(b->s);
	*b = (struct buf)BUF_INIT(b->limit);
}

void cleanup_buf(struct buf *b)
{
	buf_release(b);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->full = false;
	if (b->s)
		*b->s = '\0';
}

bool buf_reserve(struct buf *b, size_t more)
{
	if (b->full || more > b->limit || b->n > b->limit - more) {
		b->full = true;
		return false;
	}
	size_t need = b->n + more;
	if (need < b->cap)              /* cap has room for the NUL as well */
		return true;
	if (need == SIZE_MAX)
		xmalloc(SIZE_MAX);
	size_t cap = b->cap + b->cap / 2;
	if (cap < need + 1)
		cap = need + 1;
	if (cap < 64)
		cap = 64;
	b->s = xrealloc(b->s, cap);
	b->cap = cap;
	b->s[b->n] = '\0';
	return true;
}

void buf_add(struct buf *b, const void *from, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->s + b->n, from, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void buf_vfmt(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	if (n < 0)
		BUG("unable to format \"%s\"", fmt);
	if (n > 0 && buf_reserve(b, (size_t)n)) {
		vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	buf_vfmt(b, fmt, args);
	va_end(args);
}
