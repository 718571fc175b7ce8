/* place-save.c: nothing that cairn did not write itself goes before the store has it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "exec/place-parts.h"
#include "sys/sha.h"

int place_hash(int fd, struct digest *out, struct err *err)
{
	char small[16384];
	const size_t big = 256u << 10;
	CLEANUP_FREE char *chunk = NULL;
	struct sha256 sha;
	ssize_t got;
	if (sha256_init(err))
		return -1;
	while ((got = pread(fd, small, sizeof(small), 0)) < 0 && errno == EINTR)
		;
	if (got >= 0 && (size_t)got < sizeof(small)) {
		sha256_bytes(small, (size_t)got, out);
		return 0;
	}
	sha256_begin(&sha);
	chunk = xmalloc(big);
	for (off_t at = 0; (got = pread(fd, chunk, big, at)) != 0; at += got > 0 ? got : 0) {
		if (got > 0)
			sha256_add(&sha, chunk, (size_t)got);
		else if (errno != EINTR)
			break;
	}
	int e = errno;
	sha256_end(&sha, out);
	errno = e;
	return got ? err_errno(err, "unable to read a file") : 0;
}

struct entry *place_find(const struct entries *entries, struct str path)
{
	struct entry key = {.path = path};
	return entries->n ? bsearch(&key, entries->v, entries->n, sizeof(key), entry_cmp) : NULL;
}

/* What a step wrote there last: this one, or one that is no more. */
static const struct entry *known(struct place *p, struct str path, const struct entries *old)
{
	const struct entry *e = old ? place_find(old, path) : NULL;
	struct entries theirs;
	struct str owner;
	if (e && e->type != ENTRY_DIR)
		return e;
	owner = ledger_owner(p->ledger, path);
	return owner.s && ledger_outputs(p->ledger, owner, &theirs) ? place_find(&theirs, path) : NULL;
}

int place_unmodified(int dir, const char *name, const struct stat *st, const struct entry *e, struct err *err)
{
	if (S_ISLNK(st->st_mode)) {
		char text[PATH_MAX];
		ssize_t n = readlinkat(dir, name, text, sizeof(text));
		return e->type == ENTRY_LINK && n >= 0 && str_eq(e->link, (struct str){text, (size_t)n});
	}
	if (!S_ISREG(st->st_mode) || e->type != ENTRY_FILE || e->size != (uint64_t)st->st_size)
		return 0;
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct digest d;
	if (fd < 0)
		return err_errno(err, "unable to read " STR_FMT, STR_ARG(e->path));
	if (place_hash(fd, &d, err))
		return err_wrap(err, "unable to read " STR_FMT, STR_ARG(e->path));
	return digest_eq(&d, &e->digest);
}

static int no_store(struct str path, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "unable to replace " STR_FMT ": no step wrote what is there, and without a cache it can't "
		       "be saved; move it away", STR_ARG(path));
}

static void tell(struct place *p, struct str path, const struct digest *d)
{
	if (p->saved)
		p->saved(p->ctx, path, d);
}

static int save_file(struct place *p, int dir, const char *name, struct str path, const struct entry *e, uint64_t size,
		     bool *unmodified, struct err *err)
{
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !fchmodat(dir, name, 0400, 0))
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct digest d;
	if (fd < 0)
		return err_errno(err, "unable to read " STR_FMT ", which is to be replaced", STR_ARG(path));
	if (place_hash(fd, &d, err))
		return err_wrap(err, "unable to save " STR_FMT ", which is to be replaced", STR_ARG(path));
	*unmodified = e && e->type == ENTRY_FILE && e->size == size && digest_eq(&e->digest, &d);
	if (*unmodified || !size)
		return 0;
	if (!p->store)
		return no_store(path, err);
	bool present = false;
	if (p->store->ops->has(p->store, &d, 1, &present, NULL) == 0 && present)
		return 0;
	struct digest kept;
	if (p->store->ops->write_file(p->store, fd, &kept, &size, err))
		return err_wrap(err, "unable to save " STR_FMT ", which no step wrote and which is to be replaced", STR_ARG(path));
	tell(p, path, &kept);
	return 0;
}

/* A link's text is small enough to be kept whenever it is another. */
static int save_link(struct place *p, int dir, const char *name, struct str path, const struct entry *e, bool *unmodified,
		     struct err *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, name, text, sizeof(text));
	if (n < 0)
		return err_errno(err, "unable to read the link " STR_FMT ", which is to be replaced", STR_ARG(path));
	struct str link = {text, (size_t)n};
	*unmodified = e && e->type == ENTRY_LINK && str_eq(e->link, link);
	if (*unmodified)
		return 0;
	if (!p->store)
		return no_store(path, err);
	struct digest d;
	if (sha256_init(err) || p->store->ops->write_bytes(p->store, link, &d, err))
		return err_wrap(err, "unable to save the link " STR_FMT ", which is to be replaced", STR_ARG(path));
	tell(p, path, &d);
	return 0;
}

int place_save(struct place *p, int dir, const char *name, struct str path, const struct entries *old, bool *unmodified,
	       struct err *err)
{
	struct stat st;
	*unmodified = false;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_errno(err, "unable to look at " STR_FMT, STR_ARG(path));
	const struct entry *e = known(p, path, old);
	if (S_ISREG(st.st_mode))
		return save_file(p, dir, name, path, e, (uint64_t)st.st_size, unmodified, err);
	if (S_ISLNK(st.st_mode))
		return save_link(p, dir, name, path, e, unmodified, err);
	return 0;               /* a socket or pipe holds nothing */
}

int place_save_below(struct place *p, struct str folder, struct str path, const struct entries *old, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct standings found = {0};
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	int rc = place_below(p, &a, folder, &found, err);
	for (size_t i = 0; !rc && i < found.v.n; i++) {
		const struct standing *s = &found.v.v[i];
		const char *name;
		bool unmodified;
		if (S_ISDIR(s->st.st_mode))
			continue;
		int dir = beneath_parent(&at, s->path, &name);
		struct str was = str_fmt(&a, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(str_from(s->path, folder.n)));
		rc = dir < 0 ? err_errno(err, "unable to look at " STR_FMT, STR_ARG(was)) :
			       place_save(p, dir, name, was, old, &unmodified, err);
	}
	standings_release(&found);
	arena_release(&a);
	return rc;
}

static uint32_t family(const struct plan *plan, uint32_t step)
{
	uint32_t of = plan->steps[step].variant_of;
	return of == PLAN_NONE ? step : of;
}

int place_check_owner(struct place *p, const struct plan *plan, uint32_t step, struct str path, struct err *err)
{
	struct str owner = ledger_owner(p->ledger, path), me = plan_step_name(plan, step);
	if (!owner.s || str_eq(owner, me))
		return 0;
	uint32_t other = plan_find_step(plan, owner);
	if (other == PLAN_NONE || family(plan, other) == family(plan, step))
		return 0;
	return err_set(err, ERR_SYSTEM, "the output " STR_FMT " of " STR_FMT " was written by " STR_FMT
		       "; two steps can't have the same output", STR_ARG(path), STR_ARG(me), STR_ARG(owner));
}
