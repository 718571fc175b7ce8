#include "runtimes/containersession.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/imageref.h"
#include "base/vec.h"
#include "runtimes/containerbody.h"
#include "runtimes/containerbuild.h"
#include "runtimes/containerpool.h"
#include "runtimes/imagepull.h"
#include "sys/hostssh.h"
#include "sys/module.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define REMOVE_TRIES 6
#define REMOVE_NS (50ull * 1000 * 1000)
#define CLOSE_NS (60ull * 1000 * 1000 * 1000)           /* for the engine to remove what is left */

struct container_wait {
	void (*engine)(void *ctx, struct engine *, struct err *);
	void (*image)(void *ctx, const struct container_image *, struct err *);
	void *ctx;
	struct wanted *of;              /* NULL: the engine */
	bool told;
};

struct wanted {                         /* an image somebody asked for */
	struct container_session *session;
	struct str create, ref, platform, tag;
	uint32_t pull;
	struct container_image image;
	struct engine_call *call;
	struct container_build *build;  /* NULL: it is pulled */
	bool there, asked, pulled, by_ref;      /* by_ref: the id is not what this engine calls it */
	struct err err;
};

struct discarding {
	struct container_session *session;
	unsigned tries;
	char id[];
};

struct container_session {
	struct arena arena;
	struct runtime_context context;
	struct str owner;
	struct http *http;
	struct hostssh *ssh;            /* NULL: nobody has asked for it */
	struct engine *engine;
	struct engine_opening *opening;
	struct err engine_err;          /* why there is none: all who ask get it */
	bool failed;
	VEC(struct container_wait *) waits;
	VEC(struct wanted *) images;
	struct loop_watch *tell;
	struct containerpool *pool;
	unsigned names;
	size_t discarding;              /* and looking for what to discard */
	unsigned looks;
	bool unsure;                    /* an answer about a container that was made was lost */
	char shim[PATH_MAX];
};

/* ---- those who wait ---- */

static void tell_all(void *ctx);

static void tell_later(struct container_session *s)
{
	if (!s->tell)
		s->tell = loop_timer(s->context.loop, 0, tell_all, s);
}

static struct container_wait *wait_add(struct container_session *s, struct container_wait wait)
{
	struct container_wait *w = xcalloc(1, sizeof(*w));

	*w = wait;
	vec_add(&s->waits, w);
	return w;
}

void container_unwait(struct container_session *s, struct container_wait *w)
{
	for (size_t i = 0; w && i < s->waits.n; i++) {
		if (s->waits.v[i] != w)
			continue;
		s->waits.v[i] = s->waits.v[--s->waits.n];
		free(w);
		return;
	}
}

static void err_copy(struct err *to, const struct err *from)
{
	err_set(to, from->kind, "%s", from->text ? from->text : "unknown reason");
}

/* Is there something to tell this one? */
static bool due(const struct container_session *s, const struct container_wait *w)
{
	return w->of ? w->of->there || err_any(&w->of->err) || s->failed : s->engine || s->failed;
}

static void tell_one(struct container_session *s, struct container_wait w)
{
	const struct err *reason = s->failed ? &s->engine_err : w.of ? &w.of->err : NULL;
	struct err err = ERR_INIT;

	if (reason && err_any(reason))
		err_copy(&err, reason);
	if (w.of)
		w.image(w.ctx, err_any(&err) ? NULL : &w.of->image, &err);
	else
		w.engine(w.ctx, s->failed ? NULL : s->engine, &err);
	err_release(&err);
}

/* Each is forgotten before it is told, for it may ask for more. */
static void tell_all(void *ctx)
{
	struct container_session *s = ctx;

	s->tell = NULL;
	for (size_t i = 0; i < s->waits.n;) {
		struct container_wait *w = s->waits.v[i], copy = *w;

		if (!due(s, w)) {
			i++;
			continue;
		}
		container_unwait(s, w);
		tell_one(s, copy);
		i = 0;
	}
}

/* ---- the engine ---- */

static void want_images(struct container_session *s);

static void sweep(void *ctx, const struct engine_reply *reply)
{
	struct container_session *s = ctx;

	for (size_t i = 0; !reply->fault && reply->json && i < reply->json->n; i++) {
		const struct node *of = reply->json->items[i].value, *labels = node_get(of, S("Labels")), *id = node_get(of, S("Id"));
		const struct node *run = labels && labels->kind == NODE_MAP ? node_get(labels, S(LABEL_RUN)) : NULL;

		if (id && id->kind == NODE_SCALAR && run && run->kind == NODE_SCALAR && !str_eq(run->s, s->context.run))
			container_discard(s, id->s);
	}
}

