/* The ledger: what it keeps, what is left of a torn or foreign file, what a killed run left. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec/ledger.h"
#include "sys/file.h"

#define MANY 100000

static int rootfd;

static struct ledger *open_ledger(const char *path, bool *fresh)
{
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	bool f;
	if (ledger_open(&l, path, rootfd, fresh ? fresh : &f, &err)) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return l;
}

static struct ledger *reopen(struct ledger *l, const char *path)
{
	ledger_close(l);
	return open_ledger(path, NULL);
}

static struct entry file_entry(const char *path, uint8_t mark)
{
	struct entry e = {.path = str_of(path), .type = ENTRY_FILE, .mode = 0644, .size = mark, .digest.algo = DIGEST_SHA256};
	e.digest.bytes[0] = mark;
	return e;
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
	return str_eq(a->path, b->path) && a->type == b->type && a->mode == b->mode && a->size == b->size &&
	       digest_eq(&a->digest, &b->digest) && str_eq(a->link, b->link);
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) ? -1 : st.st_size;
}

static void set_one(struct ledger *l, const char *step, const char *path, uint8_t mark)
{
	struct entry e = file_entry(path, mark);
	if (ledger_set(l, str_of(step), &(struct entries){&e, 1}, NULL))
		printf("# ledger_set failed\n");
}

static void check_keeping(void)
{
	bool fresh = false;
	struct ledger *l = open_ledger("keep/deep/ledger", &fresh);
	struct entries out;
	ok(fresh && ledger_steps(l) == 0 && !ledger_outputs(l, S("a"), &out), "a new ledger knows nothing");
	l = reopen(l, "keep/deep/ledger");
	ok(size_of("keep/deep/ledger") < 0, "and writes nothing until there is something to say");

	struct entry v[] = {
		{.path = S("dir"), .type = ENTRY_DIR, .mode = 0755},
		file_entry("dir/a\n\xff\"b", 7),
		{.path = S("dir/l"), .type = ENTRY_LINK, .mode = 0777, .link = S("../x"), .digest.algo = DIGEST_SHA256},
		{.path = S("gone"), .type = ENTRY_LINK, .mode = 0777, .link = S("")},
	};
	ok(!ledger_set(l, S("one"), &(struct entries){v, countof(v)}, NULL), "a step is set");
	set_one(l, "two", "t", 2);
	ok(!ledger_set(l, S("none"), &(struct entries){NULL, 0}, NULL), "one without outputs, too");
	for (int round = 0; round < 2; round++) {
		bool good = ledger_outputs(l, S("one"), &out) && out.n == countof(v);
		for (size_t i = 0; good && i < out.n; i++)
			good = same_entry(&out.v[i], &v[i]);
		ok(good, "it is told as it was set%s", round ? ", by the next process" : "");
		ok(ledger_steps(l) == 3 && str_is(ledger_step(l, 0), "one") && str_is(ledger_step(l, 2), "none"),
		   "steps come in the order they first came");
		is_str(ledger_owner(l, S("dir/l")), "one", "a path has its owner");
		is_str(ledger_owner(l, S("dir")), NULL, "a folder has none");
		is_str(ledger_owner(l, S("dir/x")), NULL, "nor has what nobody wrote");
		ok(ledger_outputs(l, S("none"), &out) && out.n == 0, "no outputs is not unknown");
		l = reopen(l, "keep/deep/ledger");
	}
	off_t size = size_of("keep/deep/ledger");
	set_one(l, "two", "t", 2);
	is_int(size_of("keep/deep/ledger"), size, "setting the same again writes nothing");
	ok(ledger_outputs(l, S("two"), &out), "two is known");
	set_one(l, "two", "u", 3);
	is_str(out.v[0].path, "t", "what was told stays as it was");
	is_str(ledger_owner(l, S("t")), NULL, "what a step no longer writes has no owner");
	is_str(ledger_owner(l, S("u")), "two", "what it writes now has");
	set_one(l, "three", "u", 4);
	is_str(ledger_owner(l, S("u")), "three", "the last writer owns");
	ok(!ledger_forget(l, S("one"), NULL) && !ledger_forget(l, S("never"), NULL) && ledger_steps(l) == 3 &&
	   str_is(ledger_step(l, 0), "two"), "a forgotten step is gone");
	is_str(ledger_owner(l, S("dir/l")), NULL, "with its paths");
	l = reopen(l, "keep/deep/ledger");
	is_int((long long)ledger_steps(l), 3, "also for the next process");
	is_str(ledger_owner(l, S("u")), "three", "which sees the same owner");
	ledger_close(l);
}

/* Cut anywhere, or with a byte changed anywhere, what is whole in front of the fault is kept, and writing goes on. */
static void check_torn(void)
{
	struct ledger *l = open_ledger("whole", NULL);
	off_t ends[11];
	for (int i = 0; i < 10; i++) {
		char step[16];
		snprintf(step, sizeof(step), "s%d", i);
		set_one(l, step, step, (uint8_t)i);
		ends[i] = size_of("whole");
	}
	ledger_close(l);
	struct arena a = ARENA_INIT;
	struct str whole;
	file_read(&a, AT_FDCWD, "whole", 1 << 20, &whole, NULL);
	unsigned bad = 0;
	for (size_t cut = 0; cut < 2 * whole.n; cut++) {
		char *bytes = arena_dup(&a, whole.s, whole.n);
		bool torn = cut < whole.n;
		size_t at = torn ? cut : cut - whole.n;
		if (!torn)
			bytes[at] ^= 0x20;
		file_write(AT_FDCWD, "torn", (struct str){bytes, torn ? cut : whole.n}, 0600, NULL);
		size_t want = 0;
		while (at >= 32 && want < 10 && (size_t)ends[want] <= at)
			want++;
		l = open_ledger("torn", NULL);
		bad += ledger_steps(l) != want;
		set_one(l, "more", "m", 1);
		l = reopen(l, "torn");
		bad += ledger_steps(l) != want + 1 || !ledger_outputs(l, S("more"), &(struct entries){0});
		ledger_close(l);
	}
	is_int(bad, 0, "cut or changed at any byte, what is whole before it is kept and writing goes on");
	arena_release(&a);
}

