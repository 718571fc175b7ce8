#include "resolve/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"

#define SNAPSHOT_FORMAT 2
static const char magic[8] = "cairnst";

struct span { uint64_t at, n; };        /* bytes from the file's start, count */

struct head {
	char magic[8];
	uint32_t format, quiet;
	struct xxh build;               /* of the program's own identity */
	struct xxh sum;                 /* of everything behind the head */
	uint64_t size;
	uint64_t root_dev, root_ino;
	struct span folders, names, idents, kinds, env, asked, steps, digests, refs, outputs, texts, plan;
};

struct bytes { uint32_t at, n; };
struct folder { struct bytes path; struct ident ident; uint32_t first, n; uint32_t listed, pad; };
struct env_row { struct bytes name; struct xxh value; uint64_t set; };
struct asked_row { struct bytes text; struct xxh answer; uint64_t kind; };

struct output_row { uint64_t size; struct bytes link; uint32_t file; uint16_t mode; uint8_t type, pad; };

struct snapshot {
	const struct head *h;
	size_t size;
	struct plan plan;
	uint8_t *changed;               /* by file, after a check; heap */
	bool keys_changed;              /* something that any key may rest on */
	uint32_t *row_of;               /* by step id: row in steps + 1; made on first use */
	struct str *folder_of;          /* by file; made on first use */
};

#define ROWS(s, section, type) ((const type *)((const char *)(s)->h + (s)->h->section.at))

static struct str text_of(const struct snapshot *s, struct bytes t) { return (struct str){ROWS(s, texts, char) + t.at, t.n}; }

/* The program that wrote a snapshot is part of it: another build may see things otherwise. */
static struct xxh build_id(void)
{
	struct ident self = {0};
	struct stat st;

	if (stat("/proc/self/exe", &st) == 0)
		ident_of(&st, &self);
	self.ctime = 0;
	return xxh_bytes(&self, sizeof(self));
}

static bool section_ok(const struct head *h, struct span span, size_t row)
{
	return span.at % 8 == 0 && span.at >= sizeof(*h) && span.at <= h->size && span.n <= (h->size - span.at) / row;
}

static bool head_ok(const struct head *h, size_t size, int rootfd)
{
	struct stat root;

	return size >= sizeof(*h) && !memcmp(h->magic, magic, sizeof(magic)) && h->format == SNAPSHOT_FORMAT && h->size == size &&
	       fstat(rootfd, &root) == 0 && h->root_dev == root.st_dev && h->root_ino == root.st_ino &&
	       xxh_eq(h->build, build_id()) && section_ok(h, h->folders, sizeof(struct folder)) &&
	       section_ok(h, h->names, sizeof(struct bytes)) && section_ok(h, h->idents, sizeof(struct ident)) &&
	       section_ok(h, h->kinds, 1) && section_ok(h, h->env, sizeof(struct env_row)) &&
	       section_ok(h, h->asked, sizeof(struct asked_row)) && section_ok(h, h->steps, sizeof(struct snapshot_step)) &&
	       section_ok(h, h->digests, sizeof(struct digest)) && section_ok(h, h->refs, 4) &&
	       section_ok(h, h->outputs, sizeof(struct output_row)) && section_ok(h, h->texts, 1) && section_ok(h, h->plan, 1) &&
	       h->names.n == h->idents.n && h->names.n == h->kinds.n && h->names.n == h->digests.n;
}

int snapshot_open(const char *path, int rootfd, struct snapshot **out)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct snapshot *s;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(struct head))
		return 0;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return 0;
	s = xcalloc(1, sizeof(*s));
	s->h = map;
	s->size = st.st_size;
	if (head_ok(s->h, s->size, rootfd) &&
	    plan_open((const char *)map + s->h->plan.at, s->h->plan.n, false, &s->plan, NULL) == 0) {
		*out = s;
		return 1;
	}
	snapshot_close(s);
	return 0;
}

void snapshot_close(struct snapshot *s)
{
	if (!s)
		return;
	munmap((void *)s->h, s->size);
	free(s->changed);
	free(s->row_of);
	free(s->folder_of);
	free(s);
}

static bool env_same(const struct snapshot *s)
{
	const struct env_row *rows = ROWS(s, env, struct env_row);

	for (uint64_t i = 0; i < s->h->env.n; i++) {
		const char *now = getenv(text_of(s, rows[i].name).s);

		if (!!now != rows[i].set || !xxh_eq(fact_env_hash(now), rows[i].value))
			return false;
	}
	return true;
}

