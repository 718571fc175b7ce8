/* bundle.h: a part of the cache as one file, for the cache folders of CI systems: a tar compressed by zstd. First "cairn-bundle", which says
 * the format; then for each record what it names that was not there yet (blobs/HEX) and the record itself (results/HEX, paths/HEX); last
 * "end". So whatever stands before a cut is whole.
 *
 * Reading one trusts nothing in it: a blob must have the SHA-256 that it is called by, a record must decode, be of the key that it is called
 * by, which must be the hash of its manifest, and name only blobs that are there by then. What does not is dropped and named; the rest is taken.
 * That a result is the honest one for its key can't be seen: whom you take a bundle from you trust like those who write to a shared
 * cache. */
#pragma once

#include "cache/store.h"
#include "sys/archive.h"

struct bundle_stats { uint64_t records, blobs, bytes /* of content */, known /* records that were there */, dropped; };

/* Of a store_dir: all that was used within max_age_s (0: all). Records of which something is missing are left out. */
int bundle_write(struct store *, uint64_t max_age_s, tar_sink *, void *ctx, struct bundle_stats *, struct err *);
struct bundle_told {
	void (*dropped)(void *ctx, struct str text);    /* of each entry that is not taken */
	void (*taken)(void *ctx, enum record_kind, const struct digest *key);   /* of each record that is; NULL: nobody is told */
	void *ctx;
};
/* max_bytes: of all content (0: 1 TiB). -1 when it is no bundle, or it ends early: what was taken before is whole and stays. */
int bundle_read(struct store *, tar_source *, void *ctx, uint64_t max_bytes, const struct bundle_told *, struct bundle_stats *, struct err *);
