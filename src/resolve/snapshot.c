#include "resolve/snapshot-format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"

struct xxh snapshot_build(void)
{
	struct ident self = {0};
	struct stat st;

	if (stat("/proc/self/exe", &st) == 0)
		ident_of(&st, &self);
	self.ctime = 0;
	return xxh_bytes(&self, sizeof(self));
}

struct xxh snapshot_head_sum(const struct head *h)
{
	struct head copy = *h;

	copy.head_sum = (struct xxh){0};
	return xxh_bytes(&copy, sizeof(copy));
}

static bool section_ok(const struct head *h, struct span span, size_t row)
{
	return span.at % 8 == 0 && span.at >= sizeof(*h) && span.at <= h->size && span.n <= (h->size - span.at) / row;
}

static bool head_ok(const struct head *h, size_t size, int rootfd)
{
	struct stat root;

	return size >= sizeof(*h) && !memcmp(h->magic, SNAPSHOT_MAGIC, sizeof(h->magic)) && h->format == SNAPSHOT_FORMAT && h->size == size &&
	       xxh_eq(h->head_sum, snapshot_head_sum(h)) &&
	       fstat(rootfd, &root) == 0 && h->root_dev == root.st_dev && h->root_ino == root.st_ino &&
	       xxh_eq(h->build, snapshot_build()) && section_ok(h, h->folders, sizeof(struct folder)) &&
	       section_ok(h, h->names, sizeof(struct bytes)) && section_ok(h, h->idents, sizeof(struct ident)) &&
	       section_ok(h, h->kinds, 1) && section_ok(h, h->env, sizeof(struct env_row)) &&
	       section_ok(h, h->asked, sizeof(struct asked_row)) && section_ok(h, h->steps, sizeof(struct snapshot_step)) &&
	       section_ok(h, h->digests, sizeof(struct digest)) && section_ok(h, h->refs, 4) &&
	       section_ok(h, h->outputs, sizeof(struct output_row)) && section_ok(h, h->images, sizeof(struct digest)) &&
	       section_ok(h, h->texts, 1) && section_ok(h, h->plan, 1) &&
	       h->names.n == h->idents.n && h->names.n == h->kinds.n && h->names.n == h->digests.n &&
	       xxh_eq(h->sum, xxh_bytes(h + 1, h->texts.at + h->texts.n - sizeof(*h)));
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
		if (watch_holds(kind_of(kinds[i]), &idents[i], &now))
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

bool snapshot_whole(struct snapshot *s)
{
	size_t from = s->h->texts.at + s->h->texts.n;

	if (!s->whole)
		s->whole = xxh_eq(s->h->rest_sum, xxh_bytes((const char *)s->h + from, s->size - from)) ? 1 : -1;
	return s->whole > 0;
}

void snapshot_counts(const struct snapshot *s, size_t *hits, size_t *skipped)
{
	*hits = s->h->hits;
	*skipped = s->h->skipped;
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

struct str snapshot_file_path(struct arena *a, struct str folder, struct str name)
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
				watch_add(out, snapshot_file_path(a, text_of(s, f->path), text_of(s, names[k])), &idents[k],
					  fact == FACT_TYPE ? WATCH_TYPE : kind_of(kinds[k]), fact, NULL);
		}
	}
}

void snapshot_key_watches(const struct snapshot *s, struct arena *a, struct watches *out)
{
	const struct folder *folders = ROWS(s, folders, struct folder);
	const struct bytes *names = ROWS(s, names, struct bytes);
	const struct ident *idents = ROWS(s, idents, struct ident);
	const uint8_t *kinds = ROWS(s, kinds, uint8_t);

	for (uint64_t i = 0; !s->keys_changed && i < s->h->folders.n; i++)
		for (uint32_t k = folders[i].first; k < folders[i].first + folders[i].n; k++) {
			if (!any_key(kinds[k]))
				continue;
			watch_add(out, snapshot_file_path(a, text_of(s, folders[i].path), text_of(s, names[k])), &idents[k],
				  kind_of(kinds[k]), FACT_NONE, NULL);
			out->v[out->n - 1].any_key = true;
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
				content_tell(content, snapshot_file_path(&scratch, text_of(s, folders[i].path), text_of(s, names[k])),
					     &idents[k], &digests[k]);
	arena_release(&scratch);
}
