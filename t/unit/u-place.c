/* Outputs moved aside, collected, put back and restored; what is saved first; what is refused; what a kill leaves. */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec/place.h"
#include "sys/sha.h"

/* --- a plan made by hand: step NAME with outputs, "!" takes away, "?" is optional, a trailing "/" a folder --- */

#define MAX_STEPS 6
#define MAX_OUTPUTS 2100

static struct arena forever = ARENA_INIT;
static struct plan plan;
static struct plan_step steps[MAX_STEPS];
static struct plan_output outputs[MAX_OUTPUTS];
static struct buf texts = BUF_INIT(BUF_UNLIMITED);

static struct plan_text text(struct str s)
{
	struct plan_text t = {(uint32_t)texts.n, (uint32_t)s.n};
	buf_str(&texts, s);
	buf_c(&texts, 0);
	plan.texts = texts.s;
	plan.ntexts = (uint32_t)texts.n;
	return t;
}

static uint32_t add_step(const char *name, const char *const *patterns, size_t n)
{
	struct plan_step *s = &steps[plan.nsteps];
	*s = (struct plan_step){.name = text(str_of(name)), .variant_of = PLAN_NONE, .outputs = {plan.noutputs, (uint32_t)n}};
	for (size_t i = 0; i < n; i++) {
		struct plan_output *o = &outputs[plan.noutputs++];
		struct str p = str_of(patterns[i]);
		o->flags = 0;
		if (p.s[0] == '!')
			o->flags |= OUTPUT_NEGATED, p = str_from(p, 1);
		if (p.s[0] == '?' && p.s[1] == '=')
			o->flags |= OUTPUT_OPTIONAL, p = str_from(p, 2);
		if (str_ends(p, S("/")))
			o->flags |= OUTPUT_DIR, p.n--;
		if (memchr(p.s, '*', p.n))
			o->flags |= OUTPUT_GLOB;
		o->path = text(p);
	}
	plan.steps = steps;
	plan.outputs = outputs;
	return plan.nsteps++;
}
#define STEP(name, ...) add_step(name, (const char *const[]){__VA_ARGS__}, countof(((const char *const[]){__VA_ARGS__})))

/* --- a workspace of its own for each check --- */

static char top[4096], root[4200];
static struct place place;
static struct arena arena;
static struct err err;
static unsigned saved, runs;
static struct str last_saved;
static struct digest last_digest;

static void on_saved(void *ctx, struct str path, const struct digest *d)
{
	(void)ctx;
	saved++;
	last_saved = str_dup(&forever, path);
	last_digest = *d;
}

static size_t recovered;

static void open_place(void)
{
	bool fresh;
	snprintf(place.run, sizeof(place.run), "%x-%x", (unsigned)getpid(), runs++);
	if (ledger_open(&place.ledger, "../ledger", place.rootfd, &fresh, &err) || ledger_recover(place.ledger, place.rootfd, &recovered, &err))
		printf("Bail out! %s\n", err.text);
}

static void begin(void)
{
	static unsigned n;
	saved = 0;
	plan = (struct plan){0};
	buf_clear(&texts);
	snprintf(root, sizeof(root), "%s/%u/w", top, n++);
	file_mkdirs(AT_FDCWD, root, 0755, NULL);
	if (chdir(root))
		printf("Bail out! %s\n", strerror(errno));
	place = (struct place){.rootfd = open(".", O_RDONLY | O_DIRECTORY), .root = root, .store = store_mem_open(0), .saved = on_saved};
	open_place();
}

static void end(void)
{
	ledger_close(place.ledger);
	store_close(place.store);
	close(place.rootfd);
	arena_release(&arena);
	err_release(&err);
	err = (struct err)ERR_INIT;
}

/* As a step would: in place. */
static void put(const char *path, const char *content)
{
	file_mkparents(AT_FDCWD, path, NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || file_write_all(fd, content, strlen(content)))
		printf("# unable to write %s: %s\n", path, strerror(errno));
	close(fd);
}