/* The workspace's lock is this run's: containers of other runs of the same state folder are left by killed ones. */
static void sweep_begin(struct container_session *s)
{
	CLEANUP_BUF struct buf label = BUF_INIT(256);

	buf_fmt(&label, "%s=" STR_FMT, LABEL_OWNER, STR_ARG(s->owner));
	engine_list(s->engine, buf_view(&label), sweep, s);
}

static void engine_there(void *ctx, struct engine *engine, struct err *err)
{
	struct container_session *s = ctx;

	s->opening = NULL;
	s->engine = engine;
	s->failed = !engine;
	if (engine) {
		sweep_begin(s);
		want_images(s);
	} else {
		err_move(&s->engine_err, err);
		s->engine_err.kind = ERR_RUNTIME;
	}
	tell_later(s);
}

static void engine_want(struct container_session *s)
{
	struct engine_choice choice = {s->context.engine, s->context.engine_where};

	if (s->engine || s->opening || s->failed)
		return;
	if (!s->http && !(s->http = http_open(s->context.loop, &s->engine_err))) {
		s->failed = true;
		tell_later(s);
		return;
	}
	s->opening = engine_open(s->http, &choice, engine_there, s);
}

struct container_wait *container_engine(struct container_session *s, void (*fn)(void *ctx, struct engine *, struct err *), void *ctx)
{
	engine_want(s);
	if (s->engine || s->failed)
		tell_later(s);
	return wait_add(s, (struct container_wait){.engine = fn, .ctx = ctx});
}

/* ---- images ---- */

static void look(struct wanted *w);

static const struct str *texts(struct arena *a, const struct node *list, size_t *n)
{
	bool is_list = list && list->kind == NODE_LIST;
	struct str *v = arena_array(a, is_list ? list->n : 0, struct str);

	*n = 0;
	for (size_t i = 0; is_list && i < list->n; i++)
		if (list->items[i].value->kind == NODE_SCALAR)
			v[(*n)++] = str_dup(a, list->items[i].value->s);
	return v;
}

static struct str scalar(struct arena *a, const struct node *map, const char *key)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;

	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? str_dup(a, n->s) : S("");
}

static bool image_read(struct wanted *w, const struct node *json)
{
	struct arena *a = &w->session->arena;
	const struct node *config = json->kind == NODE_MAP ? node_get(json, S("Config")) : NULL;
	struct container_image *image = &w->image;

	image->id = scalar(a, json, "Id");
	if (!image->id.n)
		return false;
	if (!str_starts(image->id, S("sha256:")))
		image->id = str_fmt(a, "sha256:" STR_FMT, STR_ARG(image->id));
	image->user = scalar(a, config, "User");
	image->path = S(DEFAULT_PATH);
	if (!config || config->kind != NODE_MAP)
		return true;
	image->entrypoint = texts(a, node_get(config, S("Entrypoint")), &image->nentrypoint);
	image->cmd = texts(a, node_get(config, S("Cmd")), &image->ncmd);
	image->env = texts(a, node_get(config, S("Env")), &image->nenv);
	for (size_t i = 0; i < image->nenv; i++)
		if (str_starts(image->env[i], S("PATH=")))
			image->path = str_from(image->env[i], 5);
	return true;
}

/* Without the tag it runs as well. */
static void tagged(void *ctx, const struct engine_reply *reply)
{
	struct wanted *w = ctx;

	(void)reply;
	w->call = NULL;
	look(w);
}

static void pulled(void *ctx, const struct engine_reply *reply)
{
	struct wanted *w = ctx;
	struct imageref ref;

	w->call = NULL;
	if (reply->fault) {
		err_copy(&w->err, reply->err);
		tell_later(w->session);
		return;
	}
	if (w->tag.n && !imageref_parse(&w->session->arena, w->tag, &ref))
		w->call = engine_tag(w->session->engine, w->ref, imageref_name(&w->session->arena, &ref), ref.tag, tagged, w);
	else
		look(w);
}

static void built(void *ctx, struct str id, struct err *err)
{
	struct wanted *w = ctx;

	if (!id.n) {
		err_copy(&w->err, err);
		tell_later(w->session);
		return;
	}
	w->create = str_dup(&w->session->arena, id);
	look(w);
}

