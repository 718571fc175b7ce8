#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN (64u << 10)
#define CHUNK_MAX (4u << 20)
#define ALIGN _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;       /* older */
	size_t size;                    /* of data */
	_Alignas(max_align_t) char data[];
};

/* calloc: fresh pages of the system are zero already and stay untouched until they are used. */
static struct arena_chunk *chunk_new(size_t size)
{
	size_t total;
	if (__builtin_add_overflow(size, sizeof(struct arena_chunk), &total))
		total = SIZE_MAX;
	struct arena_chunk *chunk = xcalloc(1, total);
	chunk->size = size;
	return chunk;
}

#ifdef ARENA_MALLOC

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *chunk = chunk_new(n);
	chunk->next = a->chunk;
	a->chunk = chunk;
	return chunk->data;
}

#else

/* An object that is large for the next chunk gets one of its own behind the newest, whose free part
 * goes on being used. */
static void *alloc_in_new_chunk(struct arena *a, size_t n)
{
	size_t size = a->chunk ? a->chunk->size * 2 : CHUNK_MIN;
	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (n > size / 4) {
		struct arena_chunk *own = chunk_new(n);
		if (a->chunk) {
			own->next = a->chunk->next;
			a->chunk->next = own;
		} else {
			a->chunk = own;
			a->at = a->end = own->data + n;
			own->size = CHUNK_MIN / 2;      /* the doubling starts as if it were not there */
		}
		return own->data;
	}
	struct arena_chunk *chunk = chunk_new(size);
	chunk->next = a->chunk;
	a->chunk = chunk;
	a->at = chunk->data + n;
	a->end = chunk->data + size;
	return chunk->data;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX - ALIGN)
		xmalloc(SIZE_MAX);
	n = n ? (n + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
	if (!a->chunk || (size_t)(a->end - a->at) < n)
		return alloc_in_new_chunk(a, n);
	void *p = a->at;
	a->at += n;
	return p;
}

#endif

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t n;
	if (__builtin_mul_overflow(count, size, &n))
		n = SIZE_MAX;
	return arena_alloc(a, n);
}

char *arena_dup(struct arena *a, const void *from, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	if (n)
		memcpy(p, from, n);
	return p;
}

void arena_release(struct arena *a)
{
	for (struct arena_chunk *chunk = a->chunk, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*a = (struct arena)ARENA_INIT;
}
