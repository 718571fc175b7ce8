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

static void name_check(void *ctx, const struct expr_name *name)
{
	struct exprs_check *e = ctx;
	bool outside = !e->command && (str_is(name->head, "each") || str_is(name->head, "matrix") ||
	                               str_is(name->head, "params") || str_is(name->head, "out"));
	if (outside) {
		mistake(e->r, text_loc_at(e->text, name->at), NULL,
		        "'" STR_FMT "' is known within commands only", STR_ARG(name->head));
		return;
	}
	if (!name->member.s || name->forgiven || name_known(e, name))
		return;
	struct known k = names_known(e, name->head);
	const char *hint = hint_nearest(e->r, name->member, k.v, k.n);
	if (!hint && !k.n)
		hint = str_fmt(e->r->arena, "there are no %s here",
		               str_is(name->head, "each")     ? "names of each"
		               : name->head.n == 4            ? "vars"
		               : str_is(name->head, "params") ? "params"
		                                              : "axes of a matrix")
		               .s;
	mistake(e->r, text_loc_at(e->text, name->at), hint, "unknown name '" STR_FMT "." STR_FMT "'",
	        STR_ARG(name->head), STR_ARG(name->member));
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
