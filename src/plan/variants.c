/* Commands with other params, environment or arguments than their own: what a workflow's entries and
 * this run's options make of them. Two that are the same are one. */
#include "plan/maker.h"

static struct made *made_of(struct maker *m, const struct spec_command *c)
{
	return &m->made[c - m->spec->commands];
}

static bool same_env(const struct spec_envs *a, const struct spec_envs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->v[i].name, b->v[i].name) || a->v[i].secret != b->v[i].secret ||
		    !str_eq(a->v[i].value.s, b->v[i].value.s))
			return false;
	}
	return true;
}

static bool same_variant(const struct maker *m, const struct variant *a, const struct variant *b)
{
	if (a->n != b->n || a->asked != b->asked || !same_env(&a->env, &b->env) ||
	    (a->env.n && a->vars != b->vars))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->names[i], b->names[i]) ||
		    !str_eq(value_text(m->arena, &a->values[i]), value_text(m->arena, &b->values[i])))
			return false;
	}
	return true;
}

static struct variant *variant_add(struct maker *m, struct made *of, const struct variant *like)
{
	struct variant *v;

	for (v = of->variants; v; v = v->next) {
		if (same_variant(m, v, like))
			return v;
	}
	v = arena_new(m->arena, struct variant);
	*v = *like;
	if (of->last_variant)
		of->last_variant->next = v;
	else
		of->variants = v;
	of->last_variant = v;
	return v;
}

/* What a param is given, by the type of its default; one equal to the default is as if not given. */
static bool param_set(struct maker *m, const struct spec_param *p, struct str text, struct variant *v)
{
	struct value value = value_str(text);

	if (!p->required && !value_like(&p->preset, text, &value))
		return false;
	if (!p->required && str_eq(value_text(m->arena, &p->preset), value_text(m->arena, &value)))
		return true;
	v->names[v->n] = p->name;
	v->values[v->n++] = value;
	return true;
}

static struct variant variant_begin(struct maker *m, const struct made *of, const struct vars_file *vars)
{
	size_t n = of->command->nparams + 1;

	return (struct variant){.names = arena_array(m->arena, n, struct str),
				.values = arena_array(m->arena, n, struct value),
				.vars = vars};
}

/* ---- a workflow's entries ---- */

/* In the order of the command's params, whatever the entry's is. */
static int entry_params(struct maker *m, struct at *at, const struct spec_entry *e, const struct made *of,
			struct variant *v)
{
	int rc = 0;

	for (size_t k = 0; k < of->command->nparams; k++) {
		const struct spec_param *p = &of->command->params[k];

		for (size_t i = 0; i < e->nparams; i++) {
			struct str text;

			if (!str_eq(e->params[i], p->name))
				continue;
			if (at_text(at, &e->values[i], EXPAND_RAW, &text))
				rc = -1;
			else if (!param_set(m, p, text, v))
				rc = wrong(m, e->values[i].loc, NULL, "the param '" STR_FMT "' takes %s",
					   STR_ARG(p->name), value_kind_name(&p->preset));
		}
	}
	return rc;
}

static struct made *entry_command(struct maker *m, const struct spec_workflow *w, const struct spec_entry *e,
				  struct str name)
{
	ptrdiff_t open = str_chr(name, '[');
	const struct spec_command *c;

	if (e->workflow)
		return NULL;
	c = spec_command_find(m->spec, w->file, open < 0 ? name : str_head(name, (size_t)open));
	return c ? made_of(m, c) : NULL;
}

static void entry_load(struct maker *m, struct at *at, const struct spec_workflow *w,
		       const struct spec_entry *e, struct flow_goal *g)
{
	struct variant v;
	bool wanted = true;

	*g = (struct flow_goal){.entry = e};
	at_truth(at, &e->when, &wanted);
	g->skip = !wanted;
	if (at_text(at, &e->name, EXPAND_RAW, &g->name) || !(g->of = entry_command(m, w, e, g->name)))
		return;
	v = variant_begin(m, g->of, at->vars);
	v.env = e->env;
	if (entry_params(m, at, e, g->of, &v) || (!v.n && !v.env.n))
		return;
	g->variant = variant_add(m, g->of, &v);
}

