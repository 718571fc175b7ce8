/* statcache.h: path and identity -> digest, kept between runs in one file, so that what has not
 * changed is not read again. The file is mmap'ed, looked up through its own hash table, and
 * replaced by rename. One that is damaged or of another format counts as absent.
 *
 * Format, native byte order: struct statcache_head, entries, hash slots (u32, index + 1, power of two),
 * texts; guarded by an XXH3-128 over everything behind the head. Entries that STATCACHE_RUNS saves in a
 * row did not use are dropped. */
#pragma once

#include "base/digest.h"
#include "base/vec.h"
#include "sys/file.h"

#define STATCACHE_RUNS 100
#define STATCACHE_MAX (2u << 30)        /* bytes of the file */

struct statcache_entry {
	struct ident ident;
	uint8_t digest[32];             /* SHA-256 */
	uint64_t path;                  /* offset into texts */
	uint32_t n;
	uint32_t used;                  /* the save that last saw it in use */
};

struct statcache;                       /* NULL is an empty one */

struct statcache *statcache_open(const char *file);
void statcache_close(struct statcache *);
/* Thread-safe. The digest is the one of exactly that path and identity. */
bool statcache_find(struct statcache *, struct str path, const struct ident *, struct digest *);

struct statcache_item { struct str path; struct ident ident; struct digest digest; };
/* items: what is known now, paths unique; older entries of other paths are kept while they are young. */
int statcache_save(const struct statcache *, const char *file, const struct statcache_item *items, size_t n, struct err *);
