/* planned.h: plans from a spec as text and a world told by hand: planning is a pure function, so a
 * test needs no files. */
#pragma once

#include "tap.h"

#include "base/glob.h"
#include "base/path.h"
#include "plan/make.h"
#include "spec/spec.h"

struct world {
	const char *const *files;       /* ended by NULL, sorted; one that ends with "/" is an empty folder */
	const char *const *ignored;     /* in sources only if a glob sees them: here, never. May be NULL */
	const char *const *env;         /* name, value, ... NULL */
	const char *const *git;
	const char *const *lines;       /* path, line, line, ... NULL */
	const struct plan_options *options;
	int rounds;                     /* filled */
	int asked;
};

struct planned {
	struct arena arena;
	struct facts facts;
	struct buf image;
	struct plan plan;
	struct err err;
	struct spec *spec;
	int rc;
};

static inline int planned_load(void *ctx, struct arena *a, struct str path, struct str *out, struct err *err)
{
	(void)a;
	(void)err;
	if (!str_ends(path, S("cairn.yaml")))
		return 0;
	*out = str_of(ctx);
	return 1;
}

static inline void world_item(struct planned *p, struct answer *a, size_t *cap, struct str s)
{
	if (a->n == *cap) {
		struct str *v = arena_array(&p->arena, *cap * 2 + 8, struct str);

		if (a->n)
			memcpy(v, a->items, a->n * sizeof(*v));
		a->items = v;
		*cap = *cap * 2 + 8;
	}
	a->items[a->n++] = s;
}

static inline void world_pairs(struct planned *p, const char *const *v, struct str name, struct answer *a)
{
	size_t cap = 0;

	for (; v && *v; v += 2) {
		if (str_is(name, v[0])) {
			a->found = true;
			world_item(p, a, &cap, str_of(v[1]));
		}
	}
}

static inline struct answer world_path(struct planned *p, const struct world *w, struct str path)
{
	struct answer a = {0};
	size_t cap = 0;

	for (const char *const *f = w->files; f && *f; f++) {
		struct str file = str_of(*f);
		bool empty = file.s[file.n - 1] == '/';

		if (empty)
			file.n--;
		if (!path_within(file, path))
			continue;
		a.found = true;
		if (str_eq(file, path) && !empty) {
			world_item(p, &a, &cap, S("file"));
			return a;
		}
		if (!a.n)
			world_item(p, &a, &cap, S("dir"));
		if (!str_eq(file, path))
			world_item(p, &a, &cap, str_of(*f));
	}
	return a;
}

static inline struct answer world_answer(struct planned *p, const struct world *w, const struct question *q)
{
	struct answer a = {0};
	size_t cap = 0;

	switch (q->kind) {
	case Q_GLOB:
	case Q_SOURCES:
		a.found = true;
		for (const char *const *f = w->files; f && *f; f++) {
			if (!str_ends(str_of(*f), S("/")) && (q->kind == Q_SOURCES || glob_match(q->text, str_of(*f))))
				world_item(p, &a, &cap, str_of(*f));
		}
		break;
	case Q_PATH:
		return world_path(p, w, q->text);
	case Q_LINES:
		for (const char *const *l = w->lines; l && *l && str_is(q->text, w->lines[0]) && *++l;) {
			a.found = true;
			world_item(p, &a, &cap, str_of(*l));
		}
		break;
	case Q_ENV:
		world_pairs(p, w->env, q->text, &a);
		break;
	case Q_GIT:
		world_pairs(p, w->git, q->text, &a);
		break;
	}
	return a;
}

static inline void planned_rounds(struct planned *p, const struct spec *spec, struct world *w)
{
	struct plan_options options = w->options ? *w->options : (struct plan_options){0};

	options.os = S("linux");
	options.arch = S("x86_64");
	for (w->rounds = 1; w->rounds < 20; w->rounds++) {
		p->rc = plan_make(spec, &p->facts, &options, &p->image, &p->err);
		if (p->rc != PLAN_ASKED)
			break;
		for (size_t n = p->facts.nasked; p->facts.nanswered < n; p->facts.nanswered++) {
			struct question q = p->facts.asked[p->facts.nanswered];
			struct answer a = world_answer(p, w, &q);

			facts_tell(&p->facts, &q, &a);
		}
	}
	w->asked = (int)p->facts.nasked;
	if (p->rc == PLAN_DONE)
		p->rc = plan_open(p->image.s, p->image.n, true, &p->plan, &p->err);
}