/* The workspace as text, one line for each object: path, mode, content. */
static void show(struct buf *out, int dir, struct str path);

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void show_one(struct buf *out, int dir, const char *name, struct str path)
{
	struct stat st;
	char link[4096];
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	buf_fmt(out, STR_FMT " ", STR_ARG(path));
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(dir, name, link, sizeof(link));
		buf_fmt(out, "-> %.*s\n", (int)n, link);
	} else if (S_ISDIR(st.st_mode)) {
		buf_fmt(out, "%o /\n", st.st_mode & 07777);
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
		show(out, fd, path);
	} else {
		struct arena a = ARENA_INIT;
		struct str s = {NULL, 0};
		file_read(&a, dir, name, 10 << 20, &s, NULL);
		buf_fmt(out, "%o %zu:" STR_FMT "\n", st.st_mode & 07777, s.n, STR_ARG(s.n < 60 ? s : str_head(s, 60)));
		arena_release(&a);
	}
}

static void show(struct buf *out, int dir, struct str path)
{
	char *names[4096];
	size_t n = 0;
	DIR *d = fdopendir(dir);
	for (struct dirent *e; d && n < countof(names) && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			names[n++] = strdup(e->d_name);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		struct str sub = str_fmt(&forever, STR_FMT "%s%s", STR_ARG(path), path.n ? "/" : "", names[i]);
		show_one(out, dirfd(d), names[i], sub);
		free(names[i]);
	}
	closedir(d);
}

static struct str tree(void)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	show(&b, open(".", O_RDONLY | O_DIRECTORY), S(""));
	struct str s = str_dup(&forever, buf_view(&b));
	buf_release(&b);
	return s;
}

/* Runs a step as exec does: clear, do, collect, ledger, commit. */
static struct aside *aside;

static bool clear(uint32_t step)
{
	err_release(&err);
	err = (struct err)ERR_INIT;
	return !place_clear(&place, &arena, &plan, step, &aside, &err);
}

static struct entries got;
static struct ident *idents;
static struct str bound;

static bool collect(uint32_t step)
{
	err_release(&err);
	err = (struct err)ERR_INIT;
	return !place_collect(&place, &arena, &plan, step, true, NULL, &got, &idents, &bound, &err);
}

static bool finish(uint32_t step)
{
	return collect(step) && !ledger_set(place.ledger, plan_step_name(&plan, step), &got, &err) &&
	       !place_commit(&place, aside, &err);
}

static int restore(uint32_t step, const struct entries *what)
{
	struct result r = {.outputs = *what};
	err_release(&err);
	err = (struct err)ERR_INIT;
	return place_restore(&place, &arena, &plan, step, &r, &err);
}

static bool says(const char *words) { return err.text && strstr(err.text, words); }

/* --- checks --- */

static void check_plain(void)
{
	begin();
	uint32_t s = STEP("s", "build/obj/a.o");
	ok(clear(s), "clear: of nothing");
	is_str(tree(), "build 755 /\nbuild/obj 755 /\n", "clear: parent folders are made");
	ok(!collect(s) && says("build/obj/a.o"), "collect: a missing output is named");
	put("build/obj/a.o", "one");
	ok(finish(s) && got.n == 1 && str_is(got.v[0].path, "build/obj/a.o") && got.v[0].size == 3 && got.v[0].mode == 0644,
	   "collect: a file");
	struct digest d;
	sha256_bytes("one", 3, &d);
	ok(digest_eq(&got.v[0].digest, &d) && idents[0].size == 3 && idents[0].ino && bound.n == 0, "collect: its digest and identity");
	struct entries first = got;

	ok(clear(s) && access("build/obj/a.o", F_OK), "clear: an earlier output is out of the way");
	ok(!place_rollback(&place, aside, &err), "rollback");
	is_str(tree(), "build 755 /\nbuild/obj 755 /\nbuild/obj/a.o 644 3:one\n", "rollback: brings it back");
	ok(clear(s), "clear again");
	put("build/obj/a.o", "half");
	ok(!place_rollback(&place, aside, &err), "rollback with half an output");
	is_str(tree(), "build 755 /\nbuild/obj 755 /\nbuild/obj/a.o 644 3:one\n", "rollback: the half is gone");
	ok(clear(s), "clear for a new one");
	put("build/obj/a.o", "two");
	ok(finish(s), "the new one is kept");
	is_str(tree(), "build 755 /\nbuild/obj 755 /\nbuild/obj/a.o 644 3:two\n", "commit: only it is there");
	is_int(saved, 0, "commit: what a step wrote is not saved again");
	ok(restore(s, &first) == 1, "restore: the first");
	is_str(tree(), "build 755 /\nbuild/obj 755 /\nbuild/obj/a.o 644 3:one\n", "restore: it is there");
	is_int(saved, 0, "restore: nothing was to be saved");
	end();
}

