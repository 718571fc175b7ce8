/* What `each` goes through. A pattern sees source files, which no output declaration covers, and the
 * literal outputs of what the command needs. The declarations may themselves come from an `each`, so
 * the first pass sees all files and later ones leave out what the pass before declared, until nothing
 * changes (expand.c). */
#include "plan/outputs.h"

#include <stdlib.h>

#include "base/glob.h"

struct sieve {                          /* the patterns of one axis */
	struct made *of;
	const struct spec_axis *axis;
	struct str *patterns; struct loc *locs; size_t npatterns;
	struct str *nots; size_t nnots;
	VEC(struct str) paths;
};

static bool taken_away(const struct str *nots, size_t n, struct str path)
{
	for (size_t i = 0; i < n; i++) {
		if (glob_match(nots[i], path) || (!glob_is(nots[i]) && pattern_holds(nots[i], path)))
			return true;
	}
	return false;
}

static int sieve_read(struct at *at, struct sieve *s)
{
	size_t n = s->axis->items.n;
	int rc = 0;

	s->patterns = arena_array(at->m->arena, n + 1, struct str);
	s->locs = arena_array(at->m->arena, n + 1, struct loc);
	s->nots = arena_array(at->m->arena, n + 1, struct str);
	for (size_t i = 0; i < n; i++) {
		struct text t = s->axis->items.v[i];
		bool not = t.s.n > 1 && t.s.s[0] == '!';
		struct str path;

		if (not)
			t.s = str_from(t.s, 1);
		if (at_path(at, &t, false, &path)) {
			rc = -1;
			continue;
		}
		if (is_absolute(path))
			rc = wrong(at->m, t.loc, NULL, "a pattern of each can't be an absolute path");
		if (not)
			s->nots[s->nnots++] = path;
		s->locs[s->npatterns] = t.loc;
		if (!not)
			s->patterns[s->npatterns++] = path;
	}
	return rc;
}

static void see_sources(struct maker *m, struct sieve *s, const struct answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!taken_away(s->nots, s->nnots, a->items[i]) &&
		    !(m->outs && outmap_covers(m->outs, a->items[i])))
			vec_add(&s->paths, a->items[i]);
	}
}

