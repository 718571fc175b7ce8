#include "runtimes/registrydoc.h"

#include "tap.h"

static struct arena arena;

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define OCI "application/vnd.oci.image."
#define MANIFEST "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" A "\",\"size\":7},\"layers\":[{},{}]}"

static int reads(const char *text, struct registrydoc *doc, struct str *why)
{
	struct err err = ERR_INIT;
	int rc = registrydoc_read(&arena, str_of(text), doc, &err);

	*why = str_dup(&arena, str_of(err.text ? err.text : ""));
	err_release(&err);
	return rc;
}

static void refuses(const char *text, const char *because)
{
	struct registrydoc doc;
	struct str why;

	if (!ok(reads(text, &doc, &why) == -1 && str_find(why, str_of(because)) >= 0, "refused: %s", text))
		tap_show("says", why);
}

static struct str chosen(const struct registrydoc *doc, const char *platform)
{
	struct platform want;
	const struct registrydoc_part *part;
	char text[DIGEST_TEXT_MAX];

	platform_parse(&arena, str_of(platform), &want);
	part = registrydoc_choose(doc, &want);
	return part ? str_fmt(&arena, "%s", digest_text(&part->digest, text)) : S("none");
}

static void manifests(void)
{
	struct registrydoc doc;
	struct str why;
	char text[DIGEST_TEXT_MAX];

	ok(reads(MANIFEST, &doc, &why) == 0 && !doc.index && doc.nlayers == 2 && doc.config.size == 7, "a manifest");
	is_str(str_of(digest_text(&doc.config.digest, text)), A, "and its configuration");
	refuses("", "no JSON");
	refuses("[]", "no JSON object");
	refuses("{}", "no known version");
	refuses("{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1");
	refuses("{\"schemaVersion\":2}", "neither");
	refuses("{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", "at once");
	refuses("{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\"}}", "no size");
	refuses("{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:1\",\"size\":1}}", "no SHA-256");
	refuses("{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":\"1\"}}", "no size");
	refuses("{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":-1}}", "no size");
	refuses("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":\"" A "\",\"size\":1}}", "helm");
	refuses("{\"schemaVersion\":2,\"manifests\":{}}", "no list");
	refuses("{\"schemaVersion\":2,\"manifests\":[{}]}", "no SHA-256");
	refuses("{\"schemaVersion\":2,\"config\":[],\"layers\":[]}", "no SHA-256");
	refuses("{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":1},\"layers\":3}", "no list");
}

static void indices(void)
{
	struct registrydoc doc;
	struct str why;
	static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\",\"manifests\":["
		"{\"mediaType\":\"" OCI "manifest.v1+json\",\"digest\":\"" C "\",\"size\":1,\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
		"{\"mediaType\":\"application/vnd.other\",\"digest\":\"x\"},"
		"{\"mediaType\":\"" OCI "manifest.v1+json\",\"digest\":\"" A "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
		"{\"digest\":\"" B "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}},"
		"{\"digest\":\"" C "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}";

	ok(reads(text, &doc, &why) == 0 && doc.index && doc.nparts == 3, "an index, without attestations and what is no image");
	is_str(chosen(&doc, "linux/amd64"), A, "the first of equals");
	is_str(chosen(&doc, "arm64"), B, "arm64 is v8");
	is_str(chosen(&doc, "linux/s390x"), "none", "a platform that is not there");
	is_str(registrydoc_platforms(&arena, &doc), "linux/amd64, linux/arm64/v8, linux/amd64", "what there is");
	ok(reads("{\"schemaVersion\":2,\"manifests\":[]}", &doc, &why) == 0 && !doc.nparts, "an index of nothing");
}

static void challenge(const char *header, const char *want)
{
	static const char *const kinds[] = {"none", "basic", "bearer"};
	struct challenge c;

	challenge_read(&arena, str_of(header), &c);
	is_str(str_fmt(&arena, "%s|" STR_FMT "|" STR_FMT "|" STR_FMT, kinds[c.kind], STR_ARG(c.realm), STR_ARG(c.service), STR_ARG(c.scope)), want, "%s", header);
}

static void challenges(void)
{
	challenge("Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:x:pull\"", "bearer|https://a/token|s|repository:x:pull");
	challenge("bearer service=s , REALM = \"https://a\"", "bearer|https://a|s|");
	challenge("Basic realm=\"r\"", "basic|r||");
	challenge("Basic realm=\"r\", Bearer realm=\"https://a\"", "bearer|https://a||");
	challenge("Bearer realm=\"https://a\", Basic realm=\"r\"", "bearer|https://a||");
	challenge("Bearer", "none|||");
	challenge("Negotiate abc==, Basic realm=x", "basic|x||");
	challenge("Bearer realm=\"a\\\"b,c=d\",scope=\"x y\"", "bearer|a\"b,c=d||x y");
	challenge("Bearer realm=\"open", "bearer|open||");
	challenge("", "none|||");
	challenge(",,=,", "none|||");
}

int main(void)
{
	manifests();
	indices();
	challenges();
	arena_release(&arena);
	return done();
}
