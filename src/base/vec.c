#include "base/vec.h"

void *vec_grow(void *v, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8, bytes;
	if (want < *cap || __builtin_mul_overflow(want, size, &bytes))
		bytes = SIZE_MAX;       /* xrealloc says that there is no such memory */
	v = xrealloc(v, bytes);
	*cap = want;
	return v;
}
