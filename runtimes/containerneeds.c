#include "runtimes/containerneeds.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "sys/archive.h"

struct looking {
	const struct job *job;
	struct str path;                /* PATH of the step */
	struct map there;               /* path below "/" -> non-NULL; NULL value table while paths are collected */
	VEC(const char *) paths;
	bool collecting;
};

/* Of the step's variables, or else of the image's; NULL. */
static const char *variable(const struct job *job, const struct container_image *image, struct str name)
{
	for (size_t i = 0; job->env[i]; i++)
		if (!strncmp(job->env[i], name.s, name.n) && job->env[i][name.n] == '=')
			return job->env[i] + name.n + 1;
	for (size_t i = 0; i < image->nenv; i++)
		if (str_starts(image->env[i], name) && image->env[i].n > name.n && image->env[i].s[name.n] == '=')
			return image->env[i].s + name.n + 1;
	return NULL;
}

/* Is this path of the container there? While paths are collected it is only noted. */
static bool there(struct looking *l, struct str path)
{
	struct str clean;

	if (!path_join(l->job->arena, S(""), path, &clean) || clean.n < 2 || clean.s[0] != '/')
		return false;
	clean = str_dup(l->job->arena, str_from(clean, 1));
	if (!l->collecting)
		return map_has(&l->there, clean);
	vec_add(&l->paths, clean.s);
	return false;
}

static bool tool_there(struct looking *l, struct str name)
{
	struct str rest = l->path, dir;
	bool found = false;

	if (str_chr(name, '/') >= 0)
		return there(l, name.s[0] == '/' ? name : str_fmt(l->job->arena, "%s/" STR_FMT, l->job->dir, STR_ARG(name)));
	while (!found && str_cut(&rest, ':', &dir))
		if (dir.n && dir.s[0] == '/')
			found = there(l, str_fmt(l->job->arena, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(name)));
	return found;
}

static bool file_there(struct looking *l, struct str path)
{
	if (path.n && path.s[0] == '/')
		return there(l, path);
	return access(str_fmt(l->job->arena, "%s/" STR_FMT, l->job->root, STR_ARG(path)).s, F_OK) == 0;
}

static bool met(struct looking *l, const struct container_image *image, const struct plan_require *r)
{
	bool any = false;

	for (uint32_t i = 0; i < r->any.n && !any; i++) {
		struct str what = plan_word(l->job->plan, r->any, i);
		const char *value;

		if (r->kind == REQUIRE_ENV)
			any = (value = variable(l->job, image, what)) && *value;
		else
			any = r->kind == REQUIRE_TOOL ? tool_there(l, what) : file_there(l, what);
	}
	return any;
}

static struct looking looking(const struct job *job, const struct container_image *image, bool collecting)
{
	const char *path = variable(job, image, S("PATH"));

	return (struct looking){.job = job, .path = path ? str_of(path) : image->path, .collecting = collecting};
}

void container_needs(const struct job *job, const struct container_image *image, struct container_needs *out)
{
	struct looking l = looking(job, image, true);

	for (uint32_t i = 0; i < job->step->requires.n; i++)
		met(&l, image, &job->plan->requires[job->step->requires.at + i]);
	out->n = l.paths.n;
	out->paths = arena_array(job->arena, l.paths.n + 1, const char *);
	for (size_t i = 0; i < l.paths.n; i++)
		out->paths[i] = l.paths.v[i];
	vec_free(&l.paths);
}

/* ---- the shim's answer ---- */

static ptrdiff_t from_text(void *ctx, void *into, size_t max, struct err *err)
{
	struct str *rest = ctx;
	size_t n = rest->n < max ? rest->n : max;

	(void)err;
	memcpy(into, rest->s, n);
	*rest = str_from(*rest, n);
	return (ptrdiff_t)n;
}

static int see(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	struct looking *l = ctx;

	(void)data, (void)err;
	*map_put(&l->there, str_dup(l->job->arena, e->name), NULL) = l;
	return 0;
}

int container_missing(const struct job *job, const struct container_image *image, struct str listing, struct str *missing, struct err *err)
{
	static const char *const names[] = {"tool", "file", "variable"};
	static const struct tar_limits limits = {.entries = 100000, .file = 1u << 30, .total = 1u << 30};
	struct looking l = looking(job, image, false);
	struct tar_visitor visitor = {.entry = see, .ctx = &l};
	CLEANUP_BUF struct buf out = BUF_INIT(64 << 10);
	int rc = listing.n ? tar_walk(from_text, &listing, &limits, &visitor, err) : 0;

	for (uint32_t i = 0; rc == 0 && i < job->step->requires.n; i++) {
		const struct plan_require *r = &job->plan->requires[job->step->requires.at + i];

		if (met(&l, image, r))
			continue;
		buf_fmt(&out, "%s%s ", out.n ? ", " : "", names[r->kind]);
		for (uint32_t k = 0; k < r->any.n; k++)
			buf_fmt(&out, "%s" STR_FMT, k ? " or " : "", STR_ARG(plan_word(job->plan, r->any, k)));
	}
	*missing = out.n ? str_dup(job->arena, buf_view(&out)) : (struct str){0};
	map_release(&l.there);
	return rc;
}
