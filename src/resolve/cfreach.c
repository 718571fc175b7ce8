/* Which stages a target reaches, and what comes of them. */
#include <stdlib.h>

#include "resolve/cfparts.h"

void cf_because(struct cf_reach *r, struct cfile_why *why, struct loc loc, const char *fmt, ...)
{
	va_list args;

	if (why->text.s)
		return;
	va_start(args, fmt);
	*why = (struct cfile_why){str_vfmt(r->arena, fmt, args), loc};
	va_end(args);
}

const struct cfile_image *cf_base(struct cf_reach *r, struct str ref, struct str platform, struct loc loc)
{
	struct cfile_base base = {ref, platform, loc, NULL};

	for (size_t i = 0; i < r->bases.n; i++)
		if (str_eq(r->bases.v[i].ref, ref) && str_eq(r->bases.v[i].platform, platform))
			return r->bases.v[i].image;
	if (r->ask->image)
		base.image = r->ask->image(r->ask->ctx, ref, platform);
	if (!base.image)
		cf_because(r, &r->needs->uncached, loc, "the image " STR_FMT " is not known", STR_ARG(ref));
	vec_add(&r->bases, base);
	return base.image;
}

/* --- FROM --- */

static int expand_from(struct cf_reach *r, const struct cf_stage *stage, struct cfword word, struct str *out)
{
	struct cfword_env env = {.get = cf_global_get, .ctx = r, .escape = r->file->escape};
	const char *problem;

	r->loc = cf_loc(r->file, stage->line, word.at);
	problem = cfword_expand(r->arena, &env, word.s, out);
	if (r->failed)
		return -1;
	if (problem)
		return err_at(r->err, r->loc, NULL, STR_FMT " %s", STR_ARG(word.s), problem);
	if (env.unsure.s)
		return err_at(r->err, r->loc, NULL, "engines differ on what $" STR_FMT " is here", STR_ARG(env.unsure));
	if (!out->n)
		return err_at(r->err, r->loc, "Give the argument a default before the first FROM, or in args.",
			      STR_FMT " stands for nothing", STR_ARG(word.s));
	return 0;
}

static int read_from(struct cf_reach *r, size_t index)
{
	const struct cf_stage *stage = &r->file->stages[index];
	struct cf_state *state = &r->states[index];
	struct str ref;

	state->platform = r->ask->platform;
	if (expand_from(r, stage, stage->base, &ref) < 0 ||
	    (stage->platform.s.s && expand_from(r, stage, stage->platform, &state->platform) < 0))
		return -1;
	state->base = cf_stage(r->file, cf_lower(r->arena, ref), index);
	if (state->base < 0 && !str_is(ref, "scratch"))
		state->ref = ref;
	return 0;
}

/* --- which stages --- */

typedef int visitor(struct cf_reach *, size_t stage, const struct cf_instruction *);

