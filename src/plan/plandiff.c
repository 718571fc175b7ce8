#include "base/map.h"
#include "plan/planjson.h"
#include "plan/stepfields.h"

/* Both plans as manifests, compared field by field: what is named here is what differs. */

static void diff_step(struct arena *a, struct buf *out, size_t *n, struct str name, struct str before, struct str after)
{
	struct manifest_change *changes;
	size_t count = 0;

	if (str_eq(before, after) || manifest_diff(a, before, after, &changes, &count) < 0)
		return;
	buf_fmt(out, "step " STR_FMT "\n", STR_ARG(name));
	for (size_t i = 0; i < count; i++) {
		const struct manifest_change *c = &changes[i];

		buf_fmt(out, "  " STR_FMT "%s" STR_FMT ": ", STR_ARG(c->tag), c->name.n ? " " : "", STR_ARG(c->name));
		if (c->before.s && c->after.s)
			buf_fmt(out, STR_FMT " -> " STR_FMT "\n", STR_ARG(c->before), STR_ARG(c->after));
		else
			buf_fmt(out, "%s" STR_FMT "\n", c->after.s ? "new: " : "gone: ", STR_ARG(c->after.s ? c->after : c->before));
	}
	++*n;
}

static void diff_steps(struct arena *arena, const struct plan *a, const struct plan *b, struct buf *out, size_t *n)
{
	struct map old = MAP_INIT, new = MAP_INIT;

	for (uint32_t i = 0; i < a->nsteps; i++)
		*map_put(&old, plan_step_name(a, i), NULL) = (void *)&a->steps[i];
	for (uint32_t i = 0; i < b->nsteps; i++)
		*map_put(&new, plan_step_name(b, i), NULL) = (void *)&b->steps[i];
	for (uint32_t i = 0; i < b->nsteps; i++) {
		const struct plan_step *was = map_get(&old, plan_step_name(b, i));
		CLEANUP_BUF struct buf x = BUF_INIT(MANIFEST_MAX), y = BUF_INIT(MANIFEST_MAX);

		if (!was) {
			buf_fmt(out, "step " STR_FMT " is new\n", STR_ARG(plan_step_name(b, i)));
			++*n;
			continue;
		}
		step_fields(a, was, &x);
		step_fields(b, &b->steps[i], &y);
		diff_step(arena, out, n, plan_step_name(b, i), buf_view(&x), buf_view(&y));
	}
	for (uint32_t i = 0; i < a->nsteps; i++) {
		if (map_has(&new, plan_step_name(a, i)))
			continue;
		buf_fmt(out, "step " STR_FMT " is gone\n", STR_ARG(plan_step_name(a, i)));
		++*n;
	}
	map_release(&old);
	map_release(&new);
}

static void diff_files(const struct entries *a, const struct entries *b, struct buf *out, size_t *n)
{
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		int c = i == a->n ? 1 : k == b->n ? -1 : str_cmp(a->v[i].path, b->v[k].path);

		if (c || !entry_same(&a->v[i], &b->v[k])) {
			buf_fmt(out, "file " STR_FMT " %s\n", STR_ARG(c > 0 ? b->v[k].path : a->v[i].path), c > 0 ? "is new" : c < 0 ? "is gone" : "differs");
			++*n;
		}
		i += c <= 0;
		k += c >= 0;
	}
}

int plan_diff(const struct plan *a, const struct plan_content *ca, const struct plan *b, const struct plan_content *cb, struct buf *out, size_t *n)
{
	struct arena arena = ARENA_INIT;

	*n = 0;
	diff_steps(&arena, a, b, out, n);
	diff_files(&ca->files, &cb->files, out, n);
	arena_release(&arena);
	return 0;
}