/* The literal outputs of all that the command needs. */
static void see_outputs(struct maker *m, struct sieve *s, struct str pattern)
{
	struct str lead = pattern_lead(m->arena, pattern);

	needs_closure(m, s->of);
	for (size_t c = 0; c < s->of->nclosure; c++) {
		const struct made *need = &m->made[s->of->closure[c]];

		for (size_t i = 0; i < need->n && need != s->of; i++) {
			for (uint32_t o = 0; o < need->v[i].nouts && !need->v[i].variant; o++) {
				const struct declared *d = &need->v[i].outs[o];

				if (!(d->flags & ~OUTPUT_OPTIONAL) && !d->depfile &&
				    str_starts(d->path, lead) && glob_match(pattern, d->path) &&
				    !taken_away(s->nots, s->nnots, d->path))
					vec_add(&s->paths, d->path);
			}
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int sieve_values(struct at *at, struct sieve *s, struct value **out, size_t *n)
{
	struct str dir = at->vars->file->dir;

	if (!s->paths.n)
		return wrong(at->m, s->npatterns ? s->locs[0] : s->axis->loc,
			     "each makes a step for every file that a pattern matches",
			     "the patterns of '" STR_FMT "' match no file", STR_ARG(s->axis->name));
	qsort(s->paths.v, s->paths.n, sizeof(*s->paths.v), by_text);
	*out = arena_array(at->m->arena, s->paths.n, struct value);
	for (size_t i = 0; i < s->paths.n; i++) {
		if (!i || !str_eq(s->paths.v[i], s->paths.v[i - 1]))
			(*out)[(*n)++] = value_str(path_from(at->m->arena, dir, s->paths.v[i]));
	}
	return 0;
}

static int glob_values(struct at *at, struct made *of, const struct spec_axis *axis, struct value **out,
		       size_t *n)
{
	struct sieve s = {.of = of, .axis = axis};
	struct maker *m = at->m;
	int rc = sieve_read(at, &s);

	for (size_t i = 0; i < s.npatterns && rc != -1; i++) {
		const struct answer *a = ask(m, Q_GLOB, s.patterns[i], s.locs[i]);

		if (!a) {
			rc = EXPR_ASKED;
			continue;
		}
		vec_add(&m->uses, (struct glob_use){of, s.patterns[i], a, s.nots, s.nnots, s.locs[i]});
		see_sources(m, &s, a);
		see_outputs(m, &s, s.patterns[i]);
	}
	if (!rc)
		rc = sieve_values(at, &s, out, n);
	vec_free(&s.paths);
	return rc;
}

static int lines_values(struct at *at, const struct spec_axis *axis, struct value **out, size_t *n)
{
	const struct text *t = &axis->items.v[0];
	const struct answer *a;
	struct table seen = {.arena = at->m->arena};
	struct str path;
	int got = at_path(at, t, true, &path);

	if (got)
		return got;
	a = ask(at->m, Q_LINES, path, t->loc);
	if (!a)
		return EXPR_ASKED;
	if (!a->found)
		return wrong(at->m, t->loc, NULL, "unable to read the lines of " STR_FMT ": no such file",
			     STR_ARG(path));
	*out = arena_array(at->m->arena, a->n + 1, struct value);
	for (size_t i = 0; i < a->n; i++) {
		bool fresh;

		table_put(&seen, a->items[i], &fresh);
		if (fresh)
			(*out)[(*n)++] = value_str(a->items[i]);
	}
	return *n ? 0
		  : wrong(at->m, t->loc, NULL, STR_FMT " has no lines, so there would be no step",
			  STR_ARG(path));
}

int each_values(struct at *at, struct made *of, const struct spec_axis *axis, struct value **out, size_t *n)
{
	*n = 0;
	switch (axis->kind) {
	case AXIS_GLOB:
		return glob_values(at, of, axis, out, n);
	case AXIS_LINES:
		return lines_values(at, axis, out, n);
	case AXIS_LIST:
		break;
	}
	return axis_list(at, axis, out, n);
}

bool each_settled(struct maker *m, const struct outmap *before, const struct outmap *now)
{
	for (size_t k = 0; k < m->uses.n; k++) {
		const struct answer *a = m->uses.v[k].answer;

		for (size_t i = 0; i < a->n; i++) {
			if ((before && outmap_covers(before, a->items[i])) != outmap_covers(now, a->items[i]))
				return false;
		}
	}
	return true;
}

/* ---- what a pattern may not see ---- */

struct unseen { struct maker *m; const struct glob_use *use; bool said; };

static bool is_needed(struct maker *m, const struct made *of, const struct made *other)
{
	for (size_t i = 0; i < of->nclosure; i++) {
		if (&m->made[of->closure[i]] == other)
			return true;
	}
	return false;
}

static void unseen_output(struct unseen *u, const struct outdecl *d)
{
	struct str name = command_from(u->use->of->command->file, d->by->of->command->name);

	u->said = true;
	wrong(u->m, u->use->loc,
	      hint(u->m->arena,
		   "add `needs: [" STR_FMT "]`, or \"!" STR_FMT "\" beside the pattern to leave it out",
		   STR_ARG(name),
		   STR_ARG(path_from(u->m->arena, u->use->of->command->file->dir, d->what->path))),
	      "this pattern matches " STR_FMT ", which step " STR_FMT " makes and this command does not need",
	      STR_ARG(d->what->path), STR_ARG(d->by->name));
}

static void see_unseen(void *ctx, const struct outdecl *d)
{
	struct unseen *u = ctx;
	const struct glob_use *use = u->use;

	if (u->said || d->by->of == use->of || d->by->variant || d->what->depfile ||
	    (d->what->flags & OUTPUT_NEGATED))
		return;
	if (!(d->what->flags & (OUTPUT_GLOB | OUTPUT_DIR))) {
		if (glob_match(use->pattern, d->what->path) &&
		    !taken_away(use->nots, use->nnots, d->what->path) && !is_needed(u->m, use->of, d->by->of))
			unseen_output(u, d);
		return;
	}
	if (!is_needed(u->m, use->of, d->by->of) || taken_away(use->nots, use->nnots, d->what->path) ||
	    taken_away(use->nots, use->nnots, glob_prefix(u->m->arena, d->what->path)))
		return;
	u->said = true;
	wrong(u->m, use->loc,
	      hint(u->m->arena, "name the files, or leave that folder out with \"!" STR_FMT "\"",
		   STR_ARG(d->what->path)),
	      "going through what step " STR_FMT " makes under " STR_FMT " is not built yet",
	      STR_ARG(d->by->name), STR_ARG(d->what->path));
}

int each_check(struct maker *m)
{
	for (size_t i = 0; i < m->uses.n; i++) {
		struct unseen u = {.m = m, .use = &m->uses.v[i]};

		needs_closure(m, u.use->of);
		outmap_meets(m->outs, u.use->pattern, see_unseen, &u);
	}
	return m->failed ? -1 : 0;
}
