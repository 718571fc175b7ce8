#include "generators/model.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"

#define SLUG_MAX 100

static const struct plan_step *step_of(const struct model *m, uint32_t step) { return &m->plan->steps[step]; }

/* ---- what can't be expressed ---- */

void model_refuse_named(struct model *m, struct str name, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusals_vadd(&m->refusals, name, field, fmt, ap);
	va_end(ap);
}

void model_refuse(struct model *m, uint32_t step, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusals_vadd(&m->refusals, plan_step_name(m->plan, step), field, fmt, ap);
	va_end(ap);
}

int model_checked(struct model *m, const char *tool, struct err *err) { return refusals_end(&m->refusals, tool, err); }

static void check_path(struct model *m, uint32_t step, const char *field, struct str path)
{
	if (str_chr(path, '\n') >= 0)
		model_refuse(m, step, field, "a name with a line break in it");
	else if (str_is(path, "-"))
		model_refuse(m, step, field, "a file named -, which programs take for standard input");
}

static void check_words(struct model *m, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	struct str first = s->argv.n ? plan_word(m->plan, s->argv, 0) : S("");

	if (str_chr(first, '=') >= 0)
		model_refuse(m, step, s->script_kind == SCRIPT_KIND_EXEC ? "exec" : "shell", "a program with = in its name (" STR_FMT "): env(1) takes it for a variable",
			     STR_ARG(first));
}

/* What the step runs in, by the fields that say so. */
static void check_place(struct model *m, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	const struct plan_place *p = s->place == PLAN_NONE ? NULL : &m->plan->places[s->place];
	const struct { const char *field; bool set; } fields[] = {
		{"mounts", p && p->mounts.n}, {"ports", p && p->ports.n}, {"networks", p && (p->networks.n || p->flags & PLACE_NETWORK_NONE)},
		{"user", p && (p->user.n || p->group.n || p->groups.n || p->flags & PLACE_NONROOT)}, {"docker", p && p->docker},
		{"host_ssh", p && p->flags & PLACE_HOST_SSH},
		{"security", p && (p->capabilities.n || p->denied_syscalls.n || p->writable.n ||
				   p->flags & (PLACE_NO_NEW_PRIVS | PLACE_PRIVATE_TMP | PLACE_READONLY_FS | PLACE_CAPABILITIES | PLACE_UMASK))},
		{"resources", p && (p->cpus_milli || p->memory || p->pids || p->files || p->fsize || p->gpus)},
	};

	if (s->runtime != RUNTIME_KIND_NATIVE || s->script_kind == SCRIPT_KIND_IMAGE || (p && p->image != PLAN_NONE)) {
		model_refuse(m, step, "runtime", "it runs in a %s; only native steps are written", s->runtime == RUNTIME_KIND_POD ? "pod" : "container");
		return;
	}
	for (size_t i = 0; i < countof(fields); i++)
		if (fields[i].set)
			model_refuse(m, step, fields[i].field, "it is not written for native steps");
	if (s->secret_files.n)
		model_refuse(m, step, "secrets", "as files");
}

static void check_step(struct model *m, uint32_t step)
{
	static const char *const modes[] = {"rw", "ro", "copy"};
	const struct plan_step *s = step_of(m, step);

	check_place(m, step);
	if (s->workspace != WORKSPACE_KIND_RW)
		model_refuse(m, step, "workspace", "%s", modes[s->workspace]);
	for (uint32_t i = 0; i < s->inputs.n; i++)
		check_path(m, step, "inputs", plan_path_str(m->plan, m->plan->inputs[s->inputs.at + i].path));
	for (uint32_t i = 0; i < s->outputs.n; i++)
		check_path(m, step, "outputs", plan_str(m->plan, m->plan->outputs[s->outputs.at + i].path));
	check_path(m, step, "depfile", plan_str(m->plan, s->depfile));
	check_words(m, step);
}

/* ---- names ---- */

