/* Every reference of an image that comes from outside: after this no reader need look at a bound. */
#include "plan/image.h"

#include "plan/codec.h"
#include "spec/spec.h"

struct check {
	const struct plan *p;
	const char *problem;            /* the first */
};

static bool need(struct check *c, bool sound, const char *what)
{
	if (!sound && !c->problem)
		c->problem = what;
	return sound;
}

static struct str text_at(struct check *c, struct plan_text t)
{
	const struct plan *p = c->p;

	if (need(c, t.at < p->ntexts && t.n < p->ntexts - t.at && !p->texts[t.at + t.n], "a text") &&
	    need(c, !memchr(p->texts + t.at, 0, t.n), "a text with a NUL in it"))
		return (struct str){p->texts + t.at, t.n};
	return S("");
}

static bool span_in(struct check *c, struct plan_span s, uint32_t n, const char *what)
{
	return need(c, s.at <= n && s.n <= n - s.at, what);
}

static void words_in(struct check *c, struct plan_span s)
{
	span_in(c, s, c->p->nwords, "a list of words");
}

/* A span of refs, each below n. */
static bool refs_below(struct check *c, struct plan_span s, uint32_t n, const char *what)
{
	if (!span_in(c, s, c->p->nrefs, what))
		return false;
	for (uint32_t i = 0; i < s.n; i++) {
		if (!need(c, c->p->refs[s.at + i] < n, what))
			return false;
	}
	return true;
}

/* ---- a step ---- */

static void step_texts(struct check *c, const struct plan_step *s)
{
	struct str workdir = text_at(c, s->workdir), depfile = text_at(c, s->depfile);

	need(c, text_at(c, s->name).n > 0, "a step without a name");
	text_at(c, s->command);
	text_at(c, s->summary);
	text_at(c, s->file);
	text_at(c, s->uncached);
	text_at(c, s->script);
	need(c, !workdir.n || codec_path_inside(workdir), "a workdir outside of the workspace");
	need(c, !depfile.n || codec_path_inside(depfile), "a depfile outside of the workspace");
}

static bool plan_image_safe(const struct plan *p, const struct plan_step *s)
{
	return s->place < p->nplaces && p->places[s->place].image < p->nimages;
}

static void step_numbers(struct check *c, const struct plan_step *s, uint32_t id)
{
	need(c, !(s->flags & ~((STEP_ASKED << 1) - 1)), "a step's flags");
	need(c, s->script_kind <= SCRIPT_KIND_IMAGE, "the kind of a script");
	need(c, s->runtime <= RUNTIME_KIND_POD, "a runtime");
	need(c, s->place == PLAN_NONE || s->place < c->p->nplaces, "a place");
	need(c, s->runtime == RUNTIME_KIND_NATIVE || s->script_kind == SCRIPT_KIND_NONE || plan_image_safe(c->p, s), "a step without an image");
	need(c, s->workspace <= WORKSPACE_COPY, "a workspace mode");
	need(c, s->variant_of == PLAN_NONE || s->variant_of < c->p->nsteps, "what a step is a variant of");
	need(c, s->pool == PLAN_NONE || (s->pool <= id && s->pool_size > 0), "a pool");
	need(c, s->retry_factor >= 0 && s->retry_factor <= 1e6, "a retry factor");
	need(c, s->script_kind != SCRIPT_KIND_EXEC || s->argv.n, "a program without a name");
}

static void step_needs(struct check *c, const struct plan_step *s, uint32_t id)
{
	if (!span_in(c, s->needs, c->p->nneeds, "a list of needs"))
		return;
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *n = &c->p->needs[s->needs.at + i];

		need(c, n->step < id, "a need that does not stand before its step");
		need(c, !(n->flags & ~NEED_ORDER_ONLY), "a need's flags");
		need(c, !i || n[-1].step < n->step, "needs out of order");
	}
}

static void step_inputs(struct check *c, const struct plan_step *s)
{
	if (!span_in(c, s->inputs, c->p->ninputs, "a list of inputs"))
		return;
	for (uint32_t i = 0; i < s->inputs.n; i++) {
		const struct plan_input *in = &c->p->inputs[s->inputs.at + i];

		need(c, in->path < c->p->npaths, "an input");
		need(c, !(in->flags & ~(INPUT_OPTIONAL | INPUT_EMPTY_DIR | INPUT_EXPLICIT)),
		     "an input's flags");
		need(c, !i || in[-1].path < in->path, "inputs out of order");
	}
}

