/* The names in ${{ }} that a spec defines itself (vars, each, matrix, params) are looked up when it
 * is read, so that one run tells all that are wrong; env, git and out are known when it is planned. */
#include "spec/fields.h"

#include "spec/exprlex.h"

struct known { struct str *v; size_t n, cap; };

struct exprs_check {
	struct reader *r;
	const struct spec_command *command;
	const struct text *text;
	size_t nvars;
};

void exprs_begin(struct reader *r)
{
	r->exprs.n = 0;
}

static void known_add(struct reader *r, struct known *k, struct str name)
{
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 16;
		struct str *v = arena_array(r->arena, cap, struct str);
		if (k->n)
			memcpy(v, k->v, k->n * sizeof(*v));
		k->v = v;
		k->cap = cap;
	}
	k->v[k->n++] = name;
}

static bool matrix_has(const struct spec_matrix *m, struct str name)
{
	for (size_t i = 0; i < m->naxes; i++) {
		if (str_eq(m->axes[i].name, name))
			return true;
	}
	for (size_t i = 0; i < m->ninclude; i++) {
		for (size_t k = 0; k < m->include[i].n; k++) {
			if (str_eq(m->include[i].names[k], name))
				return true;
		}
	}
	return false;
}

/* 1 known, 0 unknown, -1 not for us to say. */
static int name_known(const struct exprs_check *e, const struct expr_name *name)
{
	const struct spec_command *c = e->command;
	const struct spec_file *f = e->r->unit->file;
	if (str_is(name->head, "vars")) {
		for (size_t i = 0; i < e->nvars; i++) {
			if (str_eq(f->vars[i], name->member))
				return 1;
		}
		return 0;
	}
	if (str_is(name->head, "each")) {
		for (size_t i = 0; c && i < c->neach; i++) {
			if (str_eq(c->each[i].name, name->member))
				return 1;
		}
		return 0;
	}
	if (str_is(name->head, "params")) {
		for (size_t i = 0; c && i < c->nparams; i++) {
			if (str_eq(c->params[i].name, name->member))
				return 1;
		}
		return 0;
	}
	if (str_is(name->head, "matrix"))
		return c && matrix_has(&c->matrix, name->member);
	return -1;
}

static struct known names_known(const struct exprs_check *e, struct str head)
{
	struct known k = {0};
	const struct spec_command *c = e->command;
	for (size_t i = 0; str_is(head, "vars") && i < e->nvars; i++)
		known_add(e->r, &k, e->r->unit->file->vars[i]);
	for (size_t i = 0; c && str_is(head, "each") && i < c->neach; i++)
		known_add(e->r, &k, c->each[i].name);
	for (size_t i = 0; c && str_is(head, "params") && i < c->nparams; i++)
		known_add(e->r, &k, c->params[i].name);
	for (size_t i = 0; c && str_is(head, "matrix") && i < c->matrix.naxes; i++)
		known_add(e->r, &k, c->matrix.axes[i].name);
	return k;
}

static const char *unknown_hint(const struct exprs_check *e, const struct expr_name *name)
{
	static const struct { const char *head, *none; } all[] = {
		{"vars", "there are no vars here"}, {"each", "there is no 'each' here"},
		{"params", "there are no params here"}, {"matrix", "there is no matrix here"},
	};
	struct known k = names_known(e, name->head);
	struct str near = str_nearest(name->member, k.v, k.n);
	if (near.s)
		return str_fmt(e->r->arena, "did you mean '" STR_FMT "." STR_FMT "'?", STR_ARG(name->head),
		               STR_ARG(near))
		        .s;
	for (size_t i = 0; i < countof(all) && !k.n; i++) {
		if (str_is(name->head, all[i].head))
			return all[i].none;
	}
	return NULL;
}

static void name_check(void *ctx, const struct expr_name *name)
{
	static const char *const of_steps[] = {"each", "matrix", "params", "out"};
	struct exprs_check *e = ctx;
	for (size_t i = 0; i < countof(of_steps) && !e->command; i++) {
		if (!str_is(name->head, of_steps[i]))
			continue;
		mistake(e->r, text_loc_at(e->text, name->at), NULL, "'%s' is known within commands only",
		        of_steps[i]);
		return;
	}
	if (name->member.s && !name->forgiven && !name_known(e, name))
		mistake(e->r, text_loc_at(e->text, name->at), unknown_hint(e, name),
			"unknown name '" STR_FMT "." STR_FMT "'", STR_ARG(name->head), STR_ARG(name->member));
}

static void texts_check(struct reader *r, const struct spec_command *c, size_t nvars)
{
	for (size_t i = 0; i < r->exprs.n; i++) {
		struct exprs_check e = {.r = r, .command = c, .text = r->exprs.v[i], .nvars = nvars};
		text_walk(e.text, name_check, &e);
	}
	exprs_begin(r);
}

void exprs_check(struct reader *r, const struct spec_command *c)
{
	texts_check(r, c, r->unit->file->nvars);
}

/* A var may use those before it. */
void exprs_check_var(struct reader *r, const struct text *t, size_t nvars)
{
	struct exprs_check e = {.r = r, .text = t, .nvars = nvars};
	text_walk(t, name_check, &e);
}
