/* An identifier that asks a container engine and registries. */
#include <stdlib.h>

#include "runtimes/identifyown.h"
#include "runtimes/imagepull.h"

struct real {
	struct identify_options options;
	struct loop *loop;
	struct http *http;
	struct engine *engine;
	struct err no_engine;           /* why there is none */
	bool sought;                    /* an engine was looked for */
	struct registryclient *registries;
};

static int real_http(struct real *r, struct err *err)
{
	if (!r->loop && !(r->loop = loop_open(err)))
		return -1;
	if (!r->http && !(r->http = http_open(r->loop, err)))
		return -1;
	return 0;
}

/* NULL with err. It is looked for once. */
static struct engine *real_engine(struct real *r, struct err *err)
{
	struct engine_choice choice = {r->options.engine.n ? r->options.engine : (struct str){0}, r->options.engine_from};

	if (real_http(r, err) < 0)
		return NULL;
	if (!r->sought)
		r->engine = engine_open_wait(r->http, &choice, &r->no_engine);
	r->sought = true;
	if (!r->engine)
		err_set(err, ERR_RUNTIME, "%s", r->no_engine.text ? r->no_engine.text : "no container engine was found");
	return r->engine;
}

static struct registryclient *real_registries(struct real *r, struct err *err)
{
	if (real_http(r, err) < 0)
		return NULL;
	if (!r->registries)
		r->registries = registryclient_open(r->http, r->options.insecure, r->options.ninsecure);
	return r->registries;
}

/* ---- the engine ---- */

static const struct node *member(const struct node *map, const char *name)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(name)) : NULL;

	return n && !node_is_null(n) ? n : NULL;
}

/* The digest under which the registry has it, of those with the name that was asked for. */
static struct str repo_digest_of(struct arena *a, const struct node *inspect, struct str asked)
{
	const struct node *list = member(inspect, "RepoDigests");
	struct imageref want, one;

	if (imageref_parse(a, asked, &want) || want.id.n)
		return S("");
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++) {
		const struct node *n = list->items[i].value;

		if (n->kind == NODE_SCALAR && !imageref_parse(a, n->s, &one) && one.digest.n && str_eq(one.registry, want.registry) && str_eq(one.path, want.path))
			return imageref_text(a, &(struct imageref){one.registry, one.path, S(""), one.digest, S(""), false});
	}
	return S("");
}

static int local_of(struct arena *a, const struct node *inspect, struct str asked, bool docker, struct identify_local *out, struct err *err)
{
	const struct node *id = member(inspect, "Id");
	struct digest d = {0};

	*out = (struct identify_local){0};
	if (!id || id->kind != NODE_SCALAR || !digest_parse(id->s, &d))
		return err_set(err, ERR_RUNTIME, "the engine gives the image " STR_FMT " no id", STR_ARG(asked));
	if (imageid_of(a, inspect, &out->image, err) < 0)
		return -1;
	out->image.builder_told |= docker;      /* which leaves out only what there is not */
	out->id = id->s;
	/* with containerd's store the id is a manifest's */
	if (!member(inspect, "Descriptor"))
		out->config = d;
	out->repo_digest = repo_digest_of(a, inspect, asked);
	return 1;
}

/* Podman does not tell of triggers; the history of an image says how each came in. Nothing is known of one without any. */
static bool has_no_triggers(struct engine *engine, struct arena *a, struct str id)
{
	CLEANUP_BUF struct buf path = BUF_INIT(4096);
	struct engine_answer answer = {.arena = a};
	struct engine_ask ask = {.method = "GET", .what = S("look at the history of an image")};
	bool none;

	buf_z(&path, "/images");
	engine_segment(&path, id);
	buf_z(&path, "/history");
	ask.path = buf_view(&path);
	engine_ask(engine, &ask, engine_keep, &answer);
	none = engine_await(engine, &answer, NULL) == 0 && answer.json && answer.json->kind == NODE_LIST && answer.json->n;
	for (size_t i = 0; none && i < answer.json->n; i++) {
		const struct node *by = member(answer.json->items[i].value, "CreatedBy");

		none = by && by->kind == NODE_SCALAR && str_find(by->s, S("ONBUILD")) < 0;
	}
	return none;
}

