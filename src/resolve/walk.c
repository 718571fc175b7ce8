#include "resolve/walk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/path.h"
#include "sys/sha.h"

int walk_open(struct walk *w, struct err *err)
{
	if (sha256_init(err) < 0)
		return -1;
	w->index = plan_index_new(w->arena, w->plan);
	w->steps = arena_array(w->arena, w->plan->nsteps + 1, struct walk_step);
	return 0;
}

void walk_release(struct walk *w)
{
	vec_free(&w->watches);
	map_release(&w->names);
}

void probe_release(struct probe *p)
{
	buf_release(&p->manifest);
	buf_release(&p->discovered);
	vec_free(&p->used);
}

void walk_settle(struct walk *w, uint32_t step, const struct digest *key, const struct entries *outputs,
		 const struct ident *idents, bool ran)
{
	struct walk_step *s = &w->steps[step];
	struct entry *copy = arena_array(w->arena, outputs->n, struct entry);

	for (size_t i = 0; i < outputs->n; i++) {
		copy[i] = outputs->v[i];
		copy[i].path = str_dup(w->arena, outputs->v[i].path);
		copy[i].link = str_dup(w->arena, outputs->v[i].link);
		if (idents)
			watch_add(&w->watches, copy[i].path, &idents[i], copy[i].type == ENTRY_DIR ? WATCH_DIR : WATCH_FILE, FACT_NONE,
				  &copy[i].digest);
	}
	*s = (struct walk_step){.state = WALK_KNOWN, .ran = ran, .outputs = {copy, outputs->n}};
	if (idents)
		s->idents = memcpy(arena_array(w->arena, outputs->n, struct ident), idents, outputs->n * sizeof(*idents));
	if (key)
		s->key = *key;
}

void walk_settle_as(struct walk *w, uint32_t step, enum walk_state state) { w->steps[step].state = state; }

static bool counts(const struct plan_need *need) { return !(need->flags & NEED_ORDER_ONLY); }

static int by_path(const void *a, const void *b) { return entry_cmp(a, b); }

/* Sorts and keeps the first of each path. */
static void entries_unique(struct entry *v, size_t *n)
{
	size_t kept = 0;

	qsort(v, *n, sizeof(*v), by_path);
	for (size_t i = 0; i < *n; i++)
		if (!kept || !str_eq(v[kept - 1].path, v[i].path))
			v[kept++] = v[i];
	*n = kept;
}

void walk_settle_group(struct walk *w, uint32_t step)
{
	const struct plan_step *s = &w->plan->steps[step];
	bool pending = false, failed = false, ran = false;
	VEC(struct entry) all = {0};

	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &w->plan->needs[s->needs.at + i];
		const struct walk_step *of = &w->steps[need->step];

		if (!counts(need))
			continue;
		pending |= of->state == WALK_PENDING;
		failed |= of->state == WALK_FAILED;
		ran |= of->ran;
		for (size_t k = 0; k < of->outputs.n; k++)
			vec_add(&all, of->outputs.v[k]);
	}
	if (all.n)
		entries_unique(all.v, &all.n);
	walk_settle(w, step, NULL, &(struct entries){all.v, all.n}, NULL, ran);
	if (pending || failed)
		w->steps[step].state = failed ? WALK_FAILED : WALK_PENDING;
	vec_free(&all);
}

static const struct entry *output_of(const struct walk_step *s, struct str path)
{
	struct entry key = {.path = path};

	return s->outputs.n ? bsearch(&key, s->outputs.v, s->outputs.n, sizeof(key), by_path) : NULL;
}

static int source_entry(struct walk *w, struct probe *p, struct str path, struct entry *out, struct err *err)
{
	struct used used = {.path = path};

	if (content_entry(w->content, path, out, &used.ident, &used.racy, err) < 0)
		return -1;
	used.digest = out->digest;
	vec_add(&p->used, used);
	return 0;
}

struct gather { VEC(struct entry) v; bool pending; };

