#include "resolve/statcache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"

#define FORMAT 1

struct head {
	char magic[8];                  /* "cairnst" */
	uint32_t format, run;
	struct xxh sum;                 /* of everything behind the head */
	uint64_t entries, slots, texts; /* counts; bytes */
};

struct statcache {
	const struct head *head;
	size_t size;
	const struct statcache_entry *entries;
	const uint32_t *slots;
	const char *texts;
	uint8_t *used;                  /* by entry: found in this run */
};

static bool check(const struct head *h, size_t size)
{
	const char magic[8] = "cairnst";
	uint64_t rest = size - sizeof(*h);

	if (memcmp(h->magic, magic, sizeof(magic)) != 0 || h->format != FORMAT)
		return false;
	if (h->entries > rest / sizeof(struct statcache_entry) || h->slots > rest / sizeof(uint32_t) || h->texts > rest)
		return false;
	if (h->entries * sizeof(struct statcache_entry) + h->slots * sizeof(uint32_t) + h->texts != rest)
		return false;
	if (!h->slots || h->slots & (h->slots - 1) || h->slots <= h->entries)
		return false;
	return xxh_eq(h->sum, xxh_bytes(h + 1, rest));
}

struct statcache *statcache_open(const char *file)
{
	CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct statcache *s;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct head) ||
	    st.st_size > (off_t)STATCACHE_MAX)
		return NULL;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (!check(map, st.st_size)) {
		munmap(map, st.st_size);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->head = map;
	s->size = st.st_size;
	s->entries = (const void *)(s->head + 1);
	s->slots = (const void *)(s->entries + s->head->entries);
	s->texts = (const void *)(s->slots + s->head->slots);
	s->used = xcalloc(s->head->entries + 1, 1);
	return s;
}

void statcache_close(struct statcache *s)
{
	if (!s)
		return;
	munmap((void *)s->head, s->size);
	free(s->used);
	free(s);
}

static struct str path_of(const struct statcache *s, const struct statcache_entry *e)
{
	if (e->path > s->head->texts || e->n > s->head->texts - e->path)
		return S("");
	return (struct str){s->texts + e->path, e->n};
}

static uint64_t slot_for(struct str path, uint64_t nslots)
{
	return xxh_bytes(path.s, path.n).lo & (nslots - 1);
}

bool statcache_find(struct statcache *s, struct str path, const struct ident *ident, struct digest *out)
{
	uint64_t mask, at;

	if (!s)
		return false;
	mask = s->head->slots - 1;
	at = slot_for(path, s->head->slots);
	for (uint64_t tries = 0; tries <= mask && s->slots[at]; tries++, at = (at + 1) & mask) {
		const struct statcache_entry *e = &s->entries[s->slots[at] - 1];

		if (s->slots[at] > s->head->entries || !str_eq(path_of(s, e), path))
			continue;
		if (!ident_eq(&e->ident, ident))
			return false;
		*out = (struct digest){.algo = DIGEST_SHA256};
		memcpy(out->bytes, e->digest, sizeof(e->digest));
		__atomic_store_n(&s->used[e - s->entries], 1, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}

/* --- writing --- */

struct writer {
	struct buf entries, texts;
	uint64_t n;
};

static void put(struct writer *w, struct str path, const struct ident *ident, const uint8_t digest[32], uint32_t used)
{
	struct statcache_entry e = {.ident = *ident, .path = w->texts.n, .n = path.n, .used = used};

	memcpy(e.digest, digest, sizeof(e.digest));
	buf_add(&w->entries, &e, sizeof(e));
	buf_str(&w->texts, path);
	w->n++;
}

static void put_old(struct writer *w, const struct statcache *s, const struct statcache_item *items, size_t n, uint32_t run)
{
	struct map now = MAP_INIT;

	for (size_t i = 0; i < n; i++)
		map_put(&now, items[i].path, NULL);
	for (uint64_t i = 0; s && i < s->head->entries; i++) {
		const struct statcache_entry *e = &s->entries[i];
		uint32_t used = s->used[i] ? run : e->used;

		if (run - used < STATCACHE_RUNS && !map_has(&now, path_of(s, e)))
			put(w, path_of(s, e), &e->ident, e->digest, used);
	}
	map_release(&now);
}

static uint32_t *make_slots(const struct writer *w, uint64_t *nslots)
{
	const struct statcache_entry *entries = (const void *)w->entries.s;
	uint32_t *slots;

	for (*nslots = 16; *nslots < 2 * w->n; *nslots *= 2)
		;
	slots = xcalloc(*nslots, sizeof(*slots));
	for (uint64_t i = 0; i < w->n; i++) {
		uint64_t at = slot_for((struct str){w->texts.s + entries[i].path, entries[i].n}, *nslots);

		while (slots[at])
			at = (at + 1) & (*nslots - 1);
		slots[at] = i + 1;
	}
	return slots;
}

int statcache_save(const struct statcache *s, const char *file, const struct statcache_item *items, size_t n, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(STATCACHE_MAX);
	struct writer w = {BUF_INIT(STATCACHE_MAX), BUF_INIT(STATCACHE_MAX), 0};
	struct head head = {.magic = "cairnst", .format = FORMAT, .run = s ? s->head->run + 1 : 1};
	uint32_t *slots;

	for (size_t i = 0; i < n; i++)
		put(&w, items[i].path, &items[i].ident, items[i].digest.bytes, head.run);
	put_old(&w, s, items, n, head.run);
	if (w.entries.full || w.texts.full || w.n >= UINT32_MAX / 4) {
		buf_release(&w.entries);
		buf_release(&w.texts);
		return err_set(err, ERR_SYSTEM, "unable to write %s: it would be longer than %u bytes", file, STATCACHE_MAX);
	}
	slots = make_slots(&w, &head.slots);
	head.entries = w.n;
	head.texts = w.texts.n;
	buf_add(&out, &head, sizeof(head));
	buf_str(&out, buf_view(&w.entries));
	buf_add(&out, slots, head.slots * sizeof(*slots));
	buf_str(&out, buf_view(&w.texts));
	free(slots);
	buf_release(&w.entries);
	buf_release(&w.texts);
	if (out.full)
		return err_set(err, ERR_SYSTEM, "unable to write %s: it would be longer than %u bytes", file, STATCACHE_MAX);
	head.sum = xxh_bytes(out.s + sizeof(head), out.n - sizeof(head));
	memcpy(out.s, &head, sizeof(head));
	return file_write(AT_FDCWD, file, buf_view(&out), 0600, err);
}
