#include "runtimes/containerpool.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "runtimes/containerask.h"

#define IDLE_MAX 16                     /* the one that has waited longest goes */

struct idle {
	struct containerpool *pool;
	struct xxh key;
	struct container_warm warm;
	struct loop_watch *gone;        /* its stream is at an end */
	char id[];
};

struct containerpool {
	struct container_session *session;
	VEC(struct idle *) idle;        /* the longest first */
};

bool container_reusable(const struct job *job)
{
	const struct plan_place *place = plan_place_of(job->plan, job->step);

	if (!(place->flags & PLACE_REUSE) || job->step->workspace == WORKSPACE_KIND_COPY)
		return false;
	for (uint32_t i = 0; i < place->ports.n; i++)
		if (job->plan->ports[place->ports.at + i].host)
			return false;
	return true;
}

struct xxh container_key(const struct job *job, const struct container_image *image, const struct str *sources)
{
	const struct plan_place *place = plan_place_of(job->plan, job->step);
	CLEANUP_BUF struct buf key = BUF_INIT(BUF_UNLIMITED);
	struct stat st;

	buf_fmt(&key, "%u %u " STR_FMT " %s", job->step->place, job->step->workspace, STR_ARG(image->id), job->root);
	if (stat(job->root, &st) == 0)
		buf_fmt(&key, " %llu %llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	for (uint32_t i = 0; i < place->mounts.n; i++) {
		buf_fmt(&key, "%c" STR_FMT, 0, STR_ARG(sources[i]));
		if (job->plan->mounts[place->mounts.at + i].kind == MOUNT_KIND_BIND && stat(sources[i].s, &st) == 0)
			buf_fmt(&key, " %llu %llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	}
	return xxh_bytes(key.s, key.n);
}

/* ---- those that wait ---- */

static void drop(struct idle *idle)
{
	struct containerpool *pool = idle->pool;
	size_t at = 0;

	while (pool->idle.v[at] != idle)
		at++;
	memmove(pool->idle.v + at, pool->idle.v + at + 1, (--pool->idle.n - at) * sizeof(*pool->idle.v));
	loop_remove(container_context(pool->session)->loop, idle->gone);
	free(idle);
}

static void discard(struct idle *idle)
{
	containerlink_close(idle->warm.link);
	container_discard(idle->pool->session, idle->warm.id);
	drop(idle);
}

static void is_gone(void *ctx)
{
	struct idle *idle = ctx;

	idle->gone = NULL;
	discard(idle);
}

/* Its link can't be closed from within. */
static void go(struct idle *idle)
{
	if (!idle->gone)
		idle->gone = loop_timer(container_context(idle->pool->session)->loop, 0, is_gone, idle);
}

static void on_ended(void *ctx, struct str text) { (void)text; go(ctx); }
static void on_bye(void *ctx, struct str text) { (void)text; go(ctx); }
/* Secrets that could not be taken away. */
static void on_put_done(void *ctx, uint32_t id, int reason, struct str text)
{
	(void)id, (void)text;
	if (reason)
		go(ctx);
}
static void on_attached(void *ctx) { (void)ctx; }
static void on_output(void *ctx, uint32_t step, int stream, struct str bytes) { (void)ctx, (void)step, (void)stream, (void)bytes; }
static void on_done(void *ctx, const struct shim_done *done, struct str text) { (void)ctx, (void)done, (void)text; }
static void on_got(void *ctx, uint32_t id, struct str bytes) { (void)ctx, (void)id, (void)bytes; }
static void on_get_done(void *ctx, uint32_t id, int reason, struct str text) { (void)ctx, (void)id, (void)reason, (void)text; }

bool containerpool_take(struct containerpool *pool, struct xxh key, struct arena *a, struct container_warm *warm)
{
	for (size_t i = pool->idle.n; i-- > 0;) {
		struct idle *idle = pool->idle.v[i];

		if (idle->gone || !xxh_eq(idle->key, key))
			continue;
		*warm = (struct container_warm){str_dup(a, idle->warm.id), idle->warm.link};
		drop(idle);
		return true;
	}
	return false;
}

void containerpool_give(struct containerpool *pool, struct xxh key, struct container_warm warm, bool secrets)
{
	static const struct containerlink_calls calls = {
		.shim = {.output = on_output, .done = on_done, .put_done = on_put_done, .got = on_got, .get_done = on_get_done, .bye = on_bye},
		.attached = on_attached, .ended = on_ended,
	};
	struct idle *idle = xcalloc(1, sizeof(*idle) + warm.id.n + 1);

	if (pool->idle.n >= IDLE_MAX)
		discard(pool->idle.v[0]);
	memcpy(idle->id, warm.id.s, warm.id.n);
	idle->pool = pool;
	idle->key = key;
	idle->warm = (struct container_warm){{idle->id, warm.id.n}, warm.link};
	vec_add(&pool->idle, idle);
	containerlink_owner(warm.link, &calls, idle);
	if (secrets && container_take_secrets(containerlink_shim(warm.link), NULL) < 0)
		discard(idle);
	else
		containerlink_push(warm.link);
}

struct containerpool *containerpool_new(struct container_session *session)
{
	struct containerpool *pool = xcalloc(1, sizeof(*pool));

	pool->session = session;
	return pool;
}

void containerpool_free(struct containerpool *pool)
{
	while (pool && pool->idle.n)
		discard(pool->idle.v[0]);
	if (pool)
		vec_free(&pool->idle);
	free(pool);
}
