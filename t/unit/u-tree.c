#include "resolve/tree.h"
#include "scratch.h"

static struct arena arena;
static struct tree *tree;

static void begin(void) { tree = tree_open(&arena, scratch_fd, str_of(scratch_path)); }
static void end(void) { tree_close(tree); }

static struct str ask(enum question_kind kind, const char *text)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct question q = {.kind = kind, .text = str_of(text)};
	struct answer a = {0};
	struct err err = ERR_INIT;

	begin();
	if (tree_answer(tree, &q, 1, &a, &err) < 0)
		buf_fmt(&b, "error: %s", err.text);
	err_release(&err);
	end();
	if (a.problem.n)
		buf_fmt(&b, "problem: " STR_FMT, STR_ARG(a.problem));
	for (size_t i = 0; !a.problem.n && i < a.n; i++)
		buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(a.items[i]));
	return a.found || b.n ? str_dup(&arena, buf_view(&b)) : (struct str){0};
}

static struct str glob(const char *pattern) { return ask(Q_GLOB, pattern); }

static void clear(void) { sh("chmod -R u+rwX . && find . -mindepth 1 -delete"); }

static void globs(void)
{
	sh("mkdir -p src/a/b src/.h src-x .git/refs sub/.git && touch src/1.c src/a/2.c src/a/b/3.c src/.h/4.c src-x/5.c 6.c .7.c "
	   ".git/8.c .git/refs/9.c sub/.git/10.c sub/11.c src/.cairn~run~1.c && mkfifo src/pipe.c");
	is_str(glob("*.c"), ".7.c 6.c", "a star matches dot files, and stays in its folder");
	is_str(glob("**/*.c"), ".7.c 6.c src-x/5.c src/.h/4.c src/1.c src/a/2.c src/a/b/3.c sub/11.c",
	       "two cross folders; sorted as bytes; nothing of .git, what cairn staged, or pipes");
	is_str(glob("src/*/*.c"), "src/.h/4.c src/a/2.c", "below a prefix");
	is_str(glob("src/a/b/*"), "src/a/b/3.c", "below a long one");
	is_str(glob("{src/a,src-x}/*.c"), "src-x/5.c src/a/2.c", "alternatives");
	is_str(glob(".git/*"), ".git/8.c", ".git is entered by a prefix that names it");
	is_str(glob(".git/**"), ".git/8.c .git/refs/9.c", "with all below");
	is_str(glob("sub/.git/*.c"), "sub/.git/10.c", "also further down");
	is_str(glob("*/.git/*.c"), NULL, "but by nothing else");
	is_str(glob("src/.cairn~run~1.c*"), NULL, "what cairn staged is seen by nobody");
	is_str(glob("none/**"), NULL, "a folder that is not there");
	is_str(glob("6.c/*"), NULL, "a file is no folder");
	is_str(glob("src"), NULL, "a folder is no match");
}

static void paths(void)
{
	sh("mkdir -p d/empty d/sub/.git/x && touch d/f d/sub/g && ln -s f d/l && ln -s sub d/s");
	is_str(ask(Q_PATH, "d/f"), "file", "a file");
	is_str(ask(Q_PATH, "d/l"), "link", "a link");
	is_str(ask(Q_PATH, "d/s"), "link", "a link to a folder");
	is_str(ask(Q_PATH, "d/s/g"), "file", "through a link");
	is_str(ask(Q_PATH, "d/none"), NULL, "nothing");
	is_str(ask(Q_PATH, "d/f/x"), NULL, "nothing below a file");
	is_str(ask(Q_PATH, "d"), "dir d/empty/ d/f d/l d/s d/sub/g", "a folder with all it holds, links as links, no .git");
	is_str(ask(Q_PATH, "d/sub/.git"), "dir d/sub/.git/x/", "unless it is named");
	is_str(ask(Q_PATH, "d/empty"), "dir d/empty/", "an empty folder");
	ok(str_starts(ask(Q_PATH, "src/pipe.c"), S("problem: unable to use src/pipe.c")), "a pipe is refused");
	is_str(ask(Q_PATH, str_fmt(&arena, "%s/d/f", scratch_path).s), "file", "an absolute path");
}

