/* A step's fields, but for its inputs: what it runs, with which environment, and how. */
#include "plan/fill.h"

#include <stdlib.h>

#include "base/path.h"

static void axes_write(struct filler *f, const struct inst *in, struct plan_step *s)
{
	struct build *b = f->b;

	s->axes.at = (uint32_t)b->envs.n;
	for (uint32_t i = 0; i < in->naxes; i++)
		vec_add(&b->envs, (struct plan_env){build_text(b, in->names[i]),
						    build_text(b, value_text(f->m->arena, &in->values[i]))});
	for (size_t i = 0; in->variant && i < in->variant->n; i++)
		vec_add(&b->envs,
			(struct plan_env){build_text(b, in->variant->names[i]),
					  build_text(b, value_text(f->m->arena, &in->variant->values[i]))});
	s->axes.n = (uint32_t)b->envs.n - s->axes.at;
}

/* ---- what it runs ---- */

/* Shells repeat: a list that is the one before is not written again. */
static struct plan_span words_write(struct filler *f, const struct str *words, size_t n)
{
	struct build *b = f->b;
	struct plan_span span = build_words(b, words, n), before = f->words_before;

	if (n && n == before.n &&
	    !memcmp(b->words.v + span.at, b->words.v + before.at, n * sizeof(*b->words.v))) {
		b->words.n -= n;
		return before;
	}
	return f->words_before = span;
}

static int script_write(struct filler *f, struct at *at, const struct spec_command *c, struct plan_step *s)
{
	const struct spec_texts *argv = c->kind == SCRIPT_EXEC ? &c->exec
					: c->interpreter.n     ? &c->interpreter
							       : &c->shell;
	struct str script = S(""), *words;
	int rc;

	s->script_kind = c->kind == SCRIPT_RUN	   ? SCRIPT_KIND_RUN
			 : c->kind == SCRIPT_EXEC  ? SCRIPT_KIND_EXEC
			 : c->kind == SCRIPT_IMAGE ? SCRIPT_KIND_IMAGE
						   : SCRIPT_KIND_NONE;
	if (c->kind == SCRIPT_NONE || c->kind == SCRIPT_IMAGE)
		return 0;
	rc = c->kind == SCRIPT_RUN ? at_text(at, &c->script, EXPAND_RAW, &script) : 0;
	s->script = build_text(f->b, script);
	if (c->kind == SCRIPT_RUN && !c->interpreter.n && str_starts(script, S("#!"))) {
		s->flags |= STEP_SHEBANG;
		return rc;
	}
	if (c->kind == SCRIPT_RUN && c->interpreter.n)
		s->flags |= STEP_SCRIPT_FILE;
	rc |= at_words(at, argv, &words);
	for (size_t i = 0; i < argv->n && !rc; i++) {
		if ((!i && !words[i].n) || memchr(words[i].s, 0, words[i].n))
			return wrong(f->m, argv->v[i].loc, NULL,
				     i ? "an argument can't hold a NUL byte" : "the program's name is empty");
	}
	s->argv = words_write(f, words, argv->n);
	return rc;
}

/* What follows -- on the command line; an entrypoint's own come first. */
static int args_write(struct filler *f, struct at *at, const struct inst *in, struct plan_step *s)
{
	const struct spec_texts *own = &in->of->command->args;
	const struct plan_options *o = f->m->options;
	bool asked = in->variant && in->variant->asked && o->has_args;
	struct str *words, *all = arena_array(f->m->arena, own->n + o->nargs + 1, struct str);
	size_t n = own->n;
	int rc = at_words(at, own, &words);

	for (size_t i = 0; i < own->n && !rc; i++) {
		if (memchr(words[i].s, 0, words[i].n))
			return wrong(f->m, own->v[i].loc, NULL, "an argument can't hold a NUL byte");
		all[i] = words[i];
	}
	for (size_t i = 0; asked && i < o->nargs; i++)
		all[n++] = o->args[i];
	if (!rc && n)
		s->args = build_words(f->b, all, n);
	return rc;
}

