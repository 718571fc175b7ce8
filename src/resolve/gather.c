#include "resolve/gather.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"
#include "resolve/madelink.h"

static int by_path(const void *a, const void *b) { return entry_cmp(a, b); }

void entries_unique(struct entry *v, size_t *n)
{
	size_t kept = 0;

	qsort(v, *n, sizeof(*v), by_path);
	for (size_t i = 0; i < *n; i++)
		if (!kept || !str_eq(v[kept - 1].path, v[i].path))
			v[kept++] = v[i];
	*n = kept;
}

const struct entry *output_of(const struct walk_step *s, struct str path)
{
	struct entry key = {.path = path};

	return s->outputs.n ? bsearch(&key, s->outputs.v, s->outputs.n, sizeof(key), by_path) : NULL;
}

int use_behind(struct walk *w, struct probe *p, struct str link, struct err *err)
{
	size_t n;
	const struct content_behind *behind = content_behind(w->content, link, &n);

	for (size_t i = 0; i < n; i++) {
		struct used used = {.path = behind[i].path, .ident = behind[i].ident, .listed = behind[i].listed};
		struct entry entry;

		if (str_eq(used.path, link))
			continue;
		if (used.listed)
			used.path = str_fmt(w->arena, STR_FMT "/.", STR_ARG(used.path));
		if (S_ISREG(used.ident.mode)) {
			if (content_entry(w->content, used.path, &entry, &used.ident, &used.racy, err) < 0)
				return -1;
			used.digest = entry.digest;
		}
		vec_add(&p->used, used);
	}
	return 0;
}

int source_entry(struct walk *w, struct probe *p, struct str path, struct entry *out, struct err *err)
{
	struct used used = {.path = path};

	if (content_entry(w->content, path, out, &used.ident, &used.racy, err) < 0)
		return -1;
	used.digest = out->digest;
	vec_add(&p->used, used);
	return out->type == ENTRY_LINK ? use_behind(w, p, path, err) : 0;
}

void use_output(struct probe *p, const struct walk_step *from, const struct entry *entry)
{
	size_t i = entry - from->outputs.v;

	if (from->idents)
		vec_add(&p->used, (struct used){.path = entry->path, .ident = from->idents[i], .digest = entry->digest, .made = true});
}

static int add_made(struct walk *w, struct probe *p, const struct walk_step *from, const struct entry *e, struct gather *g, struct err *err)
{
	use_output(p, from, e);
	vec_add(&g->v, *e);
	return e->type == ENTRY_LINK ? madelink_now(w, p, &g->v.v[g->v.n - 1], err) : 0;
}

/* A folder that a step made stands for all it holds. */
static int add_below(struct walk *w, struct probe *p, const struct walk_step *from, const struct entry *folder, struct gather *g,
		     struct err *err)
{
	const struct entry *end = from->outputs.v + from->outputs.n;

	/* "dist-x" stands between "dist" and "dist/a" */
	for (const struct entry *e = folder + 1; e < end && str_starts(e->path, folder->path); e++) {
		if (path_within(e->path, folder->path) && add_made(w, p, from, e, g, err) < 0)
			return -1;
	}
	return 0;
}

static int add_input(struct walk *w, struct probe *p, const struct plan_input *in, struct gather *g, struct err *err)
{
	const struct plan_path *path = &w->plan->paths[in->path];
	struct entry entry = {.path = plan_str(w->plan, path->path)};
	const struct walk_step *from = path->producer == PLAN_NONE ? NULL : &w->steps[path->producer];

	if (from && from->state == WALK_PENDING) {
		g->pending = true;
		return 0;
	}
	if (from && from->state == WALK_KNOWN) {
		const struct entry *known = output_of(from, entry.path);

		if (known && (add_made(w, p, from, known, g, err) < 0 ||
			      (known->type == ENTRY_DIR && add_below(w, p, from, known, g, err) < 0)))
			return -1;
		if (known)
			return 0;
	} else if (source_entry(w, p, entry.path, &entry, err) < 0) {
		return -1;
	}
	if (entry.type == ENTRY_ABSENT && !(in->flags & INPUT_OPTIONAL) && !from)
		return err_set(err, ERR_SYSTEM, "unable to read input " STR_FMT ": no such file", STR_ARG(entry.path));
	vec_add(&g->v, entry);
	return 0;
}

/* Patterns over what steps with folder or glob outputs wrote: a later "!" does not undo an earlier one, order is nothing. */
static bool globs_match(const struct plan *plan, struct plan_span globs, struct str path)
{
	bool yes = false;

	for (uint32_t i = 0; i < globs.n; i++) {
		struct str pattern = plan_word(plan, globs, i);
		bool not = pattern.n && pattern.s[0] == '!';

		if (glob_match(not ? str_from(pattern, 1) : pattern, path)) {
			if (not)
				return false;
			yes = true;
		}
	}
	return yes;
}

static int add_outputs(struct walk *w, struct probe *p, const struct walk_step *from, const struct plan_span *globs, struct gather *g,
		       struct err *err)
{
	for (size_t i = 0; i < from->outputs.n; i++)
		if ((!globs || globs_match(w->plan, *globs, from->outputs.v[i].path)) && add_made(w, p, from, &from->outputs.v[i], g, err) < 0)
			return -1;
	g->pending |= from->state == WALK_PENDING;
	return 0;
}

