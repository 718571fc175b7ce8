/* Tar archives: the same entries give the same bytes and come back as they were; hostile ones are refused. */
#include <sys/mman.h>

#include "scratch.h"
#include "sys/archive.h"

static const struct tar_limits wide = {.entries = 1000, .file = 16 << 20, .total = 64 << 20};

static int into_buf(void *ctx, const void *bytes, size_t n, struct err *err)
{
	struct buf *b = ctx;

	buf_add(b, bytes, n);
	return b->full ? err_set(err, ERR_SYSTEM, "the buffer is full") : 0;
}

static ptrdiff_t from_str(void *ctx, void *into, size_t max, struct err *err)
{
	struct str *s = ctx;
	size_t n = s->n < max ? s->n : max;

	(void)err;
	memcpy(into, s->s, n);
	*s = str_from(*s, n);
	return (ptrdiff_t)n;
}

/* What was told of an archive, a line an entry. */
struct told { struct buf text; bool quiet; };

static int tell(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	struct told *t = ctx;
	char piece[7];          /* small, so that content comes in pieces */
	ptrdiff_t got;

	buf_fmt(&t->text, "%d %o " STR_FMT " %" PRIu64, e->type, e->mode, STR_ARG(e->name), e->size);
	if (e->type == TAR_LINK || e->type == TAR_HARDLINK)
		buf_fmt(&t->text, " -> " STR_FMT, STR_ARG(e->link));
	if (e->type == TAR_FILE && !t->quiet) {
		buf_c(&t->text, ' ');
		while ((got = tar_read(data, piece, sizeof(piece), err)) > 0)
			buf_add(&t->text, piece, (size_t)got);
		if (got < 0)
			return -1;
	}
	buf_c(&t->text, '\n');
	return 0;
}

static int tell_unclean(void *ctx, struct str raw, const char *why, struct err *err)
{
	struct told *t = ctx;

	(void)err;
	buf_fmt(&t->text, "unclean " STR_FMT "%s\n", STR_ARG(raw), why ? "" : "?");
	return 0;
}

static int read_it(struct str archive, const struct tar_limits *limits, bool lenient, struct told *t, struct err *err)
{
	struct tar_visitor visitor = {.entry = tell, .unclean = lenient ? tell_unclean : NULL, .ctx = t};

	buf_clear(&t->text);
	return tar_walk(from_str, &archive, limits, &visitor, err);
}

/* --- writing --- */

#define LONG "a-folder-whose-name-is-rather-long-a-folder-whose-name-is-rather-long-a-folder-whose-name-is-rather-long" \
	"-and-still-longer-and-still-longer-and-still-longer-and-still-longer-and-still-longer-and-still-longer-and-so-on"

static void write_sample(struct buf *out, int zstd)
{
	struct tar_options options = {.mtime = 1, .zstd = zstd};
	struct tar_entry entries[] = {
		{.name = S("z first"), .type = TAR_FILE, .mode = 0755, .size = 5},
		{.name = S("dir"), .type = TAR_DIR, .mode = 0700},
		{.name = S("dir/" LONG "/f"), .type = TAR_FILE, .mode = 0644, .size = 0},
		{.name = S("dir/\xff\xfe \xc3\xa4"), .type = TAR_LINK, .mode = 0777, .link = S("../../" LONG "/\xff")},
		{.name = S("a"), .type = TAR_FILE, .mode = 04755, .size = 3},
	};
	struct tar_writer *w;
	struct err err = ERR_INIT;
	int fd = memfd_create("content", MFD_CLOEXEC);

	if (write(fd, "abc", 3) != 3 || lseek(fd, 0, SEEK_SET) != 0)
		exit(1);
	buf_clear(out);
	ok(tar_create(&options, into_buf, out, &w, &err) == 0, "an archive is begun");
	ok(tar_add_bytes(w, &entries[0], "hello", &err) == 0 && tar_add(w, &entries[1], -1, &err) == 0 &&
	   tar_add_bytes(w, &entries[2], NULL, &err) == 0 && tar_add(w, &entries[3], -1, &err) == 0 &&
	   tar_add(w, &entries[4], fd, &err) == 0, "bytes, folders, links and files are added");
	ok(tar_finish(w, &err) == 0, "and it is ended");
	if (err.text)
		tap_show("error", str_of(err.text));
	err_release(&err);
	close(fd);
}

static const char sample[] =
	"0 755 z first 5 hello\n"
	"1 700 dir 0\n"
	"0 644 dir/" LONG "/f 0 \n"
	"2 777 dir/\xff\xfe \xc3\xa4 0 -> ../../" LONG "/\xff\n"
	"0 4755 a 3 abc\n";

