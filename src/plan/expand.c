/* Commands -> instances with their names and outputs. */
#include "plan/outputs.h"

#include <stdlib.h>

#define PASSES_MAX 8
#define INSTANCES_MAX (4u << 20)

/* ---- one instance ---- */

static void name_value(struct buf *b, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.s[i];

		buf_c(b, c < ' ' || c == 127 ? '?' : value.s[i]);       /* a name is one line everywhere */
	}
}

static void name_part(struct maker *m, struct buf *b, bool *open, struct str name, const struct value *v)
{
	buf_c(b, *open ? ',' : '[');
	*open = true;
	buf_str(b, name);
	buf_c(b, '=');
	name_value(b, value_text(m->arena, v));
}

/* Arguments and environment in the name of a variant, that it may be told from others. */
static void name_rest(struct maker *m, struct buf *b, bool *open, const struct variant *v)
{
	for (size_t i = 0; i < v->env.n; i++)
		name_part(m, b, open, v->env.v[i].name,
			  &(struct value){.kind = VALUE_STR, .s = v->env.v[i].value.s});
	if (!v->asked || !m->options->has_args)
		return;
	buf_z(b, *open ? ",--" : "[--");
	*open = true;
	for (size_t i = 0; i < m->options->nargs; i++) {
		buf_c(b, ' ');
		name_value(b, m->options->args[i]);
	}
}

static struct str inst_name(struct maker *m, const struct inst *in)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	bool open = false;

	if (!in->naxes && !in->variant)
		return in->of->command->name;
	buf_str(&b, in->of->command->name);
	for (uint32_t i = 0; i < in->naxes; i++)
		name_part(m, &b, &open, in->names[i], &in->values[i]);
	for (size_t i = 0; in->variant && i < in->variant->n; i++)
		name_part(m, &b, &open, in->variant->names[i], &in->variant->values[i]);
	if (in->variant)
		name_rest(m, &b, &open, in->variant);
	if (open)
		buf_c(&b, ']');
	return str_dup(m->arena, buf_view(&b));
}

static int inst_add(struct maker *m, struct made *of, const struct inst *like)
{
	struct inst *in;
	struct at at;

	if (of->n >= INSTANCES_MAX)
		return wrong(m, of->command->loc, NULL, "command '" STR_FMT "' makes more than %u steps",
			     STR_ARG(of->command->name), INSTANCES_MAX);
	in = vec_push(of);
	*in = *like;
	in->name = inst_name(m, in);
	at_init(&at, m, of->vars, of, in, in->variant);
	return outputs_declare(&at, in);
}

/* ---- the product of each ---- */

struct axes { struct value **values; size_t *counts; size_t product; };

static int axes_read(struct at *at, struct made *of, struct axes *axes)
{
	const struct spec_command *c = of->command;
	int rc = 0;

	axes->values = arena_array(at->m->arena, c->neach + 1, struct value *);
	axes->counts = arena_array(at->m->arena, c->neach + 1, size_t);
	axes->product = 1;
	for (size_t k = 0; k < c->neach; k++) {
		int got = each_values(at, of, &c->each[k], &axes->values[k], &axes->counts[k]);

		rc = got < 0 || rc < 0 ? -1 : got ? got : rc;
		axes->product *= axes->counts[k];
		if (!rc && axes->product > INSTANCES_MAX)
			return wrong(at->m, c->each[k].loc, NULL, "each makes more than %u steps",
				     INSTANCES_MAX);
	}
	return rc;
}

/* The last axis varies fastest. */
static int expand_point(struct maker *m, struct made *of, const struct variant *variant,
			const struct point *p)
{
	const struct spec_command *c = of->command;
	size_t naxes = p->n + c->neach;
	struct inst in = {.of = of, .variant = variant, .naxes = (uint32_t)p->n, .nmatrix = (uint32_t)p->n,
			  .names = arena_array(m->arena, naxes + 1, struct str), .values = p->values};
	struct axes axes;
	struct at at;
	int rc;

	for (size_t i = 0; i < naxes; i++)
		in.names[i] = i < p->n ? p->names[i] : c->each[i - p->n].name;
	at_init(&at, m, of->vars, of, &in, variant);
	rc = axes_read(&at, of, &axes);
	in.naxes = (uint32_t)naxes;
	for (size_t i = 0; i < axes.product && !rc; i++) {
		size_t rest = i;

		if (naxes) {
			in.values = arena_array(m->arena, naxes, struct value);
			if (p->n)
				memcpy(in.values, p->values, p->n * sizeof(*p->values));
		}
		for (size_t k = c->neach; k-- > 0; rest /= axes.counts[k])
			in.values[p->n + k] = axes.values[k][rest % axes.counts[k]];
		rc = inst_add(m, of, &in);
	}
	return rc;
}

