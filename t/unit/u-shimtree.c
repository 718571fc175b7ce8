/* A workspace into a real shim, outputs out of it. */
#include "scratch.h"
#include "shimrig.h"
#include "sys/archive.h"

static const char *program;
static struct arena arena;

static int sink(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
}

static struct tar_writer *begin(struct buf *out)
{
	struct tar_writer *w = NULL;
	struct tar_options options = {.mtime = 1000000000};
	buf_clear(out);
	if (tar_create(&options, sink, out, &w, NULL) < 0)
		abort();
	return w;
}

static void add(struct tar_writer *w, const char *name, enum tar_type type, unsigned mode, const char *what)
{
	struct tar_entry e = {.name = str_of(name), .type = type, .mode = (uint16_t)mode};
	if (type == TAR_FILE)
		e.size = strlen(what);
	if (type == TAR_LINK)
		e.link = str_of(what);
	if (tar_add_bytes(w, &e, what, NULL) < 0)
		abort();
}

/* Sends it, as far as it goes; was it taken? */
static bool put_from(struct rig *r, const char *root, uint32_t flags, struct str archive)
{
	int before = r->puts;
	struct shim_put p = {.root = root, .flags = flags};
	if (!shimlink_put(r->link, &p, NULL))
		return false;
	while (archive.n && !r->eof) {
		size_t room = shimlink_room(r->link), n = archive.n < room ? archive.n : room;
		shimlink_put_data(r->link, str_head(archive, n));
		archive = str_from(archive, n);
		if (archive.n)
			rig_turn(r);
	}
	shimlink_put_end(r->link);
	return rig_await(r, &r->puts, before) && !r->put_reason;
}

static bool get_to(struct rig *r, const char *root, const char *const *paths, size_t n, uint32_t flags)
{
	int before = r->gets;
	buf_clear(&r->archive);
	return shimlink_get(r->link, root, paths, n, flags, NULL) && rig_await(r, &r->gets, before) && !r->get_reason;
}

struct rest { struct str text; };

static ptrdiff_t source(void *ctx, void *into, size_t max, struct err *err)
{
	struct rest *s = ctx;
	size_t n = max < s->text.n ? max : s->text.n;
	(void)err;
	if (n)
		memcpy(into, s->text.s, n);
	s->text = str_from(s->text, n);
	return (ptrdiff_t)n;
}

static int on_entry(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	char bytes[64];
	ptrdiff_t n = e->type == TAR_FILE ? tar_read(data, bytes, sizeof(bytes), err) : 0;
	buf_fmt(ctx, STR_FMT " %o " STR_FMT "%.*s\n", STR_ARG(e->name), e->mode, STR_ARG(e->link), n < 30 ? (int)n : 0, bytes);
	return 0;
}

static const char *listing(struct str archive)
{
	struct buf seen CLEANUP_BUF = BUF_INIT(1 << 20);
	struct rest from = {archive};
	struct tar_limits limits = {10000, 1u << 30, 1u << 30};
	struct tar_visitor visitor = {.entry = on_entry, .ctx = &seen};
	if (tar_walk(source, &from, &limits, &visitor, NULL) < 0)
		return "(damaged)";
	return str_dup(&arena, buf_view(&seen)).s;
}

static const char *in(const char *name)
{
	return str_fmt(&arena, "%s/%s", scratch_path, name).s;
}

