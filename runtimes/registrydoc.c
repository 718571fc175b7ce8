#include "runtimes/registrydoc.h"

#include "base/node.h"

const char registrydoc_accept[] = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
				  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

static const char *const config_types[] = {
	"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
};
static const char *const manifest_types[] = {
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
};

static bool one_of(struct str s, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, v[i]))
			return true;
	return false;
}

static int wrong(struct err *err, const char *what) { return err_set(err, ERR_RUNTIME, "%s", what); }

static const struct node *member(const struct node *map, const char *name)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(name)) : NULL;

	return n && !node_is_null(n) ? n : NULL;
}

static struct str text_of(const struct node *map, const char *name)
{
	const struct node *n = member(map, name);

	return n && n->kind == NODE_SCALAR && node_type(n) == TYPE_STR ? n->s : S("");
}

/* A descriptor's digest and size. */
static int read_part(const struct node *n, struct registrydoc_part *out, struct err *err)
{
	const struct node *size = member(n, "size");

	if (!digest_parse(text_of(n, "digest"), &out->digest) || out->digest.algo != DIGEST_SHA256)
		return wrong(err, "a part of it has no SHA-256 digest");
	if (!size || size->kind != NODE_SCALAR || size->style != STYLE_PLAIN || !str_u64(size->s, &out->size))
		return wrong(err, "a part of it has no size");
	return 0;
}

static int read_index(struct arena *a, const struct node *list, struct registrydoc *out, struct err *err)
{
	if (list->kind != NODE_LIST)
		return wrong(err, "it is an index whose manifests are no list");
	out->index = true;
	out->parts = arena_array(a, list->n, struct registrydoc_part);
	for (size_t i = 0; i < list->n; i++) {
		const struct node *n = list->items[i].value, *platform = member(n, "platform");
		struct registrydoc_part *part = &out->parts[out->nparts];
		struct str type = text_of(n, "mediaType");

		if (type.n && !one_of(type, manifest_types, countof(manifest_types)))
			continue;
		if (read_part(n, part, err) < 0)
			return -1;
		part->platform = (struct platform){text_of(platform, "os"), text_of(platform, "architecture"), text_of(platform, "variant")};
		/* attestations are for the platform unknown/unknown */
		out->nparts += part->platform.os.n && !str_is(part->platform.os, "unknown");
	}
	return 0;
}

static int read_manifest(const struct node *root, struct registrydoc *out, struct err *err)
{
	const struct node *config = member(root, "config"), *layers = member(root, "layers");
	struct str type = text_of(config, "mediaType");

	if (layers && layers->kind != NODE_LIST)
		return wrong(err, "its layers are no list");
	if (type.n && !one_of(type, config_types, countof(config_types)))
		return err_set(err, ERR_RUNTIME, "it is no container image but holds " STR_FMT, STR_ARG(str_head(type, type.n < 100 ? type.n : 100)));
	out->nlayers = layers ? layers->n : 0;
	return read_part(config, &out->config, err);
}

int registrydoc_read(struct arena *a, struct str text, struct registrydoc *out, struct err *err)
{
	struct source *src = arena_new(a, struct source);
	const struct node *version, *list;
	struct node *root;

	*out = (struct registrydoc){0};
	*src = (struct source){S("manifest"), text};
	if (text.n > REGISTRYDOC_MAX)
		return wrong(err, "it is larger than 4 MiB");
	if (json_read(a, src, &root, NULL) < 0 || root->kind != NODE_MAP)
		return wrong(err, "it is no JSON object");
	version = member(root, "schemaVersion");
	if (version && version->kind == NODE_SCALAR && str_is(version->s, "1"))
		return wrong(err, "it is of the old kind (schema 1), which names no layers as unpacked; push the image again");
	if (!version || version->kind != NODE_SCALAR || !str_is(version->s, "2"))
		return wrong(err, "it says of no known version that it is");
	list = member(root, "manifests");
	if (list && (member(root, "config") || member(root, "layers")))
		return wrong(err, "it is an index and a manifest at once");
	if (!list && !member(root, "config"))
		return wrong(err, "it is neither an index nor a manifest");
	return list ? read_index(a, list, out, err) : read_manifest(root, out, err);
}

const struct registrydoc_part *registrydoc_choose(const struct registrydoc *doc, const struct platform *want)
{
	const struct registrydoc_part *best = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < doc->nparts; i++) {
		unsigned fits = platform_fits(want, &doc->parts[i].platform);

		if (fits > most) {
			most = fits;
			best = &doc->parts[i];
		}
	}
	return best;
}

struct str registrydoc_platforms(struct arena *a, const struct registrydoc *doc)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < doc->nparts; i++) {
		struct str text = platform_text(a, &doc->parts[i].platform);

		buf_fmt(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(text));
	}
	return b.n ? str_dup(a, buf_view(&b)) : S("none");
}

/* ---- challenges ---- */

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static struct str take_token(struct str *rest)
{
	size_t n = 0;
	struct str token;

	while (n < rest->n && is_token(rest->s[n]))
		n++;
	token = str_head(*rest, n);
	*rest = str_from(*rest, n);
	return token;
}

static void skip(struct str *rest, const char *what)
{
	while (rest->n && rest->s[0] && strchr(what, rest->s[0]))
		*rest = str_from(*rest, 1);
}

/* What stands behind the "=" of a parameter. */
static struct str take_value(struct arena *a, struct str *rest)
{
	CLEANUP_BUF struct buf b = BUF_INIT(64u << 10);
	size_t i = 1;

	if (!rest->n || rest->s[0] != '"')
		return take_token(rest);
	for (; i < rest->n && rest->s[i] != '"'; i++) {
		i += rest->s[i] == '\\' && i + 1 < rest->n;
		buf_c(&b, rest->s[i]);
	}
	*rest = str_from(*rest, i < rest->n ? i + 1 : i);
	return str_dup(a, buf_view(&b));
}

static bool same_word(struct str s, const char *z)
{
	for (size_t i = 0; i < s.n; i++)
		if (!z[i] || (s.s[i] | 32) != z[i])
			return false;
	return !z[s.n];
}

/* A challenge's parameters, up to the next scheme. */
static void take_params(struct arena *a, struct str *rest, struct challenge *c)
{
	for (;;) {
		struct str before, name, value;

		skip(rest, " \t,");
		before = *rest;
		name = take_token(rest);
		skip(rest, " \t");
		if (!name.n || !rest->n || rest->s[0] != '=') {
			*rest = before;
			return;
		}
		*rest = str_from(*rest, 1);
		skip(rest, " \t");
		value = take_value(a, rest);
		if (same_word(name, "realm"))
			c->realm = value;
		else if (same_word(name, "service"))
			c->service = value;
		else if (same_word(name, "scope"))
			c->scope = value;
	}
}

void challenge_read(struct arena *a, struct str header, struct challenge *out)
{
	*out = (struct challenge){CHALLENGE_NONE, S(""), S(""), S("")};
	while (header.n) {
		struct challenge c = {CHALLENGE_NONE, S(""), S(""), S("")};
		struct str scheme;

		skip(&header, " \t,");
		scheme = take_token(&header);
		if (!scheme.n) {                /* "Negotiate abc==": what stands behind it is none of ours */
			struct str passed;

			if (!str_cut(&header, ',', &passed))
				return;
			continue;
		}
		take_params(a, &header, &c);
		if (same_word(scheme, "bearer") && c.realm.n)
			c.kind = CHALLENGE_BEARER;
		else if (same_word(scheme, "basic"))
			c.kind = CHALLENGE_BASIC;
		if (c.kind > out->kind)
			*out = c;
	}
}
