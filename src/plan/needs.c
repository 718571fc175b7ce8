/* What `needs` names: a command (all its steps), one step, or a pattern over both. */
#include "plan/outputs.h"

#include <stdlib.h>

bool step_pattern_match(struct str pattern, struct str name)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < name.n) {
		if (p < pattern.n && pattern.s[p] == '*') {
			star = ++p;
			mark = i;
		} else if (p < pattern.n && (pattern.s[p] == '?' || pattern.s[p] == name.s[i])) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.s[p] == '*')
		p++;
	return p == pattern.n;
}

static bool is_pattern(struct str s)
{
	return str_chr(s, '*') >= 0 || str_chr(s, '?') >= 0;
}

static struct str prefixed(struct maker *m, const struct spec_file *file, struct str name)
{
	return file->prefix.n ? str_fmt(m->arena, STR_FMT STR_FMT, STR_ARG(file->prefix), STR_ARG(name))
			      : name;
}

/* ---- by command, before instances are known ---- */

/* The part of a need that names commands; "" when it depends on the instance. */
static struct str command_part(struct maker *m, const struct made *of, const struct text *t)
{
	struct text head = *t;
	ptrdiff_t open = str_chr(t->s, '['), expr = str_find(t->s, S("${{"));
	struct str out;
	struct at at;

	if (open >= 0 && (expr < 0 || open < expr))
		return str_head(t->s, (size_t)open);
	at_init(&at, m, of->vars, of, NULL, NULL);
	if (expr < 0)
		return t->s;
	if (text_expand(m->arena, &head, &at.scope, EXPAND_RAW, &out, NULL))
		return S("");
	open = str_chr(out, '[');
	return open < 0 ? out : str_head(out, (size_t)open);
}

struct reached { struct maker *m; uint8_t *seen; VEC(uint32_t) list; };

static void reach_command(struct reached *r, const struct spec_command *c)
{
	size_t i = c ? (size_t)(c - r->m->spec->commands) : 0;

	if (!c || r->seen[i])
		return;
	r->seen[i] = 1;
	vec_add(&r->list, (uint32_t)i);
}

static void reach_needs(struct reached *r, const struct made *of)
{
	const struct spec *spec = r->m->spec;

	for (size_t k = 0; k < of->command->nneeds; k++) {
		struct str name = command_part(r->m, of, &of->command->needs[k].step), full;

		if (!is_pattern(name)) {
			reach_command(r, name.n ? spec_command_find(spec, of->command->file, name) : NULL);
			continue;
		}
		full = prefixed(r->m, of->command->file, name);
		for (size_t i = 0; i < spec->ncommands; i++) {
			if (step_pattern_match(full, spec->commands[i].name) ||
			    step_pattern_match(name, spec->commands[i].name))
				reach_command(r, &spec->commands[i]);
		}
	}
}

void needs_closure(struct maker *m, struct made *of)
{
	struct reached r = {.m = m};

	if (of->closed)
		return;
	of->closed = true;
	r.seen = xcalloc(m->spec->ncommands + 1, 1);
	reach_needs(&r, of);
	for (size_t i = 0; i < r.list.n; i++)
		reach_needs(&r, &m->made[r.list.v[i]]);
	of->closure = arena_array(m->arena, r.list.n + 1, uint32_t);
	if (r.list.n)
		memcpy(of->closure, r.list.v, r.list.n * sizeof(*of->closure));
	of->nclosure = r.list.n;
	vec_free(&r.list);
	free(r.seen);
}

/* ---- by step ---- */

static size_t keep_list(struct maker *m, const uint32_t *v, size_t n, const uint32_t **out)
{
	uint32_t *kept = arena_array(m->arena, n + 1, uint32_t);

	if (n)
		memcpy(kept, v, n * sizeof(*kept));
	*out = kept;
	return n;
}

static size_t all_of(struct maker *m, const struct made *of, const uint32_t **out)
{
	uint32_t *list = arena_array(m->arena, of->n + 1, uint32_t);
	size_t n = 0;

	for (size_t i = 0; i < of->n; i++) {
		if (!of->v[i].variant)
			list[n++] = of->v[i].number;
	}
	*out = list;
	return n;
}

static size_t find_pattern(struct maker *m, const struct spec_file *file, struct str name,
			   const uint32_t **out)
{
	struct str full = prefixed(m, file, name);
	VEC(uint32_t) found = {0};
	size_t n;

	for (uint32_t i = 0; i < m->ninsts; i++) {
		const struct inst *in = m->insts[i];
		struct str command = in->of->command->name;

		if (!in->variant &&
		    (step_pattern_match(full, command) || step_pattern_match(full, in->name) ||
		     step_pattern_match(name, command) || step_pattern_match(name, in->name)))
			vec_add(&found, i);
	}
	n = keep_list(m, found.v, found.n, out);
	vec_free(&found);
	return n;
}

size_t needs_find(struct maker *m, const struct spec_file *file, struct str name, const uint32_t **out)
{
	const struct spec_command *c = spec_command_find(m->spec, file, name);
	uint32_t one;

	if (c)
		return all_of(m, &m->made[c - m->spec->commands], out);
	one = table_get(&m->inst_by_name, prefixed(m, file, name));
	if (one == TABLE_NONE)
		one = table_get(&m->inst_by_name, name);
	if (one != TABLE_NONE)
		return keep_list(m, &one, 1, out);
	return is_pattern(name) ? find_pattern(m, file, name, out) : 0;
}