static int expand_variant(struct maker *m, struct made *of, const struct variant *variant)
{
	struct point *points;
	size_t n;
	struct at at;
	int rc;

	for (size_t k = 0; k < of->command->nparams; k++) {
		if (!param_value(of, variant, of->command->params[k].name))
			return 0;               /* what selects it says which is missing */
	}
	at_init(&at, m, of->vars, of, NULL, variant);
	rc = matrix_points(&at, &of->command->matrix, &points, &n);
	if (!rc && !n)
		return wrong(m, of->command->loc, NULL,
			     "the matrix of '" STR_FMT "' excludes all of its points",
			     STR_ARG(of->command->name));
	for (size_t i = 0; i < n && !rc; i++)
		rc = expand_point(m, of, variant, &points[i]);
	return rc;
}

/* ---- all commands ---- */

static void expand_made(struct maker *m, struct made *of)
{
	int rc;

	of->expanded = true;
	rc = expand_variant(m, of, NULL);
	for (const struct variant *v = of->variants; v && rc >= 0; v = v->next) {
		int got = expand_variant(m, of, v);

		rc = got < 0 ? -1 : got ? got : rc;
	}
	of->failed |= rc < 0;
	of->waiting |= rc > 0;
}

static bool goes_through_files(const struct made *of)
{
	for (size_t k = 0; k < of->command->neach; k++) {
		if (of->command->each[k].kind == AXIS_GLOB)
			return true;
	}
	return false;
}

static struct made *unexpanded_need(struct maker *m, const struct made *of)
{
	for (size_t i = 0; i < of->nclosure; i++) {
		struct made *need = &m->made[of->closure[i]];

		/* one on the stack is part of a cycle, which order.c will name */
		if (!need->expanded && !need->on_stack)
			return need;
	}
	return NULL;
}

/* Those that go through files come after those they need, whose outputs they may see. */
static void expand_after_needs(struct maker *m, struct made *of)
{
	VEC(struct made *) stack = {0};

	vec_add(&stack, of);
	while (stack.n) {
		struct made *top = stack.v[stack.n - 1], *need;

		top->on_stack = true;
		needs_closure(m, top);
		need = unexpanded_need(m, top);
		if (need) {
			vec_add(&stack, need);
			continue;
		}
		stack.n--;
		top->on_stack = false;
		expand_made(m, top);
	}
	vec_free(&stack);
}

static void expand_pass(struct maker *m)
{
	size_t n = m->spec->ncommands;

	m->uses.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct made *of = &m->made[i];

		free(of->before);
		of->before = of->v;
		of->v = NULL;
		of->n = of->cap = 0;
		of->expanded = of->waiting = of->failed = false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!goes_through_files(&m->made[i]))
			expand_made(m, &m->made[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!m->made[i].expanded)
			expand_after_needs(m, &m->made[i]);
	}
}

static int names_index(struct maker *m)
{
	struct table all = {.arena = m->arena};

	m->insts = arena_array(m->arena, m->ninsts + 1, struct inst *);
	m->inst_by_name = (struct table){.arena = m->arena};
	m->ninsts = 0;
	for (size_t i = 0; i < m->spec->ncommands; i++) {
		struct made *of = &m->made[i];

		of->first = m->ninsts;
		for (size_t k = 0; k < of->n; k++) {
			struct inst *in = &of->v[k];
			bool fresh;

			in->number = m->ninsts;
			m->insts[m->ninsts++] = in;
			table_put(&all, in->name, &fresh);
			if (!fresh && !of->failed) {
				of->failed = true;
				wrong(m, of->command->loc, NULL, "two steps would be named '" STR_FMT "'",
				      STR_ARG(in->name));
			}
			if (!in->variant)
				*table_put(&m->inst_by_name, in->name, NULL) = in->number;
		}
	}
	return m->failed ? -1 : 0;
}

int expand_all(struct maker *m)
{
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		struct outmap *now;
		bool settled;

		expand_pass(m);
		if (m->failed || m->asked)
			return m->failed ? -1 : 0;
		m->ninsts = 0;
		for (size_t i = 0; i < m->spec->ncommands; i++)
			m->ninsts += (uint32_t)m->made[i].n;
		now = outmap_new(m);
		settled = each_settled(m, m->outs, now);
		outmap_release(m->outs);
		m->outs = now;
		if (settled)
			return names_index(m);
	}
	return wrong(m, m->uses.v[0].loc, NULL,
		     "what each goes through never settles: steps made for files declare those very files as "
		     "outputs");
}
