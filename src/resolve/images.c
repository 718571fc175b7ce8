#include "resolve/images.h"

#include <fcntl.h>
#include <unistd.h>

#include "cache/store.h"
#include "plan/manifest.h"
#include "resolve/context.h"
#include "resolve/refimage.h"
#include "sys/file.h"
#include "sys/pool.h"

struct built {                          /* what an image that is built was made of */
	struct source src;
	struct cfile *file;
	const struct contextignore *ignore;
	struct cfile_needs needs;
	struct listing listing;
	bool listed;
};

struct images {
	struct images_options o;
	struct identifier *identifier;
	struct refimages *refs;
	struct ident lock;              /* cairn.lock's, once it was looked for */
	bool looked;
	struct plan_index *index;       /* made when a context is looked at */
	struct image_fact **facts;      /* by image; NULL: not asked yet */
	struct built **built;           /* by image */
};

struct images *images_open(const struct images_options *o)
{
	struct images *m = xcalloc(1, sizeof(*m));

	m->o = *o;
	m->facts = arena_calloc(o->arena, o->plan->nimages + 1, sizeof(*m->facts));
	m->built = arena_calloc(o->arena, o->plan->nimages + 1, sizeof(*m->built));
	return m;
}

void images_close(struct images *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->o.plan->nimages; i++)
		if (m->built[i] && m->built[i]->listed)
			listing_release(&m->built[i]->listing);
	refimages_close(m->refs);
	identifier_close(m->identifier);
	free(m);
}

/* ---- references ---- */

static void tell_unknown(struct images *m, struct image_fact *fact, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64 << 10);

	if (err->text)
		buf_z(&text, err->text);
	else
		err_print(err, &text, false);
	fact->identity = (struct digest){0};
	fact->problem = str_dup(m->o.arena, str_trim(buf_view(&text)));
	err_release(err);
}

/* cairn.lock may say what an image is: while nobody can read it, nobody is asked. */
static int refs_open(struct images *m, struct err *err)
{
	if (m->refs)
		return 0;
	if (file_ident(m->o.rootfd, IMAGELOCK_FILE, &m->lock, NULL) != 1)
		m->lock = (struct ident){0};
	m->looked = true;
	if (!m->identifier)
		m->identifier = identifier_open(m->o.identify);
	m->refs = refimages_open(m->o.rootfd, m->identifier, err);
	return m->refs ? 0 : -1;
}

bool images_lock(const struct images *m, struct ident *ident)
{
	if (!m || !m->looked)
		return false;
	*ident = m->lock;
	return true;
}

static int ask(struct images *m, struct str ref, struct str platform, uint32_t pull, bool whole, const struct refimage **out,
	       struct image_fact *fact, struct err *err)
{
	struct image_ask question = {ref, platform, pull == PULL_KIND_ALWAYS ? IMAGE_ALWAYS : pull == PULL_KIND_NEVER ? IMAGE_NEVER : IMAGE_MISSING};

	if (refs_open(m, err) < 0 || refimages_ask(m->refs, &question, whole, out, err) < 0)
		return -1;
	*fact = (struct image_fact){.identity = (*out)->found.identity, .pinned = (*out)->pinned, .create = (*out)->found.create,
				    .description = (*out)->found.description, .pull = (*out)->found.pull, .index = (*out)->found.index, .manifest = (*out)->found.manifest};
	return 0;
}

/* ---- Containerfiles ---- */

struct building {
	struct images *m;
	const struct plan_image *image;
	struct built *b;
	VEC(struct image_base) bases;
	struct image_fact fact;         /* of a base that can't be told */
};

/* NAME=VALUE of an image's description. */
static const struct str *variables(struct arena *a, struct str description, size_t *n)
{
	struct manifest_item item;
	struct str *v;
	size_t at = 0, count = 0;

	while (manifest_next(description, &at, &item) == 1)
		count += str_is(item.tag, "env");
	v = arena_array(a, count + 1, struct str);
	*n = 0;
	for (at = 0; manifest_next(description, &at, &item) == 1;)
		if (str_is(item.tag, "env") && item.n == 2 && !str_is(item.parts[1], "unset"))
			v[(*n)++] = str_fmt(a, STR_FMT "=" STR_FMT, STR_ARG(item.parts[0]), STR_ARG(item.parts[1]));
	return v;
}