static void check_foreign(void)
{
	bool fresh = false;
	struct ledger *l = open_ledger("foreign", NULL);
	set_one(l, "s", "p", 1);
	ledger_close(l);
	int other = open("keep", O_RDONLY | O_DIRECTORY);
	struct ledger *moved = NULL;
	ok(!ledger_open(&moved, "foreign", other, &fresh, NULL) && fresh && ledger_steps(moved) == 0,
	   "the ledger of another folder is not ours");
	ledger_close(moved);
	close(other);
	l = open_ledger("foreign", &fresh);
	ok(!fresh && ledger_steps(l) == 1, "and is left alone until something is written");
	ledger_close(l);
	file_write(AT_FDCWD, "foreign", S("cairn ledger 9\n\0and so on, and so on, and so on"), 0600, NULL);
	l = open_ledger("foreign", &fresh);
	set_one(l, "s", "p", 1);
	l = reopen(l, "foreign");
	ok(fresh && ledger_steps(l) == 1, "one of another format is replaced");
	ledger_close(l);
}

static void check_full(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		struct ledger *l = open_ledger("full", NULL);
		struct err err = ERR_INIT;
		set_one(l, "fits", "p", 1);
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){size_of("full") + 100, RLIM_INFINITY});
		struct entry e = file_entry("a path that is long enough to be cut in the middle by the limit, and longer still, to be sure", 2);
		bool failed = ledger_set(l, S("does not"), &(struct entries){&e, 1}, &err) == -1 && strstr(err.text, "ledger");
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
		set_one(l, "fits again", "q", 3);
		_exit(failed ? 0 : 1);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	ok(status == 0, "a full disk is an error");
	struct ledger *l = open_ledger("full", NULL);
	ok(ledger_steps(l) == 2 && str_is(ledger_step(l, 1), "fits again"), "after which the file is whole and goes on");
	ledger_close(l);
}

/* --- what a killed run left --- */

static void touch(const char *path, const char *text)
{
	file_write(rootfd, path, str_of(text), 0644, NULL);
}

static bool has_text(const char *path, const char *text)
{
	struct arena a = ARENA_INIT;
	struct str s = {NULL, 0};
	bool same = file_read(&a, rootfd, path, 1000, &s, NULL) == 1 && str_is(s, text);
	arena_release(&a);
	return same;
}