/* All instructions of a stage, those its base stage left for it first. */
static int visit(struct cf_reach *r, size_t index, visitor *f)
{
	const struct cf_stage *stage = &r->file->stages[index], *base;

	if (r->states[index].base >= 0) {
		base = &r->file->stages[r->states[index].base];
		for (size_t i = 0; i < base->n; i++) {
			const struct cf_instruction *in = &r->file->v[base->first + i];

			if (in->kind == CF_ONBUILD && f(r, index, in->trigger) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < stage->n; i++)
		if (f(r, index, &r->file->v[stage->first + i]) < 0)
			return -1;
	return 0;
}

static int reach(struct cf_reach *r, size_t index);

static int follow(struct cf_reach *r, size_t stage, const struct cf_instruction *in, struct cfword word)
{
	size_t other;
	int kind = cf_from(r, stage, in, word, &other);

	if (kind == CF_FROM_IMAGE)
		cf_base(r, word.s, r->ask->platform, cf_loc(r->file, in->line, word.at));
	return kind == CF_FROM_STAGE ? reach(r, other) : kind < 0 ? -1 : 0;
}

static int follow_instruction(struct cf_reach *r, size_t stage, const struct cf_instruction *in)
{
	for (size_t i = 0; i < in->nflags; i++) {
		const struct cf_flag *flag = &in->flags[i];
		struct cf_mount m;

		if ((in->kind == CF_COPY || in->kind == CF_ADD) && str_is(flag->name, "from")) {
			if (follow(r, stage, in, (struct cfword){flag->value, flag->at}) < 0)
				return -1;
		} else if (in->kind == CF_RUN && str_is(flag->name, "mount")) {
			if (cf_mount_read(r, in, flag, &m) < 0 || (m.from.s.s && follow(r, stage, in, m.from) < 0))
				return -1;
		}
	}
	return 0;
}

/* Stages reach earlier ones only, so this ends. */
static int reach(struct cf_reach *r, size_t index)
{
	struct cf_state *state = &r->states[index];

	if (state->reached)
		return 0;
	state->reached = true;
	if (read_from(r, index) < 0 || (state->base >= 0 && reach(r, state->base) < 0))
		return -1;
	return visit(r, index, follow_instruction);
}

static int find_target(struct cf_reach *r)
{
	const struct cfile *f = r->file;
	struct str target = r->ask->target, *names, near;
	ptrdiff_t found = cf_stage(f, cf_lower(r->arena, target), f->nstages);
	struct loc loc = {f->src, 1, 1};
	uint64_t number;
	size_t n = 0;

	r->needs->target_name = target;
	if (!target.n)
		found = f->nstages - 1;
	else if (found < 0 && str_u64(target, &number) && number < f->nstages)
		found = number;
	r->needs->target = found;
	if (found >= 0)
		return 0;
	names = arena_array(r->arena, f->nstages, struct str);
	for (size_t i = 0; i < f->nstages; i++)
		if (f->stages[i].name.n)
			names[n++] = f->stages[i].name;
	near = str_nearest(target, names, n);
	return err_at(r->err, loc, near.s ? str_fmt(r->arena, "did you mean " STR_FMT "?", STR_ARG(near)).s : NULL,
		      "there is no stage " STR_FMT " in it", STR_ARG(target));
}

/* --- reading them --- */

static int read_instruction(struct cf_reach *r, size_t stage, const struct cf_instruction *in)
{
	return cf_read(r, in, &r->states[stage].vars);
}

/* Triggers of an image run in the stage that is built from it; what they do is not looked into. */
static void image_triggers(struct cf_reach *r, const struct cfile_image *image, struct str ref, struct loc loc)
{
	if (!image->nonbuild)
		return;
	cf_because(r, &r->needs->whole, loc, STR_FMT " has ONBUILD triggers, which may read all of the context", STR_ARG(ref));
	for (size_t i = 0; i < r->ask->nargs; i++)
		r->used[i] = true;
	for (size_t i = 0; i < image->nonbuild; i++) {
		struct str trigger = cf_lower(r->arena, image->onbuild[i]);

		if (str_find(trigger, S("from=")) >= 0)
			cf_because(r, &r->needs->uncached, loc, "an ONBUILD trigger of " STR_FMT " reads another image", STR_ARG(ref));
		if (str_starts(trigger, S("add")) && (str_chr(trigger, ':') >= 0 || str_chr(trigger, '$') >= 0))
			cf_because(r, &r->needs->uncached, loc, "an ONBUILD trigger of " STR_FMT " may ADD what an address names",
				   STR_ARG(ref));
	}
}

static int read_stage(struct cf_reach *r, size_t index)
{
	const struct cf_stage *stage = &r->file->stages[index];
	struct cf_state *state = &r->states[index];
	struct loc loc = cf_loc(r->file, stage->line, stage->base.at);

	if (state->base >= 0) {
		cf_vars_copy(&state->vars, &r->states[state->base].vars);
	} else if (state->ref.n) {
		state->vars.image = cf_base(r, state->ref, state->platform, loc);
		if (state->vars.image)
			image_triggers(r, state->vars.image, state->ref, loc);
		else
			cf_because(r, &r->needs->whole, loc, "the image " STR_FMT " is not known, nor what triggers it has",
				   STR_ARG(state->ref));
	} else {
		state->vars.scratch = true;
	}
	return visit(r, index, read_instruction);
}

static int read_stages(struct cf_reach *r)
{
	const struct cfile *f = r->file;

	r->globals.scratch = true;
	for (size_t i = 0; i < f->nglobals; i++)
		if (cf_read_arg(r, &f->v[i], &r->globals, true) < 0)
			return -1;
	if (find_target(r) < 0 || reach(r, r->needs->target) < 0)
		return -1;
	for (size_t i = 0; r->ask->every && i < r->needs->target; i++)
		if (reach(r, i) < 0)
			return -1;
	for (size_t i = 0; i <= r->needs->target; i++)
		if (r->states[i].reached && read_stage(r, i) < 0)
			return -1;
	return 0;
}

/* --- the answer --- */

/* A program of which nothing is known reads the file. */
static void read_foreign(struct cf_reach *r, struct str frontend, struct loc loc)
{
	cf_because(r, &r->needs->whole, loc, "the frontend " STR_FMT " may read all of the context", STR_ARG(frontend));
	cf_because(r, &r->needs->uncached, loc, "the frontend " STR_FMT " may use what can't be seen in the file", STR_ARG(frontend));
	cf_because(r, &r->needs->buildkit, loc, "a frontend is known to BuildKit alone");
	r->needs->target_name = r->ask->target;
	for (size_t i = 0; i < r->ask->nargs; i++)
		r->used[i] = true;
}

static bool find_frontend(struct cf_reach *r, struct str *frontend, struct loc *loc)
{
	*frontend = r->file->syntax;
	*loc = r->file->syntax_loc;
	for (size_t i = 0; i < r->ask->nargs; i++) {
		if (cf_arg_ambient(r->ask->args[i].name))
			r->used[i] = true;
		if (str_is(r->ask->args[i].name, "BUILDKIT_SYNTAX")) {
			*frontend = r->ask->args[i].value;
			*loc = (struct loc){r->file->src, 1, 1};
		}
	}
	return r->file->foreign || (frontend->s && cf_foreign(*frontend));
}

static int arg_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct cfile_arg *)a)->name, ((const struct cfile_arg *)b)->name);
}

