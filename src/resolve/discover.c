#include "resolve/gather.h"

#include <stdlib.h>

#include "base/path.h"
#include "sys/sha.h"

/* What stands at a discovered path now: a need's record, or the disk. 1 known, 0 pending, -1. */
static int found_entry(struct walk *w, struct probe *p, uint32_t step, struct str path, struct entry *out, struct err *err)
{
	uint32_t producer = path.n && path.s[0] == '/' ? PLAN_NONE : plan_index_producer(w->index, path);

	*out = (struct entry){.path = path};
	if (producer != PLAN_NONE && producer != step &&
	    plan_index_reaches(w->index, step, producer)) {
		const struct entry *known = output_of(&w->steps[producer], path);

		if (w->steps[producer].state == WALK_PENDING)
			return 0;
		if (known) {
			*out = *known;
			use_output(p, &w->steps[producer], known);
		}
		if (known || w->steps[producer].state == WALK_KNOWN)
			return 1;
	}
	return source_entry(w, p, path, out, err) < 0 ? -1 : 1;
}

static int str_order(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

struct same_name { struct str path; const struct same_name *next; };

/* Every workspace path a header search could come upon, by base name; made once a run. */
static void index_names(struct walk *w)
{
	const struct plan *plan = w->plan;

	for (uint32_t i = 0; i < plan->npaths + plan->nsources; i++) {
		uint32_t id = i < plan->npaths ? i : plan->sources[i - plan->npaths];
		struct same_name *name;
		void **slot;

		if (i < plan->npaths && plan->paths[id].producer == PLAN_NONE)
			continue;
		name = arena_new(w->arena, struct same_name);
		name->path = plan_path_str(plan, id);
		slot = map_put(&w->names, path_name(name->path), NULL);
		name->next = *slot;
		*slot = name;
	}
	w->names_known = true;
}

/* Workspace paths that share a base name with a discovered one: so that a header which newly shadows another, of the
 * workspace or the system, is seen. */
static struct str *shadows(struct walk *w, struct arena *a, const struct entries *found, size_t *n)
{
	VEC(struct str) v = {0};
	struct str *out;

	if (!w->names_known)
		index_names(w);
	for (size_t i = 0; i < found->n; i++)
		for (const struct same_name *s = map_get(&w->names, path_name(found->v[i].path)); s; s = s->next)
			vec_add(&v, s->path);
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), str_order);
	out = arena_array(a, v.n, struct str);
	*n = 0;
	for (size_t i = 0; i < v.n; i++)
		if (!*n || !str_eq(out[*n - 1], v.v[i]))
			out[(*n)++] = v.v[i];
	vec_free(&v);
	return out;
}

int walk_key_discovered(struct walk *w, struct arena *a, uint32_t step, const struct entries *found, struct probe *p, struct err *err)
{
	size_t n;
	struct str *names = shadows(w, a, found, &n);

	(void)step;
	(void)err;
	buf_clear(&p->discovered);
	p->discovered.limit = MANIFEST_MAX;
	key_manifest_discovered(&p->k1, found->v, found->n, names, n, &p->discovered);
	sha256_bytes(p->discovered.s, p->discovered.n, &p->key);
	return 0;
}

/* Tries the last few sets of discovered paths under K1. */
int probe_pathsets(struct walk *w, struct arena *a, uint32_t step, struct probe *p, struct err *err)
{
	struct pathsets sets;
	struct str bytes;
	size_t mark;

	p->verdict = PROBE_MISS;
	if (!walk_store_get(w, RECORD_PATHS, &p->k1, a, &bytes) || pathsets_decode(a, bytes, &sets, NULL) < 0)
		return 0;
	for (size_t i = 0; i < sets.n; i++) {
		struct entries found = {arena_array(a, sets.v[i].n, struct entry), sets.v[i].n};

		mark = p->used.n;
		for (size_t k = 0; k < found.n; k++) {
			int got = found_entry(w, p, step, sets.v[i].paths[k], &found.v[k], err);

			if (got < 0)
				return -1;
			if (got == 0) {
				p->verdict = PROBE_PENDING;
				return 0;
			}
		}
		walk_key_discovered(w, a, step, &found, p, err);
		if (walk_result(w, &p->key, a, &p->result)) {
			p->verdict = PROBE_RESTORE;
			return 0;
		}
		p->used.n = mark;
	}
	p->key = (struct digest){0};
	return 0;
}

static bool own_output(const struct walk *w, uint32_t step, struct str path)
{
	return plan_step_covers(w->plan, step, path);
}