static void check_users_files(void)
{
	begin();
	uint32_t s = STEP("s", "out", "gen/**");
	put("out", "precious");
	put("gen/notes", "mine, too");
	symlink("somewhere", "gen/link");
	ok(clear(s) && access("out", F_OK) && access("gen/notes", F_OK), "saving: the user's files are moved aside");
	ok(!place_rollback(&place, aside, &err) && saved == 0, "saving: a failure needs none");
	is_str(tree(), "gen 755 /\ngen/link -> somewhere\ngen/notes 644 9:mine, too\nout 644 8:precious\n", "saving: all are back");
	ok(clear(s), "clear");
	put("out", "made");
	put("gen/x", "made");
	ok(finish(s), "the step succeeds");
	is_int(saved, 3, "saving: each was saved");
	is_str(tree(), "gen 755 /\ngen/x 644 4:made\nout 644 4:made\n", "saving: and is gone");
	struct buf b = BUF_INIT(100);
	ok(place.store->ops->read_bytes(place.store, &last_digest, 100, &b, NULL) == 1 && str_eq(buf_view(&b), S("precious")) &&
	   str_is(last_saved, "out"), "saving: the blob that was told holds it");
	struct entries made = got;

	put("out", "edited by hand");
	saved = 0;
	ok(restore(s, &made) == 1 && saved == 1 && str_is(last_saved, "out"), "saving: an edited output is saved before a restore");
	put("out", "edited by hand");
	saved = 0;
	ok(restore(s, &made) == 1 && saved == 0, "saving: not again, the store has it");

	struct store *mem = place.store;
	put("out", "no place for this");
	place.store = NULL;
	ok(clear(s), "clear without a store");
	put("out", "made");
	put("gen/x", "made");
	ok(!finish(s) && says("out") && says("move it away"), "saving: without a store the file of the user is not replaced");
	ok(!place_rollback(&place, aside, &err), "rollback");
	place.store = mem;
	is_str(tree(), "gen 755 /\ngen/x 644 4:made\nout 644 17:no place for this\n", "saving: it is back");
	buf_release(&b);
	end();
}

/* All that can be in an output. */
static void check_kinds(void)
{
	begin();
	uint32_t s = STEP("s", "dist/", "bin/tool", "many/**/*.x", "?=maybe");
	ok(clear(s), "clear");
	put("dist/a", "A");
	put("dist/sub/deep/b", "same");
	put("dist/sub/deep/c", "same");
	put("dist/caf\xe9", "not UTF-8");
	put("dist/-dash", "");
	put("dist/new\nline", "n");
	put("dist-beside", "of nobody");
	mkdir("dist/empty", 0755);
	mkdir("dist/secret", 0700);
	symlink("a", "dist/link");
	symlink("/nowhere/at/all", "dist/dangling");
	put("bin/tool", "#!");
	chmod("bin/tool", 0755);
	chmod("dist/a", 0444);
	chmod("dist/sub/deep", 0555);
	put("many/1.x", "1");
	put("many/d/e/2.x", "2");
	put("many/d/e/2.y", "no output");
	struct str want = tree();
	ok(finish(s), "kinds: all are collected");
	ok(got.n == 16, "kinds: %zu of them", got.n);
	bool sorted = true;
	for (size_t i = 1; i < got.n; i++)
		sorted = sorted && str_cmp(got.v[i - 1].path, got.v[i].path) < 0;
	ok(sorted, "kinds: sorted by path");
	struct entries first = got;
	ok(restore(s, &first) == 1, "kinds: restored over what is there");
	is_str(tree(), want.s, "kinds: the tree is the same");
	chmod("dist/sub/deep", 0755);
	file_remove_tree(AT_FDCWD, "dist", NULL);
	file_remove_tree(AT_FDCWD, "bin", NULL);
	unlink("many/1.x");
	put("many/d/stale.x", "an old run's");
	ok(restore(s, &first) == 1, "kinds: restored where nothing is");
	is_str(tree(), want.s, "kinds: the tree is the same, what else matched is gone");
	is_str(last_saved, "many/d/stale.x", "kinds: saved");
	struct stat st;
	ok(!stat("dist/a", &st) && st.st_nlink == 1 && st.st_mtime >= time(NULL) - 60, "kinds: never a hard link, the present mtime");
	put("dist/extra", "in the folder");
	saved = 0;
	ok(restore(s, &first) == 1 && saved == 1 && access("dist/extra", F_OK), "kinds: a folder holds exactly what the result says");

	size_t n, kept;
	put("bin/tool", "changed");
	ok(!place_remove(&place, S("s"), &n, &kept, &err), "remove");
	is_int((long long)n, 10, "remove: what is unmodified");
	is_int((long long)kept, 1, "remove: what is modified stays");
	is_str(tree(), "bin 755 /\nbin/tool 755 7:changed\ndist-beside 644 9:of nobody\nmany 755 /\nmany/d 755 /\nmany/d/e 755 /\n"
	       "many/d/e/2.y 644 9:no output\n", "remove: folders go when they are empty");
	ok(ledger_steps(place.ledger) == 0, "remove: the step is forgotten");
	end();
}

