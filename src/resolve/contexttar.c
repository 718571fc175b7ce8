#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "resolve/context.h"
#include "sys/sha.h"

#define AT_ONCE (4u << 20)              /* bytes of a file that is held in memory */

struct packing {
	struct tar_writer *tar;
	const struct context *context;
	int rootfd;
	struct err *err;
};

static int moved(struct packing *p, struct str path)
{
	return err_set(p->err, ERR_SYSTEM, "unable to send " STR_FMT " to the container build: it is no longer what it was when the "
		       "build was planned", STR_ARG(path));
}

/* A small file is sent as it was compared. */
static int pack_at_once(struct packing *p, const struct tar_entry *e, const struct entry *was, struct str path, int fd)
{
	CLEANUP_FREE char *bytes = xmalloc(was->size + 1);
	struct digest digest;
	size_t n = 0;
	ssize_t got;

	while (n <= was->size && (got = read(fd, bytes + n, was->size + 1 - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_errno(p->err, "unable to read " STR_FMT, STR_ARG(path));
		if (got > 0)
			n += got;
	}
	sha256_bytes(bytes, n, &digest);
	if (n != was->size || !digest_eq(&digest, &was->digest))
		return moved(p, path);
	return tar_add_bytes(p->tar, e, bytes, p->err);
}

/* A large one is sent and then compared, and must not have been touched in between. */
static int pack_large(struct packing *p, const struct tar_entry *e, const struct entry *was, struct str path, int fd,
		      const struct ident *before)
{
	struct sha256 sha;
	struct digest digest;
	struct ident after;
	struct stat st;
	char bytes[65536];
	ssize_t got = 0;

	if (tar_add(p->tar, e, fd, p->err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(p->err, "unable to read " STR_FMT, STR_ARG(path));
	sha256_begin(&sha);
	do {
		if (got > 0)
			sha256_add(&sha, bytes, got);
		got = read(fd, bytes, sizeof(bytes));
	} while (got > 0 || (got < 0 && errno == EINTR));
	sha256_end(&sha, &digest);
	if (got < 0 || fstat(fd, &st) < 0)
		return err_errno(p->err, "unable to read " STR_FMT, STR_ARG(path));
	ident_of(&st, &after);
	return ident_eq(before, &after) && digest_eq(&digest, &was->digest) ? 0 : moved(p, path);
}

static int pack_file(struct packing *p, const struct tar_entry *e, const struct entry *was, struct str path)
{
	CLEANUP_FD int fd = openat(p->rootfd, path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct ident ident;
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return moved(p, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(p->err, "unable to open " STR_FMT, STR_ARG(path));
	ident_of(&st, &ident);
	if (!S_ISREG(st.st_mode) || ident.size != was->size || !(st.st_mode & 0100) != !(was->mode & 0100))
		return moved(p, path);
	if (was->size <= AT_ONCE)
		return pack_at_once(p, e, was, path, fd);
	return pack_large(p, e, was, path, fd, &ident);
}

static int pack(struct packing *p, struct arena *arena, const struct entry *was)
{
	struct tar_entry e = {.name = was->path, .mode = was->mode, .size = was->size, .link = was->link};
	struct str dir = p->context->dir, path = was->path;

	e.type = was->type == ENTRY_LINK ? TAR_LINK : was->type == ENTRY_DIR ? TAR_DIR : TAR_FILE;
	if (e.type != TAR_FILE)
		return tar_add(p->tar, &e, -1, p->err);
	if (dir.n)
		path = str_fmt(arena, STR_FMT "%s" STR_FMT, STR_ARG(dir), str_ends(dir, S("/")) ? "" : "/", STR_ARG(path));
	return pack_file(p, &e, was, path);
}

static int pack_text(struct packing *p, const char *name, struct str text)
{
	struct tar_entry e = {.name = str_of(name), .type = TAR_FILE, .mode = 0644, .size = text.n};

	return tar_add_bytes(p->tar, &e, text.s, p->err);
}

int context_tar(const struct context *context, int rootfd, struct str containerfile, tar_sink *sink, void *ctx, struct err *err)
{
	struct packing p = {.context = context, .rootfd = rootfd, .err = err};
	struct tar_options options = {.mtime = CONTEXT_MTIME};
	struct arena scratch = ARENA_INIT;
	int rc;

	if (sha256_init(err) < 0 || tar_create(&options, sink, ctx, &p.tar, err) < 0)
		return -1;
	rc = pack_text(&p, CONTEXT_CONTAINERFILE, containerfile);
	if (rc == 0)
		rc = pack_text(&p, ".dockerignore", S("/" CONTEXT_CONTAINERFILE "\n/.dockerignore\n"));
	for (size_t i = 0; i < context->n && rc == 0; i++)
		rc = pack(&p, &scratch, &context->files[i].entry);
	arena_release(&scratch);
	if (rc == 0)
		return tar_finish(p.tar, err);
	tar_drop(p.tar);
	return rc;
}
