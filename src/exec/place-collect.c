/* place-collect.c: finds, reads and stores what a step wrote. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "exec/place-parts.h"
#include "resolve/content.h"
#include "resolve/madelink.h"
#include "sys/pool.h"
#include "sys/sha.h"

#define SMALL (1u << 20)                /* read into memory once; bigger files are searched and then hashed */
#define WINDOW (256u << 10)
#define SECRET_MIN 4                    /* shorter ones are in every file; see exec/log.h */

struct needles { struct str root, copy; struct str *secrets; size_t n; size_t longest; };

struct collect {
	struct place *p;
	struct entries *out;
	struct ident *idents;
	struct needles needles;
	bool to_store;
	atomic_bool store_failed;
	size_t *files, nfiles;          /* indices into out */
	bool *bound;                    /* parallel to out: contains the root */
	struct err *errs;               /* parallel to files */
};

static bool holds(const char *bytes, size_t n, struct str needle)
{
	return needle.n && memmem(bytes, n, needle.s, needle.n);
}

static int search(struct collect *c, size_t i, const char *bytes, size_t n, struct err *err)
{
	if (!c->bound[i] && (holds(bytes, n, c->needles.root) || holds(bytes, n, c->needles.copy)))
		c->bound[i] = true;
	for (size_t s = 0; s < c->needles.n; s++)
		if (c->needles.secrets[s].n >= SECRET_MIN && holds(bytes, n, c->needles.secrets[s]))
			return err_set(err, ERR_SYSTEM, "the output " STR_FMT " holds the value of a secret; it is not kept",
				       STR_ARG(c->out->v[i].path));
	return 0;
}

/* In windows that overlap by the longest needle. */
static int search_file(struct collect *c, size_t i, int fd, struct err *err)
{
	size_t cap = WINDOW + c->needles.longest, kept = 0;
	CLEANUP_FREE char *bytes = xmalloc(cap);
	ssize_t got;
	for (off_t at = 0; (got = pread(fd, bytes + kept, cap - kept, at)) != 0;) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "unable to read the output " STR_FMT, STR_ARG(c->out->v[i].path));
		at += got;
		size_t n = kept + (size_t)got;
		if (search(c, i, bytes, n, err))
			return -1;
		kept = n < c->needles.longest ? n : c->needles.longest;
		memmove(bytes, bytes + n - kept, kept);
	}
	return 0;
}

/* A store that fails costs the result, not the build: the rest is only hashed. */
static bool stores(struct collect *c) { return c->to_store && !atomic_load(&c->store_failed); }

static void give_up(struct collect *c, struct err *fault)
{
	if (!atomic_exchange(&c->store_failed, true))
		store_warn(c->p->store, "outputs are not kept: %s", fault->text ? fault->text : "the store failed");
	err_release(fault);
}

static int digest_small(struct collect *c, size_t i, int fd, size_t size, struct err *err)
{
	struct entry *e = &c->out->v[i];
	struct err fault = ERR_INIT;
	CLEANUP_FREE char *bytes = xmalloc(size + 1);
	size_t n = 0;
	for (ssize_t got; n < size && (got = pread(fd, bytes + n, size - n, (off_t)n)) != 0;) {
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR)
			return err_errno(err, "unable to read the output " STR_FMT, STR_ARG(e->path));
	}
	e->size = n;
	if (search(c, i, bytes, n, err))
		return -1;
	if (stores(c)) {
		if (!c->p->store->ops->write_bytes(c->p->store, (struct str){bytes, n}, &e->digest, &fault))
			return 0;
		give_up(c, &fault);
	}
	sha256_bytes(bytes, n, &e->digest);
	return 0;
}

static int digest_big(struct collect *c, size_t i, int fd, struct err *err)
{
	struct entry *e = &c->out->v[i];
	struct err fault = ERR_INIT;
	if (search_file(c, i, fd, err))
		return -1;
	if (stores(c)) {
		if (!c->p->store->ops->write_file(c->p->store, fd, &e->digest, &e->size, &fault))
			return 0;
		give_up(c, &fault);
	}
	return place_hash(fd, &e->digest, err);
}

/* On a pool thread. */
static void collect_file(void *ctx, size_t n)
{
	struct collect *c = ctx;
	size_t i = c->files[n];
	struct entry *e = &c->out->v[i];
	struct err *err = &c->errs[n];
	struct ident after;
	struct stat st;
	CLEANUP_FD int fd = beneath_open(c->p->rootfd, e->path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 || fstat(fd, &st)) {
		err_errno(err, "unable to read the output " STR_FMT, STR_ARG(e->path));
		return;
	}
	ident_of(&st, &c->idents[i]);
	e->mode = st.st_mode & 07777;
	e->size = (uint64_t)st.st_size;
	if (st.st_size <= (off_t)SMALL ? digest_small(c, i, fd, (size_t)st.st_size, err) : digest_big(c, i, fd, err))
		return;
	if (fstat(fd, &st)) {
		err_errno(err, "unable to look at the output " STR_FMT, STR_ARG(e->path));
		return;
	}
	ident_of(&st, &after);
	if (!ident_eq(&after, &c->idents[i]) || e->size != after.size)
		err_set(err, ERR_SYSTEM, "the output " STR_FMT " changed while it was read; something still writes it",
			STR_ARG(e->path));
}