static void step_outputs(struct check *c, const struct plan_step *s)
{
	if (!span_in(c, s->outputs, c->p->noutputs, "a list of outputs"))
		return;
	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &c->p->outputs[s->outputs.at + i];

		need(c, o->flags <= (OUTPUT_GLOB | OUTPUT_DIR | OUTPUT_OPTIONAL | OUTPUT_NEGATED),
		     "an output's flags");
		need(c, codec_path_inside(text_at(c, o->path)), "an output outside of the workspace");
	}
}

static void step_env(struct check *c, const struct plan_step *s)
{
	const struct plan *p = c->p;

	if (span_in(c, s->env, p->nenvs, "a list of variables")) {
		for (uint32_t i = 1; i < s->env.n; i++)
			need(c,
			     str_cmp(text_at(c, p->envs[s->env.at + i - 1].name),
				     text_at(c, p->envs[s->env.at + i].name)) < 0,
			     "variables out of order");
	}
	span_in(c, s->pass, p->npasses, "a list of passed variables");
	span_in(c, s->axes, p->nenvs, "a list of axes");
	span_in(c, s->secrets, p->nuses, "a list of secrets");
	span_in(c, s->secret_files, p->nuses, "a list of secret files");
}

static void check_step(struct check *c, uint32_t id)
{
	const struct plan *p = c->p;
	const struct plan_step *s = &p->steps[id];

	step_texts(c, s);
	step_numbers(c, s, id);
	step_env(c, s);
	step_needs(c, s, id);
	step_inputs(c, s);
	step_outputs(c, s);
	words_in(c, s->argv);
	words_in(c, s->args);
	words_in(c, s->globs);
	words_in(c, s->tags);
	refs_below(c, s->producers, id, "a producer");
	if (span_in(c, s->tools, p->ntools, "a list of tools")) {
		for (uint32_t i = 0; i < s->tools.n; i++)
			need(c, p->tools[s->tools.at + i].words.n > 0, "a tool without a name");
	}
	span_in(c, s->requires, p->nrequires, "a list of requirements");
}

/* ---- the sections by themselves ---- */

static void check_images(struct check *c)
{
	const struct plan *p = c->p;

	for (uint32_t i = 0; i < p->nimages; i++) {
		const struct plan_image *image = &p->images[i];
		struct str file = text_at(c, image->file), context = text_at(c, image->context);

		need(c, image->kind <= IMAGE_KIND_BUILD && image->pull <= PULL_KIND_NEVER, "the kind of an image");
		text_at(c, image->name);
		text_at(c, image->platform);
		text_at(c, image->target);
		need(c, text_at(c, image->ref).n || image->kind == IMAGE_KIND_BUILD, "an image without a reference");
		need(c, image->kind == IMAGE_KIND_REF || codec_path_inside(file), "a Containerfile outside of the workspace");
		need(c, !context.n || codec_path_inside(context), "a context outside of the workspace");
		span_in(c, image->args, p->nenvs, "a list of build arguments");
	}
}

static void check_mounts(struct check *c)
{
	const struct plan *p = c->p;

	for (uint32_t i = 0; i < p->nmounts; i++) {
		const struct plan_mount *m = &p->mounts[i];
		struct str source = text_at(c, m->source), target = text_at(c, m->target);

		need(c, m->kind <= MOUNT_KIND_CUSTOM, "the kind of a mount");
		need(c, target.n > 1 && target.s[0] == '/' && codec_path_sound(target), "where a mount is seen");
		need(c, !(m->flags & MOUNT_INSIDE) || !source.n || codec_path_inside(source), "a mount from outside of the workspace");
		text_at(c, m->driver);
		span_in(c, m->options, p->nenvs, "a list of options");
	}
	for (uint32_t i = 0; i < p->nports; i++) {
		text_at(c, p->ports[i].ip);
		need(c, p->ports[i].host <= 65535 && p->ports[i].inside && p->ports[i].inside <= 65535, "a port");
	}
}

