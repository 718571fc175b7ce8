#include "cli/refs.h"

#include "plan/result.h"

int refs_of_result(struct str record, void (*blob)(void *, const struct digest *), void *ctx)
{
	struct arena arena = ARENA_INIT;
	struct result result;
	int rc = result_decode(&arena, record, &result, NULL);

	for (size_t i = 0; rc == 0 && i < result.outputs.n; i++)
		if (result.outputs.v[i].type == ENTRY_FILE)
			blob(ctx, &result.outputs.v[i].digest);
	if (rc == 0 && result.log.algo != DIGEST_NONE)
		blob(ctx, &result.log);
	arena_release(&arena);
	return rc;
}

int refs_check(enum record_kind kind, struct str record)
{
	struct arena arena = ARENA_INIT;
	struct result result;
	struct pathsets sets;
	int rc = kind == RECORD_RESULT ? result_decode(&arena, record, &result, NULL) : pathsets_decode(&arena, record, &sets, NULL);

	arena_release(&arena);
	return rc;
}
