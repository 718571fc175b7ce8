/* The context of a container build: what is listed, what enters the key, what is sent. t/3100-build.t builds with engines. */
#include "plan/manifest.h"
#include "resolve/context.h"
#include "scratch.h"
#include "sys/sha.h"

static struct arena arena;

static const struct cfile_image image = {.identity = {"sha256:base", 11}};
static const struct cfile_image *image_of(void *ctx, struct str ref, struct str platform)
{
	(void)ref;
	(void)platform;
	return ctx ? ctx : &image;
}

/* One look at the scratch folder. */
struct look {
	struct str text;                /* of the Containerfile */
	struct cfile_needs needs;
	struct context context;
	struct buf manifest;
	struct digest key;
	int rc;
	struct err err;
};

static bool hide(void *ctx, struct str path) { return str_is(path, ctx); }

static void look_with(struct look *k, const char *text, const char *rules, const char *dir, struct cfile_ask *ask, const char *hidden)
{
	struct listing listing = {.arena = &arena, .rootfd = scratch_fd, .root = str_of(scratch_path)};
	struct source *src = arena_new(&arena, struct source), *ignore = arena_new(&arena, struct source);
	struct context_ask context = {.dir = str_of(dir), .needs = &k->needs, .threads = 1, .ctx = (void *)hidden};
	struct content *content;
	struct cfile *file;

	*k = (struct look){.text = str_of(text), .manifest = BUF_INIT(MANIFEST_MAX), .rc = -1};
	*src = (struct source){S("Containerfile"), k->text};
	*ignore = (struct source){S(".dockerignore"), str_of(rules)};
	ask->image = image_of;
	context.hidden = hidden ? hide : NULL;
	content = content_open(&arena, scratch_fd, str_of(scratch_path), NULL, &k->err);
	if (cfile_parse(&arena, src, &file, &k->err) == 0 && cfile_reach(&arena, file, ask, &k->needs, &k->err) == 0 &&
	    contextignore_read(&arena, ignore, &context.ignore, &k->err) == 0 &&
	    context_read(&arena, &listing, content, &context, &k->context, &k->err) == 0)
		k->rc = context_key(&k->needs, k->text, ask->platform, &k->context, &k->manifest, &k->key, &k->err);
	content_close(content);
	listing_release(&listing);
}

static void look(struct look *k, const char *text, const char *rules)
{
	struct cfile_ask ask = {.platform = S("linux/amd64")};

	look_with(k, text, rules, "ctx", &ask, NULL);
}

static void look_end(struct look *k)
{
	buf_release(&k->manifest);
	err_release(&k->err);
}

/* "a/ a/x a/p* l@": folders, programs, links */
static struct str listed(const struct look *k)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	for (size_t i = 0; i < k->context.n; i++) {
		const struct entry *e = &k->context.files[i].entry;

		buf_fmt(&b, "%s%.*s%s", i ? " " : "", STR_ARG(e->path),
			e->type == ENTRY_DIR ? "/" : e->type == ENTRY_LINK ? "@" : e->mode & 0100 ? "*" : "");
	}
	return str_dup(&arena, buf_view(&b));
}

static void plant(void)
{
	sh("mkdir -p ctx/src/deep ctx/doc ctx/empty ctx/.git other && cd ctx && echo c >src/a.c && echo h >src/a.h && echo d >src/deep/d.c &&"
	   "printf '#!/bin/sh\\n' >run && chmod 755 run && echo m >doc/m.md && echo s >doc/secret && ln -s src/a.c link && ln -s src dirlink &&"
	   "ln -s /nowhere/../x src/out && echo g >.git/HEAD && echo FROM >Containerfile && echo x >.dockerignore && echo x >.containerignore");
}