/* The spec is a whole cairn.yaml. What follows from it is in *p, to be released. */
static inline void plan_text_of(struct planned *p, const char *text, struct world *w)
{
	struct spec_options options = {.root = S("/ws"), .file = S("cairn.yaml"), .os = S("linux"), .arch = S("x86_64"),
				       .runtime = S("native"), .load = planned_load, .ctx = (void *)text};

	*p = (struct planned){0};
	facts_init(&p->facts, &p->arena);
	p->rc = spec_read(&p->arena, &options, &p->spec, &p->err);
	if (!p->rc)
		planned_rounds(p, p->spec, w);
}

static inline void planned_release(struct planned *p)
{
	if (p->spec) {
		map_release(&p->spec->command_by_name);
		map_release(&p->spec->workflow_by_name);
	}
	buf_release(&p->image);
	facts_release(&p->facts);
	err_release(&p->err);
	arena_release(&p->arena);
}

/* All mistakes, each on a line: "line:col text (hint)". */
static inline struct str planned_mistakes(struct planned *p)
{
	struct buf b = BUF_INIT(1 << 20);
	struct str out;

	if (p->err.text)
		buf_fmt(&b, "%s\n", p->err.text);
	for (size_t i = 0; i < p->err.ndiags; i++) {
		const struct diag *d = &p->err.diags[i];

		buf_fmt(&b, "%u:%u %s", d->loc.line, d->loc.col, d->text);
		if (d->hint)
			buf_fmt(&b, " (%s)", d->hint);
		buf_c(&b, '\n');
	}
	out = str_dup(&p->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

/* What a step reads: "a b? build/" with ? for optional and / for an empty folder. */
static inline struct str planned_inputs(struct planned *p, uint32_t step)
{
	const struct plan_step *s = &p->plan.steps[step];
	struct buf b = BUF_INIT(1 << 20);
	struct str out;

	for (uint32_t i = 0; i < s->inputs.n; i++) {
		const struct plan_input *in = &p->plan.inputs[s->inputs.at + i];

		buf_fmt(&b, "%s" STR_FMT "%s%s", i ? " " : "", STR_ARG(plan_path_str(&p->plan, in->path)),
			in->flags & INPUT_OPTIONAL ? "?" : "", in->flags & INPUT_EMPTY_DIR ? "/" : "");
	}
	out = str_dup(&p->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static inline struct str planned_words(struct planned *p, struct plan_span words)
{
	struct buf b = BUF_INIT(1 << 20);
	struct str out;

	for (uint32_t i = 0; i < words.n; i++)
		buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(plan_word(&p->plan, words, i)));
	out = str_dup(&p->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static inline struct str planned_env(struct planned *p, uint32_t step)
{
	const struct plan_step *s = &p->plan.steps[step];
	struct buf b = BUF_INIT(1 << 20);
	struct str out;

	for (uint32_t i = 0; i < s->env.n; i++) {
		const struct plan_env *e = &p->plan.envs[s->env.at + i];

		buf_fmt(&b, "%s" STR_FMT "=" STR_FMT, i ? " " : "", STR_ARG(plan_str(&p->plan, e->name)), STR_ARG(plan_str(&p->plan, e->value)));
	}
	out = str_dup(&p->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static inline struct str planned_steps(struct planned *p)
{
	struct buf b = BUF_INIT(1 << 20);
	struct str out;

	for (uint32_t i = 0; i < p->plan.nsteps; i++)
		buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(plan_step_name(&p->plan, i)));
	out = str_dup(&p->arena, buf_view(&b));
	buf_release(&b);
	return out;
}
