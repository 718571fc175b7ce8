/* arena.h: memory that lives as long as a phase (spec, plan, run, job) and is freed as one.
 * Single objects are never freed. A build with -DARENA_MALLOC makes each allocation a malloc,
 * so that sanitizers see inside. Out of memory ends the process. Not thread-safe. */
#pragma once

#include "base.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk;      /* newest first */
	char *at, *end;                 /* free part of the newest chunk */
};

#define ARENA_INIT {0}

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *, size_t n);
void *arena_calloc(struct arena *, size_t count, size_t size);
/* A copy of n bytes followed by a NUL. */
char *arena_dup(struct arena *, const void *, size_t n);
void arena_release(struct arena *);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, n, type) ((type *)arena_calloc((a), (n), sizeof(type)))
