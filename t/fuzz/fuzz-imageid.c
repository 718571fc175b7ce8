/* A configuration is refused with a reason, or read; then its description is a sound manifest that has no difference to
 * itself. Whatever else it says, an image with another layer is another. */
#include "plan/manifest.h"
#include "runtimes/imageid.h"
#include "sys/sha.h"

static void look(struct arena *arena, const struct imageid *id)
{
	struct manifest_item item;
	struct digest again;
	struct str *said;
	size_t at = 0, n;
	int got;

	while ((got = manifest_next(id->description, &at, &item)) > 0)
		;
	if (got < 0)
		BUG("the description is no manifest");
	if (imageid_differences(arena, id->description, id->description, &said, &n) < 0 || n)
		BUG("it differs from itself");
	if (imageid_differences(arena, id->description, S("cairn manifest 1\n"), &said, &n) < 0 || n < 3)
		BUG("it is as good as nothing");
	sha256_bytes(id->description.s, id->description.n, &again);
	if (!digest_eq(&again, &id->identity))
		BUG("the identity is another's");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct imageid id;

	if (imageid_read(&arena, (struct str){(const char *)data, size}, &id, &err) == 0)
		look(&arena, &id);
	else if (!err.text || !str_starts(str_of(err.text), S("the image's configuration is not usable: ")))
		BUG("refused without a reason");
	err_release(&err);
	arena_release(&arena);
	return 0;
}