static void there_and_back(struct rig *r)
{
	struct buf a = BUF_INIT(64 << 20);
	const char *deep = "d/a-name-of-some-length/that-goes-on-for-a-while/and-on-and-on/until-it-fits-no-head-of-any-entry/file";
	struct tar_writer *w = begin(&a);
	add(w, "d", TAR_DIR, 0750, "");
	add(w, "d/empty", TAR_FILE, 0644, "");
	add(w, "d/exec", TAR_FILE, 0755, "#!/bin/sh\necho it runs\n");
	add(w, "d/link", TAR_LINK, 0777, "../nowhere");
	add(w, deep, TAR_FILE, 0600, "deep");
	add(w, "d/odd \n\xff*", TAR_FILE, 0644, "odd");
	add(w, "ro", TAR_DIR, 0555, "");
	add(w, "ro/inside", TAR_FILE, 0444, "ro");
	tar_finish(w, NULL);
	ok(put_from(r, in("ws"), 0, buf_view(&a)), "a workspace arrives");
	ok(rig_sh(r, str_fmt(&arena, "cd %s && d/exec && stat -c '%%a %%Y' d d/exec ro && readlink d/link", in("ws")).s), "where a step finds it");
	is_str(buf_view(&r->stream[1]), "it runs\n750 1000000000\n755 1000000000\n555 1000000000\n../nowhere\n", "with modes, times and links");
	const char *all[] = {"."};
	ok(get_to(r, in("ws"), all, 1, 0), "all of it comes back");
	const char *want = str_fmt(&arena, "d 750 \nd/a-name-of-some-length 755 \nd/a-name-of-some-length/that-goes-on-for-a-while 755 \n"
		"d/a-name-of-some-length/that-goes-on-for-a-while/and-on-and-on 755 \n"
		"d/a-name-of-some-length/that-goes-on-for-a-while/and-on-and-on/until-it-fits-no-head-of-any-entry 755 \n%s 600 deep\n"
		"d/empty 644 \nd/exec 755 #!/bin/sh\necho it runs\n\nd/link 777 ../nowhere\nd/odd \n\xff* 644 odd\nro 555 \nro/inside 444 ro\n", deep).s;
	is_str(str_of(listing(buf_view(&r->archive))), want, "as it was, sorted");
	struct buf first = BUF_INIT(64 << 20);
	buf_str(&first, buf_view(&r->archive));
	ok(put_from(r, in("ws2"), 0, buf_view(&first)) && get_to(r, in("ws2"), all, 1, 0) && str_eq(buf_view(&first), buf_view(&r->archive)),
	   "the archive of its copy is the same, byte for byte");
	buf_release(&first), buf_release(&a);
}

static void parts(struct rig *r)
{
	const char *some[] = {"d/exec", "ro"}, *none[] = {"d/none", "d/empty", "nowhere/at/all"}, *out[] = {"../ws2"}, *through[] = {"d/link/x"};
	ok(get_to(r, in("ws"), some, 2, 0), "some paths are asked for");
	is_str(str_of(listing(buf_view(&r->archive))), "d/exec 755 #!/bin/sh\necho it runs\n\nro 555 \nro/inside 444 ro\n", "and no others come");
	ok(!get_to(r, in("ws"), none, 3, 0) && r->get_reason == ENOENT && strstr(r->text.s, "d/none"), "one that is not there is an error that names it");
	ok(get_to(r, in("ws"), none, 3, GET_ABSENT), "unless it may be absent");
	is_str(str_of(listing(buf_view(&r->archive))), "d/empty 644 \n", "then the others come");
	ok(!get_to(r, in("ws"), out, 1, 0) && !get_to(r, in("ws"), through, 1, 0), "a path that leads out is refused");
	ok(get_to(r, in("ws"), some, 1, GET_LIST), "without contents");
	is_str(str_of(listing(buf_view(&r->archive))), "d/exec 755 \n", "there is a list");
	sh("mkfifo ws/fifo");
	const char *fifo[] = {"fifo"};
	ok(!get_to(r, in("ws"), fifo, 1, 0) && strstr(r->text.s, "fifo"), "what is no file, folder or link is an error");
	ok(!get_to(r, in("none"), some, 1, 0), "so is a folder that is not there");
}

