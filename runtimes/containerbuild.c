#include "runtimes/containerbuild.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/imageref.h"
#include "base/json.h"
#include "runtimes/containerbody.h"

#define NAME "localhost/cairn-built"

struct container_build {
	struct container_session *session;
	struct job_build build;
	struct str platform;
	struct engine *engine;
	struct engine_call *call;
	struct container_wait *wait;
	size_t base;                    /* the next one */
	int fd;                         /* the context */
	struct buf last;                /* of what the builder said */
	void (*done)(void *ctx, struct str id, struct err *);
	void *ctx;
};

struct str container_build_ref(struct arena *a, const struct job_build *build)
{
	return str_fmt(a, NAME ":" STR_FMT, STR_ARG(build->key));
}

static struct job_image image_copy(struct arena *a, const struct job_image *image)
{
	return (struct job_image){str_dup(a, image->create), str_dup(a, image->ref), image->pull, str_dup(a, image->platform), NULL, {0}};
}

struct container_build *container_build_new(struct container_session *s, const struct job_image *image,
					    void (*done)(void *ctx, struct str id, struct err *), void *ctx)
{
	struct container_build *b = xcalloc(1, sizeof(*b));
	struct arena *a = container_arena(s);
	const struct job_build *from = image->build;
	struct job_base *bases = arena_array(a, from->nbases + 1, struct job_base);

	for (size_t i = 0; i < from->nbases; i++)
		bases[i] = (struct job_base){image_copy(a, &from->bases[i].image), str_dup(a, from->bases[i].name)};
	*b = (struct container_build){
		.session = s, .platform = str_dup(a, image->platform), .fd = -1, .last = BUF_INIT(4096), .done = done, .ctx = ctx,
		.build = {str_dup(a, from->key), str_dup(a, from->name), str_dup(a, from->file), str_dup(a, from->target), str_dup(a, from->args),
			  bases, from->nbases, from->context, from->ctx},
	};
	return b;
}

void container_build_free(struct container_build *b)
{
	if (!b)
		return;
	engine_cancel(b->call);
	container_unwait(b->session, b->wait);
	cleanup_fd(&b->fd);
	buf_release(&b->last);
	free(b);
}

static void fail(struct container_build *b, struct err *err)
{
	err_wrap(err, "unable to build " STR_FMT, STR_ARG(b->build.name));
	b->done(b->ctx, S(""), err);
}

/* ---- the build ---- */

static ssize_t read_context(void *ctx, char *to, size_t n, struct err *err)
{
	struct container_build *b = ctx;
	ssize_t got = read(b->fd, to, n);

	return got >= 0 ? got : err_errno(err, "unable to read the packed context");
}

static void progress(void *ctx, const struct node *line)
{
	struct container_build *b = ctx;
	const struct node *stream = line->kind == NODE_MAP ? node_get(line, S("stream")) : NULL;
	struct str text = stream && stream->kind == NODE_SCALAR ? str_trim(stream->s) : S("");

	if (!text.n)
		return;
	buf_clear(&b->last);
	buf_str(&b->last, str_head(text, text.n < 1000 ? text.n : 1000));
}

static void over(void *ctx, const struct engine_reply *reply)
{
	struct container_build *b = ctx;
	struct err err = ERR_INIT;

	b->call = NULL;
	cleanup_fd(&b->fd);
	b->fd = -1;
	if (!reply->fault) {            /* found by the name, which is the key's: Podman's answer has no whole id */
		b->done(b->ctx, container_build_ref(container_arena(b->session), &b->build), &err);
		return;
	}
	err_set(&err, ERR_RUNTIME, "%s", reply->err && reply->err->text ? reply->err->text : "unknown reason");
	fail(b, &err);
	err_release(&err);
}

/* In a file of nobody's: it may be larger than memory. */
static int pack(struct container_build *b, struct err *err)
{
	b->fd = open(container_context(b->session)->state_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return err_errno(err, "unable to make a file for the context in %s", container_context(b->session)->state_dir);
	if (b->build.context(b->build.ctx, b->fd, err) < 0)
		return -1;
	return lseek(b->fd, 0, SEEK_SET) == 0 ? 0 : err_errno(err, "unable to go back in the packed context");
}

static struct str labels(struct container_build *b)
{
	struct arena *a = container_arena(b->session);
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct json j = {.out = &text};

	json_open(&j, '{');
	json_kstr(&j, LABEL_BUILT, b->build.key);
	json_close(&j, '}');
	return str_dup(a, buf_view(&text));
}

static void build(struct container_build *b)
{
	struct arena *a = container_arena(b->session);
	struct err err = ERR_INIT;
	struct engine_build ask = {.file = b->build.file, .tag = container_build_ref(a, &b->build), .args = b->build.args, .labels = labels(b),
				   .read = read_context};

	if (pack(b, &err) < 0) {
		fail(b, &err);
		err_release(&err);
		return;
	}
	if (b->build.target.n)
		ask.target = b->build.target;
	if (b->platform.n)
		ask.platform = b->platform;
	container_context(b->session)->note(container_context(b->session)->ctx, false, str_fmt(a, "building " STR_FMT, STR_ARG(b->build.name)));
	b->call = engine_build(b->engine, &ask, progress, over, b);
}

/* ---- the bases ---- */

static void next_base(struct container_build *b);

static void tagged(void *ctx, const struct engine_reply *reply)
{
	struct container_build *b = ctx;
	struct err err = ERR_INIT;

	b->call = NULL;
	if (!reply->fault) {
		next_base(b);
		return;
	}
	err_set(&err, ERR_RUNTIME, "%s", reply->err && reply->err->text ? reply->err->text : "unknown reason");
	fail(b, &err);
	err_release(&err);
}

/* The builder takes a base by its name: that has to be the image that was keyed. One that is named by digest is that. */
static void base_there(void *ctx, const struct container_image *image, struct err *err)
{
	struct container_build *b = ctx;
	const struct job_base *base = &b->build.bases[b->base++];
	struct imageref ref;

	b->wait = NULL;
	if (!image) {
		fail(b, err);
		return;
	}
	if (imageref_parse(container_arena(b->session), base->name, &ref) || ref.digest.n || ref.id.n)
		next_base(b);
	else
		b->call = engine_tag(b->engine, image->id, imageref_name(container_arena(b->session), &ref), ref.tag, tagged, b);
}

static void next_base(struct container_build *b)
{
	if (b->base == b->build.nbases)
		build(b);
	else
		b->wait = container_image(b->session, &b->build.bases[b->base].image, base_there, b);
}

void container_build_start(struct container_build *b, struct engine *engine)
{
	b->engine = engine;
	next_base(b);
}