static void links(void)
{
	clear();
	sh("mkdir -p real/deep out && touch real/1.c real/deep/2.c && ln -s real link && ln -s .. real/up && ln -s loop loop && "
	   "ln -s nowhere dangling && ln -s ../real out/r");
	is_str(glob("**/*.c"), "real/1.c real/deep/2.c", "two stars follow no link to a folder");
	is_str(glob("link/**/*.c"), "link/1.c link/deep/2.c", "a prefix does");
	is_str(glob("link/*.c"), "link/1.c", "also for one star");
	is_str(glob("*/*.c"), "link/1.c real/1.c", "and so does a star");
	is_str(glob("*/r/*.c"), "out/r/1.c", "or a name behind one");
	is_str(glob("out/**/*.c"), NULL, "but nothing behind two");
	is_str(glob("*/up/real/*.c"), "link/up/real/1.c real/up/real/1.c", "as often as the pattern says");
	is_str(glob("loop/*"), NULL, "a circle leads nowhere");
	is_str(glob("*"), "dangling link loop", "links match by their names");
}

static void ignored(void)
{
	clear();
	sh("mkdir -p build/gen/.x src/node src/deep/node keep && printf 'build/\\nnode\\n*.log\\n!keep/a.log\\n' >.gitignore && "
	   "touch build/1.c build/gen/2.c build/gen/.x/3.c src/4.c src/node/5.c src/deep/node/6.c src/a.log keep/a.log");
	is_str(glob("**/*.c"), "src/4.c", "ignored folders are not entered");
	is_str(glob("build/**"), "build/1.c build/gen/.x/3.c build/gen/2.c", "but by a prefix that names them");
	is_str(glob("build/gen/*.c"), "build/gen/2.c", "or something below");
	is_str(glob("src/**/*.c"), "src/4.c", "a prefix above is not enough");
	is_str(glob("src/node/*.c"), "src/node/5.c", "one that names it is");
	is_str(glob("**/*.log"), "keep/a.log src/a.log", "ignored files elsewhere are seen");
	is_str(ask(Q_SOURCES, ""), ".gitignore keep/a.log src/4.c", "sources are what is not ignored, without git");
	is_str(ask(Q_PATH, "src"), "dir src/4.c src/a.log src/deep/node/6.c src/node/5.c", "a folder that is named holds all");
	sh("git init -q . && git add -f build/gen/2.c src/a.log && rm build/gen/.x/3.c");
	is_str(ask(Q_SOURCES, ""), ".gitignore build/gen/2.c keep/a.log src/4.c src/a.log", "and what git tracks");
	is_str(glob("**/*.c"), "src/4.c", "which no glob enters");
	sh("rm build/gen/2.c && ln -s ../../src/4.c build/gen/2.c");
	is_str(ask(Q_SOURCES, ""), ".gitignore build/gen/2.c keep/a.log src/4.c src/a.log", "as a link too");
	sh("rm -r build && ln -s src build");
	is_str(ask(Q_SOURCES, ""), ".gitignore build keep/a.log src/4.c src/a.log", "a tracked file is not sought through a link; build/ is a folder");
	sh("rm build .gitignore && ln -s nowhere .gitignore");
	is_str(ask(Q_SOURCES, ""), ".gitignore keep/a.log src/4.c src/a.log src/deep/node/6.c src/node/5.c", "a link .gitignore says nothing");
}

static void names(void)
{
	clear();
	sh("mkdir -p 'new\nline' && touch 'new\nline/a.c' \"$(printf 'b\\377.c')\" 'a b.c' '*.c' '[x].c' -- -c.c");
	is_str(glob("**/*.c"), "*.c -c.c [x].c a b.c b\xff.c new\nline/a.c", "odd names");
	is_str(glob("\\*.c"), "*.c", "an escaped star");
	is_str(glob("?\xff.c"), "b\xff.c", "a byte is a byte");
	is_str(glob("\\[x\\].c"), "[x].c", "escaped brackets");
}

static void deep(void)
{
	struct str got;

	clear();
	sh("p=. && i=0 && while [ $i -lt 1500 ]; do p=$p/d; i=$((i+1)); done && mkdir -p $p && touch $p/x.c");
	got = glob("**/*.c");
	ok(str_ends(got, S("/d/x.c")) && got.n == 1500 * 2 + 3, "a deep tree is not cut off");
	sh("cd d && p=. && for i in 1 2 3 4 5 6 7 8 9; do n=$(printf '%%0200d' 0); p=$p/$n; done; mkdir -p $p && mv $PWD/d $p/");
	got = glob("**/*.c");
	ok(str_starts(got, S("problem: ")) && str_find(got, S("too long")) > 0, "a path that is too long is a problem, not silence");
}

