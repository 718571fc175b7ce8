/* module: pkg libarchive */
#include "sys/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

/* libarchive converts the names of PAX headers, which are UTF-8, into the locale's charset; ours is UTF-8 always. */
static locale_t utf8;

__attribute__((constructor)) static void find_locale(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
}

static const char *reason(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text ? text : "libarchive gives no reason";
}

/* --- writing --- */

struct tar_writer {
	struct archive *a;
	struct archive_entry *entry;
	struct tar_options options;
	tar_sink *sink;
	void *ctx;
	int fd;
	struct err *err;                /* of the call that is under way */
	bool told;                      /* the sink has set it */
	char chunk[CHUNK];
};

static int write_failed(struct tar_writer *w, const char *what)
{
	return w->told ? -1 : err_set(w->err, ERR_SYSTEM, "unable to %s: %s", what, reason(w->a));
}

static la_ssize_t pass_on(struct archive *a, void *ctx, const void *bytes, size_t n)
{
	struct tar_writer *w = ctx;

	if (w->sink(w->ctx, bytes, n, w->err) == 0)
		return (la_ssize_t)n;
	w->told = true;
	archive_set_error(a, EIO, "the sink failed");
	return -1;
}

static int write_fd(void *ctx, const void *bytes, size_t n, struct err *err)
{
	const int *fd = ctx;
	const char *at = bytes;

	while (n) {
		ssize_t put = write(*fd, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(err, "unable to write the archive");
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

static int set_filter(struct tar_writer *w)
{
	char level[16];

	if (!w->options.zstd)
		return archive_write_add_filter_none(w->a);
	snprintf(level, sizeof(level), "%d", w->options.zstd);
	/* ARCHIVE_WARN: libarchive was built without and would start a program */
	return archive_write_add_filter_zstd(w->a) == ARCHIVE_OK ?
		archive_write_set_filter_option(w->a, "zstd", "compression-level", level) : ARCHIVE_FAILED;
}

static void drop(struct tar_writer *w)
{
	if (w->a) {
		archive_write_fail(w->a);       /* or freeing it would write */
		archive_write_free(w->a);
	}
	archive_entry_free(w->entry);
	free(w);
}

static int create(const struct tar_options *options, tar_sink *sink, void *ctx, struct tar_writer **out, struct err *err)
{
	struct tar_writer *w = xmalloc(sizeof(*w));

	*w = (struct tar_writer){.a = archive_write_new(), .entry = archive_entry_new(), .options = *options, .err = err};
	w->fd = sink ? -1 : *(int *)ctx;
	w->sink = sink ? sink : write_fd;
	w->ctx = sink ? ctx : &w->fd;
	if (!w->a || !w->entry)
		BUG("libarchive is out of memory");
	if (archive_write_set_format_pax_restricted(w->a) != ARCHIVE_OK ||
	    set_filter(w) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(w->a, CHUNK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w->a, 1) != ARCHIVE_OK ||
	    archive_write_open(w->a, w, NULL, pass_on, NULL) != ARCHIVE_OK) {
		write_failed(w, "begin an archive");
		drop(w);
		return -1;
	}
	*out = w;
	return 0;
}

static char *z(struct str s)
{
	char *out = xmalloc(s.n + 1);

	memcpy(out, s.s, s.n);
	out[s.n] = '\0';
	return out;
}

static void set_header(struct tar_writer *w, const struct tar_entry *e, const char *name)
{
	char *link CLEANUP_FREE = e->type == TAR_LINK ? z(e->link) : NULL;

	archive_entry_clear(w->entry);
	archive_entry_copy_pathname(w->entry, name);
	archive_entry_set_filetype(w->entry, e->type == TAR_FILE ? AE_IFREG : e->type == TAR_DIR ? AE_IFDIR : AE_IFLNK);
	archive_entry_set_perm(w->entry, e->mode & 07777);
	archive_entry_set_size(w->entry, e->type == TAR_FILE ? (la_int64_t)e->size : 0);
	archive_entry_set_mtime(w->entry, w->options.mtime, 0);
	archive_entry_set_uid(w->entry, w->options.uid);
	archive_entry_set_gid(w->entry, w->options.gid);
	if (link)
		archive_entry_copy_symlink(w->entry, link);
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.s[i] >= 0x80)
			return false;
	return true;
}

static int put_header(struct tar_writer *w, const struct tar_entry *e)
{
	locale_t old = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc = archive_write_header(w->a, w->entry);

	if (old)
		uselocale(old);
	/* what is no UTF-8 is warned of and written as the bytes it is */
	if (rc == ARCHIVE_OK || (rc == ARCHIVE_WARN && !(is_ascii(e->name) && is_ascii(e->link))))
		return 0;
	return write_failed(w, "write a header into the archive");
}

static int put(struct tar_writer *w, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		la_ssize_t done = archive_write_data(w->a, at, n);

		if (done <= 0)
			return write_failed(w, "write into the archive");
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static ssize_t take(int fd, void *into, size_t max)
{
	ssize_t got;

	do
		got = read(fd, into, max);
	while (got < 0 && errno == EINTR);
	return got;
}

static int put_fd(struct tar_writer *w, int fd, uint64_t size, const char *name)
{
	uint64_t left = size;

	for (;;) {
		/* one byte more than is left, to see that it ends there */
		ssize_t got = take(fd, w->chunk, left < CHUNK ? (size_t)left + 1 : CHUNK);

		if (got < 0)
			return err_errno(w->err, "unable to read %s", name);
		if ((uint64_t)got > left || (!got && left))
			return err_set(w->err, ERR_SYSTEM, "unable to pack %s: its size changed meanwhile, it was %llu bytes", name,
				       (unsigned long long)size);
		if (!got)
			return 0;
		if (put(w, w->chunk, (size_t)got) < 0)
			return -1;
		left -= (uint64_t)got;
	}
}

static int add(struct tar_writer *w, const struct tar_entry *e, int fd, const void *bytes, struct err *err)
{
	char *name CLEANUP_FREE = z(e->name);
	int rc = 0;

	w->err = err;
	set_header(w, e, name);
	if (put_header(w, e) < 0)
		return -1;
	if (e->type == TAR_FILE)
		rc = bytes ? put(w, bytes, e->size) : put_fd(w, fd, e->size, name);
	if (rc == 0 && archive_write_finish_entry(w->a) != ARCHIVE_OK)
		rc = write_failed(w, "write into the archive");
	return rc;
}

static int finish(struct tar_writer *w, struct err *err)
{
	int rc = 0;

	w->err = err;
	if (archive_write_close(w->a) != ARCHIVE_OK)
		rc = write_failed(w, "end the archive");
	drop(w);
	return rc;
}

/* --- reading --- */

struct tar_data {
	struct archive *a;
	tar_source *source;
	void *ctx;
	int fd;
	const struct tar_limits *limits;
	const struct tar_visitor *visitor;
	uint64_t entries, total;
	struct err *err;                /* of the call that is under way */
	bool told;                      /* the source has set it */
	char chunk[CHUNK];
};

static int read_failed(struct tar_data *t)
{
	return t->told ? -1 : err_set(t->err, ERR_SYSTEM, "unable to read the archive: %s", reason(t->a));
}

static la_ssize_t bring(struct archive *a, void *ctx, const void **out)
{
	struct tar_data *t = ctx;
	ptrdiff_t got = t->source(t->ctx, t->chunk, CHUNK, t->err);

	*out = t->chunk;
	if (got >= 0)
		return (la_ssize_t)got;
	t->told = true;
	archive_set_error(a, EIO, "the source failed");
	return -1;
}

static ptrdiff_t read_fd(void *ctx, void *into, size_t max, struct err *err)
{
	const int *fd = ctx;
	ssize_t got = take(*fd, into, max);

	return got < 0 ? err_errno(err, "unable to read the archive") : got;
}

/* Without a leading "./" and slashes at the end. */
static struct str trimmed(const char *name)
{
	struct str s = str_of(name);

	while (s.n >= 2 && s.s[0] == '.' && s.s[1] == '/')
		for (s = str_from(s, 2); s.n && s.s[0] == '/'; s = str_from(s, 1))
			;
	while (s.n > 1 && s.s[s.n - 1] == '/')
		s.n--;
	return s;
}

static enum tar_type type_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return TAR_HARDLINK;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return TAR_FILE;
	case AE_IFDIR:
		return TAR_DIR;
	case AE_IFLNK:
		return TAR_LINK;
	default:
		return TAR_OTHER;
	}
}

static void describe(struct archive_entry *entry, struct tar_entry *e)
{
	const char *name = archive_entry_pathname(entry);

	*e = (struct tar_entry){
		.name = trimmed(name ? name : ""),
		.type = type_of(entry),
		.mode = archive_entry_perm(entry) & 07777,
	};
	if (e->type == TAR_FILE && archive_entry_size(entry) > 0)
		e->size = (uint64_t)archive_entry_size(entry);
	if (e->type == TAR_HARDLINK)
		e->link = trimmed(archive_entry_hardlink(entry));
	else if (e->type == TAR_LINK)
		e->link = str_of(archive_entry_symlink(entry));
}

/* What speaks against handing it on; NULL: nothing. */
static const char *unclean(struct tar_data *t, const struct tar_entry *e, bool warned)
{
	if (warned)
		return reason(t->a);
	if (!tar_name_clean(e->name))
		return "its name is not a clean relative path";
	if (e->type == TAR_HARDLINK && !tar_name_clean(e->link))
		return "it is linked to what is not a clean relative path";
	if (e->type == TAR_LINK && !e->link.n)
		return "it is a link to nothing";
	return e->size > t->limits->file ? "it is larger than a file may be here" : NULL;
}

static int see(struct tar_data *t, struct archive_entry *entry, bool warned, struct err *err)
{
	uint64_t size = archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
	struct tar_entry e;
	const char *why;

	describe(entry, &e);
	if (++t->entries > t->limits->entries)
		return err_set(err, ERR_SYSTEM, "unable to read the archive: it has more than %llu entries",
			       (unsigned long long)t->limits->entries);
	/* What is passed over is unpacked, too. */
	if (size > t->limits->total - t->total)
		return err_set(err, ERR_SYSTEM, "unable to read the archive: it holds more than %llu bytes",
			       (unsigned long long)t->limits->total);
	t->total += size;
	if (!e.name.n || str_is(e.name, "."))
		return 0;
	why = unclean(t, &e, warned);
	if (!why)
		return t->visitor->entry(t->visitor->ctx, &e, t, err);
	if (t->visitor->unclean)
		return t->visitor->unclean(t->visitor->ctx, e.name, why, err);
	return err_set(err, ERR_SYSTEM, "unable to read the archive: \"" STR_FMT "\" in it is refused: %s", STR_ARG(e.name), why);
}

static int next(struct tar_data *t, struct archive_entry **entry)
{
	locale_t old = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc = archive_read_next_header(t->a, entry);

	if (old)
		uselocale(old);
	return rc;
}

static int each(struct tar_data *t, struct err *err)
{
	struct archive_entry *entry;
	int rc;

	for (;;) {
		t->err = err;
		rc = next(t, &entry);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return read_failed(t);
		if (see(t, entry, rc == ARCHIVE_WARN, err) < 0)
			return -1;
	}
}

static int walk(tar_source *source, void *ctx, const struct tar_limits *limits, const struct tar_visitor *visitor, struct err *err)
{
	struct tar_data *t = xmalloc(sizeof(*t));
	int rc;

	*t = (struct tar_data){.a = archive_read_new(), .limits = limits, .visitor = visitor, .err = err};
	t->fd = source ? -1 : *(int *)ctx;
	t->source = source ? source : read_fd;
	t->ctx = source ? ctx : &t->fd;
	if (!t->a)
		BUG("libarchive is out of memory");
	if (archive_read_support_format_tar(t->a) != ARCHIVE_OK || archive_read_support_filter_zstd(t->a) != ARCHIVE_OK ||
	    archive_read_open2(t->a, t, NULL, bring, NULL, NULL) != ARCHIVE_OK)
		rc = read_failed(t);
	else
		rc = each(t, err);
	archive_read_free(t->a);
	free(t);
	return rc;
}

static ptrdiff_t read_data(struct tar_data *t, void *into, size_t max, struct err *err)
{
	la_ssize_t got;

	t->err = err;
	got = archive_read_data(t->a, into, max);
	return got < 0 ? read_failed(t) : (ptrdiff_t)got;
}

extern const struct archive_ops cairn_module;
const struct archive_ops cairn_module = {
	.create = create, .add = add, .finish = finish, .drop = drop, .walk = walk, .read = read_data,
};