static int pull(struct wanted *w)
{
	struct container_session *s = w->session;
	struct arena *a = &s->arena;
	struct engine_pull ask;
	struct imageref ref;
	struct platform platform;
	const char *problem;

	w->pulled = true;
	if (w->build) {
		container_build_start(w->build, s->engine);
		return 0;
	}
	if (w->pull == PULL_KIND_NEVER)
		return err_set(&w->err, ERR_RUNTIME, "unable to find the image " STR_FMT ": %s does not have it, and `pull: never` forbids to ask for it",
			       STR_ARG(w->ref.n ? w->ref : w->create), engine_kind_name(engine_kind(w->session->engine)));
	if ((problem = imageref_parse(a, w->ref, &ref)))
		return err_set(&w->err, ERR_RUNTIME, "unable to pull the image " STR_FMT ": %s", STR_ARG(w->ref), problem);
	if (w->platform.n && (problem = platform_parse(a, w->platform, &platform)))
		return err_set(&w->err, ERR_RUNTIME, "unable to pull the image " STR_FMT ": '" STR_FMT "' is no platform: %s", STR_ARG(w->ref),
			       STR_ARG(w->platform), problem);
	imagepull_prepare(a, &ref, w->platform.n ? &platform : NULL, s->context.insecure, s->context.ninsecure, &ask);
	w->session->context.note(w->session->context.ctx, false, str_fmt(a, "pulling " STR_FMT, STR_ARG(w->ref)));
	w->call = engine_pull(w->session->engine, &ask, NULL, pulled, w);
	return 0;
}

static void looked(void *ctx, const struct engine_reply *reply)
{
	struct wanted *w = ctx;

	w->call = NULL;
	if (!reply->fault && reply->json && image_read(w, reply->json))
		w->there = true;
	else if (reply->fault == ENGINE_ABSENT && !w->pulled && pull(w) == 0)
		return;
	else if (reply->fault == ENGINE_ABSENT && w->pulled && !w->by_ref && w->create.n && w->ref.n && !w->build) {
		w->by_ref = true;       /* containerd's store calls it by its manifest */
		look(w);
		return;
	}
	else if (!err_any(&w->err) && reply->err)
		err_copy(&w->err, reply->err);
	else if (!err_any(&w->err))
		err_set(&w->err, ERR_RUNTIME, "unable to look at the image " STR_FMT ": the engine's answer is no image", STR_ARG(w->ref));
	tell_later(w->session);
}

/* By id where it is known: a tag may have moved since the step was keyed. */
static void look(struct wanted *w)
{
	w->asked = true;
	if (w->pull == PULL_KIND_ALWAYS && !w->create.n && !w->pulled) {
		if (pull(w) < 0)
			tell_later(w->session);
		return;
	}
	w->call = engine_image(w->session->engine, w->create.n && !w->by_ref ? w->create : w->ref, looked, w);
}

static void want_images(struct container_session *s)
{
	for (size_t i = 0; s->engine && i < s->images.n; i++)
		if (!s->images.v[i]->asked)
			look(s->images.v[i]);
}

/* One that is built is known by its key alone. */
static struct wanted *wanted_find(struct container_session *s, const struct job_image *image)
{
	struct str ref = image->build ? container_build_ref(&s->arena, image->build) : image->ref;
	struct wanted *w;

	for (size_t i = 0; i < s->images.n; i++) {
		w = s->images.v[i];
		if (str_eq(w->create, image->create) && str_eq(w->ref, ref) && w->pull == image->pull && str_eq(w->platform, image->platform))
			return w;
	}
	w = arena_calloc(&s->arena, 1, sizeof(*w));
	*w = (struct wanted){.session = s, .create = str_dup(&s->arena, image->create), .ref = str_dup(&s->arena, ref), .pull = image->pull,
			     .platform = str_dup(&s->arena, image->platform), .tag = str_dup(&s->arena, image->tag)};
	if (image->build)
		w->build = container_build_new(s, image, built, w);
	vec_add(&s->images, w);
	return w;
}

struct container_wait *container_image(struct container_session *s, const struct job_image *image,
				       void (*fn)(void *ctx, const struct container_image *, struct err *), void *ctx)
{
	struct wanted *w = wanted_find(s, image);

	engine_want(s);
	want_images(s);
	if (w->there || err_any(&w->err) || s->failed)
		tell_later(s);
	return wait_add(s, (struct container_wait){.image = fn, .ctx = ctx, .of = w});
}

/* ---- containers ---- */

struct arena *container_arena(struct container_session *s) { return &s->arena; }
const struct runtime_context *container_context(const struct container_session *s) { return &s->context; }
struct containerpool *container_pool(struct container_session *s) { return s->pool; }
struct str container_owner(const struct container_session *s) { return s->owner; }

