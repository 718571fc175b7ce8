/* A manifest or an index is refused with a reason or read; what is chosen is one of its own. A challenge is read as something. */
#include "runtimes/registrydoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm/v7"};
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct str text = {(const char *)data, size};
	struct registrydoc doc;
	struct challenge c;

	if (registrydoc_read(&arena, text, &doc, &err) < 0) {
		if (!err.text)
			BUG("refused without a reason");
	} else {
		for (size_t i = 0; i < countof(platforms); i++) {
			struct platform want;
			const struct registrydoc_part *part;

			platform_parse(&arena, str_of(platforms[i]), &want);
			part = registrydoc_choose(&doc, &want);
			if (part && (part < doc.parts || part >= doc.parts + doc.nparts || part->digest.algo != DIGEST_SHA256))
				BUG("another's part is chosen");
		}
		registrydoc_platforms(&arena, &doc);
	}
	challenge_read(&arena, text, &c);
	if (c.kind == CHALLENGE_BEARER && !c.realm.n)
		BUG("a bearer challenge without a realm");
	err_release(&err);
	arena_release(&arena);
	return 0;
}