/* What a need made counts as used, like a source: it must stay as it is while the step runs. */
static void use_output(struct probe *p, const struct walk_step *from, const struct entry *entry)
{
	size_t i = entry - from->outputs.v;

	if (from->idents)
		vec_add(&p->used, (struct used){entry->path, from->idents[i], false, entry->digest});
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

		if (known) {
			entry = *known;
			use_output(p, from, known);
		}
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

static void add_outputs(struct walk *w, struct probe *p, const struct walk_step *from, const struct plan_span *globs, struct gather *g)
{
	for (size_t i = 0; i < from->outputs.n; i++)
		if (!globs || globs_match(w->plan, *globs, from->outputs.v[i].path)) {
			vec_add(&g->v, from->outputs.v[i]);
			use_output(p, from, &from->outputs.v[i]);
		}
	g->pending |= from->state == WALK_PENDING;
}

static int gather_inputs(struct walk *w, const struct plan_step *s, struct probe *p, struct gather *g, struct err *err)
{
	const struct plan *plan = w->plan;

	for (uint32_t i = 0; i < s->inputs.n; i++)
		if (add_input(w, p, &plan->inputs[s->inputs.at + i], g, err) < 0)
			return -1;
	for (uint32_t i = 0; s->flags & STEP_ALL_SOURCES && i < plan->nsources; i++)
		if (add_input(w, p, &(struct plan_input){.path = plan->sources[i], .flags = INPUT_OPTIONAL}, g, err) < 0)
			return -1;
	for (uint32_t i = 0; i < s->producers.n; i++)
		add_outputs(w, p, &w->steps[plan->refs[s->producers.at + i]], &s->globs, g);
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &plan->needs[s->needs.at + i];

		if (counts(need))
			add_outputs(w, p, &w->steps[need->step], NULL, g);
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

static int gather_tools(struct walk *w, struct arena *a, const struct plan_step *s, struct key_facts *f, struct err *err)
{
	const struct plan *plan = w->plan;
	struct str words[2];
	size_t nwords = 0;

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

static int gather_facts(struct walk *w, struct arena *a, const struct plan_step *s, struct key_facts *f, struct err *err)
{
	const struct plan *plan = w->plan;

	f->os = w->os;
	f->arch = w->arch;
	f->path = w->path;
	if (gather_tools(w, a, s, f, err) < 0)
		return -1;
	if (!s->tools_given) {
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

		if (!counts(need) || (state != WALK_SKIPPED && state != WALK_FAILED))
			continue;
		f->needs[f->nneeds].name = plan_step_name(plan, need->step);
		f->needs[f->nneeds++].state = state == WALK_SKIPPED ? KEY_NEED_SKIPPED : KEY_NEED_FAILED;
	}
	return 0;
}

/* A store's fault is a warning and a local run; after the first it is left alone for this run. */
static void store_fault(struct walk *w, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);

	buf_fmt(&text, "the cache is not used for the rest of this run: %s", err->text ? err->text : "unknown fault");
	w->store_off = true;
	if (w->warn)
		w->warn(w->ctx, buf_view(&text));
	err_release(err);
}

static bool store_get(struct walk *w, enum record_kind kind, const struct digest *key, struct arena *a, struct str *out)
{
	struct err fault = ERR_INIT;
	int got;

	if (!w->store || w->store_off)
		return false;
	got = w->store->ops->get(w->store, kind, key, a, out, &fault);
	if (got < 0)
		store_fault(w, &fault);
	return got > 0;
}

static bool get_result(struct walk *w, const struct digest *key, struct arena *a, struct result *out)
{
	struct err bad = ERR_INIT;
	struct str bytes;

	if (!store_get(w, RECORD_RESULT, key, a, &bytes))
		return false;
	if (result_decode(a, bytes, out, &bad) == 0 && digest_eq(&out->key, key))
		return !out->root.n || str_eq(out->root, w->root);
	if (w->warn)
		w->warn(w->ctx, str_fmt(a, "a damaged cache record was dropped: %s", bad.text ? bad.text : "it is another key's"));
	err_release(&bad);
	w->store->ops->remove(w->store, RECORD_RESULT, key, NULL);
	return false;
}

/* What stands at a discovered path now: a need's record, or the disk. 1 known, 0 pending, -1. */
static int found_entry(struct walk *w, struct probe *p, uint32_t step, struct str path, struct entry *out, struct err *err)
{
	uint32_t producer = path.n && path.s[0] == '/' ? PLAN_NONE : plan_index_producer(w->index, path);

	*out = (struct entry){.path = path};
	if (producer != PLAN_NONE && producer != step &&
	    plan_index_reaches(w->index, step, producer)) {
		const struct entry *known = output_of(&w->steps[producer], path);

		if (w->steps[producer].state == WALK_PENDING)
			return 0;
		if (known) {
			*out = *known;
			use_output(p, &w->steps[producer], known);
		}
		if (known || w->steps[producer].state == WALK_KNOWN)
			return 1;
	}
	return source_entry(w, p, path, out, err) < 0 ? -1 : 1;
}

static int str_order(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

struct same_name { struct str path; const struct same_name *next; };

/* Every workspace path a header search could come upon, by base name; made once a run. */
static void index_names(struct walk *w)
{
	const struct plan *plan = w->plan;

	for (uint32_t i = 0; i < plan->npaths + plan->nsources; i++) {
		uint32_t id = i < plan->npaths ? i : plan->sources[i - plan->npaths];
		struct same_name *name;
		void **slot;

		if (i < plan->npaths && plan->paths[id].producer == PLAN_NONE)
			continue;
		name = arena_new(w->arena, struct same_name);
		name->path = plan_path_str(plan, id);
		slot = map_put(&w->names, path_name(name->path), NULL);
		name->next = *slot;
		*slot = name;
	}
	w->names_known = true;
}

/* Workspace paths that share a base name with a discovered one: so that a header which newly shadows another is seen. */
static struct str *shadows(struct walk *w, struct arena *a, const struct entries *found, size_t *n)
{
	VEC(struct str) v = {0};
	struct str *out;

	if (!w->names_known)
		index_names(w);
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].path.n && found->v[i].path.s[0] != '/')
			for (const struct same_name *s = map_get(&w->names, path_name(found->v[i].path)); s; s = s->next)
				vec_add(&v, s->path);
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), str_order);
	out = arena_array(a, v.n, struct str);
	*n = 0;
	for (size_t i = 0; i < v.n; i++)
		if (!*n || !str_eq(out[*n - 1], v.v[i]))
			out[(*n)++] = v.v[i];
	vec_free(&v);
	return out;
}