void container_name(struct container_session *s, char out[64])
{
	snprintf(out, 64, "cairn-" STR_FMT "-%u", STR_ARG(str_head(s->context.run, s->context.run.n < 40 ? s->context.run.n : 40)), ++s->names);
}

static void discard(void *ctx);

/* An engine may stumble over a container that ends just now: then once more. */
static void discarded(void *ctx, const struct engine_reply *reply)
{
	struct discarding *d = ctx;
	struct container_session *s = d->session;

	if (reply->fault && ++d->tries < REMOVE_TRIES && loop_timer(s->context.loop, REMOVE_NS << d->tries, discard, d))
		return;
	s->discarding--;
	if (reply->fault && reply->err && reply->err->text)
		s->context.note(s->context.ctx, true, str_of(reply->err->text));
	free(d);
}

static void discard(void *ctx)
{
	struct discarding *d = ctx;

	engine_remove(d->session->engine, (struct str){d->id, strlen(d->id)}, discarded, d);
}

void container_discard(struct container_session *s, struct str id)
{
	struct discarding *d = xcalloc(1, sizeof(*d) + id.n + 1);

	d->session = s;
	memcpy(d->id, id.s, id.n);
	s->discarding++;
	discard(d);
}

void container_unsure(struct container_session *s, struct str name)
{
	s->unsure = true;
	container_discard(s, name);
}

const char *container_shim(struct container_session *s, struct err *err)
{
	return s->shim[0] || module_file("cairn-shim", s->shim, err) == 0 ? s->shim : NULL;
}

struct hostssh *container_hostssh(struct container_session *s, struct err *err)
{
	if (!s->ssh)
		s->ssh = hostssh_open(s->context.loop, err);
	return s->ssh;
}

bool container_selinux(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

/* ---- its beginning and end ---- */

static void look_for_own(struct container_session *);

/* Whatever has this run's label: nothing of it runs any more. */
static void own_listed(void *ctx, const struct engine_reply *reply)
{
	struct container_session *s = ctx;
	const struct node *list = !reply->fault && reply->json && reply->json->kind == NODE_LIST ? reply->json : NULL;

	s->discarding--;
	for (size_t i = 0; list && i < list->n; i++) {
		const struct node *of = list->items[i].value, *id = of->kind == NODE_MAP ? node_get(of, S("Id")) : NULL;

		if (id && id->kind == NODE_SCALAR)
			container_discard(s, id->s);
	}
	if (reply->fault && s->looks++ < REMOVE_TRIES)
		look_for_own(s);
}

static void look_for_own(struct container_session *s)
{
	CLEANUP_BUF struct buf label = BUF_INIT(256);

	buf_fmt(&label, "%s=" STR_FMT, LABEL_RUN, STR_ARG(s->context.run));
	s->discarding++;
	engine_list(s->engine, buf_view(&label), own_listed, s);
}

int container_session_open(const struct runtime_context *context, void **session, struct err *err)
{
	struct container_session *s = xcalloc(1, sizeof(*s));
	struct xxh owner = xxh_bytes(context->state_dir, strlen(context->state_dir));

	(void)err;
	s->context = *context;
	s->owner = str_fmt(&s->arena, "%016llx%016llx", (unsigned long long)owner.hi, (unsigned long long)owner.lo);
	s->context.run = str_dup(&s->arena, context->run);
	s->context.engine = str_dup(&s->arena, context->engine);
	s->context.engine_where = str_dup(&s->arena, context->engine_where);
	s->pool = containerpool_new(s);
	*session = s;
	return 0;
}

void container_session_close(void *session)
{
	struct container_session *s = session;
	uint64_t until = loop_now() + CLOSE_NS;

	if (s->opening)
		engine_open_cancel(s->opening);
	containerpool_free(s->pool);
	if (s->unsure && s->engine)
		look_for_own(s);
	while (s->discarding && loop_now() < until && loop_turn(s->context.loop, 1000, NULL) == 0)
		;
	loop_remove(s->context.loop, s->tell);
	for (size_t i = 0; i < s->waits.n; i++)
		free(s->waits.v[i]);
	for (size_t i = 0; i < s->images.n; i++) {
		container_build_free(s->images.v[i]->build);
		engine_cancel(s->images.v[i]->call);
		err_release(&s->images.v[i]->err);
	}
	vec_free(&s->waits);
	vec_free(&s->images);
	engine_close(s->engine);
	http_close(s->http);
	hostssh_close(s->ssh);
	err_release(&s->engine_err);
	arena_release(&s->arena);
	free(s);
}