static void check_places(struct check *c)
{
	const struct plan *p = c->p;

	for (uint32_t i = 0; i < p->nplaces; i++) {
		const struct plan_place *place = &p->places[i];

		need(c, place->image == PLAN_NONE || place->image < p->nimages, "the image of a place");
		need(c, place->docker <= DOCKER_KIND_KATA_FC, "a kind of Docker");
		need(c, place->umask <= 0777, "a umask");
		text_at(c, place->user);
		text_at(c, place->group);
		span_in(c, place->mounts, p->nmounts, "a list of mounts");
		span_in(c, place->ports, p->nports, "a list of ports");
		words_in(c, place->networks);
		words_in(c, place->groups);
		words_in(c, place->writable);
		words_in(c, place->capabilities);
		words_in(c, place->denied_syscalls);
	}
}

static void check_paths(struct check *c)
{
	const struct plan *p = c->p;
	struct str before = {0};

	for (uint32_t i = 0; i < p->npaths && !c->problem; i++) {
		struct str path = text_at(c, p->paths[i].path);

		need(c, codec_path_sound(path), "a path");
		need(c, !i || str_cmp(before, path) < 0, "paths out of order");
		need(c, p->paths[i].producer == PLAN_NONE || p->paths[i].producer < p->nsteps,
		     "the producer of a path");
		before = path;
	}
	for (uint32_t i = 0; i < p->nsources; i++)
		need(c, p->sources[i] < p->npaths, "a source");
}

static void check_texts(struct check *c)
{
	const struct plan *p = c->p;

	text_at(c, p->head->name);
	for (uint32_t i = 0; i < p->nwords; i++)
		text_at(c, p->words[i]);
	for (uint32_t i = 0; i < p->nenvs; i++) {
		text_at(c, p->envs[i].name);
		text_at(c, p->envs[i].value);
	}
	for (uint32_t i = 0; i < p->npasses; i++)
		text_at(c, p->passes[i].name);
	for (uint32_t i = 0; i < p->nspecs; i++)
		text_at(c, p->specs[i]);
	for (uint32_t i = 0; i < p->nparams; i++) {
		text_at(c, p->params[i].name);
		text_at(c, p->params[i].preset);
		text_at(c, p->params[i].help);
	}
}

static void check_uses(struct check *c)
{
	const struct plan *p = c->p;

	for (uint32_t i = 0; i < p->nuses; i++) {
		text_at(c, p->uses[i].name);
		need(c, p->uses[i].secret < p->nsecrets, "a secret that is used");
	}
	for (uint32_t i = 0; i < p->nsecrets; i++) {
		text_at(c, p->secrets[i].name);
		text_at(c, p->secrets[i].source);
		need(c, p->secrets[i].kind <= SECRET_KIND_FILE, "the kind of a secret");
	}
	for (uint32_t i = 0; i < p->ntools; i++) {
		words_in(c, p->tools[i].words);
		need(c, p->tools[i].kind <= TOOL_RUN, "the kind of a tool");
	}
	for (uint32_t i = 0; i < p->nrequires; i++) {
		words_in(c, p->requires[i].any);
		need(c, p->requires[i].kind <= REQUIRE_ENV && p->requires[i].any.n, "a requirement");
	}
}

static void check_goals(struct check *c, struct plan_span list)
{
	if (!span_in(c, list, c->p->ngoals, "a list of goals"))
		return;
	for (uint32_t i = 0; i < list.n && !c->problem; i++) {
		const struct plan_goal *g = &c->p->goals[list.at + i];

		refs_below(c, g->steps, c->p->nsteps, "a goal's step");
		refs_below(c, g->after, i, "a goal before another");
	}
}

static void check_names(struct check *c)
{
	const struct plan *p = c->p;

	for (uint32_t i = 0; i < p->ncommands && !c->problem; i++) {
		const struct plan_command *d = &p->commands[i];

		text_at(c, d->name);
		text_at(c, d->summary);
		text_at(c, d->file);
		refs_below(c, d->steps, p->nsteps, "a command's step");
		span_in(c, d->params, p->nparams, "a command's params");
	}
	for (uint32_t i = 0; i < p->nworkflows && !c->problem; i++) {
		const struct plan_workflow *w = &p->workflows[i];

		text_at(c, w->name);
		text_at(c, w->summary);
		check_goals(c, w->steps);
		check_goals(c, w->finally);
	}
}

const char *plan_check(const struct plan *p)
{
	struct check c = {.p = p};

	check_texts(&c);
	check_uses(&c);
	check_paths(&c);
	check_images(&c);
	check_mounts(&c);
	check_places(&c);
	for (uint32_t i = 0; i < p->nsteps && !c.problem; i++)
		check_step(&c, i);
	check_names(&c);
	return c.problem;
}