static void check_missing_blob(void)
{
	begin();
	uint32_t s = STEP("s", "a", "b");
	clear(s);
	put("a", "new a");
	put("b", "new b");
	finish(s);
	struct entries first = got;
	put("a", "old a");
	unlink("b");
	struct str before = tree();
	struct entry v[2] = {first.v[0], first.v[1]};
	v[1].digest.bytes[5] ^= 1;
	ok(restore(s, &(struct entries){v, 2}) == 0 && !err_any(&err), "missing: a blob that is not there is a miss");
	is_str(tree(), before.s, "missing: nothing was changed");
	for (unsigned fail = 1; fail < 8; fail++) {
		struct store *mem = place.store;
		place.store = store_mem_open(fail + 2);
		struct digest d;
		place.store->ops->write_bytes(place.store, S("new a"), &d, NULL);
		place.store->ops->write_bytes(place.store, S("new b"), &d, NULL);
		int rc = restore(s, &first);
		if (rc == 1)
			fail = 100;
		else
			ok(rc == -1 && err_any(&err) && str_eq(tree(), before), "missing: when the store fails in call %u nothing is changed", fail);
		store_close(place.store);
		place.store = mem;
	}
	end();
}

static void check_refused(void)
{
	begin();
	mkdir("../outside", 0755);
	put("../outside/file", "not ours");
	symlink("../outside", "out");
	symlink("inside", "in");
	mkdir("inside", 0755);
	uint32_t through = STEP("through", "out/file"), glob = STEP("glob", "out/**"), above = STEP("above", "../outside/file"),
		 absolute = STEP("absolute", "/outside/file"), inner = STEP("inner", "in/file"), itself = STEP("itself", "out");
	ok(!clear(through) && says("leads out"), "refused: an output through a link that leads out");
	ok(!clear(glob) || finish(glob) == false, "refused: a pattern through such a link finds nothing");
	ok(!clear(above) && says("outside"), "refused: an output above the workspace");
	ok(!clear(absolute) && says("outside"), "refused: an absolute one");
	ok(clear(inner), "a link that stays inside is fine");
	put("inside/file", "through the link");
	ok(finish(inner) && got.n == 1 && str_is(got.v[0].path, "in/file"), "and its file is collected");
	struct entries first = got;
	unlink("inside/file");
	ok(restore(inner, &first) == 1 && !access("inside/file", F_OK), "and restored");

	struct entry e = first.v[0];
	static const char *const bad[] = {"../outside/new", "/outside/new", "out/new", "in/../../outside/new", "other", "", "in/file/"};
	unsigned refused = 0;
	for (size_t i = 0; i < countof(bad); i++) {
		e.path = str_of(bad[i]);
		refused += restore(inner, &(struct entries){&e, 1}) == -1;
	}
	is_int(refused, countof(bad), "refused: a record that names what is none of the step's outputs");
	struct entry two[2] = {{.path = S("out"), .type = ENTRY_LINK, .link = S("../outside")}, first.v[0]};
	two[1].path = S("out/new");
	ok(restore(itself, &(struct entries){two, 2}) == -1, "refused: a record that leads out through its own link");
	is_int(access("../outside/new", F_OK), -1, "nothing was written outside");
	mkfifo("inside/pipe", 0644);
	uint32_t pipe_step = plan.nsteps < MAX_STEPS ? STEP("pipe", "inside/pipe") : itself;
	plan.outputs = outputs;
	(void)pipe_step;
	end();
}

