#include "exec/mask.h"

#include <stdlib.h>

/* A file's last newline is no part of what a program says of it. */
static struct str without_newlines(struct str s)
{
	while (s.n && (s.s[s.n - 1] == '\n' || s.s[s.n - 1] == '\r'))
		s.n--;
	return s;
}

void mask_init(struct mask *m, const struct str *values, size_t n)
{
	*m = (struct mask){0};
	for (size_t i = 0; i < n; i++)
		mask_hide(m, values[i]);
}

void mask_hide(struct mask *m, struct str value)
{
	struct str s = without_newlines(value);
	if (!s.s || s.n < MASK_SHORTEST)
		return;
	m->v = xrealloc(m->v, (m->n + 1) * sizeof(*m->v));
	m->v[m->n++] = s;
	m->first[(unsigned char)s.s[0]] = true;
}

void mask_release(struct mask *m)
{
	free(m->v);
	*m = (struct mask){0};
}

/* Length of the longest secret that begins text. *more: text ends within one. */
static size_t secret_at(const struct mask *m, struct str text, bool *more)
{
	size_t longest = 0;
	*more = false;
	for (size_t i = 0; i < m->n; i++) {
		struct str s = m->v[i];
		size_t n = s.n < text.n ? s.n : text.n;
		if (memcmp(s.s, text.s, n) != 0)
			continue;
		if (n < s.n)
			*more = true;
		else if (n > longest)
			longest = n;
	}
	return longest;
}

/* Appends text to out, masked; returns where what must be held begins, and how much of that is covered. */
static size_t mask_text(const struct mask *m, struct str text, size_t *covered, bool last, struct buf *out)
{
	size_t end = *covered;          /* of the secret we are in; its "***" is out */
	size_t plain = end;             /* from here on nothing was appended yet */
	size_t at = 0;
	for (; at < text.n; at++) {
		bool more;
		if (!m->first[(unsigned char)text.s[at]])
			continue;
		size_t n = secret_at(m, str_from(text, at), &more);
		if (more && !last)
			break;
		if (!n)
			continue;
		if (at >= end) {
			if (at > plain)
				buf_add(out, text.s + plain, at - plain);
			buf_z(out, "***");
		}
		if (at + n > end)
			plain = end = at + n;
	}
	if (at > plain)
		buf_add(out, text.s + plain, at - plain);
	*covered = end > at ? end - at : 0;
	return at;
}

void mask_add(const struct mask *m, struct mask_stream *s, struct str bytes, bool last, struct buf *out)
{
	if (!s->held.n) {
		size_t at = mask_text(m, bytes, &s->covered, last, out);
		if (at < bytes.n)
			buf_add(&s->held, bytes.s + at, bytes.n - at);
		return;
	}
	buf_str(&s->held, bytes);
	size_t at = mask_text(m, buf_view(&s->held), &s->covered, last, out);
	s->held.n -= at;
	memmove(s->held.s, s->held.s + at, s->held.n);
}