static int workdir_write(struct filler *f, struct at *at, const struct spec_command *c, struct plan_step *s)
{
	struct str dir = at->vars->file->dir;
	int got = c->workdir.s.n ? at_path(at, &c->workdir, true, &dir) : 0;

	if (!got && is_absolute(dir))
		return wrong(f->m, c->workdir.loc, NULL,
			     "a step starts in a folder of the workspace, not in " STR_FMT, STR_ARG(dir));
	s->workdir = build_text(f->b, dir);
	return got;
}

/* ---- what it asks for ---- */

static int tools_write(struct filler *f, struct at *at, const struct spec_command *c, struct plan_step *s)
{
	struct plan_tool *tools = arena_array(f->m->arena, c->ntools + 1, struct plan_tool);
	int rc = 0;

	for (size_t i = 0; i < c->ntools; i++) {
		const struct spec_tool *t = &c->tools[i];
		struct spec_texts name = {(struct text *)&t->name, 1};
		const struct spec_texts *texts = t->run.n ? &t->run : &name;
		struct str *words;
		int got = at_words(at, texts, &words);

		if (!got && !words[0].n)
			got = wrong(f->m, t->loc, NULL, "the program's name is empty");
		rc |= got;
		tools[i].kind = t->run.n ? TOOL_RUN : TOOL_NAME;
		tools[i].words = build_words(f->b, words, texts->n);
	}
	s->tools = (struct plan_span){(uint32_t)f->b->tools.n, (uint32_t)c->ntools};
	for (size_t i = 0; i < c->ntools; i++)
		vec_add(&f->b->tools, tools[i]);
	s->tools_given = c->tools_given;
	return rc;
}

static int requires_write(struct filler *f, struct at *at, const struct spec_any *v, size_t n, uint32_t kind)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct spec_texts texts = {v[i].v, v[i].n};
		struct plan_span any;
		struct str *words;

		rc |= at_words(at, &texts, &words);
		any = build_words(f->b, words, texts.n);
		vec_add(&f->b->requires, (struct plan_require){kind, any});
	}
	return rc;
}

