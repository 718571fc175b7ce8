#include "resolve/gather.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

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

void walk_keep_used(struct walk *w, uint32_t step, const struct probe *p)
{
	struct str *paths = arena_array(w->arena, p->used.n, struct str);

	for (size_t i = 0; i < p->used.n; i++)
		paths[i] = str_dup(w->arena, p->used.v[i].path);
	w->steps[step].used = paths;
	w->steps[step].nused = p->used.n;
}

bool walk_needs_same(const struct walk *w, uint32_t step)
{
	const struct plan_step *s = &w->plan->steps[step];

	for (uint32_t i = 0; i < s->needs.n; i++)
		if (!w->steps[w->plan->needs[s->needs.at + i].step].same)
			return false;
	return true;
}

void walk_settle_group(struct walk *w, uint32_t step)
{
	const struct plan_step *s = &w->plan->steps[step];
	bool pending = false, failed = false, ran = false;
	VEC(struct entry) all = {0};

	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &w->plan->needs[s->needs.at + i];
		const struct walk_step *of = &w->steps[need->step];

		if (!need_counts(need))
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
	w->steps[step].same = walk_needs_same(w, step);
	if (pending || failed)
		w->steps[step].state = failed ? WALK_FAILED : WALK_PENDING;
	vec_free(&all);
}

/* A link is compared by its text: what it leads to may be another step's affair, or a whole file system. */
static bool same_link(const struct walk *w, const struct entry *want, struct ident *ident)
{
	char text[PATH_MAX];
	ssize_t n;

	if (file_ident(w->rootfd, want->path.s, ident, NULL) != 1 || !S_ISLNK(ident->mode))
		return false;
	n = readlinkat(w->rootfd, want->path.s, text, sizeof(text));
	return n >= 0 && str_eq(want->link, (struct str){text, (size_t)n});
}

static bool same_output(struct walk *w, const struct entry *want, struct ident *ident)
{
	struct err unreadable = ERR_INIT;
	struct entry have;
	bool racy;

	if (want->type == ENTRY_LINK)
		return same_link(w, want, ident);
	if (content_entry(w->content, want->path, &have, ident, &racy, &unreadable) < 0) {
		err_release(&unreadable);
		return false;
	}
	return have.type == want->type && have.mode == want->mode && (want->type == ENTRY_DIR || digest_eq(&have.digest, &want->digest));
}

/* Are the outputs on disk what the record says? */
static void compare_outputs(struct walk *w, struct arena *a, uint32_t step, struct probe *p)
{
	const struct entries *outputs = &p->result.outputs;
	struct ident *idents = arena_array(a, outputs->n, struct ident);

	for (size_t i = 0; i < outputs->n; i++)
		if (!same_output(w, &outputs->v[i], &idents[i])) {
			p->differs = outputs->v[i].path;
			return;
		}
	p->verdict = PROBE_HIT;
	walk_settle(w, step, &p->key, outputs, idents, false);
	walk_keep_used(w, step, p);
}

void watch_used(struct walk *w, const struct probe *p, size_t from)
{
	for (size_t i = from; i < p->used.n; i++) {
		const struct used *u = &p->used.v[i];

		watch_add(&w->watches, str_dup(w->arena, u->path), &u->ident, S_ISDIR(u->ident.mode) && !u->listed ? WATCH_DIR : WATCH_FILE,
			  FACT_NONE, &u->digest);
	}
}

static bool any_need(const struct walk *w, const struct plan_step *s, enum walk_state state)
{
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &w->plan->needs[s->needs.at + i];

		if (need_counts(need) && w->steps[need->step].state == state)
			return true;
	}
	return false;
}

/* The programs a step starts: like an input, none may change while it runs. */
static int use_tools(struct walk *w, struct probe *p, const struct key_facts *f, struct err *err)
{
	for (size_t i = 0; i < f->ntools; i++) {
		struct used used = {.path = f->tools[i].path};
		struct entry entry;

		if (!used.path.s)
			continue;
		if (content_entry(w->content, used.path, &entry, &used.ident, &used.racy, err) < 0)
			return -1;
		used.digest = entry.digest;
		vec_add(&p->used, used);
	}
	return 0;
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
	if (gather_facts(w, a, s, &facts, err) < 0 || use_tools(w, p, &facts, err) < 0)
		goto out;
	if (s->runtime != RUNTIME_KIND_NATIVE && !facts.image.algo) {
		p->verdict = PROBE_UNCACHED;
		rc = 0;
		goto out;
	}
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
		p->verdict = walk_result(w, &p->key, a, &p->result) ? PROBE_RESTORE : PROBE_MISS;
	}
	if (p->failed_need && p->verdict == PROBE_RESTORE)
		p->verdict = PROBE_MISS;
	if (p->verdict == PROBE_RESTORE)
		compare_outputs(w, a, step, p);
	watch_used(w, p, 0);
	rc = 0;
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
		if (!ident_eq(&now, &u->ident) && (u->listed || !(S_ISDIR(now.mode) && S_ISDIR(u->ident.mode))))
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
