#include "resolve/snapshot-format.h"

#include "base/path.h"

static void index_steps(struct snapshot *s)
{
	const struct snapshot_step *rows = ROWS(s, steps, struct snapshot_step);
	const struct folder *folders = ROWS(s, folders, struct folder);

	s->row_of = xcalloc(s->plan.nsteps + 1, sizeof(*s->row_of));
	for (uint64_t i = 0; i < s->h->steps.n; i++)
		if (rows[i].step < s->plan.nsteps)
			s->row_of[rows[i].step] = i + 1;
	s->folder_of = xcalloc(s->h->names.n + 1, sizeof(*s->folder_of));
	for (uint64_t i = 0; i < s->h->folders.n; i++)
		for (uint32_t k = folders[i].first; k < folders[i].first + folders[i].n; k++)
			s->folder_of[k] = text_of(s, folders[i].path);
}

static struct str path_of(const struct snapshot *s, struct arena *a, uint32_t file)
{
	return snapshot_file_path(a, s->folder_of[file], text_of(s, ROWS(s, names, struct bytes)[file]));
}

static bool row_holds(const struct snapshot *s, const struct snapshot_step *row)
{
	const uint32_t *refs = ROWS(s, refs, uint32_t) + row->used_at;
	const struct output_row *outputs = ROWS(s, outputs, struct output_row) + row->outputs_at;

	for (uint32_t i = 0; i < row->nused; i++)
		if (s->changed[refs[i]])
			return false;
	for (uint32_t i = 0; i < row->noutputs; i++)
		if (s->changed[outputs[i].file])
			return false;
	return true;
}

static void settle_row(const struct snapshot *s, struct walk *w, const struct snapshot_step *row)
{
	const struct ident *all = ROWS(s, idents, struct ident);
	const struct digest *digests = ROWS(s, digests, struct digest);
	const uint8_t *kinds = ROWS(s, kinds, uint8_t);
	const uint32_t *refs = ROWS(s, refs, uint32_t) + row->used_at;
	const struct output_row *rows = ROWS(s, outputs, struct output_row) + row->outputs_at;
	struct entry *outputs = arena_array(w->arena, row->noutputs, struct entry);
	struct ident *idents = arena_array(w->arena, row->noutputs, struct ident);
	struct str *used = arena_array(w->arena, row->nused, struct str);
	struct walk_step *step = &w->steps[row->step];

	for (uint32_t i = 0; i < row->noutputs; i++) {
		const struct output_row *o = &rows[i];

		outputs[i] = (struct entry){
			.path = path_of(s, w->arena, o->file), .type = o->type, .mode = o->mode, .size = o->size,
			.digest = digests[o->file], .link = text_of(s, o->link),
		};
		idents[i] = all[o->file];
		watch_add(&w->watches, outputs[i].path, &idents[i], o->type == ENTRY_DIR ? WATCH_DIR : WATCH_FILE, FACT_NONE, &digests[o->file]);
	}
	for (uint32_t i = 0; i < row->nused; i++) {
		used[i] = path_of(s, w->arena, refs[i]);
		/* a folder behind a link is used with all it lists: as it was watched, so it goes on */
		watch_add(&w->watches, used[i], &all[refs[i]], kind_of(kinds[refs[i]]), FACT_NONE, &digests[refs[i]]);
	}
	*step = (struct walk_step){
		.state = WALK_KNOWN, .same = true, .key = row->key, .outputs = {outputs, row->noutputs}, .idents = idents,
		.used = used, .nused = row->nused,
	};
}

/* What a container is made of is no file of this machine: it is asked about again, at most once a run. */
static bool image_holds(const struct snapshot *s, struct walk *w, uint32_t step)
{
	const struct plan_step *of = &s->plan.steps[step];
	const struct image_fact *now;
	uint32_t image;

	if (!plan_image_of(&s->plan, of))
		return true;
	image = s->plan.places[of->place].image;
	now = images_fact(w->images, image);
	return image < s->h->images.n && now->identity.algo && digest_eq(&now->identity, &ROWS(s, images, struct digest)[image]);
}

bool snapshot_settle(struct snapshot *s, struct walk *w, uint32_t step, struct digest *key)
{
	const struct snapshot_step *row;

	if (s->keys_changed || !s->changed)
		return false;
	if (!s->row_of)
		index_steps(s);
	if (!s->row_of[step])
		return false;
	row = &ROWS(s, steps, struct snapshot_step)[s->row_of[step] - 1];
	if (!row->key.algo || !walk_needs_same(w, step) || !row_holds(s, row) || !image_holds(s, w, step))
		return false;
	settle_row(s, w, row);
	*key = row->key;
	return true;
}
