/* readahead.c: many files at once, by worker threads: before they are asked for, and once more after a run
 * for what was racy. The rest of content.h. */
#include <stdlib.h>

#include "resolve/contentparts.h"
#include "resolve/hashfile.h"
#include "sys/pool.h"
#include "sys/sha.h"

/* A file to read, for a worker. */
struct job {
	struct known *known;
	struct ident ident;
	struct digest digest;
	struct err err;
	uint64_t bytes;
	int got;                        /* as hashfile */
	bool read;                      /* it has to be */
};

struct jobs { struct content *c; struct job *v; };

static void job_look(void *ctx, size_t i)
{
	struct jobs *jobs = ctx;
	struct job *j = &jobs->v[i];

	j->got = file_ident(jobs->c->rootfd, os_path(j->known->path), &j->ident, &j->err);
	if (j->got == 1 && S_ISREG(j->ident.mode))
		j->read = !statcache_find(jobs->c->kept, j->known->path, &j->ident, &j->digest);
}

static void job_read(void *ctx, size_t i)
{
	struct jobs *jobs = ctx;
	struct job *j = &jobs->v[i];

	if (j->read)
		j->got = hashfile(jobs->c->rootfd, j->known->path.s, &j->digest, &j->ident, &j->bytes, &j->err);
}

/* What a worker found becomes known. Links and what is neither are left to content_entry. */
static void job_take(struct content *c, struct job *j)
{
	struct known *k = j->known;

	if (j->read && j->got == 1) {
		c->files++;
		c->bytes += j->bytes;
		c->learnt = true;
	}
	if (j->got < 0) {
		k->state = KNOWN_FAILED;
		k->error = str_dup(c->arena, str_of(j->err.text ? j->err.text : "unable to read a file"));
	} else if (j->got == 1 && S_ISREG(j->ident.mode)) {
		known_set_file(k, &j->ident, &j->digest, j->read && content_is_racy(c, &j->ident, c->now));
	} else if (j->got == 1 && S_ISDIR(j->ident.mode)) {
		known_set(k, ENTRY_DIR, &j->ident);
	} else if (!j->got && !j->read) {
		known_set(k, ENTRY_ABSENT, &j->ident);
	}
	err_release(&j->err);
}

void content_prefetch(struct content *c, const struct str *paths, size_t n, unsigned threads)
{
	struct jobs jobs = {c, xcalloc(n + 1, sizeof(struct job))};
	size_t count = 0, reads = 0;

	for (size_t i = 0; i < n; i++) {
		struct known *k = content_known(c, paths[i]);

		if (k->state == KNOWN_NOT) {
			k->state = KNOWN_FAILED;        /* so that a path given twice is one job */
			jobs.v[count++].known = k;
		}
	}
	pool_each(count, threads, job_look, &jobs);
	for (size_t i = 0; i < count; i++)
		reads += jobs.v[i].read;
	if (reads) {
		content_ask_clock(c);
		if (sha256_init(NULL) == 0)
			pool_each(count, threads, job_read, &jobs);
		else                            /* content_entry says why */
			for (size_t i = 0; i < count; i++)
				jobs.v[i].got *= !jobs.v[i].read;
	}
	for (size_t i = 0; i < count; i++) {
		jobs.v[i].known->state = KNOWN_NOT;
		job_take(c, &jobs.v[i]);
	}
	free(jobs.v);
}

/* --- settling --- */

static bool wants_settling(const struct known *k, enum entry_type type)
{
	return k->racy && k->entry.type == type && (k->state == KNOWN_LOOKED || k->state == KNOWN_TOLD);
}

static int settle_files(struct content *c, size_t *moved, struct err *err)
{
	struct jobs jobs = {c, xcalloc(c->known.n + 1, sizeof(struct job))};
	size_t n = 0;

	for (size_t i = 0; i < c->known.n; i++)
		if (wants_settling(c->known.entries[i].value, ENTRY_FILE))
			jobs.v[n++] = (struct job){.known = c->known.entries[i].value, .read = true};
	if (n && sha256_init(err) < 0) {
		free(jobs.v);
		return -1;
	}
	pool_each(n, n > 1 ? pool_cpus() : 1, job_read, &jobs);
	for (size_t i = 0; i < n; i++) {
		struct job *j = &jobs.v[i];
		struct digest before = j->known->entry.digest;

		j->known->state = KNOWN_NOT;
		job_take(c, j);
		if (j->known->state != KNOWN_LOOKED || j->known->racy || !digest_eq(&before, &j->known->entry.digest))
			++*moved;
	}
	free(jobs.v);
	return 0;
}

int content_settle(struct content *c, size_t *moved, struct err *err)
{
	*moved = 0;
	content_ask_clock(c);
	if (settle_files(c, moved, err) < 0)
		return -1;
	for (size_t i = 0; i < c->known.n; i++) {
		struct known *k = c->known.entries[i].value;
		struct digest before = k->entry.digest;

		if (!wants_settling(k, ENTRY_LINK))
			continue;
		k->state = KNOWN_NOT;
		if (content_look(c, k, err) < 0)
			return -1;
		*moved += k->racy || !digest_eq(&before, &k->entry.digest);
	}
	return 0;
}