int walk_key_discovered(struct walk *w, struct arena *a, uint32_t step, const struct entries *found, struct probe *p, struct err *err)
{
	size_t n;
	struct str *names = shadows(w, a, found, &n);

	(void)step;
	(void)err;
	buf_clear(&p->discovered);
	p->discovered.limit = MANIFEST_MAX;
	key_manifest_discovered(&p->k1, found->v, found->n, names, n, &p->discovered);
	sha256_bytes(p->discovered.s, p->discovered.n, &p->key);
	return 0;
}

/* Tries the last few sets of discovered paths under K1. */
static int probe_pathsets(struct walk *w, struct arena *a, uint32_t step, struct probe *p, struct err *err)
{
	struct pathsets sets;
	struct str bytes;
	size_t mark;

	p->verdict = PROBE_MISS;
	if (!store_get(w, RECORD_PATHS, &p->k1, a, &bytes) || pathsets_decode(a, bytes, &sets, NULL) < 0)
		return 0;
	for (size_t i = 0; i < sets.n; i++) {
		struct entries found = {arena_array(a, sets.v[i].n, struct entry), sets.v[i].n};

		mark = p->used.n;
		for (size_t k = 0; k < found.n; k++) {
			int got = found_entry(w, p, step, sets.v[i].paths[k], &found.v[k], err);

			if (got < 0)
				return -1;
			if (got == 0) {
				p->verdict = PROBE_PENDING;
				return 0;
			}
		}
		walk_key_discovered(w, a, step, &found, p, err);
		if (get_result(w, &p->key, a, &p->result)) {
			p->verdict = PROBE_RESTORE;
			return 0;
		}
		p->used.n = mark;
	}
	p->key = (struct digest){0};
	return 0;
}

