/* Which files a step reads, as far as its patterns and literals say (doc/cairn-spec.5, FILES THAT A
 * PATTERN SEES): sources, which no output declaration of the spec covers; literal outputs of what the
 * step needs, order-only and indirect needs included; and, by pattern, what folder and glob outputs of
 * those turn out to hold. Never a leftover, never its own outputs. */
#include "plan/seen.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"

struct wish {
	struct str path;
	struct loc loc;
	bool optional, literal, not ;
}; /* an entry of inputs, expanded */

struct gather {
	struct maker *m;
	struct build *b;
	struct seen *seen;
	struct inst *in;
	struct plan_step *s;
	VEC(struct wish) wishes;
	VEC(struct str) globs;
	VEC(uint32_t) producers;        /* step ids */
	uint32_t *input_at, *input_round,
		round; /* by temporary path id: where this step has it, if it is of this round */
	size_t ninput_at;
	uint32_t *producer_round;       /* by step */
	size_t matched;                 /* by the wish at hand */
	bool pending;                   /* a folder or glob output may yet hold a match */
};

/* ---- adding ---- */

static bool taken_away(const struct gather *g, struct str path)
{
	for (size_t i = 0; i < g->wishes.n; i++) {
		const struct wish *w = &g->wishes.v[i];

		if (w->not && (w->literal ? path_within(path, w->path) : glob_match(w->path, path)))
			return true;
	}
	return false;
}

static void room_for_paths(struct gather *g)
{
	size_t n = g->ninput_at;

	if (g->b->paths.n <= n)
		return;
	g->ninput_at = g->b->paths.n * 2 + 64;
	g->input_at = xrealloc(g->input_at, g->ninput_at * sizeof(*g->input_at));
	g->input_round = xrealloc(g->input_round, g->ninput_at * sizeof(*g->input_round));
	memset(g->input_round + n, 0, (g->ninput_at - n) * sizeof(*g->input_round));
}

static void add_input_id(struct gather *g, uint32_t id, uint32_t flags)
{
	struct plan_input *had;

	room_for_paths(g);
	if (g->input_round[id] != g->round) {
		g->input_round[id] = g->round;
		g->input_at[id] = (uint32_t)g->b->inputs.n;
		vec_add(&g->b->inputs, (struct plan_input){id, flags});
		return;
	}
	had = &g->b->inputs.v[g->input_at[id]];
	if (!(flags & INPUT_OPTIONAL))                  /* wanted by two entries, one insists */
		had->flags &= ~(uint32_t)INPUT_OPTIONAL;
	had->flags |= flags & ~(uint32_t)INPUT_OPTIONAL;
}

static void add_input(struct gather *g, struct str path, uint32_t flags)
{
	add_input_id(g, build_path(g->b, path), flags);
}

static void add_glob(struct gather *g, struct str pattern)
{
	for (size_t i = 0; i < g->globs.n; i++) {
		if (str_eq(g->globs.v[i], pattern))
			return;
	}
	vec_add(&g->globs, pattern);
}

/* What a direct need wrote is an input anyway. */
static bool counts_whole(const struct gather *g, uint32_t step)
{
	return seen_direct(g->in->needs, step) == SEEN_COUNTS;
}

static void add_producer(struct gather *g, uint32_t step)
{
	if (g->producer_round[step] == g->round || counts_whole(g, step))
		return;
	g->producer_round[step] = g->round;
	vec_add(&g->producers, step);
}

/* ---- mistakes ---- */

static int not_needed(struct gather *g, const struct wish *w, struct str path, const struct inst *by)
{
	struct arena *a = g->m->arena;
	const struct spec_file *file = g->in->of->command->file;
	struct str name = command_from(file, by->of->command->name), there = path_from(a, file->dir, path);

	if (w->literal)
		return wrong(g->m, w->loc, hint(a, "add `needs: [" STR_FMT "]`", STR_ARG(name)),
			     "step " STR_FMT " reads " STR_FMT ", which step " STR_FMT
			     " makes and this one does not need",
			     STR_ARG(g->in->name), STR_ARG(path), STR_ARG(by->name));
	return wrong(g->m, w->loc,
		     hint(a, "add `needs: [" STR_FMT "]`, or the input \"!" STR_FMT "\" to leave it out",
			  STR_ARG(name), STR_ARG(there)),
		     "this pattern matches " STR_FMT ", which step " STR_FMT " makes and step " STR_FMT
		     " does not need",
		     STR_ARG(path), STR_ARG(by->name), STR_ARG(g->in->name));
}

static bool is_self(const struct gather *g, const struct inst *by)
{
	return by == g->in || same_command(by, g->in);
}

/* ---- patterns ---- */

/* A folder's listing and what a pattern matches are the same but for empty folders. */
static int see_literals(struct gather *g, const struct wish *w, const struct seen_pattern *p)
{
	for (size_t i = 0; i < p->nliterals; i++) {
		const struct outdecl *d = p->literals[i];

		if (is_self(g, d->by) || taken_away(g, d->what->path))
			continue;
		if (!seen_reaches(g->seen, g->in->needs, d->by->step))
			return not_needed(g, w, d->what->path, d->by);
		g->matched++;
		add_input(g, d->what->path, d->what->flags & OUTPUT_OPTIONAL ? INPUT_OPTIONAL : 0);
	}
	return 0;
}