static void test_round(int zstd)
{
	struct buf one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
	struct told t = {.text = BUF_INIT(1 << 20)};
	struct err err = ERR_INIT;

	write_sample(&one, zstd);
	sh("sleep 0.01");
	write_sample(&two, zstd);
	ok(one.n > 100 && str_eq(buf_view(&one), buf_view(&two)), "the same entries give the same bytes (zstd %d)", zstd);
	ok(read_it(buf_view(&one), &wide, false, &t, &err) == 0, "it is read");
	is_str(buf_view(&t.text), sample, "what was written comes back, in its order");
	t.quiet = true;
	ok(read_it(buf_view(&one), &wide, false, &t, &err) == 0 && strstr(t.text.s, "a 3"), "content that nobody takes is passed over");
	for (size_t cut = 1; cut < one.n - 1; cut += one.n / 7)
		if (cut % 512)
			ok(read_it(str_head(buf_view(&one), cut), &wide, false, &t, NULL) < 0 || cut > one.n - 1024,
			   "cut off at %zu it is refused", cut);
	buf_release(&one);
	buf_release(&two);
	buf_release(&t.text);
	err_release(&err);
}

static void test_other_programs(void)
{
	struct buf out = BUF_INIT(1 << 20);

	write_sample(&out, 0);
	ok(file_write(scratch_fd, "x.tar", buf_view(&out), 0644, NULL) == 0, "kept in a file");
	sh("tar tvf x.tar --numeric-owner --utc >list && test $(wc -l <list) = 5 && test $(grep -c ' 0/0 .*1970-01-01 00:00' list) = 5");
	sh("mkdir x && tar xf x.tar -C x && test $(cat x/a) = abc && grep -q ^-rwsr-xr-x.*a$ list && test -L \"x/dir/$(printf '\\377\\376 \\303\\244')\"");
	ok(true, "tar reads it as it was meant");
	sh("test $(tar tf x.tar 2>&1 | grep -c hdrcharset) = 1");
	ok(true, "and only the name that is no UTF-8 says that it is none");
	buf_release(&out);
}

static void test_refused_entries(void)
{
	static const char *const names[] = {"", "/etc/x", "a/../b", "..", ".", "./a", "a//b", "a/"};
	struct tar_options options = {0};
	struct buf out = BUF_INIT(1 << 20), none = BUF_INIT(1 << 20);
	struct tar_writer *w;
	struct err err = ERR_INIT;

	tar_create(&options, into_buf, &none, &w, NULL);
	tar_finish(w, NULL);
	tar_create(&options, into_buf, &out, &w, NULL);
	for (size_t i = 0; i < countof(names); i++)
		ok(tar_add(w, &(struct tar_entry){.name = str_of(names[i]), .type = TAR_DIR}, -1, NULL) < 0,
		   "\"%s\" is not packed", names[i]);
	ok(tar_add(w, &(struct tar_entry){.name = S("x"), .type = TAR_OTHER}, -1, NULL) < 0, "nor what is no file, folder or link");
	ok(tar_finish(w, NULL) == 0 && str_eq(buf_view(&out), buf_view(&none)), "and nothing of them is in the archive");
	buf_clear(&out);
	for (int64_t size = 2; size <= 4; size += 2) {
		struct tar_entry e = {.name = S("f"), .type = TAR_FILE, .mode = 0644, .size = (uint64_t)size};
		int fd = memfd_create("content", MFD_CLOEXEC);

		if (write(fd, "abc", 3) != 3 || lseek(fd, 0, SEEK_SET) != 0)
			exit(1);
		tar_create(&options, into_buf, &out, &w, NULL);
		ok(tar_add(w, &e, fd, &err) < 0 && strstr(err.text, "its size changed"), "a file of another size than said is an error");
		tar_drop(w);
		err_release(&err);
		close(fd);
	}
	buf_release(&out);
	buf_release(&none);
}