static const struct { const char *name, *text, *rules, *want; } lists[] = {
	{"all, but for the ignore files", "FROM a\nCOPY . /", "",
	 ".git/ .git/HEAD Containerfile dirlink@ doc/ doc/m.md doc/secret empty/ link@ run* src/ src/a.c src/a.h src/deep/ src/deep/d.c src/out@"},
	{"nothing that is left out", "FROM a\nCOPY . /", "*\n!src\nsrc/deep\n!src/deep/*.c\n!doc/*.md",
	 "doc/ doc/m.md src/ src/a.c src/a.h src/deep/ src/deep/d.c src/out@"},
	{"a folder whose content is left out is empty", "FROM a\nCOPY . /", "**/*\n!doc", "doc/ doc/m.md doc/secret"},
	{"a folder that is a source", "FROM a\nCOPY src /", "", "src/ src/a.c src/a.h src/deep/ src/deep/d.c src/out@"},
	{"a file", "FROM a\nCOPY src/a.c /", "", "src/ src/a.c"},
	{"several, and a folder on the way once", "FROM a\nCOPY src/a.c /\nCOPY src/deep/d.c run /", "", "run* src/ src/a.c src/deep/ src/deep/d.c"},
	{"wildcards", "FROM a\nCOPY src/*.[ch] r?n /", "", "run* src/ src/a.c src/a.h"},
	{"folders a wildcard names", "FROM a\nCOPY sr[c] e* /", "", "empty/ src/ src/a.c src/a.h src/deep/ src/deep/d.c src/out@"},
	{"any depth", "FROM a\nCOPY --parents **/*.c /", "**/out\nlink\ndirlink", "src/ src/a.c src/deep/ src/deep/d.c"},
	{"what is not there is nothing", "FROM a\nCOPY none /", "", ""},
	{"a source that is left out is nothing", "FROM a\nCOPY src/a.c /", "src", ""},
	{"nothing is read", "FROM a\nRUN x", "", ""},
	{"a bind mount", "FROM a\nRUN --mount=source=doc,target=/d x", "", "doc/ doc/m.md doc/secret"},
};

static const char everything[] = ".git/ .git/HEAD Containerfile dirlink@ doc/ doc/m.md doc/secret empty/ link@ run* src/ src/a.c src/a.h src/deep/ "
	"src/deep/d.c src/out@";

static void listing(void)
{
	struct look k;

	for (size_t i = 0; i < countof(lists); i++) {
		look(&k, lists[i].text, lists[i].rules);
		ok(k.rc == 0 && !k.context.whole.text.s && str_is(listed(&k), lists[i].want), "listed: %s", lists[i].name);
		if (!str_is(listed(&k), lists[i].want))
			tap_show("got ", listed(&k));
		look_end(&k);
	}
	look(&k, "FROM a\nCOPY link /", "");
	ok(k.context.whole.text.s && str_is(listed(&k), everything), "a link as a source makes all of it count");
	look_end(&k);
	look(&k, "FROM a\nCOPY dirlink/a.c /", "");
	ok(k.context.whole.text.s && str_is(listed(&k), everything), "so does a link on the way");
	look_end(&k);
	look(&k, "FROM a\nCOPY li* /", "");
	ok(k.context.whole.text.s, "and one that a wildcard names");
	look_end(&k);
	look(&k, "FROM a\nRUN --mount=target=/d x", "");
	ok(k.context.whole.text.s && str_is(listed(&k), everything), "a mount of the context as well");
	look_end(&k);
}