static struct str slug_text(struct arena *a, struct str name)
{
	char text[SLUG_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < SLUG_MAX; i++) {
		char c = name.s[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (n && (c == '-' || c == '.'));

		if (c == '[' && n)
			text[n++] = '.';
		else if (fine || (n && text[n - 1] != '_' && i + 1 < name.n))
			text[n++] = fine ? c : '_';
	}
	if (!n)
		text[n++] = '_';
	return str_dup(a, (struct str){text, n});
}

static struct str slug_new(struct model *m, struct map *taken, struct str name)
{
	struct str base = slug_text(m->arena, name), slug = base;
	bool fresh;

	for (unsigned n = 2; map_put(taken, slug, &fresh), !fresh; n++)
		slug = str_fmt(m->arena, STR_FMT "-%u", STR_ARG(base), n);
	return slug;
}

/* ---- who is written ---- */

/* As a run settles it: by its own condition, its workflow entry's, or because all that it needs is skipped. */
static bool skipped(const struct model *m, const bool *skip, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	size_t counting = 0, n = 0;

	if (s->flags & STEP_SKIP || m->g->selection->wanted[step] & SELECT_SKIP)
		return true;
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &m->plan->needs[s->needs.at + i];

		counting += !(need->flags & NEED_ORDER_ONLY);
		n += !(need->flags & NEED_ORDER_ONLY) && skip[need->step];
	}
	return counting && n == counting;
}

bool model_required(const struct plan_output *o) { return !(o->flags & (OUTPUT_GLOB | OUTPUT_NEGATED | OUTPUT_OPTIONAL)); }

static void set_targets(struct model *m, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	struct model_step *t = &m->steps[step];

	t->targets = arena_array(m->arena, s->outputs.n + 1, struct str);
	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &m->plan->outputs[s->outputs.at + i];

		if (model_required(o))
			t->targets[t->ntargets++] = plan_str(m->plan, o->path);
		else if (!(o->flags & OUTPUT_NEGATED))
			t->stamp = true;
	}
	t->stamp |= !t->ntargets;
	if (t->stamp)
		t->targets[t->ntargets++] = str_fmt(m->arena, "%s/" STR_FMT ".out", m->state, STR_ARG(t->slug));
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void unique(uint32_t *v, size_t *n)
{
	size_t kept = 0;

	if (*n)
		qsort(v, *n, sizeof(*v), by_number);
	for (size_t i = 0; i < *n; i++)
		if (!kept || v[kept - 1] != v[i])
			v[kept++] = v[i];
	*n = kept;
}

static bool holds(const uint32_t *v, size_t n, uint32_t x) { return n && bsearch(&x, v, n, sizeof(x), by_number); }

/* A group stands for what it needs: groups[] has what each came to. */
static void set_needs(struct model *m, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	struct model_step *t = &m->steps[step];
	VEC(uint32_t) needs = {0}, after = {0};

	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &m->plan->needs[s->needs.at + i];
		const struct model_step *of = &m->steps[need->step];
		bool counts = !(need->flags & NEED_ORDER_ONLY), group = step_of(m, need->step)->script_kind == SCRIPT_KIND_NONE;

		t->weak |= of->weak;
		if (of->written)
			vec_add(counts ? &needs : &after, need->step);
		for (size_t k = 0; group && k < of->nneeds; k++)
			vec_add(counts ? &needs : &after, of->needs[k]);
		for (size_t k = 0; group && k < of->nafter; k++)
			vec_add(&after, of->after[k]);
	}
	unique(needs.v, &needs.n);
	unique(after.v, &after.n);
	t->needs = arena_array(m->arena, needs.n, uint32_t);
	t->after = arena_array(m->arena, after.n, uint32_t);
	for (size_t i = 0; i < needs.n; i++)
		t->needs[t->nneeds++] = needs.v[i];
	for (size_t i = 0; i < after.n; i++)
		if (!holds(t->needs, t->nneeds, after.v[i]))
			t->after[t->nafter++] = after.v[i];
	vec_free(&needs);
	vec_free(&after);
}

/* What times don't show. */
static bool watched(const struct model *m, uint32_t step)
{
	const struct plan_step *s = step_of(m, step);
	const struct model_step *t = &m->steps[step];

	for (uint32_t i = 0; i < s->inputs.n; i++)
		if (m->plan->inputs[s->inputs.at + i].flags & (INPUT_OPTIONAL | INPUT_EMPTY_DIR))
			return true;
	for (uint32_t i = 0; i < s->pass.n; i++)
		if (m->plan->passes[s->pass.at + i].key)
			return true;
	for (size_t i = 0; i < t->nneeds; i++)
		if (step_of(m, t->needs[i])->flags & STEP_CONTINUE)
			return true;
	return false;
}

