/* A bundle of results from outside: whatever stands in it, the store holds whole records only. */
#include <stdlib.h>

#include "cli/bundle.h"
#include "cli/refs.h"
#include "plan/result.h"
#include "sys/sha.h"

static ptrdiff_t source(void *ctx, void *into, size_t max, struct err *err)
{
	struct str *s = ctx;
	size_t n = s->n < max ? s->n : max;

	(void)err;
	if (n)
		memcpy(into, s->s, n);
	*s = str_from(*s, n);
	return (ptrdiff_t)n;
}

struct look { struct store *store; enum record_kind kind; size_t n; };

static void must_be_there(void *ctx, const struct digest *d)
{
	struct look *l = ctx;
	bool there = false;

	if (l->store->ops->has(l->store, d, 1, &there, NULL) < 0 || !there)
		abort();
}

static int see(void *ctx, const struct digest *key)
{
	struct look *l = ctx;
	struct arena a = ARENA_INIT;
	struct str bytes;
	struct result r;

	l->n++;
	if (l->store->ops->get(l->store, l->kind, key, &a, &bytes, NULL) != 1 || refs_check(l->kind, bytes) < 0)
		abort();
	if (l->kind == RECORD_RESULT && (result_decode(&a, bytes, &r, NULL) < 0 || !digest_eq(&r.key, key) ||
					 refs_of_result(bytes, must_be_there, l) < 0))
		abort();
	arena_release(&a);
	return 0;
}

static void dropped(void *ctx, struct str text) { *(size_t *)ctx += text.n != 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store *store = store_mem_open(0);
	struct look look = {.store = store};
	struct str bytes = {(const char *)data, size};
	struct bundle_stats stats;
	struct err err = ERR_INIT;
	size_t drops = 0;
	int rc = bundle_read(store, source, &bytes, 1 << 20, &(struct bundle_told){.dropped = dropped, .ctx = &drops}, &stats, &err);

	if ((rc < 0) != err_any(&err) || drops != stats.dropped)
		abort();
	for (int kind = RECORD_RESULT; kind <= RECORD_PATHS; kind++) {
		look.kind = (enum record_kind)kind;
		if (store->ops->each_record(store, look.kind, see, &look, NULL))
			abort();
	}
	if (look.n != stats.records)
		abort();
	err_release(&err);
	store_close(store);
	return 0;
}