static void test_sink_fails(int zstd)
{
	struct tar_options options = {.zstd = zstd};
	struct tar_entry e = {.name = S("f"), .type = TAR_FILE, .size = 1 << 20};
	struct buf tiny = BUF_INIT(10);
	struct tar_writer *w;
	struct err err = ERR_INIT;
	char *bytes = xcalloc(1, e.size);
	int rc;

	for (size_t i = 0; i < e.size; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	tar_create(&options, into_buf, &tiny, &w, NULL);
	rc = tar_add_bytes(w, &e, bytes, &err);
	rc = rc < 0 ? (tar_drop(w), rc) : tar_finish(w, &err);
	ok(rc < 0 && err.text && !strcmp(err.text, "the buffer is full"), "the sink's own error comes back (zstd %d)", zstd);
	free(bytes);
	buf_release(&tiny);
	err_release(&err);
}

/* --- reading what others made --- */

static void header(struct buf *out, const char *name, char type, const char *link, uint64_t size)
{
	char h[512] = {0};
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	strcpy(h + 100, "0000644");
	strcpy(h + 108, "0000000");
	strcpy(h + 116, "0000000");
	snprintf(h + 124, 12, "%011llo", (unsigned long long)size);
	strcpy(h + 136, "00000000000");
	memset(h + 148, ' ', 8);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link);
	memcpy(h + 257, "ustar\0" "00", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(out, h, sizeof(h));
}

static void test_hostile(void)
{
	static const char zeros[1024];
	struct buf b = BUF_INIT(1 << 20);
	struct told t = {.text = BUF_INIT(1 << 20)};
	struct err err = ERR_INIT;

	header(&b, "./", '5', "", 0);
	header(&b, "./good/", '5', "", 0);
	header(&b, "../evil", '0', "", 0);
	header(&b, "/abs", '0', "", 0);
	header(&b, "a/../../b", '5', "", 0);
	header(&b, "dev", '3', "", 0);
	header(&b, "hard", '1', "/etc/passwd", 0);
	header(&b, "soft", '2', "/etc/passwd", 0);
	header(&b, "two", '1', "good/x", 0);
	buf_add(&b, zeros, sizeof(zeros));
	ok(read_it(buf_view(&b), &wide, true, &t, &err) == 0, "an archive with hostile names is read when they are dropped one by one");
	is_str(buf_view(&t.text), "1 644 good 0\nunclean ../evil\nunclean /abs\nunclean a/../../b\n4 644 dev 0\nunclean hard\n"
	       "2 644 soft 0 -> /etc/passwd\n3 644 two 0 -> good/x\n", "and only clean ones are handed on");
	ok(read_it(buf_view(&b), &wide, false, &t, &err) < 0 && strstr(err.text, "../evil"), "otherwise it is refused, and the name is in the error");
	err_release(&err);
	ok(read_it(buf_view(&b), &(struct tar_limits){.entries = 4, .file = 1, .total = 1}, true, &t, &err) < 0 &&
	   strstr(err.text, "more than 4 entries"), "too many entries are refused");
	err_release(&err);

	buf_clear(&b);
	header(&b, "big", '0', "", 512);
	buf_add(&b, zeros, 512);
	header(&b, "big", '0', "", 513);
	buf_add(&b, zeros, 1024);
	buf_add(&b, zeros, sizeof(zeros));
	ok(read_it(buf_view(&b), &(struct tar_limits){.entries = 4, .file = 512, .total = 2048}, true, &t, &err) == 0 &&
	   str_ends(buf_view(&t.text), S("\nunclean big\n")), "a file that is too large is dropped");
	ok(read_it(buf_view(&b), &(struct tar_limits){.entries = 4, .file = 512, .total = 1024}, true, &t, &err) < 0 &&
	   strstr(err.text, "more than 1024 bytes"), "what is dropped counts");
	err_release(&err);

	buf_clear(&b);
	header(&b, "huge", '0', "", 077777777777);
	ok(read_it(buf_view(&b), &wide, false, &t, NULL) < 0, "a size that is a lie is refused");
	buf_clear(&b);
	buf_z(&b, "this is no archive at all, but it is long enough to be looked at as one");
	ok(read_it(buf_view(&b), &wide, false, &t, &err) < 0 && err.text, "what is no archive is refused");
	err_release(&err);
	buf_release(&b);
	buf_release(&t.text);
}

static int stop_here(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	(void)data;
	++*(int *)ctx;
	return err_set(err, ERR_SYSTEM, "enough at " STR_FMT, STR_ARG(e->name));
}

static void test_stop(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int calls = 0;
	struct str s;

	write_sample(&b, 3);
	s = buf_view(&b);
	ok(tar_walk(from_str, &s, &wide, &(struct tar_visitor){.entry = stop_here, .ctx = &calls}, &err) < 0 && calls == 1 &&
	   !strcmp(err.text, "enough at z first"), "the visitor can end it");
	err_release(&err);
	buf_release(&b);
}

int main(void)
{
	scratch_make();
	test_round(0);
	test_round(3);
	test_other_programs();
	test_refused_entries();
	test_sink_fails(0);
	test_sink_fails(3);
	test_hostile();
	test_stop();
	scratch_remove();
	return done();
}