struct model *model_new(struct generation *g, const char *state)
{
	struct model *m = arena_new(g->arena, struct model);
	const struct plan *p = g->plan;
	bool *skip = arena_array(g->arena, p->nsteps + 1, bool);
	struct map taken = MAP_INIT;

	*m = (struct model){.g = g, .plan = p, .arena = g->arena, .state = state, .refusals = REFUSALS_INIT};
	m->index = plan_index_new(g->arena, p);
	m->steps = arena_array(g->arena, p->nsteps + 1, struct model_step);
	for (uint32_t i = 0; i < p->nsteps; i++) {
		struct model_step *t = &m->steps[i];

		if (!g->selection->wanted[i])
			continue;
		skip[i] = skipped(m, skip, i);
		t->written = !skip[i] && p->steps[i].script_kind != SCRIPT_KIND_NONE;
		t->always = !(p->steps[i].flags & STEP_CACHED);
		t->weak = t->written && p->steps[i].flags & STEP_CONTINUE;
		if (!skip[i])
			set_needs(m, i);
		if (!t->written)
			continue;
		m->n++;
		t->slug = slug_new(m, &taken, plan_step_name(p, i));
		m->sources |= p->steps[i].flags & STEP_ALL_SOURCES;
		set_targets(m, i);
		t->watched = watched(m, i);
		check_step(m, i);
	}
	for (uint32_t i = 0; m->sources && i < p->nsources; i++)
		if (str_chr(plan_path_str(p, p->sources[i]), '\n') >= 0)
			model_refuse_named(m, S("sources"), "inputs", "a name with a line break in it");
	map_release(&taken);
	return m;
}

/* ---- what a step reads ---- */

static int by_step(const void *a, const void *b)
{
	const struct model_made *x = a, *y = b;

	return x->step != y->step ? (x->step > y->step) - (x->step < y->step) : str_cmp(x->path, y->path);
}

/* A path that a step makes, though nobody here needs it, is read from the disk as a run does. */
static void add_input(struct model *m, uint32_t step, const struct plan_input *in, struct model_inputs *out)
{
	const struct model_step *t = &m->steps[step];
	struct str path = plan_path_str(m->plan, in->path);
	uint32_t by = m->plan->paths[in->path].producer;

	if (by == PLAN_NONE && !(path.n && path.s[0] == '/'))
		by = plan_index_producer(m->index, path);
	if (by != PLAN_NONE && by != step && m->steps[by].written && plan_index_reaches(m->index, step, by)) {
		if (!holds(t->needs, t->nneeds, by))
			out->made[out->nmade++] = (struct model_made){by, path};
	} else if (in->flags & (INPUT_OPTIONAL | INPUT_EMPTY_DIR)) {
		out->optional[out->noptional++] = path;
	} else if (by == PLAN_NONE) {
		out->required[out->nrequired++] = path;
	} else {
		out->optional[out->noptional++] = path;         /* of a step that is skipped */
	}
}

void model_inputs(struct model *m, uint32_t step, struct model_inputs *out)
{
	const struct plan_step *s = step_of(m, step);
	const struct model_step *t = &m->steps[step];

	*out = (struct model_inputs){
		.required = arena_array(m->arena, s->inputs.n, struct str), .optional = arena_array(m->arena, s->inputs.n, struct str),
		.made = arena_array(m->arena, s->inputs.n, struct model_made), .globbed = arena_array(m->arena, s->producers.n, uint32_t),
	};
	for (uint32_t i = 0; i < s->inputs.n; i++)
		add_input(m, step, &m->plan->inputs[s->inputs.at + i], out);
	if (out->nmade)
		qsort(out->made, out->nmade, sizeof(*out->made), by_step);
	for (uint32_t i = 0; i < s->producers.n; i++) {
		uint32_t by = m->plan->refs[s->producers.at + i];

		if (m->steps[by].written && !holds(t->needs, t->nneeds, by))
			out->globbed[out->nglobbed++] = by;
	}
}