static int by_word(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int demands_write(struct filler *f, struct at *at, const struct spec_command *c, struct plan_step *s)
{
	struct str *tags;
	int rc = tools_write(f, at, c, s);

	s->requires.at = (uint32_t)f->b->requires.n;
	rc |= requires_write(f, at, c->requires.tools, c->requires.ntools, REQUIRE_TOOL);
	rc |= requires_write(f, at, c->requires.files, c->requires.nfiles, REQUIRE_FILE);
	rc |= requires_write(f, at, c->requires.env, c->requires.nenv, REQUIRE_ENV);
	s->requires.n = (uint32_t)f->b->requires.n - s->requires.at;
	rc |= at_words(at, &c->tags, &tags);
	if (!rc && c->tags.n)
		qsort(tags, c->tags.n, sizeof(*tags), by_word);
	s->tags = build_words(f->b, tags, c->tags.n);
	return rc;
}

/* ---- the rest ---- */

static void outputs_write(struct filler *f, const struct inst *in, struct plan_step *s)
{
	s->outputs.at = (uint32_t)f->b->outputs.n;
	for (uint32_t i = 0; i < in->nouts; i++) {
		const struct declared *d = &in->outs[i];

		if (d->depfile)
			continue;
		vec_add(&f->b->outputs, (struct plan_output){build_text(f->b, d->path), d->flags});
		if (!(d->flags & OUTPUT_NEGATED))
			s->flags |= STEP_DYNAMIC;
		if (!in->variant && !(d->flags & (OUTPUT_GLOB | OUTPUT_NEGATED)))
			build_producer(f->b, d->path, in->step);
	}
	s->outputs.n = (uint32_t)f->b->outputs.n - s->outputs.at;
	s->depfile = build_text(f->b, in->depfile.n ? in->depfile : S(""));
}

static void needs_write(struct filler *f, struct need_set *set, struct plan_step *s)
{
	if (!set->written) {
		set->written = true;
		set->span = (struct plan_span){(uint32_t)f->b->needs.n, set->n};
		for (uint32_t i = 0; i < set->n; i++)
			vec_add(&f->b->needs, (struct plan_need){set->steps[i], set->flags[i]});
	}
	s->needs = set->span;
}

static void names_write(struct filler *f, const struct inst *in, struct plan_step *s)
{
	const struct spec_command *c = in->of->command;

	s->name = build_text(f->b, in->name);
	s->command = build_text(f->b, c->name);
	s->summary = build_text(f->b, c->summary.n ? c->summary : S(""));
	s->file = build_text(f->b, c->file->path);
	s->line = c->loc.line;
	s->col = c->loc.col;
}

static bool same_axes(const struct inst *a, const struct inst *b)
{
	bool same = a->naxes == b->naxes;

	for (uint32_t k = 0; k < a->naxes && same; k++)
		same = str_eq(a->names[k], b->names[k]) && str_eq(a->values[k].s, b->values[k].s);
	return same;
}

/* Variants stand behind the command's own steps, mostly in the same order. */
static uint32_t base_of(const struct inst *in)
{
	const struct made *of = in->of;
	size_t n = 0, likely;

	while (n < of->n && !of->v[n].variant)
		n++;
	likely = n ? (size_t)(in - of->v) % n : 0;
	if (n && same_axes(&of->v[likely], in))
		return of->v[likely].step;
	for (size_t i = 0; i < n; i++) {
		if (same_axes(&of->v[i], in))
			return of->v[i].step;
	}
	return PLAN_NONE;
}

static void settings_write(const struct inst *in, struct plan_step *s)
{
	const struct spec_command *c = in->of->command;

	s->flags |= (c->outputs_keep ? STEP_KEEP : 0) | (c->outputs_tracked ? STEP_TRACKED : 0) |
		    (c->console ? STEP_CONSOLE : 0) | (c->continue_on_failure ? STEP_CONTINUE : 0);
	s->variant_of = PLAN_NONE;
	if (in->variant) {
		s->flags |= STEP_VARIANT | (in->variant->asked ? STEP_ASKED : 0);
		s->variant_of = base_of(in);
	}
	s->workspace = c->workspace;
	s->pool = PLAN_NONE;
	if (c->concurrency) {
		if (in->of->pool == PLAN_NONE)          /* named by the first step that is in it */
			in->of->pool = in->step;
		s->pool = in->of->pool;
		s->pool_size = c->concurrency;
	}
	s->retries = c->retry.times;
	s->timeout_ms = c->timeout_ms;
	s->retry_delay_ms = c->retry.delay_ms;
	s->retry_factor = c->retry.factor;
}

static void fill_step(struct filler *f, struct inst *in)
{
	const struct spec_command *c = in->of->command;
	struct plan_step s = {0};
	bool wanted = true;
	struct at at;
	int rc;

	at_init(&at, f->m, in->of->vars, in->of, in, in->variant);
	names_write(f, in, &s);
	settings_write(in, &s);
	rc = at_truth(&at, &c->when, &wanted);
	s.flags |= wanted ? 0 : STEP_SKIP;
	rc |= script_write(f, &at, c, &s);
	rc |= args_write(f, &at, in, &s);
	rc |= workdir_write(f, &at, c, &s);
	rc |= fill_env(f, &at, in, &s);
	rc |= fill_place(f, &at, in, &s);
	axes_write(f, in, &s);
	rc |= demands_write(f, &at, c, &s);
	outputs_write(f, in, &s);
	needs_write(f, in->needs, &s);
	vec_add(&f->b->steps, s);
	/* asked is not failed, but then m->failed would not be set */
	in->of->failed |= rc && f->m->failed;
}

int fill_steps(struct maker *m)
{
	struct filler f = {.m = m, .b = &m->build, .secrets.arena = m->arena, .shared.arena = m->arena};

	fill_secrets(&f);
	for (size_t i = 0; i < m->spec->ncommands; i++) {
		m->made[i].failed = false;
		m->made[i].pool = PLAN_NONE;
	}
	for (uint32_t i = 0; i < m->ninsts; i++) {
		if (m->order[i]->of->failed)
			vec_add(&m->build.steps, (struct plan_step){0}); /* its mistake is said already */
		else
			fill_step(&f, m->order[i]);
	}
	vec_free(&f.env);
	return m->failed ? -1 : 0;
}
