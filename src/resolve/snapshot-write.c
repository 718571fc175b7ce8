#include "resolve/snapshot-format.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/path.h"

struct writer {
	struct buf folders, names, idents, kinds, env, asked, digests, refs, outputs, images, texts;
	uint32_t nnames;
	struct map file_of;             /* path -> number of its file + 1 */
};

static struct bytes put_text(struct writer *w, struct str s)
{
	struct bytes t = {w->texts.n, s.n};

	buf_str(&w->texts, s);
	buf_c(&w->texts, 0);
	return t;
}

static struct str folder_of(const struct watch *w)
{
	struct str dir;

	if (w->kind == WATCH_LIST)
		return w->path;
	dir = path_dir(w->path);
	return dir.n || !w->path.n || w->path.s[0] != '/' ? dir : S("/");
}

/* By folder, its own listing first, then by path; of one path what compares most stands first. */
static int watch_order(const void *pa, const void *pb)
{
	const struct watch *a = *(const struct watch *const *)pa, *b = *(const struct watch *const *)pb;
	int c = str_cmp(folder_of(a), folder_of(b));

	if (!c)
		c = (a->kind != WATCH_LIST) - (b->kind != WATCH_LIST);
	if (!c)
		c = str_cmp(a->path, b->path);
	if (!c)
		c = (int)a->kind - (int)b->kind;
	return c ? c : a < b ? -1 : 1;
}

static void put_file(struct writer *w, const struct watch *watch, enum watch_fact fact, bool keys, struct folder *f)
{
	struct bytes name = put_text(w, watch->path.n ? path_name(watch->path) : S("."));
	uint8_t kind = watch->kind | keys << 3 | fact << 4;

	buf_add(&w->names, &name, sizeof(name));
	buf_add(&w->idents, &watch->ident, sizeof(watch->ident));
	buf_add(&w->kinds, &kind, 1);
	buf_add(&w->digests, &watch->digest, sizeof(watch->digest));
	*map_put(&w->file_of, watch->path, NULL) = (void *)(uintptr_t)++w->nnames;
	f->n++;
}

static bool same_place(const struct watch *a, const struct watch *b)
{
	return (a->kind == WATCH_LIST) == (b->kind == WATCH_LIST) && str_eq(a->path, b->path);
}

static void put_watches(struct writer *w, const struct watches *all)
{
	const struct watch **order = xcalloc(all->n + 1, sizeof(*order));
	struct folder folder = {0};

	for (size_t i = 0; i < all->n; i++)
		order[i] = &all->v[i];
	qsort(order, all->n, sizeof(*order), watch_order);
	for (size_t i = 0, next; i < all->n; i = next) {
		const struct watch *now = order[i];
		enum watch_fact fact = FACT_NONE;
		bool keys = false;

		for (next = i; next < all->n && same_place(order[next], now); next++) {
			if (order[next]->fact > fact)
				fact = order[next]->fact;
			keys |= order[next]->any_key;
		}
		if (!i || !str_eq(folder_of(order[i - 1]), folder_of(now))) {
			if (i)
				buf_add(&w->folders, &folder, sizeof(folder));
			folder = (struct folder){.path = put_text(w, folder_of(now)), .first = w->nnames};
		}
		if (now->kind == WATCH_LIST) {
			folder.ident = now->ident;
			folder.listed = 1;
		} else {
			put_file(w, now, fact, keys, &folder);
		}
	}
	if (all->n)
		buf_add(&w->folders, &folder, sizeof(folder));
	free(order);
}

static void put_facts(struct writer *w, const struct snapshot_save *save)
{
	for (size_t i = 0; i < save->nenv; i++) {
		struct env_row row = {put_text(w, save->env[i].name), save->env[i].value, save->env[i].set};

		buf_add(&w->env, &row, sizeof(row));
	}
	for (size_t i = 0; i < save->nasked; i++) {
		struct asked_row row = {put_text(w, save->asked[i].text), save->asked[i].answer, save->asked[i].kind};

		buf_add(&w->asked, &row, sizeof(row));
	}
}

static uint32_t file_of(const struct writer *w, struct str path)
{
	uintptr_t number = (uintptr_t)map_get(&w->file_of, path);

	if (!number)
		BUG("a step rests on a path nobody watches");
	return number - 1;
}

