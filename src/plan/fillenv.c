/* A step's environment: what is declared, what is passed on from the caller, which secrets it gets. */
#include "plan/fill.h"

#include <stdlib.h>

static bool is_variable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (i && c >= '0' && c <= '9')))
			return false;
	}
	return s.n > 0;
}

static void env_add(struct filler *f, struct str name, struct str value, uint32_t secret)
{
	vec_add(&f->env, (struct env_item){name, value, secret, (uint32_t)f->env.n});
}

static int env_value(struct filler *f, struct at *at, const struct spec_env *e)
{
	struct str value = S("");
	int got;

	if (e->secret) {
		env_add(f, e->name, value, table_get(&f->secrets, e->value.s));
		return 0;
	}
	got = at_text(at, &e->value, EXPAND_RAW, &value);
	if (!got && memchr(value.s, 0, value.n))
		return wrong(f->m, e->value.loc, NULL, "a variable's value can't hold a NUL byte");
	env_add(f, e->name, value, PLAN_NONE);
	return got;
}

static void env_named(struct filler *f, struct str name, const struct value *v)
{
	if (is_variable(name))
		env_add(f, name, value_text(f->m->arena, v), PLAN_NONE);
}

static int env_collect(struct filler *f, struct at *at, const struct inst *in)
{
	const struct spec_command *c = in->of->command;
	int rc = 0;

	f->env.n = 0;
	for (size_t i = 0; i < c->env.n; i++)
		rc |= env_value(f, at, &c->env.v[i]);
	if (in->variant && in->variant->env.n) {
		struct at entry;

		at_init(&entry, f->m, in->variant->vars, NULL, NULL, NULL);
		for (size_t i = 0; i < in->variant->env.n; i++)
			rc |= env_value(f, &entry, &in->variant->env.v[i]);
	}
	for (size_t i = 0; i < c->nparams; i++)
		env_named(f, c->params[i].name, param_value(in->of, in->variant, c->params[i].name));
	for (uint32_t i = 0; i < in->naxes; i++)
		env_named(f, in->names[i], &in->values[i]);
	for (size_t i = 0; i < f->m->options->nenv; i++)
		env_add(f, f->m->options->env[i].name, f->m->options->env[i].value, PLAN_NONE);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct env_item *x = a, *y = b;
	int order = str_cmp(x->name, y->name);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool last_of_name(const struct filler *f, size_t i)
{
	return i + 1 == f->env.n || !str_eq(f->env.v[i].name, f->env.v[i + 1].name);
}

static struct plan_span env_share(struct filler *f, struct plan_span span)
{
	struct build *b = f->b;

	if (span.n == f->env_before.n && span.n &&
	    !memcmp(b->envs.v + span.at, b->envs.v + f->env_before.at, span.n * sizeof(*b->envs.v))) {
		b->envs.n -= span.n;
		return f->env_before;
	}
	return f->env_before = span;
}

static void env_write(struct filler *f, struct plan_step *s)
{
	struct build *b = f->b;

	if (f->env.n)
		qsort(f->env.v, f->env.n, sizeof(*f->env.v), by_name);
	s->env.at = (uint32_t)b->envs.n;
	s->secrets.at = (uint32_t)b->uses.n;
	for (size_t i = 0; i < f->env.n; i++) {
		const struct env_item *e = &f->env.v[i];
		struct plan_text name;

		if (!last_of_name(f, i))
			continue;
		name = build_text(b, e->name);
		if (e->secret == PLAN_NONE)
			vec_add(&b->envs, (struct plan_env){name, build_text(b, e->value)});
		else
			vec_add(&b->uses, (struct plan_secret_use){name, e->secret});
	}
	s->env.n = (uint32_t)b->envs.n - s->env.at;
	s->secrets.n = (uint32_t)b->uses.n - s->secrets.at;
	s->env = env_share(f, s->env);
}

static int by_pass_name(const void *a, const void *b)
{
	return str_cmp((*(const struct spec_pass *const *)a)->name,
		       (*(const struct spec_pass *const *)b)->name);
}

/* Of two entries for one variable the last counts. */
static void pass_write(struct filler *f, const struct spec_command *c, struct plan_step *s)
{
	const struct spec_pass **v = arena_array(f->m->arena, c->npass + 1, const struct spec_pass *);
	size_t n = 0;

	for (size_t i = c->npass; i-- > 0;) {
		bool again = false;

		for (size_t k = 0; k < n; k++)
			again |= str_eq(v[k]->name, c->pass[i].name);
		if (!again)
			v[n++] = &c->pass[i];
	}
	qsort(v, n, sizeof(*v), by_pass_name);
	s->pass = (struct plan_span){(uint32_t)f->b->passes.n, (uint32_t)n};
	for (size_t i = 0; i < n; i++)
		vec_add(&f->b->passes, (struct plan_pass){build_text(f->b, v[i]->name), v[i]->key});
}

int fill_env(struct filler *f, struct at *at, const struct inst *in, struct plan_step *s)
{
	int rc = env_collect(f, at, in);

	env_write(f, s);
	pass_write(f, in->of->command, s);
	return rc;
}

static const struct vars_file *secret_file(struct maker *m, const struct spec_secret *s)
{
	for (size_t i = 0; i < m->spec->nfiles; i++) {
		if (m->spec->files[i].src == s->loc.src)
			return &m->files[i];
	}
	return &m->files[0];
}

void fill_secrets(struct filler *f)
{
	const struct spec *spec = f->m->spec;

	for (size_t i = 0; i < spec->nsecrets; i++) {
		const struct spec_secret *s = &spec->secrets[i];
		struct str source = s->source.s;
		struct at at;

		at_init(&at, f->m, secret_file(f->m, s), NULL, NULL, NULL);
		at_text(&at, &s->source, EXPAND_RAW, &source);
		if (s->kind == SECRET_FILE && at.vars->file->dir.n && !is_absolute(source) &&
		    !str_starts(source, S("${")))
			source = str_fmt(f->m->arena, STR_FMT "/" STR_FMT, STR_ARG(at.vars->file->dir),
					 STR_ARG(source));
		*table_put(&f->secrets, s->name, NULL) = (uint32_t)i;
		vec_add(&f->b->secrets,
			(struct plan_secret){build_text(f->b, s->name),
					     s->kind == SECRET_ENV ? SECRET_KIND_ENV : SECRET_KIND_FILE,
					     build_text(f->b, source)});
	}
}