/* Are the outputs on disk what the record says? */
static int compare_outputs(struct walk *w, struct arena *a, uint32_t step, struct probe *p, struct err *err)
{
	const struct entries *outputs = &p->result.outputs;
	struct ident *idents = arena_array(a, outputs->n, struct ident);

	for (size_t i = 0; i < outputs->n; i++) {
		const struct entry *want = &outputs->v[i];
		struct err unreadable = ERR_INIT;
		struct entry have;
		bool racy;

		if (content_entry(w->content, want->path, &have, &idents[i], &racy, &unreadable) < 0) {
			err_release(&unreadable);
			have.type = ENTRY_ABSENT;
		}
		/* a link is compared by its text: what it points to may be another step's affair */
		if (have.type == want->type && (want->type == ENTRY_LINK ? str_eq(have.link, want->link) :
						have.mode == want->mode && (want->type == ENTRY_DIR || digest_eq(&have.digest, &want->digest))))
			continue;
		p->differs = want->path;
		return 0;
	}
	(void)err;
	p->verdict = PROBE_HIT;
	walk_settle(w, step, &p->key, outputs, idents, false);
	return 0;
}

static void watch_used(struct walk *w, const struct probe *p, size_t from)
{
	for (size_t i = from; i < p->used.n; i++) {
		const struct used *u = &p->used.v[i];

		watch_add(&w->watches, str_dup(w->arena, u->path), &u->ident, S_ISDIR(u->ident.mode) ? WATCH_DIR : WATCH_FILE, FACT_NONE, &u->digest);
	}
}

static bool any_need(const struct walk *w, const struct plan_step *s, enum walk_state state)
{
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &w->plan->needs[s->needs.at + i];

		if (counts(need) && w->steps[need->step].state == state)
			return true;
	}
	return false;
}

int walk_probe(struct walk *w, struct arena *a, uint32_t step, struct probe *p, struct err *err)
{
	const struct plan_step *s = &w->plan->steps[step];
	struct key_facts facts = {0};
	struct gather g = {0};
	int rc = -1;

	*p = (struct probe){.manifest = BUF_INIT(MANIFEST_MAX), .discovered = BUF_INIT(MANIFEST_MAX)};
	p->failed_need = any_need(w, s, WALK_FAILED);
	if (any_need(w, s, WALK_PENDING)) {
		p->verdict = PROBE_PENDING;
		return 0;
	}
	if (!(s->flags & STEP_CACHED)) {
		p->verdict = PROBE_UNCACHED;
		return 0;
	}
	if (gather_inputs(w, s, p, &g, err) < 0)
		goto out;
	if (g.pending) {
		p->verdict = PROBE_PENDING;
		rc = 0;
		goto out;
	}
	if (gather_facts(w, a, s, &facts, err) < 0)
		goto out;
	facts.inputs = g.v.v;
	facts.ninputs = g.v.n;
	key_manifest(w->plan, s, &facts, &p->manifest);
	if (p->manifest.full) {
		err_set(err, ERR_SYSTEM, "unable to key the step: its manifest exceeds %u MiB", MANIFEST_MAX >> 20);
		goto out;
	}
	sha256_bytes(p->manifest.s, p->manifest.n, &p->k1);
	if (s->depfile.n) {
		if (probe_pathsets(w, a, step, p, err) < 0)
			goto out;
	} else {
		p->key = p->k1;
		p->verdict = get_result(w, &p->key, a, &p->result) ? PROBE_RESTORE : PROBE_MISS;
	}
	if (p->failed_need && p->verdict == PROBE_RESTORE)
		p->verdict = PROBE_MISS;
	rc = p->verdict == PROBE_RESTORE ? compare_outputs(w, a, step, p, err) : 0;
	watch_used(w, p, 0);
out:
	vec_free(&g.v);
	return rc;
}