static void places(void)
{
	struct cfile_ask ask = {.platform = S("linux/amd64")};
	struct look k, l;

	look_with(&k, "FROM a\nCOPY src /", "", "ctx", &ask, "ctx/src/deep");
	is_str(listed(&k), "src/ src/a.c src/a.h src/out@", "what is hidden is not there");
	look_end(&k);
	look_with(&k, "FROM a\nCOPY src /", "", str_fmt(&arena, "%s/ctx", scratch_path).s, &ask, NULL);
	look(&l, "FROM a\nCOPY src /", "");
	ok(k.rc == 0 && digest_eq(&k.key, &l.key), "where the context lies does not matter");
	look_end(&k);
	look_end(&l);
	sh("cd ctx && mkdir w && cp -P src/* w/ || true");
	look_with(&k, "FROM a\nCOPY ctx/run /", "", "", &ask, NULL);
	is_str(listed(&k), "ctx/ ctx/run*", "the workspace itself can be the context");
	look_end(&k);
	look_with(&k, "FROM a\nCOPY . /", "", "nowhere", &ask, NULL);
	ok(k.rc < 0 && str_find(str_of(k.err.text), S("nowhere is no folder")) > 0, "a context that is not there is an error");
	look_end(&k);
	sh("rm -rf ctx/w; mkfifo ctx/doc/pipe");
	look(&k, "FROM a\nCOPY doc /", "");
	ok(k.rc < 0 && str_find(str_of(k.err.text), S("ctx/doc/pipe")) > 0, "a pipe is refused by name");
	look_end(&k);
	look(&k, "FROM a\nCOPY doc /", "doc/pipe");
	ok(k.rc == 0, "unless it is left out");
	look_end(&k);
	look(&k, "FROM a\nCOPY src /", "");
	ok(k.rc == 0, "or not read");
	look_end(&k);
	sh("rm ctx/doc/pipe && python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('ctx/doc/sock')\"");
	look(&k, "FROM a\nCOPY doc /", "");
	is_str(listed(&k), "doc/ doc/m.md doc/secret", "a socket is not sent");
	look_end(&k);
	sh("rm ctx/doc/sock");
}

static bool same_key(const struct look *a, const struct look *b) { return a->rc == 0 && b->rc == 0 && digest_eq(&a->key, &b->key); }

/* Does doing `change` change the key of such a build? It is undone by `undo`. */
static bool changes(const char *text, const char *rules, const char *change, const char *undo)
{
	struct look before, after, again;
	bool changed;

	look(&before, text, rules);
	sh("%s", change);
	look(&after, text, rules);
	sh("%s", undo);
	look(&again, text, rules);
	changed = !same_key(&before, &after);
	ok(same_key(&before, &again), "and back: %s", undo);
	look_end(&before);
	look_end(&after);
	look_end(&again);
	return changed;
}

static void keys(void)
{
	const char *copy = "FROM a\nCOPY src run /";

	ok(changes(copy, "", "echo 2 >ctx/src/a.c", "echo c >ctx/src/a.c"), "content counts");
	ok(changes(copy, "", "chmod -x ctx/run", "chmod +x ctx/run"), "the executable bit counts");
	ok(changes(copy, "", "ln -sfn /y ctx/src/out", "ln -sfn /nowhere/../x ctx/src/out"), "a link's text counts");
	ok(changes(copy, "", "mkdir ctx/src/new", "rmdir ctx/src/new"), "an empty folder counts");
	ok(changes(copy, "", "mv ctx/src/a.c ctx/src/b.c", "mv ctx/src/b.c ctx/src/a.c"), "a name counts");
	ok(changes(copy, "", "rm ctx/src/out && cp ctx/src/a.c ctx/src/out", "ln -sfn /nowhere/../x ctx/src/out"), "what it is counts");
	ok(!changes(copy, "", "chmod 600 ctx/src/a.c; chmod 700 ctx/src ctx/run; touch -d 2001-01-01 ctx/src/a.c",
		    "chmod 644 ctx/src/a.c; chmod 755 ctx/src"), "umask and times do not");
	ok(!changes(copy, "", "echo 2 >ctx/doc/m.md", "echo m >ctx/doc/m.md"), "nor does what is not read");
	ok(!changes("FROM a\nCOPY . /", "doc", "echo 2 >ctx/doc/m.md", "echo m >ctx/doc/m.md"), "nor what is left out");
	ok(!changes("FROM a\nCOPY src/*.h /", "", "echo 2 >ctx/src/a.c", "echo c >ctx/src/a.c"), "nor what no wildcard names");
	ok(changes("FROM a\nCOPY src/*.h /", "", "echo 2 >ctx/src/b.h", "rm ctx/src/b.h"), "what comes to be named counts");
	ok(changes("FROM a AS x\nCOPY doc /\nFROM a\nCOPY --from=x /m.md /", "", "echo 2 >ctx/doc/m.md", "echo m >ctx/doc/m.md"),
	   "what a stage reads that is copied from counts");
	ok(!changes("FROM a AS x\nCOPY doc /\nFROM a\n", "", "echo 2 >ctx/doc/m.md", "echo m >ctx/doc/m.md"), "what none reads that is reached does not");
	ok(!changes("FROM a\nCOPY . /", "", "echo y >ctx/.dockerignore", "echo x >ctx/.dockerignore"), "the ignore file counts by what it does");
}

