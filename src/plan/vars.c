/* The values of vars: as written, as ${{ }} makes them, or as -V gives them. */
#include "plan/maker.h"

struct vars_file *vars_of(struct maker *m, const struct spec_file *file)
{
	return &m->files[file - m->spec->files];
}

/* -V gives the var another value of the same type. */
static int var_override(struct maker *m, struct vars_file *v, size_t i)
{
	struct value given;

	for (size_t k = m->options->nvars; k-- > 0;) {
		const struct plan_set *set = &m->options->vars[k];

		if (!str_eq(set->name, v->file->vars[i]))
			continue;
		if (v->known[i] != VAR_KNOWN)
			given = value_str(set->value);
		else if (v->values[i].kind == VALUE_LIST)
			return err_set(m->err, ERR_USAGE, "unable to set the var " STR_FMT ": it is a list",
				       STR_ARG(set->name));
		else if (!value_like(&v->values[i], set->value, &given))
			return err_set(m->err, ERR_USAGE,
				       "unable to set the var " STR_FMT " to \"" STR_FMT "\": it takes %s",
				       STR_ARG(set->name), STR_ARG(set->value),
				       value_kind_name(&v->values[i]));
		v->values[i] = given;
		v->known[i] = VAR_KNOWN;
		break;
	}
	return 0;
}

static bool var_is_given(const struct maker *m, struct str name)
{
	for (size_t k = 0; k < m->options->nvars; k++) {
		if (str_eq(m->options->vars[k].name, name))
			return true;
	}
	return false;
}

static int vars_load_file(struct maker *m, struct vars_file *v)
{
	struct spec_file visible = *v->file;
	struct vars_file before = *v;
	struct at at;

	before.file = &visible;
	for (size_t i = 0; i < v->file->nvars; i++) {
		const struct text *t = &v->file->values[i];
		int got = 0;

		visible.nvars = i;              /* a var sees those before it */
		at_init(&at, m, &before, NULL, NULL, NULL);
		if (text_has_expr(t->s))
			got = var_is_given(m, v->file->vars[i])
				      ? text_value(m->arena, t, &at.scope, &v->values[i], NULL)
				      : at_value(&at, t, &v->values[i]);
		else
			v->values[i] = v->file->presets[i];
		v->known[i] = got == EXPR_ASKED ? VAR_WAITS : got ? VAR_FAILED : VAR_KNOWN;
		if (var_override(m, v, i) < 0)
			return -1;
	}
	return 0;
}

static int var_unknown(struct maker *m, struct str name)
{
	const struct spec_file *root = &m->spec->files[0];
	struct str near = str_nearest(name, root->vars, root->nvars);

	if (near.s)
		return err_set(m->err, ERR_USAGE,
			       "unable to set the var " STR_FMT ": there is none; did you mean " STR_FMT "?",
			       STR_ARG(name), STR_ARG(near));
	return err_set(m->err, ERR_USAGE, "unable to set the var " STR_FMT ": the spec has no such var",
		       STR_ARG(name));
}

int vars_load(struct maker *m)
{
	m->files = arena_array(m->arena, m->spec->nfiles + 1, struct vars_file);
	for (size_t i = 0; i < m->spec->nfiles; i++) {
		struct vars_file *v = &m->files[i];

		v->file = &m->spec->files[i];
		v->values = arena_array(m->arena, v->file->nvars + 1, struct value);
		v->known = arena_array(m->arena, v->file->nvars + 1, uint8_t);
		if (vars_load_file(m, v) < 0)
			return -1;
	}
	for (size_t k = 0; k < m->options->nvars; k++) {
		bool known = false;

		for (size_t i = 0; i < m->spec->nfiles; i++) {
			for (size_t j = 0; j < m->spec->files[i].nvars; j++)
				known |= str_eq(m->spec->files[i].vars[j], m->options->vars[k].name);
		}
		if (!known)
			return var_unknown(m, m->options->vars[k].name);
	}
	return 0;
}