static void check_odd(void)
{
	begin();
	uint32_t s = STEP("s", "pipe"), folder = STEP("folder", "f/"), unreadable = STEP("unreadable", "u");
	mkfifo("pipe", 0644);
	ok(clear(s), "a pipe can be moved aside");
	mkfifo("pipe", 0644);
	ok(!collect(s) && says("neither"), "but is no output");
	place_rollback(&place, aside, &err);
	clear(folder);
	put("f", "a file");
	ok(!collect(folder) && says("folder"), "a file where a folder is declared is refused");
	place_rollback(&place, aside, &err);
	clear(unreadable);
	put("u", "text");
	struct place_needles secrets = {.secrets = (struct str[]){S("hunter22"), S("x")}, .nsecrets = 2};
	put("u", "the word is hunter22, and x");
	err_release(&err);
	err = (struct err)ERR_INIT;
	ok(place_collect(&place, &arena, &plan, unreadable, true, &secrets, &got, &idents, &bound, &err) == -1 && says("secret"),
	   "an output that holds a secret is refused");
	struct buf big = BUF_INIT(BUF_UNLIMITED);
	while (big.n < (2u << 20) - 3)
		buf_fmt(&big, "%zu ", big.n);
	big.n = (2u << 20) - 3;
	buf_z(&big, "hunter22");
	file_write(AT_FDCWD, "u", buf_view(&big), 0644, NULL);
	ok(place_collect(&place, &arena, &plan, unreadable, true, &secrets, &got, &idents, &bound, NULL) == -1,
	   "also across the windows in which a big one is searched");
	big.n -= 8;
	buf_str(&big, str_of(root));
	file_write(AT_FDCWD, "u", buf_view(&big), 0644, NULL);
	ok(collect(unreadable) && str_is(bound, "u"), "one that holds the root is bound to it");
	buf_release(&big);
	symlink(root, "l");
	uint32_t link = STEP("link", "l");
	ok(collect(link) && str_is(bound, "l") && str_is(got.v[0].link, root), "so is a link to it");
	end();
}

static void check_owners(void)
{
	begin();
	uint32_t a = STEP("a", "x"), b = STEP("b", "x"), c = STEP("c", "gen/*"), d = STEP("d", "gen/d");
	clear(a);
	put("x", "a's");
	finish(a);
	ok(!clear(b) && says("by a"), "owners: an output of another step is not moved");
	steps[b].variant_of = a;
	ok(clear(b), "owners: unless it is a variant of it");
	place_rollback(&place, aside, &err);
	steps[b].variant_of = PLAN_NONE;
	clear(d);
	put("gen/d", "d's");
	finish(d);
	ok(!clear(c) && says("by d"), "owners: nor is one that a pattern finds");
	saved = 0;
	plan.nsteps = 3;                /* d is no more */
	ok(clear(c), "owners: of a step that is no more it may");
	put("gen/d", "c's");
	ok(finish(c) && saved == 0, "owners: and need not be saved");
	size_t n, kept;
	ok(!place_remove(&place, S("d"), &n, &kept, &err) && n == 0 && !access("gen/d", F_OK), "owners: whose removal leaves it to its new owner");
	end();
}

static void check_negated(void)
{
	begin();
	uint32_t s = STEP("s", "dist/", "!dist/keep*", "!dist/sub/mine/**");
	put("dist/keep.txt", "k");
	put("dist/sub/mine/m", "m");
	put("dist/old", "o");
	clear(s);
	is_int(access("dist/old", F_OK), -1, "negated: what is an output is moved");
	put("dist/new", "n");
	put("dist/sub/n2", "n");
	ok(finish(s), "negated: the step succeeds");
	is_str(tree(), "dist 755 /\ndist/keep.txt 644 1:k\ndist/new 644 1:n\ndist/sub 755 /\ndist/sub/mine 755 /\n"
	       "dist/sub/mine/m 644 1:m\ndist/sub/n2 644 1:n\n", "negated: what is none stays");
	struct entries first = got;
	struct str want = tree();
	file_remove_tree(AT_FDCWD, "dist/new", NULL);
	put("dist/other", "x");
	ok(restore(s, &first) == 1, "negated: restored");
	is_str(tree(), want.s, "negated: around what is none");
	clear(s);
	put("dist/half", "x");
	place_rollback(&place, aside, &err);
	is_str(tree(), want.s, "negated: and rolled back around it");
	end();
}