static void other_keys(void)
{
	struct cfile_arg v1[] = {{S("V"), S("1")}}, v2[] = {{S("V"), S("2")}};
	struct cfile_image moved = {.identity = S("sha256:moved")};
	const char *text = "ARG V\nFROM a\nARG V";
	struct cfile_ask asks[] = {
		{.platform = S("linux/amd64")},
		{.platform = S("linux/arm64")},
		{.platform = S("linux/amd64"), .args = v1, .nargs = 1},
		{.platform = S("linux/amd64"), .args = v2, .nargs = 1},
		{.platform = S("linux/amd64"), .ctx = &moved},
	};
	struct look k[countof(asks) + 1], unused;
	struct manifest_change *change;
	size_t n;

	for (size_t i = 0; i < countof(asks); i++)
		look_with(&k[i], text, "", "ctx", &asks[i], NULL);
	look_with(&k[countof(asks)], "ARG V\nFROM a\nARG V\n", "", "ctx", &asks[0], NULL);
	for (size_t i = 0; i < countof(k); i++)
		for (size_t j = 0; j < i; j++)
			ok(k[i].rc == 0 && !same_key(&k[i], &k[j]), "platform, arguments, bases and bytes count: %zu, %zu", i, j);
	ok(manifest_diff(&arena, buf_view(&k[0].manifest), buf_view(&k[4].manifest), &change, &n) == 0 && n == 1 &&
	   str_is(change->tag, "base") && str_is(change->name, "a"), "the manifest says what differs");
	look_with(&unused, "FROM a\nRUN x", "", "ctx", &asks[2], NULL);
	look_end(&k[0]);
	look_with(&k[0], "FROM a\nRUN x", "", "ctx", &asks[3], NULL);
	ok(same_key(&unused, &k[0]), "an argument that nothing declares does not count");
	look_end(&unused);
	look(&unused, "FROM a\nADD http://h/x /", "");
	ok(unused.rc < 0 && str_find(str_of(unused.err.text), S("without --checksum")) > 0, "what can't be kept has no key");
	look_end(&unused);
	for (size_t i = 0; i < countof(k); i++)
		look_end(&k[i]);
}

static int take(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
}

static int pack(const struct look *k, struct buf *tar, struct err *err)
{
	buf_clear(tar);
	return context_tar(&k->context, scratch_fd, k->text, take, tar, err);
}