static bool see_maker(struct gather *g, const struct seen_maker *maker)
{
	if (is_self(g, maker->decl->by))
		return false;
	g->pending |= maker->surely;
	add_producer(g, maker->decl->by->step);
	return !counts_whole(g, maker->decl->by->step);
}

/* Those among the needs, whichever of the two lists is shorter to go through. */
static void see_makers(struct gather *g, const struct seen_pattern *p)
{
	const uint32_t *closure;
	bool any = false;
	uint32_t n;

	if (!p->nmakers || !g->in->needs->n)
		return;
	closure = seen_closure(g->seen, g->in->needs, &n);
	for (size_t i = 0; i < p->nmakers && p->nmakers <= n; i++) {
		if (seen_reaches(g->seen, g->in->needs, p->makers[i].decl->by->step))
			any |= see_maker(g, &p->makers[i]);
	}
	for (uint32_t k = 0; k < n && n < p->nmakers; k++) {
		for (size_t i = seen_maker_at(p, closure[k]);
		     i < p->nmakers && p->makers[i].decl->by->step == closure[k]; i++)
			any |= see_maker(g, &p->makers[i]);
	}
	if (any)
		add_glob(g, p->pattern);
}

static int see_pattern(struct gather *g, const struct wish *w, struct str pattern, bool ask_sources)
{
	const struct seen_pattern *p = seen_pattern(g->seen, pattern, ask_sources, w->loc);

	if (!p)
		return EXPR_ASKED;
	for (size_t i = 0; i < p->nsources; i++) {
		if (taken_away(g, p->sources[i].path))
			continue;
		g->matched++;
		add_input_id(g, p->sources[i].id, 0);
	}
	see_makers(g, p);
	return see_literals(g, w, p);
}

static int gather_pattern(struct gather *g, const struct wish *w)
{
	int got;

	if (is_absolute(w->path))
		return wrong(g->m, w->loc, "name each file", "a pattern of inputs can't be an absolute path");
	g->matched = 0;
	g->pending = false;
	got = see_pattern(g, w, w->path, true);
	if (got || g->matched || g->pending || w->optional)
		return got;
	return wrong(g->m, w->loc,
		     "a pattern sees source files and what the needs of its step make; {path: ...} is taken "
		     "as it is",
		     "no input of step " STR_FMT " matches " STR_FMT, STR_ARG(g->in->name), STR_ARG(w->path));
}

/* ---- literals ---- */

/* Everything in a folder: its files, and what needs make in it. */
static int gather_folder(struct gather *g, const struct wish *w, const struct answer *a)
{
	struct arena *arena = g->m->arena;
	struct str below =
		w->path.n ? str_fmt(arena, STR_FMT "/**", STR_ARG(glob_escape(arena, w->path))) : S("**");

	for (size_t i = 1; i < a->n; i++) {
		struct str path = a->items[i];
		bool empty = path.n > 1 && path.s[path.n - 1] == '/';

		if (empty)
			path.n--;
		if (taken_away(g, path) || outmap_covers(g->m->outs, path))
			continue;
		add_input(g, empty ? str_dup(arena, path) : path, empty ? INPUT_EMPTY_DIR : 0);
		g->matched++;
	}
	return see_pattern(g, w, below, false);
}

/* Nothing is there now; a step may still make something below it. */
static int gather_absent(struct gather *g, const struct wish *w)
{
	static const struct answer nothing = {0};
	int got;

	g->matched = 0;
	g->pending = false;
	got = gather_folder(g, w, &nothing);
	if (got || g->matched || g->pending)
		return got;
	if (w->optional) {
		add_input(g, w->path, INPUT_EXPLICIT | INPUT_OPTIONAL);
		return 0;
	}
	return wrong(g->m, w->loc, "one that may be absent is written {path: ..., optional: true}",
		     "step " STR_FMT " reads " STR_FMT ", which is not there", STR_ARG(g->in->name),
		     STR_ARG(w->path));
}

static int gather_source(struct gather *g, const struct wish *w)
{
	const struct answer *a = ask(g->m, Q_PATH, w->path, w->loc);

	if (!a)
		return EXPR_ASKED;
	if (!a->found || !a->n)
		return gather_absent(g, w);
	if (str_is(a->items[0], "dir"))
		return gather_folder(g, w, a);
	add_input(g, w->path, INPUT_EXPLICIT | (w->optional ? INPUT_OPTIONAL : 0));
	return 0;
}

