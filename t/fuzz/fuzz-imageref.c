/* A reference is refused with a reason, or read; then its whole name is read as the same. A platform likewise. */
#include "base/imageref.h"

static void reference(struct arena *arena, struct str text)
{
	struct imageref r, again;
	struct str whole;

	if (imageref_parse(arena, text, &r))
		return;
	whole = imageref_text(arena, &r);
	if (imageref_parse(arena, whole, &again))
		BUG("the whole name is refused");
	if (!str_eq(r.registry, again.registry) || !str_eq(r.path, again.path) || !str_eq(r.tag, again.tag) ||
	    !str_eq(r.digest, again.digest) || !str_eq(r.id, again.id))
		BUG("the whole name is another's");
	if (!r.id.n && !r.tag.n && !r.digest.n)
		BUG("a reference to nothing");
	for (size_t i = 0; i < whole.n; i++)
		if (whole.s[i] <= ' ' || whole.s[i] > '~')
			BUG("a name with the byte %d", whole.s[i]);
	imageref_is_loopback(r.registry);
}

static void platform(struct arena *arena, struct str text)
{
	struct platform p, again, normal;

	if (platform_parse(arena, text, &p))
		return;
	if (platform_parse(arena, platform_text(arena, &p), &again) || !platform_fits(&p, &again) || !platform_fits(&again, &p))
		BUG("a platform that does not fit itself");
	normal = platform_normal(p);
	if (!platform_fits(&normal, &p))
		BUG("a platform that is not its normal form");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;

	reference(&arena, (struct str){(const char *)data, size});
	platform(&arena, (struct str){(const char *)data, size});
	arena_release(&arena);
	return 0;
}