int gather_inputs(struct walk *w, const struct plan_step *s, struct probe *p, struct gather *g, struct err *err)
{
	const struct plan *plan = w->plan;

	for (uint32_t i = 0; i < s->inputs.n; i++)
		if (add_input(w, p, &plan->inputs[s->inputs.at + i], g, err) < 0)
			return -1;
	for (uint32_t i = 0; s->flags & STEP_ALL_SOURCES && i < plan->nsources; i++)
		if (add_input(w, p, &(struct plan_input){.path = plan->sources[i], .flags = INPUT_OPTIONAL}, g, err) < 0)
			return -1;
	for (uint32_t i = 0; i < s->producers.n; i++)
		if (add_outputs(w, p, &w->steps[plan->refs[s->producers.at + i]], &s->globs, g, err) < 0)
			return -1;
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &plan->needs[s->needs.at + i];

		if (need_counts(need) && add_outputs(w, p, &w->steps[need->step], NULL, g, err) < 0)
			return -1;
	}
	if (g->v.n)
		entries_unique(g->v.v, &g->v.n);
	return 0;
}

/* The interpreter named by a script's first line; `env NAME` counts NAME too. */
static size_t shebang_words(struct str script, struct str words[2])
{
	struct str line = script, rest, word;
	size_t n = 0;

	str_cut(&script, '\n', &line);
	rest = str_trim(str_from(line, 2));
	while (n < 2 && str_cut(&rest, ' ', &word)) {
		if (!word.n || word.s[0] == '-' || (n == 1 && str_chr(word, '=') >= 0))
			continue;
		if (n == 1 && !str_is(path_name(words[0]), "env"))
			break;
		words[n++] = word;
	}
	return n;
}

static int add_program(struct walk *w, const struct plan_step *s, struct arena *a, struct str name, struct key_tool *out, struct err *err)
{
	return tools_program(w->tools, str_dup(a, name), plan_str(w->plan, s->workdir), out, err);
}

/* The PATH that the step will see. */
static struct str own_path(const struct plan *plan, const struct plan_step *s)
{
	for (uint32_t i = 0; i < s->env.n; i++) {
		const struct plan_env *env = &plan->envs[s->env.at + i];

		if (str_is(plan_str(plan, env->name), "PATH"))
			return plan_str(plan, env->value);
	}
	return (struct str){0};
}

static int gather_tools(struct walk *w, struct arena *a, const struct plan_step *s, struct key_facts *f, struct err *err)
{
	const struct plan *plan = w->plan;
	struct str words[2];
	size_t nwords = 0;

	if (s->runtime != RUNTIME_KIND_NATIVE)
		return 0;               /* its programs are the image's */
	tools_search(w->tools, own_path(plan, s));
	f->tools = arena_array(a, s->tools.n + 2, struct key_tool);
	for (uint32_t i = 0; i < s->tools.n; i++) {
		const struct plan_tool *tool = &plan->tools[s->tools.at + i];
		struct str *line = arena_array(a, tool->words.n, struct str);
		struct key_tool *out = &f->tools[f->ntools++];

		for (uint32_t k = 0; k < tool->words.n; k++)
			line[k] = plan_word(plan, tool->words, k);
		if (tool->kind == TOOL_NAME ? add_program(w, s, a, line[0], out, err) < 0 :
					      tools_command(w->tools, line, tool->words.n, plan_str(plan, s->workdir), out, err) < 0)
			return -1;
		if (!out->path.s)
			return err_set(err, ERR_SYSTEM, "unable to find tool " STR_FMT ": not in PATH", STR_ARG(line[0]));
	}
	if (s->flags & STEP_SHEBANG)
		nwords = shebang_words(plan_str(plan, s->script), words);
	else if (s->argv.n)
		words[nwords++] = plan_word(plan, s->argv, 0);
	for (size_t i = 0; i < nwords; i++)
		if (add_program(w, s, a, words[i], &f->tools[f->ntools++], err) < 0)
			return -1;
	return 0;
}

int gather_facts(struct walk *w, struct arena *a, const struct plan_step *s, struct key_facts *f, struct err *err)
{
	const struct plan *plan = w->plan;

	f->os = w->os;
	f->arch = w->arch;
	f->path = w->path;
	if (plan_image_of(plan, s))
		f->image = images_fact(w->images, plan->places[s->place].image)->identity;
	if (gather_tools(w, a, s, f, err) < 0)
		return -1;
	if (s->runtime == RUNTIME_KIND_NATIVE && !s->tools_given) {
		if (!w->packages_known && tools_packages(w->tools, &w->packages, err) < 0)
			return -1;
		w->packages_known = true;
		f->packages = w->packages;
	}
	f->passed = arena_array(a, s->pass.n, struct key_env);
	for (uint32_t i = 0; i < s->pass.n; i++) {
		const struct plan_pass *pass = &plan->passes[s->pass.at + i];
		struct str name = plan_str(plan, pass->name);
		const char *value = getenv(name.s);

		if (pass->key)
			f->passed[f->npassed++] = (struct key_env){name, str_of(value ? value : ""), value};
	}
	f->needs = arena_calloc(a, s->needs.n, sizeof(*f->needs));
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &plan->needs[s->needs.at + i];
		enum walk_state state = w->steps[need->step].state;

		if (!need_counts(need) || (state != WALK_SKIPPED && state != WALK_FAILED))
			continue;
		f->needs[f->nneeds].name = plan_step_name(plan, need->step);
		f->needs[f->nneeds++].state = state == WALK_SKIPPED ? KEY_NEED_SKIPPED : KEY_NEED_FAILED;
	}
	return 0;
}