/* ---- a step's set ---- */

struct set_item { uint32_t step; uint8_t flags; };

struct finder {
	struct maker *m;
	struct table lists;             /* file and name -> place in found */
	VEC(struct { const uint32_t *v; size_t n; }) found;
	VEC(struct set_item) set;
};

static void find_once(struct finder *f, const struct spec_file *file, struct str name, const uint32_t **out,
		      size_t *n)
{
	bool fresh;
	uint32_t *at = table_put(
		&f->lists,
		str_fmt(f->m->arena, STR_FMT "%c" STR_FMT, STR_ARG(file->prefix), 0, STR_ARG(name)), &fresh);

	if (fresh) {
		*at = (uint32_t)f->found.n;
		vec_push(&f->found);
		f->found.v[*at].n = needs_find(f->m, file, name, &f->found.v[*at].v);
	}
	*out = f->found.v[*at].v;
	*n = f->found.v[*at].n;
}

static const char *no_such_step(struct maker *m, const struct made *of, struct str name)
{
	ptrdiff_t open = str_chr(name, '[');
	const struct spec_command *c =
		open > 0 ? spec_command_find(m->spec, of->command->file, str_head(name, (size_t)open)) : NULL;
	const struct made *other = c ? &m->made[c - m->spec->commands] : NULL;

	if (!other || !other->n)
		return NULL;
	return hint(m->arena, "there is '" STR_FMT "'%s",
		    STR_ARG(command_from(of->command->file, other->v[0].name)),
		    other->n > 1 ? " and others" : "");
}

static int nothing_found(struct maker *m, struct made *of, const struct text *t, struct str name)
{
	const struct spec_command *c = spec_command_find(m->spec, of->command->file, name);

	if (c && m->made[c - m->spec->commands].missing)
		return wrong(m, t->loc, "a default makes it run without being asked for",
			     "'" STR_FMT "' has a param without default, so no step can need it",
			     STR_ARG(name));
	return wrong(m, t->loc, no_such_step(m, of, name), "'" STR_FMT "' names no step", STR_ARG(name));
}

static int add_need(struct finder *f, struct inst *in, const struct spec_need *need)
{
	struct maker *m = f->m;
	const uint32_t *list;
	struct str name;
	struct at at;
	size_t n;
	int got;

	at_init(&at, m, in->of->vars, in->of, in, in->variant);
	got = at_text(&at, &need->step, EXPAND_RAW, &name);
	if (got)
		return got;
	find_once(f, in->of->command->file, name, &list, &n);
	if (!n)
		return nothing_found(m, in->of, &need->step, name);
	for (size_t i = 0; i < n; i++) {
		if (list[i] != in->number || !is_pattern(name))
			vec_add(&f->set, (struct set_item){list[i], need->order_only ? NEED_ORDER_ONLY : 0});
	}
	return 0;
}

/* By step, and a need that counts before one for order only. */
static int by_step(const void *a, const void *b)
{
	const struct set_item *x = a, *y = b;

	return x->step != y->step ? (x->step > y->step) - (x->step < y->step) : x->flags - y->flags;
}

static struct need_set *set_keep(struct finder *f)
{
	struct need_set *set = arena_new(f->m->arena, struct need_set);

	if (f->set.n)
		qsort(f->set.v, f->set.n, sizeof(*f->set.v), by_step);
	set->steps = arena_array(f->m->arena, f->set.n + 1, uint32_t);
	set->flags = arena_array(f->m->arena, f->set.n + 1, uint8_t);
	for (size_t i = 0; i < f->set.n; i++) {
		if (set->n && set->steps[set->n - 1] == f->set.v[i].step)
			continue;
		set->steps[set->n] = f->set.v[i].step;
		set->flags[set->n++] = f->set.v[i].flags;
	}
	f->set.n = 0;
	return set;
}

/* Do all instances need the same? Then they share one set. */
static bool is_shared(const struct made *of)
{
	for (size_t k = 0; k < of->command->nneeds; k++) {
		struct str s = of->command->needs[k].step.s;

		if (text_has_expr(s) || is_pattern(s))
			return false;
	}
	return true;
}

static void resolve_inst(struct finder *f, struct inst *in, bool shared)
{
	struct made *of = in->of;

	if (shared && of->needs) {
		in->needs = of->needs;
		return;
	}
	for (size_t k = 0; k < of->command->nneeds; k++) {
		if (add_need(f, in, &of->command->needs[k]) < 0)
			of->failed = true;
	}
	in->needs = set_keep(f);
	if (shared)
		of->needs = in->needs;
}

int needs_resolve(struct maker *m)
{
	struct finder f = {.m = m, .lists.arena = m->arena};

	for (size_t c = 0; c < m->spec->ncommands; c++) {
		struct made *of = &m->made[c];
		bool shared = is_shared(of);

		of->failed = false;
		for (size_t i = 0; i < of->n && !of->failed; i++)
			resolve_inst(&f, &of->v[i], shared);
	}
	vec_free(&f.found);
	vec_free(&f.set);
	return m->failed ? -1 : 0;
}