static void put_step(struct writer *w, const struct walk_step *known, struct snapshot_step *row)
{
	row->used_at = w->refs.n / sizeof(uint32_t);
	row->nused = known->nused;
	for (size_t i = 0; i < known->nused; i++) {
		uint32_t file = file_of(w, known->used[i]);

		buf_add(&w->refs, &file, sizeof(file));
	}
	row->outputs_at = w->outputs.n / sizeof(struct output_row);
	row->noutputs = known->outputs.n;
	for (size_t i = 0; i < known->outputs.n; i++) {
		const struct entry *e = &known->outputs.v[i];
		struct output_row o = {.size = e->size, .link = put_text(w, e->link), .file = file_of(w, e->path), .mode = e->mode, .type = e->type};

		buf_add(&w->outputs, &o, sizeof(o));
	}
}

static void put_steps(struct writer *w, const struct snapshot_save *save)
{
	for (uint32_t i = 0; i < save->nsteps; i++)
		if (save->steps[i].key.algo)
			put_step(w, &save->walk->steps[save->steps[i].step], &save->steps[i]);
}

/* What each image was when keys were made with it; none for one that nobody asked about. */
static void put_images(struct writer *w, const struct snapshot_save *save)
{
	for (uint32_t i = 0; i < save->plan->nimages; i++) {
		const struct image_fact *fact = images_known(save->walk->images, i);
		struct digest none = {0};

		buf_add(&w->images, fact ? &fact->identity : &none, sizeof(none));
	}
}

static void place(struct buf *out, struct span *span, const void *bytes, size_t size, size_t n)
{
	static const char zero[8];

	buf_add(out, zero, (8 - out->n % 8) % 8);
	*span = (struct span){out->n, n};
	buf_add(out, bytes, size);
}

static void assemble(struct buf *out, struct writer *w, const struct snapshot_save *save, int rootfd)
{
	struct head h = {.format = SNAPSHOT_FORMAT, .quiet = save->quiet, .build = snapshot_build()};
	struct stat root;
	size_t from;

	for (uint32_t i = 0; i < save->nsteps; i++) {
		h.hits += save->steps[i].state == KEPT_HIT;
		h.skipped += save->steps[i].state == KEPT_SKIPPED;
	}
	memcpy(h.magic, SNAPSHOT_MAGIC, sizeof(h.magic));
	if (fstat(rootfd, &root) == 0) {
		h.root_dev = root.st_dev;
		h.root_ino = root.st_ino;
	}
	buf_add(out, &h, sizeof(h));
	place(out, &h.folders, w->folders.s, w->folders.n, w->folders.n / sizeof(struct folder));
	place(out, &h.names, w->names.s, w->names.n, w->nnames);
	place(out, &h.idents, w->idents.s, w->idents.n, w->nnames);
	place(out, &h.kinds, w->kinds.s, w->kinds.n, w->nnames);
	place(out, &h.env, w->env.s, w->env.n, save->nenv);
	place(out, &h.texts, w->texts.s, w->texts.n, w->texts.n);
	from = out->n;
	place(out, &h.asked, w->asked.s, w->asked.n, save->nasked);
	place(out, &h.steps, save->steps, save->nsteps * sizeof(*save->steps), save->nsteps);
	place(out, &h.digests, w->digests.s, w->digests.n, w->nnames);
	place(out, &h.refs, w->refs.s, w->refs.n, w->refs.n / sizeof(uint32_t));
	place(out, &h.outputs, w->outputs.s, w->outputs.n, w->outputs.n / sizeof(struct output_row));
	place(out, &h.images, w->images.s, w->images.n, save->plan->nimages);
	place(out, &h.plan, save->plan->head, save->plan->head->size, save->plan->head->size);
	h.size = out->n;
	h.sum = xxh_bytes(out->s + sizeof(h), from - sizeof(h));
	h.rest_sum = xxh_bytes(out->s + from, out->n - from);
	h.head_sum = snapshot_head_sum(&h);
	memcpy(out->s, &h, sizeof(h));
}

int snapshot_write(const char *path, int rootfd, const struct snapshot_save *save, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct writer w;
	int rc;

	memset(&w, 0, sizeof(w));
	w.folders.limit = w.names.limit = w.idents.limit = w.kinds.limit = BUF_UNLIMITED;
	w.env.limit = w.asked.limit = w.digests.limit = w.refs.limit = w.outputs.limit = w.images.limit = w.texts.limit = BUF_UNLIMITED;
	put_watches(&w, save->watches);
	put_facts(&w, save);
	put_steps(&w, save);
	put_images(&w, save);
	assemble(&out, &w, save, rootfd);
	rc = file_write(AT_FDCWD, path, buf_view(&out), 0600, err);
	for (struct buf *b = &w.folders; b <= &w.texts; b++)
		buf_release(b);
	map_release(&w.file_of);
	return rc;
}