static void check_recover(void)
{
	size_t n = 9;
	struct ledger *l = open_ledger("recover", NULL);
	mkdir("w", 0755);
	touch("w/.cairn~r~1", "old");
	touch("w/out", "half of the new");
	touch("w/.cairn~r~2", "staged");
	touch("w/never-moved", "here");
	touch("w/.cairn~r~4/deep/file", "old folder");
	touch("w/folder/new", "half");
	touch("w/.cairn~r~5", "done with");
	touch("w/precious", "mine");
	ledger_moving(l, S("w/out"), S("w/.cairn~r~1"));
	ledger_staging(l, S("w/.cairn~r~2"));
	ledger_moving(l, S("w/never-moved"), S("w/.cairn~r~3"));
	ledger_moving(l, S("w/folder"), S("w/.cairn~r~4"));
	ledger_moving(l, S("w/settled"), S("w/.cairn~r~5"));
	ledger_settled(l, S("w/.cairn~r~5"));
	ledger_staging(l, S("w/precious"));             /* none of our names: a journal that lies */
	ledger_staging(l, S("../w/.cairn~r~5"));
	ledger_moving(l, S("../above"), S("w/.cairn~r~5"));
	ok(size_of("recover") < 0 && !ledger_flush(l, NULL) && size_of("recover") > 0, "notes are written at once, when told");
	/* killed: what is in memory is lost */
	struct ledger *next = open_ledger("recover", NULL);
	ok(!ledger_recover(next, rootfd, &n, NULL) && n == 3, "three things are put right");
	ok(has_text("w/out", "old") && size_of("w/.cairn~r~1") < 0, "a file moved aside is back");
	ok(has_text("w/folder/deep/file", "old folder") && size_of("w/folder/new") < 0, "a folder, too, in place of what is there");
	ok(size_of("w/.cairn~r~2") < 0, "a staged file is gone");
	ok(has_text("w/never-moved", "here"), "what was not yet moved stays");
	ok(has_text("w/.cairn~r~5", "done with") && has_text("w/precious", "mine"), "nothing else is touched");
	ledger_close(next);
	next = open_ledger("recover", NULL);
	ok(!ledger_recover(next, rootfd, &n, NULL) && n == 0, "once");
	/* committed: what is aside is to go */
	touch("w/.cairn~s~1", "old");
	touch("w/out", "new");
	ledger_moving(next, S("w/out"), S("w/.cairn~s~1"));
	ledger_staging(next, S("w/.cairn~s~1"));
	ledger_flush(next, NULL);
	struct ledger *last = open_ledger("recover", NULL);
	ok(!ledger_recover(last, rootfd, &n, NULL) && n == 1 && has_text("w/out", "new") && size_of("w/.cairn~s~1") < 0,
	   "what was to go goes, and the new stays");
	ledger_close(last);
	ledger_close(next);
	ledger_close(l);
}

static void check_links(void)
{
	size_t n = 9;
	struct ledger *l = open_ledger("links", NULL);
	mkdir("outside", 0755);
	touch("outside/.cairn~r~1", "not ours");
	mkdir("inner", 0755);
	symlink("../outside", "inner/out");
	int inner = open("inner", O_RDONLY | O_DIRECTORY);
	ledger_staging(l, S("out/.cairn~r~1"));
	ledger_moving(l, S("x"), S("out/.cairn~r~1"));
	ok(!ledger_recover(l, inner, &n, NULL) && n == 0 && has_text("outside/.cairn~r~1", "not ours"),
	   "nothing is touched through a link that leads out");
	close(inner);
	ledger_close(l);
}

/* --- size --- */

static void set_many(struct ledger *l, uint8_t mark)
{
	for (int i = 0; i < MANY; i++) {
		char step[64], path[64];
		snprintf(step, sizeof(step), "compile[src=src/part%d/file%d.c]", i % 100, i);
		snprintf(path, sizeof(path), "build/obj/part%d/file%d.o", i % 100, i);
		set_one(l, step, path, mark);
	}
}

static void check_many(void)
{
	struct ledger *l = open_ledger("many", NULL);
	set_many(l, 1);
	set_many(l, 2);
	set_many(l, 3);
	off_t before = size_of("many");
	ledger_close(l);
	ok(size_of("many") < before / 2, "what is dead is left out when the ledger is closed");
	l = open_ledger("many", NULL);
	struct entries out;
	struct str owner = ledger_owner(l, S("build/obj/part7/file99907.o"));
	is_str(owner, "compile[src=src/part7/file99907.c]", "any of 100,000 is found");
	ok(ledger_steps(l) == MANY && ledger_outputs(l, owner, &out) && out.n == 1 && out.v[0].size == 3, "as it was last");
	ledger_close(l);
}

int main(void)
{
	char top[4096];
	const char *tmp = getenv("TMPDIR");
	snprintf(top, sizeof(top), "%s/u-ledger.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top) || chdir(top) || (rootfd = open(".", O_RDONLY | O_DIRECTORY)) < 0) {
		printf("Bail out! %s\n", strerror(errno));
		return 1;
	}
	check_keeping();
	check_torn();
	check_foreign();
	check_full();
	check_recover();
	check_links();
	check_many();
	file_remove_tree(AT_FDCWD, top, NULL);
	return done();
}