/* What a link in the workspace points to, when that is a file in it. */
static void digest_target(struct collect *c, struct entry *e)
{
	CLEANUP_FD int fd = openat(c->p->rootfd, e->path.s, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || place_hash(fd, &e->digest, NULL))
		e->digest = (struct digest){0};
}

static int collect_link(struct collect *c, struct arena *a, struct beneath *at, size_t i, struct err *err)
{
	struct entry *e = &c->out->v[i], seen;
	const char *name;
	char text[PATH_MAX];
	int dir = beneath_parent(at, e->path, &name);
	ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof(text));
	if (n < 0)
		return err_errno(err, "unable to read the link " STR_FMT, STR_ARG(e->path));
	e->link = str_dup(a, (struct str){text, (size_t)n});
	if (madelink_leads_out(c->p->rootfd, str_of(c->p->root), e->path)) {
		e->digest = (struct digest){0};
	} else if (c->p->content) {
		content_forget(c->p->content, e->path);
		if (content_entry(c->p->content, e->path, &seen, NULL, NULL, err))
			return -1;
		e->digest = seen.digest;
	} else {
		digest_target(c, e);
	}
	return search(c, i, e->link.s, e->link.n, err);
}

/* A name is kept in records and ledgers, too. */
static int search_name(const struct collect *c, struct str path, struct err *err)
{
	for (size_t s = 0; s < c->needles.n; s++)
		if (c->needles.secrets[s].n >= SECRET_MIN && holds(path.s, path.n, c->needles.secrets[s]))
			return err_set(err, ERR_SYSTEM, "the name of an output holds the value of a secret; it is not kept");
	return 0;
}

static int collect_others(struct collect *c, struct arena *a, const struct standings *found, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(c->p->rootfd);
	for (size_t i = 0; i < found->v.n; i++) {
		const struct standing *s = &found->v.v[i];
		struct entry *e = &c->out->v[i];
		e->path = s->path;
		e->mode = s->st.st_mode & 07777;
		ident_of(&s->st, &c->idents[i]);
		if (search_name(c, e->path, err))
			return -1;
		if (S_ISREG(s->st.st_mode)) {
			e->type = ENTRY_FILE;
			c->files[c->nfiles++] = i;
		} else if (S_ISDIR(s->st.st_mode)) {
			e->type = ENTRY_DIR;
		} else if (S_ISLNK(s->st.st_mode)) {
			e->type = ENTRY_LINK;
			e->mode = 0777;
			if (collect_link(c, a, &at, i, err))
				return -1;
		} else {
			return err_set(err, ERR_SYSTEM, "the output " STR_FMT " is neither a file, a folder nor a link",
				       STR_ARG(e->path));
		}
	}
	return 0;
}

/* The first error by path, whichever thread came to it first. */
static int collect_files(struct collect *c, struct err *err)
{
	int rc = 0;
	if (c->nfiles)
		pool_each(c->nfiles, c->nfiles > 4 ? pool_cpus() : 1, collect_file, c);
	for (size_t n = 0; n < c->nfiles; n++) {
		if (err_any(&c->errs[n]) && !rc) {
			rc = -1;
			if (err)
				err_move(err, &c->errs[n]);
		}
		err_release(&c->errs[n]);
	}
	return rc;
}

static void set_needles(struct collect *c, const struct place_needles *more)
{
	struct needles *n = &c->needles;
	n->root = str_of(c->p->root);
	if (n->root.n < 2)
		n->root.n = 0;          /* "/" is in everything */
	n->longest = n->root.n;
	if (!more)
		return;
	n->copy = more->copy;
	if (n->copy.n > n->longest)
		n->longest = n->copy.n;
	n->secrets = more->secrets;
	n->n = more->nsecrets;
	for (size_t i = 0; i < n->n; i++)
		if (n->secrets[i].n > n->longest)
			n->longest = n->secrets[i].n;
}

static int collect_found(struct collect *c, struct arena *a, const struct plan *plan, uint32_t step,
			 const struct standings *found, struct str *root_bound, struct err *err)
{
	for (size_t i = 0; i < found->v.n; i++)
		if (!S_ISDIR(found->v.v[i].st.st_mode) && place_check_owner(c->p, plan, step, found->v.v[i].path, err))
			return -1;
	if (collect_others(c, a, found, err) || collect_files(c, err))
		return -1;
	for (size_t i = 0; i < found->v.n && !root_bound->n; i++)
		if (c->bound[i])
			*root_bound = c->out->v[i].path;
	return 0;
}

int place_collect(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, bool to_store,
		  const struct place_needles *more, struct entries *out, struct ident **idents, struct str *root_bound,
		  struct err *err)
{
	struct standings found = {0};
	if (sha256_init(err))
		return -1;
	int rc = place_standing(p, a, plan, step, WALK_NEEDED, &found, err);
	size_t n = found.v.n;
	struct collect c = {.p = p, .out = out, .to_store = to_store && p->store};
	*out = (struct entries){arena_array(a, n, struct entry), n};
	*root_bound = S("");
	*idents = c.idents = arena_array(a, n, struct ident);
	c.files = arena_array(a, n, size_t);
	c.bound = arena_array(a, n, bool);
	c.errs = arena_array(a, n, struct err);
	set_needles(&c, more);
	if (!rc)
		rc = collect_found(&c, a, plan, step, &found, root_bound, err);
	p->store_failed |= atomic_load(&c.store_failed);
	standings_release(&found);
	return rc;
}