static void tars(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(BUF_UNLIMITED), b = BUF_INIT(BUF_UNLIMITED);
	char text[DIGEST_TEXT_MAX];
	struct err err = ERR_INIT;
	struct str difference = {0};
	struct digest digest;
	struct look k;

	look(&k, "FROM a\nCOPY src run empty /", "");
	ok(pack(&k, &a, &err) == 0, "it is packed");
	sh("find ctx -exec touch -h -d 2001-01-01 {} + && chmod 600 ctx/src/a.c && chmod 700 ctx/run ctx/src");
	ok(pack(&k, &b, &err) == 0 && str_eq(buf_view(&a), buf_view(&b)), "times and modes change no byte");
	sha256_bytes(a.s, a.n, &digest);
	is_str(str_of(digest_text(&digest, text)), "sha256:c5ad8127573f51fbf24a259994bba29b5b0158699a3998960b6a929b82ae2fd2", "these files have these bytes, everywhere");
	file_write(scratch_fd, "a.tar", buf_view(&a), 0644, NULL);
	sh("tar tvf a.tar --numeric-owner --utc --full-time | sed 's/  */ /g' >list && cat >want <<'X'\n"
	   "-rw-r--r-- 0/0 27 1980-01-02 00:00:00 .cairn~Containerfile\n"
	   "-rw-r--r-- 0/0 37 1980-01-02 00:00:00 .dockerignore\n"
	   "drwxr-xr-x 0/0 0 1980-01-02 00:00:00 empty/\n"
	   "-rwxr-xr-x 0/0 10 1980-01-02 00:00:00 run\n"
	   "drwxr-xr-x 0/0 0 1980-01-02 00:00:00 src/\n"
	   "-rw-r--r-- 0/0 2 1980-01-02 00:00:00 src/a.c\n"
	   "-rw-r--r-- 0/0 2 1980-01-02 00:00:00 src/a.h\n"
	   "drwxr-xr-x 0/0 0 1980-01-02 00:00:00 src/deep/\n"
	   "-rw-r--r-- 0/0 2 1980-01-02 00:00:00 src/deep/d.c\n"
	   "lrwxrwxrwx 0/0 0 1980-01-02 00:00:00 src/out -> /nowhere/../x\n"
	   "X\ndiff want list >diff || true");
	ok(file_read(&arena, scratch_fd, "diff", 1 << 16, &difference, NULL) == 1, "tar lists it");
	is_str(difference, "", "owners, times and modes are normalised");
	sh("chmod 644 ctx/src/a.c; chmod 755 ctx/src");
	look_end(&k);
	err_release(&err);
}

static void moving(void)
{
	static const struct { const char *name, *change, *undo; } moves[] = {
		{"content", "echo x >ctx/src/a.c", "echo c >ctx/src/a.c"},
		{"size", "echo xx >ctx/src/a.c", "echo c >ctx/src/a.c"},
		{"the executable bit", "chmod +x ctx/src/a.c", "chmod -x ctx/src/a.c"},
		{"a link instead", "ln -sf a.h ctx/src/a.c", "rm ctx/src/a.c && echo c >ctx/src/a.c"},
		{"a folder instead", "rm ctx/src/a.c && mkdir ctx/src/a.c", "rmdir ctx/src/a.c && echo c >ctx/src/a.c"},
		{"gone", "rm ctx/src/a.c", "echo c >ctx/src/a.c"},
		{"large content", "printf x | dd of=ctx/large bs=1 seek=5000000 conv=notrunc", "printf '\\0' | dd of=ctx/large bs=1 seek=5000000 conv=notrunc"},
		{"large size", "echo >>ctx/large", "truncate -s 6000000 ctx/large"},
	};
	CLEANUP_BUF struct buf tar = BUF_INIT(BUF_UNLIMITED);
	struct err err = ERR_INIT;
	struct look k;

	sh("truncate -s 6000000 ctx/large");
	look(&k, "FROM a\nCOPY src large /", "");
	for (size_t i = 0; i < countof(moves); i++) {
		err_release(&err);
		sh("%s", moves[i].change);
		ok(pack(&k, &tar, &err) < 0 && err.text && str_find(str_of(err.text), S("it is no longer what it was")) > 0,
		   "a file that moved is not sent: %s", moves[i].name);
		sh("%s", moves[i].undo);
	}
	err_release(&err);
	ok(pack(&k, &tar, &err) == 0, "one that is as it was is");
	look_end(&k);
	sh("rm ctx/large");
	err_release(&err);
}

int main(void)
{
	scratch_make();
	plant();
	listing();
	places();
	keys();
	other_keys();
	tars();
	moving();
	scratch_remove();
	arena_release(&arena);
	return done();
}