static void check_changes(void)
{
	begin();
	uint32_t s = STEP("s", "old/", "file");
	clear(s);
	put("old/a", "a");
	put("old/b", "b");
	put("file", "f");
	finish(s);
	put("old/b", "edited");
	plan = (struct plan){0};
	s = STEP("s", "new", "file/now/deep", "file/g/*.x");
	saved = 0;
	ok(clear(s), "changes: a file makes room for a folder of new outputs");
	put("new", "n");
	put("file/now/deep", "d");
	put("file/g/1.x", "x");
	ok(finish(s), "changes: the step succeeds");
	is_str(tree(), "file 755 /\nfile/g 755 /\nfile/g/1.x 644 1:x\nfile/now 755 /\nfile/now/deep 644 1:d\nnew 644 1:n\nold 755 /\n"
	       "old/b 644 6:edited\n", "changes: what it no longer declares is gone unless it was edited");
	end();
	begin();
	s = STEP("s", "x");
	clear(s);
	put("x/in/folder", "1");
	finish(s);
	struct entries folder = got;
	clear(s);
	put("x", "a file now");
	ok(finish(s) && got.n == 1, "changes: a folder becomes a file");
	struct entries file = got;
	ok(restore(s, &folder) == 1 && restore(s, &file) == 1 && restore(s, &folder) == 1, "changes: and back");
	is_str(tree(), "x 755 /\nx/in 755 /\nx/in/folder 644 1:1\n", "changes: whole");
	end();
}

static void check_keep(void)
{
	begin();
	uint32_t s = STEP("s", "build/");
	steps[s].flags = STEP_KEEP;
	clear(s);
	put("build/state", "1");
	finish(s);
	ok(clear(s) && !access("build/state", F_OK), "keep: outputs stay in place");
	put("build/half", "2");
	ok(!place_rollback(&place, aside, &err) && !access("build/half", F_OK), "keep: also when the step fails");
	ok(clear(s) && finish(s) && got.n == 3, "keep: the next run collects all");
	struct entries all = got;
	unlink("build/half");
	ok(restore(s, &all) == 1 && !access("build/half", F_OK), "keep: a restore replaces them still");
	end();
}

/* A store whose fault must not fail the build. */
static void check_store_fault(void)
{
	begin();
	uint32_t s = STEP("s", "a", "b", "c");
	store_close(place.store);
	place.store = store_mem_open(2);
	clear(s);
	put("a", "1");
	put("b", "2");
	put("c", "3");
	ok(collect(s) && got.n == 3 && got.v[2].digest.algo == DIGEST_SHA256, "fault: outputs are collected without a store that works");
	end();
}