/* What a path of a container is in the workspace: through the workspace itself, or what is mounted of it. False: it is
 * the image's, which the key knows, or a mount's that the user excused. */
static bool from_inside(const struct walk *w, struct arena *a, const struct plan_step *s, struct str path, struct str *out)
{
	const struct plan_place *place = plan_place_of(w->plan, s);
	const struct plan_mount *best = NULL;
	struct str target, source, rest;

	for (uint32_t i = 0; place && i < place->mounts.n; i++) {
		const struct plan_mount *m = &w->plan->mounts[place->mounts.at + i];

		if (path_within(path, plan_str(w->plan, m->target)) && (!best || m->target.n > best->target.n))
			best = m;
	}
	target = best ? plan_str(w->plan, best->target) : S(PLAN_INSIDE);
	if (!path_within(path, target) || (best && !(best->kind == MOUNT_KIND_BIND && best->flags & MOUNT_INSIDE)))
		return false;
	source = best ? plan_str(w->plan, best->source) : S("");
	rest = path.n > target.n ? str_from(path, target.n + 1) : S("");
	*out = !source.n ? rest : !rest.n ? source : str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(source), STR_ARG(rest));
	return out->n > 0;
}

/* The same for a step that ran in a container. */
static bool dep_path_inside(const struct walk *w, struct arena *a, const struct plan_step *s, struct str dep, struct str *out)
{
	struct str workdir = plan_str(w->plan, s->workdir), full = dep, path;

	if (!dep.n || dep.s[0] != '/')
		full = str_fmt(a, PLAN_INSIDE "/" STR_FMT "/" STR_FMT, STR_ARG(workdir), STR_ARG(dep));
	return path_join(a, S(""), full, &path) && from_inside(w, a, s, path, out);
}

/* The names of a depfile as canonical paths: relative to the folder the step ran in. */
static struct str dep_path(struct walk *w, struct arena *a, const struct plan_step *s, struct str dep)
{
	struct str path = dep;

	if (dep.n && dep.s[0] == '/') {
		if (path_within(dep, w->root) && dep.n > w->root.n)
			dep = str_from(dep, w->root.n + 1);
		path_join(a, S(""), dep, &path);
		return path;
	}
	if (!path_join(a, plan_str(w->plan, s->workdir), dep, &path)) {
		struct str full = str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(w->root), STR_ARG(plan_str(w->plan, s->workdir)), STR_ARG(dep));

		path_join(a, S(""), full, &path);
	}
	return path;
}

int walk_discover(struct walk *w, struct arena *a, uint32_t step, const struct str *deps, size_t n, int64_t since,
		  struct probe *p, struct entries *found, struct str *moved, struct err *err)
{
	const struct plan_step *s = &w->plan->steps[step];
	struct str *paths = arena_array(a, n, struct str);
	size_t npaths = 0, before = p->used.n;

	*moved = (struct str){0};
	for (size_t i = 0; i < n; i++) {
		bool native = s->runtime == RUNTIME_KIND_NATIVE;
		struct str path;

		if (native)
			path = dep_path(w, a, s, deps[i]);
		else if (!dep_path_inside(w, a, s, deps[i], &path))
			continue;
		bool host = path.n && path.s[0] == '/';
		uint32_t producer = host ? PLAN_NONE : plan_index_producer(w->index, path);

		if (!host && own_output(w, step, path))
			continue;
		if (producer != PLAN_NONE && !plan_index_reaches(w->index, step, producer))
			return err_set(err, ERR_SPEC, "the step read " STR_FMT ", which step " STR_FMT " makes; add `needs: [" STR_FMT "]`",
				       STR_ARG(path), STR_ARG(plan_step_name(w->plan, producer)), STR_ARG(plan_step_name(w->plan, producer)));
		paths[npaths++] = path;
	}
	qsort(paths, npaths, sizeof(*paths), str_order);
	*found = (struct entries){arena_array(a, npaths, struct entry), 0};
	for (size_t i = 0; i < npaths; i++) {
		size_t mark = p->used.n;

		if (i && str_eq(paths[i], paths[i - 1]))
			continue;
		if (found_entry(w, p, step, paths[i], &found->v[found->n++], err) < 0)
			return -1;
		/* read after the step: only a file older than its start is surely what the step saw */
		for (; mark < p->used.n; mark++)
			if (!p->used.v[mark].made && (p->used.v[mark].ident.ctime >= since || p->used.v[mark].ident.mtime >= since))
				*moved = p->used.v[mark].path;
	}
	watch_used(w, p, before);
	return 0;
}