static int real_here(struct identifier *who, struct arena *a, struct str name, struct identify_local *out, struct err *err)
{
	struct real *r = who->own;
	struct engine *engine = real_engine(r, err);
	struct engine_answer answer = {.arena = a};
	struct err why = ERR_INIT;
	int rc = -1;

	if (!engine)
		return -1;
	engine_image(engine, name, engine_keep, &answer);
	if (engine_await(engine, &answer, &why) == 0 && answer.json)
		rc = local_of(a, answer.json, name, engine_kind(engine) == ENGINE_DOCKER || has_no_triggers(engine, a, name), out, err);
	else if (answer.fault == ENGINE_ABSENT)
		rc = 0;
	else
		err_set(err, ERR_RUNTIME, "%s", why.text ? why.text : "the engine's answer is no JSON");
	err_release(&why);
	return rc;
}

static bool real_localhost(struct identifier *who)
{
	struct real *r = who->own;

	return r->engine && engine_kind(r->engine) == ENGINE_PODMAN;
}

/* ---- registries ---- */

static int real_there(struct identifier *who, struct arena *a, const struct imageref *ref, const struct platform *want, bool strict,
		      struct registry_image *out, struct err *err)
{
	struct registryclient *c = real_registries(who->own, err);

	return c ? registry_image(c, a, ref, want, strict, out, err) : -1;
}

static int real_digest(struct identifier *who, const struct imageref *ref, struct digest *out, struct err *err)
{
	struct registryclient *c = real_registries(who->own, err);

	return c ? registry_digest(c, ref, out, err) : -1;
}

/* ---- pulling ---- */

struct progress { struct engine_answer answer; void (*line)(void *ctx, struct str); void *ctx; };

static struct str text_of(const struct node *map, const char *name)
{
	const struct node *n = member(map, name);

	return n && n->kind == NODE_SCALAR ? n->s : S("");
}

/* Docker: {"status", "id", "progress"}; Podman: {"stream"}. */
static void on_progress(void *ctx, const struct node *node)
{
	struct progress *p = ctx;
	struct str status = text_of(node, "status"), id = text_of(node, "id"), stream = str_trim(text_of(node, "stream"));
	CLEANUP_BUF struct buf b = BUF_INIT(4096);

	if (!p->line || (!status.n && !stream.n))
		return;
	if (stream.n)
		buf_str(&b, stream);
	else if (id.n)
		buf_fmt(&b, STR_FMT ": " STR_FMT, STR_ARG(id), STR_ARG(status));
	else
		buf_str(&b, status);
	p->line(p->ctx, buf_view(&b));
}

static void on_pulled(void *ctx, const struct engine_reply *reply) { engine_keep(&((struct progress *)ctx)->answer, reply); }

static int real_pull(struct identifier *who, struct arena *a, const struct imageref *pull, const struct platform *platform,
		     void (*line)(void *ctx, struct str), void *ctx, struct err *err)
{
	struct real *r = who->own;
	struct engine *engine = real_engine(r, err);
	struct progress p = {.answer = {.arena = a}, .line = line, .ctx = ctx};
	struct engine_pull what;

	if (!engine)
		return -1;
	imagepull_prepare(a, pull, platform, r->options.insecure, r->options.ninsecure, &what);
	engine_pull(engine, &what, on_progress, on_pulled, &p);
	return engine_await(engine, &p.answer, err);
}

static int real_tag(struct identifier *who, struct arena *a, struct str name, struct str tag, struct err *err)
{
	struct engine *engine = real_engine(who->own, err);
	struct engine_answer answer = {.arena = a};
	struct imageref ref;

	if (!engine || imageref_parse(a, tag, &ref))
		return -1;
	engine_tag(engine, name, imageref_name(a, &ref), ref.tag, engine_keep, &answer);
	return engine_await(engine, &answer, err);
}

static void real_close(struct identifier *who)
{
	struct real *r = who->own;

	registryclient_close(r->registries);
	engine_close(r->engine);
	http_close(r->http);
	if (r->loop)
		loop_close(r->loop);
	err_release(&r->no_engine);
	free(r);
}

struct identifier *identifier_open(const struct identify_options *options)
{
	static const struct identify_ops ops = {real_here, real_localhost, real_there, real_digest, real_pull, real_tag, real_close};
	struct identifier *who = xcalloc(1, sizeof(*who));
	struct real *r = xcalloc(1, sizeof(*r));

	r->options = *options;
	*who = (struct identifier){.ops = &ops, .own = r};
	return who;
}