static void unreadable(void)
{
	bool root = !geteuid();

	clear();
	sh("mkdir -p ok no/in bad && touch ok/a.c no/in/b.c bad/c.c && echo x >bad/.gitignore && mkdir bad/d && chmod 0 no bad/.gitignore && "
	   "chmod a+rx .");
	if (root && seteuid(65534) < 0)         /* root reads everything */
		return;
	ok(str_starts(glob("no*/*.c"), S("problem: unable to open the folder no: ")), "an unreadable folder is a problem");
	is_str(glob("ok/*.c"), "ok/a.c", "of those it concerns alone");
	ok(str_starts(glob("no/in/*.c"), S("problem: unable to open the folder no/in: ")), "also one that can't be gone through");
	ok(str_starts(glob("bad/**"), S("problem: unable to read bad/.gitignore: ")), "so is an ignore file");
	is_str(glob("bad/*.c"), "bad/c.c", "unless nothing depends on it");
	ok(str_starts(ask(Q_PATH, "no"), S("problem: unable to open the folder no: ")), "and a folder that is named");
	if (root && seteuid(0) < 0)
		abort();
}

static bool looked_at(const char *path, int mode)
{
	size_t n;
	const struct tree_dir *v = tree_looked(tree, &n);

	for (size_t i = 0; i < n; i++)
		if (str_is(v[i].path, path))
			return mode < 0 || !v[i].ident.mode == !mode;
	return false;
}

/* A tree keeps what it has read; identities are those of before. */
static void looked(void)
{
	struct question q[] = {
		{.kind = Q_GLOB, .text = S("src/a/*.c")}, {.kind = Q_GLOB, .text = S("gone/*.c")}, {.kind = Q_PATH, .text = S("f")},
		{.kind = Q_PATH, .text = S("g")}, {.kind = Q_GLOB, .text = S("broken/*.c")}, {.kind = Q_GLOB, .text = S("ways/*/*.h")},
	};
	struct answer a[countof(q)] = {0};
	struct ident ident;
	size_t n;

	clear();
	sh("mkdir -p src/a ways && touch src/a/1.c f && ln -s nowhere broken && ln -s ../src ways/l");
	begin();
	ok(tree_answer(tree, q, countof(q), a, NULL) == 0, "several questions at once");
	ok(looked_at("src/a", 1), "a listed folder");
	ok(!looked_at("src", -1) && !looked_at("", -1), "those above a prefix are none");
	ok(looked_at("gone", 0), "an absent one is remembered as such");
	ok(looked_at("f", 1) && looked_at("g", 0), "single paths");
	ok(looked_at("broken/.", 0), "what a link does not lead to yet");
	ok(looked_at("ways/l", 1) && looked_at("ways", 1), "a folder behind a link");
	ok(looked_at(str_fmt(&arena, "%s/.git", scratch_path).s, 0), "where a repository may appear");
	file_ident(scratch_fd, "src/a", &ident, NULL);
	ok(ident_eq(&ident, &tree_looked(tree, &n)[0].ident) || n > 1, "identities are those of the folders");
	sh("touch src/a/2.c");
	is_int(tree_answer(tree, q, 1, a, NULL), 0, "asked again");
	is_int(a[0].n, 1, "a tree answers as of when it first looked");
	end();
}

static void many(void)
{
	struct question q[300];
	struct answer a[300] = {0};
	bool right = true;

	clear();
	sh("for i in $(seq 0 299); do mkdir m$i; touch m$i/x.c m$i/y.h; done");
	for (size_t i = 0; i < countof(q); i++)
		q[i] = (struct question){.kind = Q_GLOB, .text = str_fmt(&arena, "m%zu/*.c", i)};
	begin();
	tree_answer(tree, q, countof(q), a, NULL);
	for (size_t i = 0; i < countof(q); i++)
		right &= a[i].n == 1 && str_eq(a[i].items[0], str_fmt(&arena, "m%zu/x.c", i));
	ok(right, "many patterns, each with its own answer");
	end();
}

int main(void)
{
	scratch_make();
	globs();
	paths();
	links();
	ignored();
	names();
	deep();
	unreadable();
	looked();
	many();
	scratch_remove();
	arena_release(&arena);
	return done();
}