static void flow_load(struct maker *m, struct flow *f, const struct spec_workflow *w)
{
	struct at at;

	*f = (struct flow){w, arena_array(m->arena, w->nsteps + 1, struct flow_goal),
			   arena_array(m->arena, w->nfinally + 1, struct flow_goal)};
	at_init(&at, m, vars_of(m, w->file), NULL, NULL, NULL);
	for (size_t i = 0; i < w->nsteps; i++)
		entry_load(m, &at, w, &w->steps[i], &f->steps[i]);
	for (size_t i = 0; i < w->nfinally; i++) {
		entry_load(m, &at, w, &w->finally[i], &f->finally[i]);
		if (f->finally[i].of)
			f->finally[i].of->finally = true;
	}
}

/* ---- this run's options ---- */

static int asked_params(struct maker *m, const struct made *of, struct variant *v)
{
	const struct plan_options *o = m->options;
	const struct spec_command *c = of->command;
	struct str *names = arena_array(m->arena, c->nparams + 1, struct str);

	for (size_t k = 0; k < c->nparams; k++)
		names[k] = c->params[k].name;
	for (size_t i = 0; i < o->nparams; i++) {
		bool known = false;

		for (size_t k = 0; k < c->nparams; k++)
			known |= str_eq(names[k], o->params[i].name);
		if (!known) {
			struct str near = str_nearest(o->params[i].name, names, c->nparams);

			return err_set(m->err, ERR_USAGE, STR_FMT " has no param " STR_FMT "%s" STR_FMT "%s",
				       STR_ARG(c->name), STR_ARG(o->params[i].name),
				       near.s ? "; did you mean " : "", STR_ARG(near), near.s ? "?" : "");
		}
	}
	for (size_t k = 0; k < c->nparams; k++) {
		for (size_t i = o->nparams; i-- > 0;) {         /* the last one given counts */
			if (!str_eq(names[k], o->params[i].name))
				continue;
			if (!param_set(m, &c->params[k], o->params[i].value, v))
				return err_set(
					m->err, ERR_USAGE,
					"unable to run " STR_FMT " with " STR_FMT "=" STR_FMT ": it takes %s",
					STR_ARG(c->name), STR_ARG(names[k]), STR_ARG(o->params[i].value),
					value_kind_name(&c->params[k].preset));
			break;
		}
	}
	return 0;
}

static int asked_load(struct maker *m)
{
	const struct plan_options *o = m->options;
	const struct spec_command *c;
	struct variant v;
	struct made *of;

	if (!o->goal.s)
		return 0;
	c = map_get(&m->spec->command_by_name, o->goal);
	if (!c)
		return err_set(m->err, ERR_USAGE,
			       "unable to give params or arguments to " STR_FMT ": there is no such command",
			       STR_ARG(o->goal));
	of = made_of(m, c);
	if (c->kind == SCRIPT_NONE && o->has_args)
		return err_set(m->err, ERR_USAGE,
			       "unable to give arguments to " STR_FMT
			       ": it only gathers others, it runs nothing",
			       STR_ARG(o->goal));
	v = variant_begin(m, of, of->vars);
	v.asked = true;
	if (asked_params(m, of, &v) < 0)
		return -1;
	for (size_t k = 0; k < c->nparams; k++) {
		if (!param_value(of, &v, c->params[k].name))
			return err_set(m->err, ERR_USAGE, STR_FMT " needs --" STR_FMT "=VALUE",
				       STR_ARG(c->name), STR_ARG(c->params[k].name));
	}
	if (v.n || o->has_args)
		variant_add(m, of, &v);
	return 0;
}

int variants_load(struct maker *m)
{
	m->made = arena_array(m->arena, m->spec->ncommands + 1, struct made);
	for (size_t i = 0; i < m->spec->ncommands; i++) {
		struct made *of = &m->made[i];

		of->command = &m->spec->commands[i];
		of->vars = vars_of(m, of->command->file);
		for (size_t k = 0; k < of->command->nparams; k++)
			of->missing |= of->command->params[k].required;
	}
	m->flows = arena_array(m->arena, m->spec->nworkflows + 1, struct flow);
	for (size_t i = 0; i < m->spec->nworkflows; i++)
		flow_load(m, &m->flows[i], &m->spec->workflows[i]);
	return asked_load(m);
}
