/* An identifier whose registries and engine are a list in memory: the twin for tests. */
#include "runtimes/identifyown.h"

#include <stdlib.h>

#include "sys/sha.h"

struct mem {
	const struct identify_image *images; size_t n;
	bool engine;
	bool *pulled;                   /* of each: by its digest */
	struct str *tags;               /* of each: what was put on it */
	struct arena arena;
};

static struct digest content_digest(const char *config, const char *what)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct digest d;

	buf_fmt(&b, "%s%s", what, config);
	sha256_bytes(b.s, b.n, &d);
	return d;
}

/* Is it the image's name, its id, or its digest? */
static bool names(struct arena *a, const struct mem *m, size_t i, struct str name, bool here)
{
	const struct identify_image *image = &m->images[i];
	char text[DIGEST_TEXT_MAX];
	struct digest config = content_digest(image->config, ""), manifest = content_digest(image->config, "manifest of ");
	struct imageref ref;

	if (str_is(name, digest_text(&config, text)))
		return true;
	imageref_parse(a, str_of(image->ref), &ref);
	if (str_eq(name, str_fmt(a, STR_FMT "@%s", STR_ARG(imageref_name(a, &ref)), digest_text(&manifest, text))))
		return true;
	if (here && !image->here)
		return m->tags[i].n && str_eq(m->tags[i], name);
	return str_is(name, image->ref);
}

static int mem_here(struct identifier *who, struct arena *a, struct str name, struct identify_local *out, struct err *err)
{
	struct mem *m = who->own;
	char text[DIGEST_TEXT_MAX];

	if (!m->engine)
		return err_set(err, ERR_RUNTIME, "there is no engine");
	for (size_t i = 0; i < m->n; i++) {
		if ((!m->images[i].here && !m->pulled[i]) || !names(a, m, i, name, true))
			continue;
		*out = (struct identify_local){.config = content_digest(m->images[i].config, "")};
		out->id = str_fmt(a, "%s", digest_text(&out->config, text));
		out->repo_digest = S("");
		return imageid_read(a, str_of(m->images[i].config), &out->image, err) < 0 ? -1 : 1;
	}
	return 0;
}

static bool mem_localhost(struct identifier *who)
{
	(void)who;
	return true;
}

static const struct identify_image *at_registry(struct arena *a, const struct mem *m, const struct imageref *ref, struct err *err)
{
	struct str name = imageref_text(a, ref);

	for (size_t i = 0; i < m->n; i++)
		if (m->images[i].there && names(a, m, i, name, false))
			return &m->images[i];
	err_set(err, ERR_RUNTIME, "the registry " STR_FMT " has no " STR_FMT, STR_ARG(ref->registry), STR_ARG(name));
	return NULL;
}

static int mem_there(struct identifier *who, struct arena *a, const struct imageref *ref, const struct platform *want, bool strict,
		     struct registry_image *out, struct err *err)
{
	const struct identify_image *image = at_registry(a, who->own, ref, err);

	*out = (struct registry_image){0};
	if (!image || imageid_read(a, str_of(image->config), &out->id, err) < 0)
		return -1;
	if (strict && !platform_fits(want, &out->id.platform))
		return err_set(err, ERR_RUNTIME, "it is for another platform");
	out->config = content_digest(image->config, "");
	out->manifest = content_digest(image->config, "manifest of ");
	return 0;
}

static int mem_digest(struct identifier *who, const struct imageref *ref, struct digest *out, struct err *err)
{
	struct mem *m = who->own;
	const struct identify_image *image = at_registry(&m->arena, m, ref, err);

	if (!image)
		return -1;
	*out = content_digest(image->config, "manifest of ");
	return 0;
}

static int mem_pull(struct identifier *who, struct arena *a, const struct imageref *pull, const struct platform *platform,
		    void (*progress)(void *ctx, struct str line), void *ctx, struct err *err)
{
	struct mem *m = who->own;
	const struct identify_image *image = m->engine ? at_registry(a, m, pull, err) : NULL;

	(void)platform;
	if (!m->engine)
		return err_set(err, ERR_RUNTIME, "there is no engine");
	if (!image)
		return -1;
	if (progress)
		progress(ctx, S("pulling"));
	m->pulled[image - m->images] = true;
	return 0;
}

static int mem_tag(struct identifier *who, struct arena *a, struct str name, struct str tag, struct err *err)
{
	struct mem *m = who->own;

	for (size_t i = 0; i < m->n; i++)
		if ((m->images[i].here || m->pulled[i]) && names(a, m, i, name, true)) {
			m->tags[i] = str_dup(&m->arena, tag);
			return 0;
		}
	return err_set(err, ERR_RUNTIME, "the engine has no " STR_FMT, STR_ARG(name));
}

static void mem_close(struct identifier *who)
{
	struct mem *m = who->own;

	arena_release(&m->arena);
	free(m->pulled);
	free(m->tags);
	free(m);
}

struct identifier *identifier_open_mem(const struct identify_image *images, size_t n, bool engine)
{
	static const struct identify_ops ops = {mem_here, mem_localhost, mem_there, mem_digest, mem_pull, mem_tag, mem_close};
	struct identifier *who = xcalloc(1, sizeof(*who));
	struct mem *m = xcalloc(1, sizeof(*m));

	*m = (struct mem){.images = images, .n = n, .engine = engine, .pulled = xcalloc(n + 1, sizeof(bool)), .tags = xcalloc(n + 1, sizeof(struct str))};
	*who = (struct identifier){.ops = &ops, .own = m};
	return who;
}