int walk_moved(struct walk *w, const struct probe *p, struct str *moved, struct err *err)
{
	for (size_t i = 0; i < p->used.n; i++) {
		const struct used *u = &p->used.v[i];
		struct ident now;
		struct entry entry;

		if (file_ident(w->rootfd, u->path.s, &now, err) < 0)
			return -1;
		if (ident_eq(&now, &u->ident) && !u->racy)
			continue;
		*moved = u->path;
		if (!ident_eq(&now, &u->ident) && !(S_ISDIR(now.mode) && S_ISDIR(u->ident.mode)))
			return 1;
		/* changed within one tick of the clock, it would look the same: read it again */
		content_forget(w->content, u->path);
		if (content_entry(w->content, u->path, &entry, NULL, NULL, err) < 0)
			return -1;
		if (!digest_eq(&entry.digest, &u->digest))
			return 1;
	}
	return 0;
}

static bool own_output(const struct walk *w, uint32_t step, struct str path)
{
	return plan_step_covers(w->plan, step, path);
}

/* The names of a depfile as canonical paths: relative to the folder the step ran in. */
static struct str dep_path(struct walk *w, struct arena *a, const struct plan_step *s, struct str dep)
{
	struct str path = dep;

	if (dep.n && dep.s[0] == '/') {
		if (path_within(dep, w->root) && dep.n > w->root.n)
			dep = str_from(dep, w->root.n + 1);
		path_join(a, S(""), dep, &path);
		return path;
	}
	if (!path_join(a, plan_str(w->plan, s->workdir), dep, &path)) {
		struct str full = str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(w->root), STR_ARG(plan_str(w->plan, s->workdir)), STR_ARG(dep));

		path_join(a, S(""), full, &path);
	}
	return path;
}

int walk_discover(struct walk *w, struct arena *a, uint32_t step, const struct str *deps, size_t n, int64_t since,
		  struct probe *p, struct entries *found, struct str *moved, struct err *err)
{
	const struct plan_step *s = &w->plan->steps[step];
	struct str *paths = arena_array(a, n, struct str);
	size_t npaths = 0, before = p->used.n;

	*moved = (struct str){0};
	for (size_t i = 0; i < n; i++) {
		struct str path = dep_path(w, a, s, deps[i]);
		bool host = path.n && path.s[0] == '/';
		uint32_t producer = host ? PLAN_NONE : plan_index_producer(w->index, path);

		if (!host && own_output(w, step, path))
			continue;
		if (producer != PLAN_NONE && !plan_index_reaches(w->index, step, producer))
			return err_set(err, ERR_SPEC, "the step read " STR_FMT ", which step " STR_FMT " makes; add `needs: [" STR_FMT "]`",
				       STR_ARG(path), STR_ARG(plan_step_name(w->plan, producer)), STR_ARG(plan_step_name(w->plan, producer)));
		paths[npaths++] = path;
	}
	qsort(paths, npaths, sizeof(*paths), str_order);
	*found = (struct entries){arena_array(a, npaths, struct entry), 0};
	for (size_t i = 0; i < npaths; i++) {
		size_t mark = p->used.n;

		if (i && str_eq(paths[i], paths[i - 1]))
			continue;
		if (found_entry(w, p, step, paths[i], &found->v[found->n++], err) < 0)
			return -1;
		/* read after the step: only a file older than its start is surely what the step saw */
		for (; mark < p->used.n; mark++)
			if (p->used.v[mark].ident.ctime >= since || p->used.v[mark].ident.mtime >= since)
				*moved = p->used.v[mark].path;
	}
	watch_used(w, p, before);
	return 0;
}