static bool ident_holds(const struct ident *was, const struct ident *now, int kind)
{
	if (kind == WATCH_DIR)
		return was->mode == now->mode;
	if (kind == WATCH_TYPE)
		return (was->mode & S_IFMT) == (now->mode & S_IFMT);
	return ident_eq(was, now);
}

/* A file's kind, whether any key may rest on it, and what the plan makes of it, in one byte. */
static unsigned kind_of(uint8_t k) { return k & 7; }
static bool any_key(uint8_t k) { return k & 8; }
static unsigned fact_of(uint8_t k) { return k >> 4; }

static enum snapshot_check worse(enum snapshot_check a, enum snapshot_check b) { return a > b ? a : b; }

static enum snapshot_check file_changed(const struct ident *was, const struct ident *now, unsigned fact)
{
	if (fact == FACT_SPEC)
		return SNAPSHOT_STALE;
	if (fact == FACT_ASK || (fact == FACT_TYPE && (was->mode & S_IFMT) != (now->mode & S_IFMT)))
		return SNAPSHOT_ASK;
	return SNAPSHOT_PLAN;
}

static enum snapshot_check check_folder(struct snapshot *s, const struct folder *f, int rootfd)
{
	const struct bytes *names = ROWS(s, names, struct bytes);
	const struct ident *idents = ROWS(s, idents, struct ident);
	const uint8_t *kinds = ROWS(s, kinds, uint8_t);
	struct str path = text_of(s, f->path);
	CLEANUP_FD int fd = openat(rootfd, path.n ? path.s : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum snapshot_check worst = SNAPSHOT_SAME;
	struct stat st;

	if (f->listed) {
		struct ident now = {0};

		if (fd >= 0 && fstat(fd, &st) == 0)
			ident_of(&st, &now);
		if (!ident_eq(&now, &f->ident))
			worst = SNAPSHOT_ASK;
	}
	for (uint32_t i = f->first; i < f->first + f->n; i++) {
		struct ident now = {0};

		if (fd >= 0 && fstatat(fd, text_of(s, names[i]).s, &st, AT_SYMLINK_NOFOLLOW) == 0)
			ident_of(&st, &now);
		if (ident_holds(&idents[i], &now, kind_of(kinds[i])))
			continue;
		s->changed[i] = 1;
		s->keys_changed |= any_key(kinds[i]);
		worst = worse(worst, file_changed(&idents[i], &now, fact_of(kinds[i])));
	}
	return worst;
}

enum snapshot_check snapshot_check(struct snapshot *s, int rootfd)
{
	const struct folder *folders = ROWS(s, folders, struct folder);
	enum snapshot_check worst = s->h->quiet ? SNAPSHOT_SAME : SNAPSHOT_PLAN;

	if (!env_same(s))
		worst = SNAPSHOT_STALE;
	s->changed = xcalloc(s->h->names.n + 1, 1);
	for (uint64_t i = 0; i < s->h->folders.n; i++)
		worst = worse(worst, check_folder(s, &folders[i], rootfd));
	return worst;
}

const struct plan *snapshot_plan(const struct snapshot *s) { return &s->plan; }

const struct snapshot_step *snapshot_steps(const struct snapshot *s, uint32_t *n)
{
	*n = s->h->steps.n;
	return ROWS(s, steps, struct snapshot_step);
}

const struct asked *snapshot_asked(struct snapshot *s, struct arena *a, size_t *n)
{
	const struct asked_row *rows = ROWS(s, asked, struct asked_row);
	struct asked *out = arena_array(a, s->h->asked.n, struct asked);

	*n = s->h->asked.n;
	for (size_t i = 0; i < *n; i++)
		out[i] = (struct asked){rows[i].kind, text_of(s, rows[i].text), rows[i].answer};
	return out;
}

const struct fact_env *snapshot_env(struct snapshot *s, struct arena *a, size_t *n)
{
	const struct env_row *rows = ROWS(s, env, struct env_row);
	struct fact_env *out = arena_array(a, s->h->env.n, struct fact_env);

	*n = s->h->env.n;
	for (size_t i = 0; i < *n; i++)
		out[i] = (struct fact_env){text_of(s, rows[i].name), rows[i].set, rows[i].value};
	return out;
}

static struct str file_path(struct arena *a, struct str folder, struct str name)
{
	return !folder.n ? name : str_is(folder, "/") ? str_fmt(a, "/" STR_FMT, STR_ARG(name)) :
		str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name));
}