static const struct cfile_image *base_image(void *ctx, struct str ref, struct str platform)
{
	static const struct str anything = {"COPY . /", 8};
	struct building *g = ctx;
	struct arena *a = g->m->o.arena;
	struct cfile_image *out = arena_calloc(a, 1, sizeof(*out));
	const struct refimage *image;
	struct image_fact fact = {0};
	struct err err = ERR_INIT;
	char digest[DIGEST_TEXT_MAX];

	if (ask(g->m, ref, platform, PULL_KIND_MISSING, true, &image, &fact, &err) < 0) {
		tell_unknown(g->m, &g->fact, &err);
		return NULL;
	}
	out->identity = str_dup(a, str_of(digest_text(&fact.identity, digest)));
	out->env = variables(a, image->found.description, &out->nenv);
	out->onbuild = image->found.onbuild;
	out->nonbuild = image->found.nonbuild;
	if (!image->found.builder_told && image->found.source == IMAGE_FROM_ENGINE) {         /* it has triggers, or may: one that reads all stands for them */
		out->onbuild = &anything;
		out->nonbuild = 1;
	}
	vec_add(&g->bases, (struct image_base){.name = str_dup(a, ref), .create = fact.create, .pull = fact.pull, .platform = str_dup(a, platform)});
	return out;
}

static int read_text(struct images *m, struct str path, struct source *src, struct err *err)
{
	src->path = path;
	return file_read(m->o.arena, m->o.rootfd, path.s, CFLINE_FILE_MAX, &src->text, err);
}

static int read_ignore(struct building *g, const struct contextignore **out, struct err *err)
{
	struct images *m = g->m;
	struct arena *a = m->o.arena;
	const struct source *found[CONTEXTIGNORE_NAMES] = {0}, *chosen;
	struct str names[CONTEXTIGNORE_NAMES];

	contextignore_names(a, plan_str(m->o.plan, g->image->file), plan_str(m->o.plan, g->image->context), names);
	for (size_t i = 0; i < CONTEXTIGNORE_NAMES; i++) {
		struct source *src = arena_new(a, struct source);
		int got = read_text(m, names[i], src, err);

		if (got < 0)
			return -1;
		found[i] = got ? src : NULL;
	}
	return contextignore_choose(found, &chosen, err) < 0 ? -1 : contextignore_read(a, chosen, out, err);
}

/* every: all stages up to the target, which Docker's classic builder goes through though nobody needs them. */
static int reach(struct building *g, bool every, struct cfile_needs *needs, struct err *err)
{
	struct images *m = g->m;
	struct arena *a = m->o.arena;
	const struct plan *plan = m->o.plan;
	struct cfile_arg *args = arena_array(a, g->image->args.n + 1, struct cfile_arg);
	struct platform here;
	struct cfile_ask ask = {.target = plan_str(plan, g->image->target), .args = args, .nargs = g->image->args.n, .every = every,
				.image = base_image, .ctx = g};

	for (uint32_t i = 0; i < g->image->args.n; i++) {
		const struct plan_env *e = &plan->envs[g->image->args.at + i];

		args[i] = (struct cfile_arg){plan_str(plan, e->name), plan_str(plan, e->value)};
	}
	image_platform(a, &here);
	ask.build_platform = platform_text(a, &here);
	ask.platform = g->image->platform.n ? plan_str(plan, g->image->platform) : ask.build_platform;
	return cfile_reach(a, g->b->file, &ask, needs, err);
}

/* What a step makes is there for those who need it. So that it does not matter who asks first: for all or for none. */
static bool hidden(void *ctx, struct str path)
{
	struct building *g = ctx;
	const struct plan *plan = g->m->o.plan;
	uint32_t image = (uint32_t)(g->image - plan->images), producer;

	if (!g->m->index)
		g->m->index = plan_index_new(g->m->o.arena, plan);
	producer = plan_index_producer(g->m->index, path);
	for (uint32_t i = 0; producer != PLAN_NONE && i < plan->nsteps; i++)
		if (plan->steps[i].place != PLAN_NONE && plan->places[plan->steps[i].place].image == image &&
		    (i == producer || !plan_index_reaches(g->m->index, i, producer)))
			return true;
	return false;
}

static int read_context(struct building *g, const struct cfile_needs *needs, struct context *out, struct err *err)
{
	struct images *m = g->m;
	struct built *b = g->b;
	struct context_ask ask = {.dir = plan_str(m->o.plan, g->image->context), .ignore = b->ignore, .needs = needs, .hidden = hidden, .ctx = g,
				  .threads = pool_cpus()};

	if (b->listed)
		listing_release(&b->listing);
	b->listing = (struct listing){.arena = m->o.arena, .rootfd = m->o.rootfd, .root = m->o.root};
	b->listed = true;
	return context_read(m->o.arena, &b->listing, m->o.content, &ask, out, err);
}

