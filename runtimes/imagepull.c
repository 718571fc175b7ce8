#include "runtimes/imagepull.h"

#include "runtimes/credentials.h"

void imagepull_prepare(struct arena *a, const struct imageref *ref, const struct platform *platform, const struct str *insecure, size_t n,
		       struct engine_pull *out)
{
	struct credential credential;

	credential_find(a, ref, &credential);
	*out = (struct engine_pull){
		.name = imageref_name(a, ref),
		.tag = ref->digest.n ? ref->digest : ref->tag,
		.auth = credential_engine_auth(a, &credential, ref),
		.insecure = imageref_is_loopback(ref->registry),
	};
	if (platform)
		out->platform = platform_text(a, platform);
	for (size_t i = 0; i < n; i++)
		out->insecure |= str_eq(insecure[i], ref->registry);
}