/* It is, or lies below, what another step declares. */
static int gather_made(struct gather *g, const struct wish *w, const struct outdecl *d)
{
	struct arena *a = g->m->arena;

	if (!seen_reaches(g->seen, g->in->needs, d->by->step))
		return not_needed(g, w, w->path, d->by);
	if (str_eq(d->what->path, w->path) && !(d->what->flags & OUTPUT_GLOB) && !d->by->variant) {
		uint32_t optional = w->optional || d->what->flags & OUTPUT_OPTIONAL ? INPUT_OPTIONAL : 0;

		add_input(g, w->path, INPUT_EXPLICIT | optional);
		return 0;
	}
	if (counts_whole(g, d->by->step))
		return 0;
	add_producer(g, d->by->step);
	add_glob(g, glob_escape(a, w->path));
	add_glob(g, str_fmt(a, STR_FMT "/**", STR_ARG(glob_escape(a, w->path))));
	return 0;
}

static int gather_literal(struct gather *g, const struct wish *w)
{
	const struct outdecl *d;

	if (taken_away(g, w->path))
		return 0;
	if (is_absolute(w->path)) {
		add_input(g, w->path, INPUT_EXPLICIT | (w->optional ? INPUT_OPTIONAL : 0));
		return 0;
	}
	d = w->path.n ? outmap_find(g->m->outs, w->path) : NULL;
	if (inst_covers(g->in, w->path) || (d && is_self(g, d->by))) {
		g->in->own_input = w->path;
		return 0;
	}
	return d ? gather_made(g, w, d) : gather_source(g, w);
}

/* ---- a step ---- */

/* What it mounts of the workspace it may read, unless it is where it writes. */
static void read_bound(struct gather *g)
{
	for (size_t i = 0; i < g->in->nbound; i++) {
		struct wish w = {.path = g->in->bound[i], .loc = g->in->of->command->loc, .optional = true, .literal = true};
		bool written = false;

		for (uint32_t k = 0; k < g->in->nouts && !written; k++)
			written = path_within(g->in->outs[k].path, w.path) || path_within(w.path, g->in->outs[k].path);
		if (!written)
			vec_add(&g->wishes, w);
	}
}

static int read_wishes(struct gather *g)
{
	const struct spec_paths *paths = &g->in->of->command->inputs;
	struct at at;
	int rc = 0;

	g->wishes.n = 0;
	at_init(&at, g->m, g->in->of->vars, g->in->of, g->in, g->in->variant);
	for (size_t i = 0; i < paths->n; i++) {
		const struct spec_path *p = &paths->v[i];
		struct wish w = {.loc = p->text.loc, .optional = p->optional, .not = p->negated};
		int got = at_path(&at, &p->text, p->literal, &w.path);

		rc |= got;
		if (got)
			continue;
		w.literal = p->literal || !glob_is(w.path);
		if (!p->literal && w.literal)
			w.path = glob_unescape(g->m->arena, w.path);
		vec_add(&g->wishes, w);
	}
	read_bound(g);
	return rc;
}

/* Takes away from what needs turn out to have made, too. */
static void write_nots(struct gather *g)
{
	struct arena *a = g->m->arena;

	for (size_t i = 0; i < g->wishes.n && g->globs.n; i++) {
		const struct wish *w = &g->wishes.v[i];
		struct str path;

		if (!w->not)
			continue;
		path = w->literal ? glob_escape(a, w->path) : w->path;
		add_glob(g, str_fmt(a, "!" STR_FMT, STR_ARG(path)));
		if (w->literal)
			add_glob(g, str_fmt(a, "!" STR_FMT "/**", STR_ARG(path)));
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void write_span(struct gather *g)
{
	g->s->inputs.n = (uint32_t)g->b->inputs.n - g->s->inputs.at;
	if (!g->producers.n)
		return;
	write_nots(g);
	g->s->globs = build_words(g->b, g->globs.v, g->globs.n);
	qsort(g->producers.v, g->producers.n, sizeof(*g->producers.v), by_number);
	g->s->producers = (struct plan_span){(uint32_t)g->b->refs.n, (uint32_t)g->producers.n};
	for (size_t i = 0; i < g->producers.n; i++)
		vec_add(&g->b->refs, g->producers.v[i]);
}

static int gather_inputs(struct gather *g)
{
	int rc = 0;

	g->round++;
	g->globs.n = g->producers.n = 0;
	g->s->inputs.at = (uint32_t)g->b->inputs.n;
	rc = read_wishes(g);
	for (size_t i = 0; i < g->wishes.n; i++) {
		const struct wish *w = &g->wishes.v[i];

		if (!w->not)
			rc |= w->literal ? gather_literal(g, w) : gather_pattern(g, w);
	}
	write_span(g);
	return rc;
}

int inputs_resolve(struct maker *m)
{
	struct gather g = {.m = m, .b = &m->build, .seen = seen_new(m)};

	g.producer_round = arena_array(m->arena, m->ninsts + 1, uint32_t);
	for (uint32_t i = 0; i < m->ninsts; i++) {
		g.in = m->order[i];
		g.s = &m->build.steps.v[i];
		if (g.in->of->failed)
			continue;
		/* a step that is skipped may lack what it would read elsewhere */
		if (!(g.s->flags & STEP_SKIP) && gather_inputs(&g) < 0)
			g.in->of->failed = true;
	}
	vec_free(&g.wishes);
	vec_free(&g.globs);
	vec_free(&g.producers);
	free(g.input_at);
	free(g.input_round);
	return m->failed ? -1 : 0;
}