void snapshot_fact_watches(const struct snapshot *s, struct arena *a, bool listings, struct watches *out)
{
	const struct folder *folders = ROWS(s, folders, struct folder);
	const struct bytes *names = ROWS(s, names, struct bytes);
	const struct ident *idents = ROWS(s, idents, struct ident);
	const uint8_t *kinds = ROWS(s, kinds, uint8_t);

	for (uint64_t i = 0; i < s->h->folders.n; i++) {
		const struct folder *f = &folders[i];

		if (f->listed && listings)
			watch_add(out, text_of(s, f->path), &f->ident, WATCH_LIST, FACT_ASK, NULL);
		for (uint32_t k = f->first; k < f->first + f->n; k++) {
			unsigned fact = fact_of(kinds[k]);

			/* a source whose type alone matters has a new identity once it is edited: the key's watch brings that */
			if (fact == FACT_SPEC || (fact && listings))
				watch_add(out, file_path(a, text_of(s, f->path), text_of(s, names[k])), &idents[k],
					  fact == FACT_TYPE ? WATCH_TYPE : kind_of(kinds[k]), fact, NULL);
		}
	}
}

void snapshot_teach(const struct snapshot *s, struct content *content)
{
	const struct folder *folders = ROWS(s, folders, struct folder);
	const struct bytes *names = ROWS(s, names, struct bytes);
	const struct ident *idents = ROWS(s, idents, struct ident);
	const struct digest *digests = ROWS(s, digests, struct digest);
	struct arena scratch = ARENA_INIT;

	for (uint64_t i = 0; i < s->h->folders.n; i++)
		for (uint32_t k = folders[i].first; k < folders[i].first + folders[i].n; k++)
			if (!s->changed[k] && digests[k].algo && S_ISREG(idents[k].mode))
				content_tell(content, file_path(&scratch, text_of(s, folders[i].path), text_of(s, names[k])),
					     &idents[k], &digests[k]);
	arena_release(&scratch);
}

/* --- taking steps over --- */

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
	return file_path(a, s->folder_of[file], text_of(s, ROWS(s, names, struct bytes)[file]));
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
		watch_add(&w->watches, used[i], &all[refs[i]], S_ISDIR(all[refs[i]].mode) ? WATCH_DIR : WATCH_FILE, FACT_NONE, &digests[refs[i]]);
	}
	*step = (struct walk_step){
		.state = WALK_KNOWN, .same = true, .key = row->key, .outputs = {outputs, row->noutputs}, .idents = idents,
		.used = used, .nused = row->nused,
	};
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
	if (!row->key.algo || !walk_needs_same(w, step) || !row_holds(s, row))
		return false;
	settle_row(s, w, row);
	*key = row->key;
	return true;
}

/* --- writing --- */

struct writer {
	struct buf folders, names, idents, kinds, env, asked, digests, refs, outputs, texts;
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

static void place(struct buf *out, struct span *span, const void *bytes, size_t size, size_t n)
{
	static const char zero[8];

	buf_add(out, zero, (8 - out->n % 8) % 8);
	*span = (struct span){out->n, n};
	buf_add(out, bytes, size);
}

static void assemble(struct buf *out, struct writer *w, const struct snapshot_save *save, int rootfd)
{
	struct head h = {.format = SNAPSHOT_FORMAT, .quiet = save->quiet, .build = build_id()};
	struct stat root;

	memcpy(h.magic, magic, sizeof(magic));
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
	place(out, &h.asked, w->asked.s, w->asked.n, save->nasked);
	place(out, &h.steps, save->steps, save->nsteps * sizeof(*save->steps), save->nsteps);
	place(out, &h.digests, w->digests.s, w->digests.n, w->nnames);
	place(out, &h.refs, w->refs.s, w->refs.n, w->refs.n / sizeof(uint32_t));
	place(out, &h.outputs, w->outputs.s, w->outputs.n, w->outputs.n / sizeof(struct output_row));
	place(out, &h.plan, save->plan->head, save->plan->head->size, save->plan->head->size);
	h.size = out->n;
	h.sum = xxh_bytes(out->s + sizeof(h), out->n - sizeof(h));
	memcpy(out->s, &h, sizeof(h));
}

int snapshot_write(const char *path, int rootfd, const struct snapshot_save *save, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct writer w;
	int rc;

	memset(&w, 0, sizeof(w));
	w.folders.limit = w.names.limit = w.idents.limit = w.kinds.limit = BUF_UNLIMITED;
	w.env.limit = w.asked.limit = w.digests.limit = w.refs.limit = w.outputs.limit = w.texts.limit = BUF_UNLIMITED;
	put_watches(&w, save->watches);
	put_facts(&w, save);
	put_steps(&w, save);
	assemble(&out, &w, save, rootfd);
	rc = file_write(AT_FDCWD, path, buf_view(&out), 0600, err);
	for (struct buf *b = &w.folders; b <= &w.texts; b++)
		buf_release(b);
	map_release(&w.file_of);
	return rc;
}
