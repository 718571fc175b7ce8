/* messages.c: what the fields of a message hold, and texts put together. */
#include <stdlib.h>
#include <string.h>

#include "runtimes/shim/shim.h"

bool words_add(struct words *w, char *word)
{
	if (!word)
		return false;
	if (w->n + 2 > w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 16;
		char **v = realloc(w->v, cap * sizeof(*v));
		if (!v)
			return false;
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = word;
	w->v[w->n] = NULL;
	return true;
}

void words_release(struct words *w)
{
	free(w->v);
	*w = (struct words){0};
}

char *field_text(struct bytes value)
{
	char *p = (char *)value.p - 1;          /* over the last byte of its head, which is read already */
	if (memchr(value.p, '\0', value.n))
		return NULL;
	memmove(p, value.p, value.n);
	p[value.n] = '\0';
	return p;
}

bool field_u32(struct bytes value, uint32_t *out)
{
	return wire_take32(&value, out) && !value.n;
}

bool field_u64(struct bytes value, uint64_t *out)
{
	return wire_take64(&value, out) && !value.n;
}

bool fields_begin(uint8_t *message, size_t n, uint32_t *id, struct bytes *fields)
{
	*fields = (struct bytes){message, n};
	return wire_take32(fields, id);
}

void text_add(struct text *t, const char *s)
{
	size_t n = strlen(s), room = sizeof(t->s) - t->n;
	n = n < room ? n : room;
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

struct bytes text_bytes(const struct text *t)
{
	return (struct bytes){(const uint8_t *)t->s, t->n};
}
