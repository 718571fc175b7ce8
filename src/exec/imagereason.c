#include "exec/imagereason.h"

#include "plan/manifest.h"
#include "runtimes/imageid.h"

static bool description(struct arena *a, struct store *store, struct str identity, struct str *out)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(MANIFEST_MAX);
	struct digest d;

	if (!store || !digest_parse(identity, &d) || store->ops->read_bytes(store, &d, MANIFEST_MAX, &bytes, NULL) != 1)
		return false;
	*out = str_dup(a, buf_view(&bytes));
	return true;
}

/* Is it an image's, or the key of one that is built? */
static bool is_image(struct str text)
{
	struct manifest_item item;
	size_t at = 0;

	return manifest_next(text, &at, &item) == 1 && str_is(item.tag, "image");
}

static void built(struct arena *a, struct str before, struct str after, struct str **out, size_t *n)
{
	struct manifest_change *c;

	if (manifest_diff(a, before, after, &c, n) < 0)
		*n = 0;
	*out = arena_array(a, *n + 1, struct str);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = str_fmt(a, "its " STR_FMT "%s" STR_FMT " %s", STR_ARG(c[i].tag), c[i].name.n ? " " : "", STR_ARG(c[i].name),
				    !c[i].before.s ? "is new" : !c[i].after.s ? "is gone" : "changed");
}

void image_reasons(struct arena *a, struct store *store, struct str before, struct str after, struct str **out, size_t *n)
{
	struct str was, is;

	*n = 0;
	if (!description(a, store, before, &was) || !description(a, store, after, &is))
		return;
	if (!is_image(was) || !is_image(is))
		built(a, was, is, out, n);
	else if (imageid_differences(a, was, is, out, n) < 0)
		*n = 0;
}