static void unsafe(struct rig *r)
{
	struct buf a = BUF_INIT(1 << 20);
	sh("mkdir -p out ws3 && ln -s ../out ws3/link && echo kept >out/kept");
	struct tar_writer *w = begin(&a);
	add(w, "link/kept", TAR_FILE, 0644, "changed");
	tar_finish(w, NULL);
	ok(!put_from(r, in("ws3"), 0, buf_view(&a)), "nothing is written through a link");
	w = begin(&a);
	add(w, "l", TAR_LINK, 0777, in("out"));
	add(w, "l/new", TAR_FILE, 0644, "new");
	tar_finish(w, NULL);
	ok(!put_from(r, in("ws3"), 0, buf_view(&a)), "also when the archive brought it");
	sh("test \"$(cat out/kept)\" = kept && ! test -e out/new");
	ok(rig_sh(r, "true") && r->done.kind == SHIM_NOT_STARTED, "no step runs in a workspace that did not arrive");
	w = begin(&a);
	add(w, "link", TAR_FILE, 0644, "a file now");
	tar_finish(w, NULL);
	ok(put_from(r, in("ws3"), 0, buf_view(&a)), "a file takes the place of a link");
	sh("test \"$(cat ws3/link)\" = 'a file now' && test \"$(cat out/kept)\" = kept");
	ok(rig_sh(r, "true") && r->done.kind == SHIM_EXITED, "then steps run again");
	ok(!put_from(r, in("ws3"), 0, str_head(buf_view(&a), 700)) && r->put_reason == EBADMSG, "an archive that is cut off is refused");
	a.s[0] ^= 1;
	ok(!put_from(r, in("ws3"), 0, buf_view(&a)) && r->put_reason == EBADMSG, "and one that is damaged");
	buf_release(&a);
}

static void clean(struct rig *r)
{
	struct buf a = BUF_INIT(1 << 20);
	sh("mkdir -p ws4/deep/er ws4/ro && echo x >ws4/deep/er/x && echo y >ws4/ro/y && chmod 555 ws4/ro && ln -s ../out ws4/link && mkfifo ws4/fifo");
	struct tar_writer *w = begin(&a);
	add(w, "new", TAR_FILE, 0644, "new");
	tar_finish(w, NULL);
	ok(put_from(r, in("ws4"), PUT_CLEAN, buf_view(&a)), "a folder is emptied first where that is asked for");
	sh("test \"$(ls -A ws4)\" = new && test -e out/kept");
	if (geteuid() == 0) {
		int before = r->puts;
		struct shim_put p = {.root = in("ws5"), .has_user = true, .uid = 1234, .gid = 56};
		shimlink_put(r->link, &p, NULL);
		shimlink_put_data(r->link, buf_view(&a));
		shimlink_put_end(r->link);
		ok(rig_await(r, &r->puts, before) && !r->put_reason, "files may be somebody's");
		sh("test \"$(stat -c %%u:%%g ws5 ws5/new | sort -u)\" = 1234:56");
	}
	buf_release(&a);
}

/* Bigger than what either side keeps, over a stream that is cut. */
static void big(struct rig *r)
{
	struct buf a = BUF_INIT(64 << 20);
	struct tar_writer *w = begin(&a);
	char *bytes = xmalloc(9000001);
	for (size_t i = 0; i < 9000000; i++)
		bytes[i] = (char)('a' + (i * i + i / 7919) % 23);
	bytes[9000000] = '\0';
	add(w, "big", TAR_FILE, 0644, bytes);
	tar_finish(w, NULL);
	int cuts = r->cuts;
	r->cut_at = r->moved + 100000;
	ok(put_from(r, in("ws6"), PUT_CLEAN, buf_view(&a)), "a big archive arrives, though the stream is cut");
	const char *all[] = {"."};
	ok(get_to(r, in("ws6"), all, 1, 0) && r->cuts > cuts + 5, "and comes back");
	r->cut_at = UINT64_MAX;
	struct arena whole = ARENA_INIT;
	struct str file;
	ok(file_read(&whole, scratch_fd, "ws6/big", 10000000, &file, NULL) == 1 && file.n == 9000000 && !memcmp(file.s, bytes, file.n), "as it was");
	ok(r->archive.n > 9000000 && !memcmp(r->archive.s + 512, bytes, 9000000), "both ways");
	arena_release(&whole);
	free(bytes);
	buf_release(&a);
}

int main(void)
{
	struct rig r;
	signal(SIGPIPE, SIG_IGN);
	for (int installed = 1; installed >= 0; installed--) {
		scratch_make();
		program = rig_program(installed);
		rig_start(&r, program, NULL, false);
		there_and_back(&r);
		parts(&r);
		unsafe(&r);
		clean(&r);
		big(&r);
		is_int(rig_finish(&r), 0, "the shim ends as it was told");
		ok(!r.brokens, "and the stream was never refused");
		scratch_remove();
	}
	arena_release(&arena);
	return done();
}
