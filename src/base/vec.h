/* vec.h: a growing array on the heap, as one macro family.
 * A vector is any struct with the members `T *v; size_t n, cap;` (VEC(T) declares one). */
#pragma once

#include <stdlib.h>

#include "base.h"

#define VEC(T) struct { T *v; size_t n, cap; }
#define vec_push(vec) \
	((vec)->n == (vec)->cap ? (void)((vec)->v = vec_grow((vec)->v, &(vec)->cap, sizeof(*(vec)->v))) : (void)0, \
	 &(vec)->v[(vec)->n++])
#define vec_add(vec, ...) ((void)(*vec_push(vec) = (__VA_ARGS__)))
#define vec_free(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

void *vec_grow(void *v, size_t *cap, size_t size);