/* As a user to whom modes mean something. */
static void check_modes_as_user(void)
{
	begin();
	fflush(stdout);
	if (getuid() == 0 && (chmod(top, 0755) || chown("..", 65534, 65534) || chown(".", 65534, 65534)))
		printf("# chown failed\n");
	ledger_close(place.ledger);
	unlink("../ledger");
	pid_t pid = fork();
	if (!pid) {
		if (getuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(1);
		open_place();
		uint32_t s = STEP("s", "d/", "r");
		bool good = clear(s);
		put("d/x/y", "1");
		put("r", "2");
		chmod("r", 0400);
		chmod("d/x", 0555);
		chmod("d", 0555);
		struct str want = tree();
		good = good && finish(s);
		struct entries first = got;
		for (int i = 0; i < 2; i++) {
			good = good && clear(s) && access("d", F_OK);
			put("d/x/half", "h");
			chmod("d/x", 0555);
			good = good && !place_rollback(&place, aside, &err) && str_eq(tree(), want);
			good = good && restore(s, &first) == 1 && str_eq(tree(), want);
		}
		good = good && clear(s);
		put("d/new", "n");
		put("r", "n");
		good = good && finish(s) && !access("d/new", F_OK) && restore(s, &first) == 1 && str_eq(tree(), want);
		chmod("r", 0000);
		good = good && !collect(s);
		chmod("r", 0400);
		size_t n, kept;
		good = good && !place_remove(&place, S("s"), &n, &kept, &err) && n == 2 && kept == 0 && access("d", F_OK);
		if (!good)
			printf("# %s\n", err.text ? err.text : "no error");
		fflush(stdout);
		_exit(good ? 0 : 1);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	ok(status == 0, "modes: read-only files and folders are moved, restored and removed");
	open_place();
	end();
}

/* --- killed at any instant --- */

#define KILLED_OUTPUTS 12

static void make_outputs(int generation)
{
	for (int i = 0; i < KILLED_OUTPUTS; i++) {
		char name[32], content[32];
		snprintf(name, sizeof(name), "out/%d/f", i);
		snprintf(content, sizeof(content), "%d of %d", i, generation);
		put(name, content);
	}
	put("tree/a", generation ? "new" : "old");
	put(generation ? "tree/sub/new" : "tree/sub/old", "x");
}

static uint32_t killed_step(void)
{
	const char *names[KILLED_OUTPUTS + 1];
	for (int i = 0; i < KILLED_OUTPUTS; i++)
		names[i] = str_fmt(&forever, "out/%d/f", i).s;
	names[KILLED_OUTPUTS] = "tree/";
	return add_step("s", names, countof(names));
}

/* Runs, fails and restores for ever, between two generations. */
static void work(uint32_t s, struct entries gens[2])
{
	open_place();
	for (int i = 0;; i++) {
		restore(s, &gens[i & 1]);
		clear(s);
		make_outputs(~i & 1);
		if (i % 3)
			finish(s);
		else
			place_rollback(&place, aside, NULL);
	}
}

static bool staged_left(void)
{
	return str_find(tree(), S(".cairn~")) >= 0;
}

static void check_killed(void)
{
	begin();
	uint32_t s = killed_step();
	struct entries gens[2];
	struct str want[2];
	store_close(place.store);
	if (store_dir_open(S("../cache"), &place.store, &err))
		printf("Bail out! %s\n", err.text);
	for (int g = 0; g < 2; g++) {
		clear(s);
		make_outputs(g);
		finish(s);
		gens[g] = got;
		want[g] = tree();
	}
	put("mine", "untouched");
	unsigned bad = 0, left = 0, lost = 0, rounds = 200, undone = 0;
	int64_t longest = 6000;
	for (unsigned i = 0; i < rounds; i++) {
		ledger_close(place.ledger);
		fflush(stdout);
		pid_t pid = fork();
		if (!pid)
			work(s, gens);
		usleep((useconds_t)(rand() % longest));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		saved = 0;
		open_place();
		undone += recovered > 0;
		left += staged_left();
		put("out/0/f", "edited after the kill");
		bad += restore(s, &gens[i & 1]) != 1;
		struct str now = tree();
		struct str mine = S("mine 644 9:untouched\n");
		lost += str_find(now, mine) < 0 || saved > 1 + 2 * KILLED_OUTPUTS;
		unlink("mine");
		bad += !str_eq(tree(), want[i & 1]);
		put("mine", "untouched");
	}
	ok(undone > 0, "killed: some kills left something to undo");
	is_int(left, 0, "killed: recovering leaves nothing staged");
	is_int(bad, 0, "killed: a restore then gives the right tree");
	is_int(lost, 0, "killed: nothing else is touched");
	end();
}

/* Kernels and sandboxes without openat2: the same, but through no link at all. */
static void check_without_openat2(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog program = {countof(code), code};
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
			printf("# no seccomp here: %s\n", strerror(errno));
			fflush(stdout);
			_exit(0);
		}
		if (!freopen("/dev/null", "w", stdout))
			_exit(2);
		strcat(top, "/sandboxed");
		check_plain();
		check_users_files();
		check_kinds();
		check_negated();
		begin();
		mkdir("../outside", 0755);
		put("../outside/file", "not ours");
		symlink("../outside", "out");
		uint32_t through = STEP("through", "out/file"), inner = STEP("inner", "a/b/c");
		ok(!clear(through) && says("leads out"), "through a link");
		ok(clear(inner), "inside");
		end();
		_exit(tap_failed ? 1 : 0);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	ok(status == 0, "all of that holds where the kernel has no openat2");
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(top, sizeof(top), "%s/u-place.XXXXXX", tmp ? tmp : "/tmp");
	umask(022);
	if (!mkdtemp(top) || sha256_init(&err)) {
		printf("Bail out! %s\n", err.text ? err.text : strerror(errno));
		return 1;
	}
	check_without_openat2();
	check_plain();
	check_users_files();
	check_kinds();
	check_missing_blob();
	check_refused();
	check_odd();
	check_owners();
	check_negated();
	check_changes();
	check_keep();
	check_store_fault();
	check_modes_as_user();
	check_killed();
	if (chdir("/"))
		printf("# chdir failed\n");
	file_remove_tree(AT_FDCWD, top, NULL);
	arena_release(&forever);
	buf_release(&texts);
	return done();
}
