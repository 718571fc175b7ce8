#include "resolve/gather.h"

/* A store's fault is a warning and a local run; after the first it is left alone for this run. */
static void store_fault(struct walk *w, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);

	buf_fmt(&text, "the cache is not used for the rest of this run: %s", err->text ? err->text : "unknown fault");
	w->store_off = true;
	if (w->warn)
		w->warn(w->ctx, buf_view(&text));
	err_release(err);
}

bool walk_store_get(struct walk *w, enum record_kind kind, const struct digest *key, struct arena *a, struct str *out)
{
	struct err fault = ERR_INIT;
	int got;

	if (!w->store || w->store_off)
		return false;
	got = w->store->ops->get(w->store, kind, key, a, out, &fault);
	if (got < 0)
		store_fault(w, &fault);
	return got > 0;
}

bool walk_result(struct walk *w, const struct digest *key, struct arena *a, struct result *out)
{
	struct err bad = ERR_INIT;
	struct str bytes;

	if (!walk_store_get(w, RECORD_RESULT, key, a, &bytes))
		return false;
	if (result_decode(a, bytes, out, &bad) == 0 && digest_eq(&out->key, key))
		return !out->root.n || str_eq(out->root, w->root);
	if (w->warn)
		w->warn(w->ctx, str_fmt(a, "a damaged cache record was dropped: %s", bad.text ? bad.text : "it is another key's"));
	err_release(&bad);
	w->store->ops->remove(w->store, RECORD_RESULT, key, NULL);
	return false;
}
