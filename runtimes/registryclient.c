#include "runtimes/registrytalk.h"

#include <stdlib.h>

#include "sys/sha.h"

struct registryclient *registryclient_open(struct http *http, const struct str *insecure, size_t n)
{
	struct registryclient *c = xcalloc(1, sizeof(*c));

	c->http = http;
	c->insecure = insecure;
	c->ninsecure = n;
	return c;
}

void registryclient_close(struct registryclient *c)
{
	if (!c)
		return;
	map_release(&c->hosts);
	map_release(&c->passes);
	arena_release(&c->arena);
	free(c);
}

/* What one look-up needs. */
struct look {
	struct registryclient *client;
	struct arena *arena;
	const struct imageref *ref;
	struct err *err;
};

static int bad(const struct look *l, const char *fmt, ...) PRINTF(2, 3);
static int bad(const struct look *l, const char *fmt, ...)
{
	struct str text;
	va_list ap;

	va_start(ap, fmt);
	text = str_vfmt(l->arena, fmt, ap);
	va_end(ap);
	return err_set(l->err, ERR_RUNTIME, "what the registry " STR_FMT " gives for " STR_FMT " can't be used: " STR_FMT, STR_ARG(l->ref->registry),
		       STR_ARG(imageref_text(l->arena, l->ref)), STR_ARG(text));
}

static bool is_what(const struct digest *want, struct str bytes, struct digest *is)
{
	sha256_bytes(bytes.s, bytes.n, is);
	return !want->algo || digest_eq(want, is);
}

static struct digest header_digest(const struct http_reply *reply)
{
	struct str text = http_header(&(struct http_head){reply->status, buf_view(&reply->headers)}, "Docker-Content-Digest");
	struct digest d = {0};

	return text.s && digest_parse(str_trim(text), &d) && d.algo == DIGEST_SHA256 ? d : (struct digest){0};
}

/* The manifest or index under a tag or a digest; *is: what it really is. */
static int manifest_get(const struct look *l, struct str name, const struct digest *want, struct registrydoc *doc, struct digest *is)
{
	struct http_reply reply __attribute__((cleanup(http_reply_release))) = HTTP_REPLY_INIT(REGISTRYDOC_MAX);
	struct err why = ERR_INIT;
	struct digest told;

	if (registrytalk(l->client, l->ref, "GET", str_fmt(l->arena, "/manifests/" STR_FMT, STR_ARG(name)), registrydoc_accept, &reply, NULL, l->err) < 0)
		return -1;
	told = want->algo ? *want : header_digest(&reply);
	if (!is_what(&told, buf_view(&reply.body), is))
		return bad(l, "its manifest is not the one of the digest that stands for it; it was damaged on the way or in the registry");
	if (registrydoc_read(l->arena, str_dup(l->arena, buf_view(&reply.body)), doc, &why) == 0)
		return 0;
	bad(l, "%s", why.text);
	err_release(&why);
	return -1;
}

static int config_get(const struct look *l, const struct registrydoc_part *part, struct imageid *out)
{
	struct http_reply reply __attribute__((cleanup(http_reply_release))) = HTTP_REPLY_INIT(IMAGEID_JSON_MAX);
	char name[DIGEST_TEXT_MAX];
	struct err why = ERR_INIT;
	struct digest is;

	if (part->size > IMAGEID_JSON_MAX)
		return bad(l, "its configuration is larger than %u MiB", IMAGEID_JSON_MAX >> 20);
	if (registrytalk(l->client, l->ref, "GET", str_fmt(l->arena, "/blobs/%s", digest_text(&part->digest, name)), "*/*", &reply, NULL, l->err) < 0)
		return -1;
	if (!is_what(&part->digest, buf_view(&reply.body), &is))
		return bad(l, "its configuration is not the one that its manifest names; it was damaged on the way or in the registry");
	if (imageid_read(l->arena, str_dup(l->arena, buf_view(&reply.body)), out, &why) == 0)
		return 0;
	bad(l, "%s", why.text);
	err_release(&why);
	return -1;
}

static struct str name_of(const struct look *l, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];

	return str_fmt(l->arena, "%s", digest_text(d, text));
}

/* From the index, if it is one, to the manifest of one image. */
static int descend(const struct look *l, const struct platform *want, struct registrydoc *doc, struct registry_image *out)
{
	const struct registrydoc_part *part;

	if (!doc->index)
		return 0;
	out->index = out->manifest;
	part = registrydoc_choose(doc, want);
	if (!part)
		return bad(l, "it is not there for " STR_FMT ", only for " STR_FMT, STR_ARG(platform_text(l->arena, want)),
			   STR_ARG(registrydoc_platforms(l->arena, doc)));
	if (manifest_get(l, name_of(l, &part->digest), &part->digest, doc, &out->manifest) < 0)
		return -1;
	return doc->index ? bad(l, "its index names another index") : 0;
}

int registry_image(struct registryclient *c, struct arena *a, const struct imageref *ref, const struct platform *want, bool strict,
		   struct registry_image *out, struct err *err)
{
	struct look l = {c, a, ref, err};
	struct digest pinned = {0};
	struct registrydoc doc;

	*out = (struct registry_image){0};
	if (ref->id.n)
		return err_set(err, ERR_RUNTIME, STR_FMT " is an image of an engine on this machine; no registry has it", STR_ARG(ref->id));
	if (sha256_init(err) < 0)
		return -1;
	if (ref->digest.n)
		digest_parse(ref->digest, &pinned);
	if (manifest_get(&l, ref->digest.n ? ref->digest : ref->tag, &pinned, &doc, &out->manifest) < 0 || descend(&l, want, &doc, out) < 0)
		return -1;
	out->config = doc.config.digest;
	if (config_get(&l, &doc.config, &out->id) < 0)
		return -1;
	if (strict && !platform_fits(want, &out->id.platform))
		return bad(&l, "it is for " STR_FMT ", not for " STR_FMT, STR_ARG(platform_text(a, &out->id.platform)), STR_ARG(platform_text(a, want)));
	return 0;
}

int registry_digest(struct registryclient *c, const struct imageref *ref, struct digest *out, struct err *err)
{
	struct http_reply reply __attribute__((cleanup(http_reply_release))) = HTTP_REPLY_INIT(REGISTRYDOC_MAX);
	struct look l = {c, &c->arena, ref, err};
	struct registrydoc doc;

	if (ref->id.n)
		return err_set(err, ERR_RUNTIME, STR_FMT " is an image of an engine on this machine; no registry has it", STR_ARG(ref->id));
	if (sha256_init(err) < 0)
		return -1;
	if (registrytalk(c, ref, "HEAD", str_fmt(&c->arena, "/manifests/" STR_FMT, STR_ARG(ref->digest.n ? ref->digest : ref->tag)), registrydoc_accept, &reply,
			 NULL, err) < 0)
		return -1;
	*out = header_digest(&reply);
	return out->algo ? 0 : manifest_get(&l, ref->digest.n ? ref->digest : ref->tag, &(struct digest){0}, &doc, out);
}