static int key(struct building *g, struct image_fact *fact, struct err *err)
{
	struct images *m = g->m;
	struct built *b = g->b;
	CLEANUP_BUF struct buf manifest = BUF_INIT(BUF_UNLIMITED);
	struct platform here;
	struct context context;
	struct str platform = plan_str(m->o.plan, g->image->platform);

	if (b->needs.uncached.text.s)
		return err_set(err, ERR_RUNTIME, "its Containerfile can't be kept: " STR_FMT, STR_ARG(b->needs.uncached.text));
	if (read_ignore(g, &b->ignore, err) < 0 || read_context(g, &b->needs, &context, err) < 0)
		return -1;
	image_platform(m->o.arena, &here);
	if (context_key(&b->needs, b->src.text, platform.n ? platform : platform_text(m->o.arena, &here), &context, &manifest, &fact->identity,
			err) < 0)
		return -1;
	fact->description = str_dup(m->o.arena, buf_view(&manifest));
	return 0;
}

static int containerfile(struct images *m, uint32_t id, struct image_fact *fact, struct err *err)
{
	struct building g = {.m = m, .image = &m->o.plan->images[id], .b = arena_calloc(m->o.arena, 1, sizeof(struct built))};
	struct str path = plan_str(m->o.plan, g.image->file);
	int got = read_text(m, path, &g.b->src, err);

	if (got <= 0)
		return got < 0 ? -1 : err_set(err, ERR_RUNTIME, "unable to open the Containerfile " STR_FMT ": no such file", STR_ARG(path));
	m->built[id] = g.b;
	if (cfile_parse(m->o.arena, &g.b->src, &g.b->file, err) < 0 || reach(&g, false, &g.b->needs, err) < 0)
		return -1;
	fact->bases = memcpy(arena_array(m->o.arena, g.bases.n + 1, struct image_base), g.bases.v ? g.bases.v : &(struct image_base){0},
			     g.bases.n * sizeof(*g.bases.v));
	fact->nbases = g.bases.n;
	vec_free(&g.bases);
	if (g.fact.problem.n)
		return err_set(err, ERR_RUNTIME, STR_FMT, STR_ARG(g.fact.problem));
	fact->file = S(CONTEXT_CONTAINERFILE);
	return key(&g, fact, err);
}

int image_context(struct images *m, uint32_t image, int fd, struct err *err)
{
	struct building g = {.m = m, .image = &m->o.plan->images[image], .b = m->built[image]};
	struct cfile_needs needs;
	struct context context;
	int rc = -1;

	if (!g.b || !g.b->listed)
		return err_set(err, ERR_RUNTIME, "unable to pack the context of an image: it could not be read");
	if (reach(&g, true, &needs, err) == 0 && read_context(&g, &needs, &context, err) == 0)
		rc = context_tar(&context, m->o.rootfd, g.b->src.text, NULL, &fd, err);
	vec_free(&g.bases);
	return rc;
}

/* ---- both ---- */

/* Under the identity, which is its hash. For explain alone: what goes wrong here is nothing to anybody. */
static void keep_description(struct images *m, const struct image_fact *fact)
{
	struct digest d;

	if (m->o.store && fact->identity.algo && fact->description.n)
		m->o.store->ops->write_bytes(m->o.store, fact->description, &d, NULL);
}

const struct image_fact *images_fact(struct images *m, uint32_t image)
{
	static const struct image_fact unknown = {.problem = {"nobody is there to tell what it is", 34}};
	const struct plan_image *of;
	const struct refimage *ref;
	struct image_fact *fact;
	struct err err = ERR_INIT;

	if (!m)
		return &unknown;
	if (m->facts[image])
		return m->facts[image];
	of = &m->o.plan->images[image];
	fact = m->facts[image] = arena_calloc(m->o.arena, 1, sizeof(*fact));
	*fact = (struct image_fact){.create = S(""), .pull = S("")};
	if (m->o.pins && m->o.pins[image].identity.algo && of->kind == IMAGE_KIND_REF)
		*fact = m->o.pins[image];
	else if ((of->kind == IMAGE_KIND_REF ? ask(m, plan_str(m->o.plan, of->ref), plan_str(m->o.plan, of->platform), of->pull, false, &ref, fact, &err)
					     : containerfile(m, image, fact, &err)) < 0)
		tell_unknown(m, fact, &err);
	if (of->kind == IMAGE_KIND_BUILD && m->o.pins && m->o.pins[image].identity.algo && fact->identity.algo &&
	    !digest_eq(&m->o.pins[image].identity, &fact->identity)) {
		fact->identity = (struct digest){0};
		fact->problem = S("it is no longer what the plan was made for: a file of its context, or what it is built on, is another");
	}
	keep_description(m, fact);
	if (fact->problem.n && m->o.warn)
		m->o.warn(m->o.ctx, str_fmt(m->o.arena, "steps in the image " STR_FMT " are not cached: " STR_FMT,
					    STR_ARG(plan_str(m->o.plan, of->kind == IMAGE_KIND_REF ? of->ref : of->file)), STR_ARG(fact->problem)));
	return fact;
}

const struct image_fact *images_known(const struct images *m, uint32_t image)
{
	return m ? m->facts[image] : NULL;
}