static void answer_args(struct cf_reach *r)
{
	struct cfile_needs *needs = r->needs;
	size_t n = 0;

	needs->args = arena_array(r->arena, r->ask->nargs + r->predefined.n, struct cfile_arg);
	needs->unused = arena_array(r->arena, r->ask->nargs, struct str);
	for (size_t i = 0; i < r->ask->nargs; i++) {
		if (r->used[i])
			needs->args[needs->nargs++] = r->ask->args[i];
		else
			needs->unused[needs->nunused++] = r->ask->args[i].name;
	}
	for (size_t i = 0; i < r->predefined.n; i++)
		needs->args[needs->nargs++] = r->predefined.v[i];
	if (needs->nargs)
		qsort(needs->args, needs->nargs, sizeof(*needs->args), arg_cmp);
	for (size_t i = 0; i < needs->nargs; i++)
		if (!n || !str_eq(needs->args[n - 1].name, needs->args[i].name))
			needs->args[n++] = needs->args[i];
	needs->nargs = n;
}

#define ANSWER(r, list) do { \
	(r)->needs->n##list = (r)->list.n; \
	(r)->needs->list = arena_calloc((r)->arena, (r)->list.n, sizeof(*(r)->list.v)); \
	if ((r)->list.n) \
		memcpy((r)->needs->list, (r)->list.v, (r)->list.n * sizeof(*(r)->list.v)); \
	vec_free(&(r)->list); \
} while (0)

static void answer(struct cf_reach *r)
{
	struct cfile_needs *needs = r->needs;

	answer_args(r);
	ANSWER(r, bases);
	ANSWER(r, sources);
	ANSWER(r, secrets);
	vec_free(&r->predefined);
	vec_free(&r->globals.v);
	needs->stages = arena_array(r->arena, r->file->nstages, uint32_t);
	for (size_t i = 0; i < r->file->nstages; i++) {
		if (r->states[i].reached)
			needs->stages[needs->nstages++] = i;
		vec_free(&r->states[i].vars.v);
	}
}

int cfile_reach(struct arena *arena, const struct cfile *file, const struct cfile_ask *ask, struct cfile_needs *out, struct err *err)
{
	struct cf_reach r = {.arena = arena, .file = file, .ask = ask, .needs = out, .err = err};
	struct str frontend;
	struct loc loc;
	int rc = 0;

	*out = (struct cfile_needs){0};
	r.states = arena_array(arena, file->nstages, struct cf_state);
	r.used = arena_array(arena, ask->nargs, bool);
	if (find_frontend(&r, &frontend, &loc))
		read_foreign(&r, frontend, loc);
	else
		rc = read_stages(&r);
	out->frontend = frontend;
	answer(&r);
	return rc;
}
