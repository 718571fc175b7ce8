/* Whether a step has a key, why not, and the sources that count for steps that declare no inputs. */
#include "plan/outputs.h"

static struct str why_uncached(struct maker *m, const struct inst *in)
{
	const struct spec_command *c = in->of->command;

	if (in->of->finally)
		return S("it is a finally step of a workflow");
	if (c->console)
		return S("it has the terminal");
	if (c->cache == CACHE_NO)
		return S("its cache is switched off");
	if (!c->inputs.given && !c->outputs.given)
		return S("it declares neither inputs nor outputs");
	if (in->own_input.s)
		return str_fmt(m->arena, STR_FMT " is both an input and an output of it",
			       STR_ARG(in->own_input));
	if (in->unkeyed_mount.s)
		return str_fmt(m->arena, "it mounts " STR_FMT " from outside of the workspace, and nothing says `key: none`",
			       STR_ARG(in->unkeyed_mount));
	if (c->runtime != RUNTIME_NATIVE && c->place.docker != DOCKER_NONE)
		return S("it has a Docker engine of its own");
	if (c->runtime != RUNTIME_NATIVE && c->place.host_ssh)
		return S("it has a way back to the host");
	return S("");
}

static void settle_step(struct maker *m, struct inst *in, struct plan_step *s)
{
	const struct spec_command *c = in->of->command;
	struct str why = c->kind == SCRIPT_NONE ? S("") : why_uncached(m, in);

	s->uncached = build_text(&m->build, why);
	if (c->kind == SCRIPT_NONE)
		return;
	if (!why.n)
		s->flags |= STEP_CACHED;
	else if (c->cache == CACHE_YES && !in->of->failed)
		in->of->failed = wrong(m, c->cache_loc, NULL, "step " STR_FMT " can't be cached: " STR_FMT,
				       STR_ARG(in->name), STR_ARG(why)) < 0;
	if (!c->inputs.given && c->outputs.given)
		s->flags |= STEP_ALL_SOURCES;
}

/* ---- all sources ---- */

static bool wants_sources(const struct maker *m)
{
	for (size_t i = 0; i < m->build.steps.n; i++) {
		const struct plan_step *s = &m->build.steps.v[i];

		/* a discovered file's name is compared with those of all sources */
		if (s->flags & STEP_CACHED && (s->flags & STEP_ALL_SOURCES || s->depfile.n))
			return true;
	}
	return false;
}

static bool is_spec(const struct spec *spec, struct str path)
{
	for (size_t i = 0; i < spec->nfiles; i++) {
		if (str_eq(spec->files[i].path, path))
			return true;
	}
	return false;
}

static void sources_write(struct maker *m)
{
	const struct answer *a = wants_sources(m) ? ask(m, Q_SOURCES, S(""), m->spec->commands[0].loc) : NULL;

	for (size_t i = 0; a && i < a->n; i++) {
		if (!is_spec(m->spec, a->items[i]) && !outmap_covers(m->outs, a->items[i])) {
			uint32_t id = build_path(&m->build, a->items[i]);

			vec_add(&m->build.sources, id);
		}
	}
}

int cache_settle(struct maker *m)
{
	for (uint32_t i = 0; i < m->ninsts; i++) {
		if (!m->order[i]->of->failed)
			settle_step(m, m->order[i], &m->build.steps.v[i]);
	}
	sources_write(m);
	return m->failed ? -1 : 0;
}
