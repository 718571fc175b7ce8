/* Records as a store hands them back: results, sets of paths, manifests. The sum at the end is made
 * right, that what lies behind it is reached; a record that is read must be written the same. */
#include <stdlib.h>

#include "plan/codec.h"
#include "plan/manifest.h"
#include "plan/result.h"

static void same(const struct buf *again, struct str bytes)
{
	if (!str_eq(buf_view(again), bytes))
		abort();
}

static void read_manifest(struct arena *a, struct str bytes)
{
	struct manifest_item item;
	struct manifest_change *changes;
	size_t at = 0, n;

	while (manifest_next(bytes, &at, &item) > 0)
		;
	if (manifest_diff(a, bytes, S("cairn manifest 1\n"), &changes, &n) == 0 && manifest_diff(a, bytes, bytes, &changes, &n) < 0)
		abort();
}

static void read_records(struct arena *a, struct str bytes)
{
	struct buf again = BUF_INIT(BUF_UNLIMITED);
	struct pathsets sets;
	struct result r;

	if (result_decode(a, bytes, &r, NULL) == 0) {
		result_encode(&r, &again);
		same(&again, bytes);
		read_manifest(a, r.manifest);
	}
	if (pathsets_decode(a, bytes, &sets, NULL) == 0) {
		pathsets_encode(&sets, &again);
		same(&again, bytes);
	}
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct buf sealed = BUF_INIT(BUF_UNLIMITED);
	struct str bytes = {(const char *)data, size};

	read_manifest(&arena, bytes);
	buf_str(&sealed, bytes);
	codec_put_sum(&sealed);
	read_records(&arena, buf_view(&sealed));
	buf_release(&sealed);
	arena_release(&arena);
	return 0;
}
