/* memo.h: digest -> digest, kept between runs in one small file, for answers that cost a process.
 * Format, native byte order: struct head, then pairs in order of use, oldest first; guarded by an XXH3-128. At most
 * MEMO_MAX pairs, the oldest go. One that is damaged or of another format counts as empty. */
#pragma once

#include "base/digest.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/err.h"

#define MEMO_MAX 4096

struct memo_pair { uint8_t key[32], value[32]; };

struct memo {
	const char *file;
	VEC(struct memo_pair) pairs;    /* oldest first; a key may come again, the last one counts */
	bool changed;
};

void memo_open(struct memo *, struct arena *scratch, const char *file);
bool memo_get(struct memo *, const struct digest *key, struct digest *value);
void memo_put(struct memo *, const struct digest *key, const struct digest *value);
int memo_save(struct memo *, struct err *);
void memo_release(struct memo *);
