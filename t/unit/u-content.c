#include "resolve/content.h"

#include "scratch.h"
#include "sys/sha.h"

static struct arena arena;
static struct content *content;
static char cache[4200];

static void begin(void)
{
	snprintf(cache, sizeof(cache), "%s/cache/stat", scratch_path);
	content = content_open(&arena, scratch_fd, str_of(scratch_path), cache, NULL);
}

static void end(void)
{
	ok(content_save(content, NULL) == 0, "saved");
	content_close(content);
}

static struct entry entry(const char *path)
{
	struct err err = ERR_INIT;
	struct entry e = {.type = 99};

	if (content_entry(content, str_of(path), &e, NULL, NULL, &err) < 0)
		e.link = str_dup(&arena, str_of(err.text));
	err_release(&err);
	return e;
}

static bool racy(const char *path)
{
	struct entry e;
	bool yes = false;

	content_entry(content, str_of(path), &e, NULL, &yes, NULL);
	return yes;
}

static bool holds(const char *path, const char *text)
{
	struct entry e = entry(path);
	struct digest want;

	sha256_bytes(text, strlen(text), &want);
	return digest_eq(&e.digest, &want);
}

static uint64_t reads(void)
{
	uint64_t files, bytes;

	content_counts(content, &files, &bytes);
	return files;
}

static void kinds(void)
{
	struct entry e;

	sh("mkdir d && printf one >f && chmod 755 f && ln -s f l && ln -s nowhere dangling && ln -s loop loop && mkfifo pipe && : >empty");
	begin();
	e = entry("f");
	ok(e.type == ENTRY_FILE && e.mode == 0755 && e.size == 3 && holds("f", "one") && str_is(e.path, "f"), "a file");
	ok(entry("empty").type == ENTRY_FILE && holds("empty", ""), "an empty file");
	e = entry("d");
	ok(e.type == ENTRY_DIR && e.mode == 0755 && !e.digest.algo, "a folder");
	e = entry("l");
	ok(e.type == ENTRY_LINK && str_is(e.link, "f") && holds("l", "one"), "a link has the digest of its target");
	e = entry("dangling");
	ok(e.type == ENTRY_LINK && !e.digest.algo, "a dangling one has none");
	ok(entry("loop").type == ENTRY_LINK && !entry("loop").digest.algo, "nor a circle");
	ok(entry("none").type == ENTRY_ABSENT && entry("f/x").type == ENTRY_ABSENT, "absent");
	ok(entry("pipe").type == 99 && str_find(entry("pipe").link, S("pipe")) > 0, "a pipe is refused by name");
	ok(holds(str_fmt(&arena, "%s/f", scratch_path).s, "one"), "an absolute path");
	ok(entry("").type == ENTRY_DIR, "the workspace itself");
	end();
}

static void kept(void)
{
	sh("printf kept >k");
	scratch_settle();
	begin();
	ok(holds("k", "kept") && !racy("k") && reads() == 1, "read once");
	ok(holds("k", "kept") && reads() == 1, "and no more in this run");
	end();
	begin();
	ok(holds("k", "kept") && reads() == 0, "nor in the next");
	end();
	sh("touch -d '2001-01-01' k");
	begin();
	ok(holds("k", "kept") && reads() == 1, "a touched file is read again");
	end();
}

/* The same size, and the same mtime put back: ctime tells. */
static void edits(void)
{
	struct stat st;

	scratch_settle();
	begin();
	holds("k", "kept");
	end();
	fstatat(scratch_fd, "k", &st, 0);
	sh("printf diff >k");
	utimensat(scratch_fd, "k", (struct timespec[]){st.st_atim, st.st_mtim}, 0);
	begin();
	ok(holds("k", "diff"), "an edit of the same size and mtime is seen");
	end();
	sh("printf new1 >k.new && touch -r k k.new && mv k.new k");
	begin();
	ok(holds("k", "new1"), "so is a replacement");
	end();
	sh("chmod +x k");
	begin();
	ok(entry("k").mode == 0755 && holds("k", "new1"), "and a mode");
	end();
}

static void races(void)
{
	size_t moved;

	begin();
	/* written and read until both fall into one tick of the clock */
	for (int i = 0; i < 1000; i++) {
		sh("printf %04d >r", i);
		content_forget(content, S("r"));
		if (racy("r"))
			break;
	}
	sh("printf f >future && touch -d '2100-01-01' future");
	ok(racy("future"), "a file from the future is never trusted");
	content_forget(content, S("future"));
	sh("rm future");
	if (racy("r")) {
		ok(true, "a file as young as the clock is racy");
		end();
		begin();
		entry("r");
		ok(reads() == 1, "it is read again in the next run");
	} else {
		ok(true, "a file as young as the clock # SKIP the clock is too fine");
		ok(true, "# SKIP");
	}
	scratch_settle();
	is_int(content_settle(content, &moved, NULL), 0, "settling");
	is_int(moved, 0, "finds it as it was");
	ok(!racy("r"), "then it is trusted");
	end();
	begin();
	entry("r");
	is_int(reads(), 0, "also in the next run");
	end();
}

static void told(void)
{
	struct ident ident;
	struct digest digest;
	size_t moved;

	begin();
	sh("printf out >o");
	file_ident(scratch_fd, "o", &ident, NULL);
	sha256_bytes("out", 3, &digest);
	content_tell(content, S("o"), &ident, &digest);
	ok(holds("o", "out") && reads() == 0, "what is told is not read");
	ok(racy("o"), "but is racy");
	scratch_settle();
	content_settle(content, &moved, NULL);
	ok(moved == 0 && !racy("o") && reads() == 1, "until it is settled");
	content_tell(content, S("o"), &ident, &digest);
	sh("printf abc >o");
	ok(holds("o", "abc"), "an identity that is no more tells nothing");
	content_tell(content, S("o"), &ident, &digest);
	scratch_settle();
	content_settle(content, &moved, NULL);
	ok(moved == 1 && holds("o", "abc"), "settling finds what moved");
	content_forget(content, S("o"));
	sh("printf xyz >o");
	ok(holds("o", "xyz"), "what is forgotten is looked at again");
	end();
}

static bool rests_on(const char *link, const char *path, bool listed)
{
	size_t n;
	const struct content_behind *v = content_behind(content, str_of(link), &n);

	for (size_t i = 0; i < n; i++)
		if (str_is(v[i].path, path) && v[i].listed == listed)
			return true;
	return false;
}

static struct digest link_now(const char *link)
{
	struct digest d;

	begin();
	d = entry(link).digest;
	content_close(content);
	return d;
}

static void differs(const char *link, const char *change, const char *name)
{
	struct digest before = link_now(link), after;

	sh("%s", change);
	after = link_now(link);
	ok(!digest_eq(&before, &after), "%s", name);
}

static void links(void)
{
	struct digest before, after;

	sh("mkdir -p t/s && printf 1 >t/a && printf 2 >t/s/b && ln -s a t/l && ln -s .. t/s/up && ln -s t ft && ln -s ft ft2 && "
	   "ln -s t/a fa && mkfifo t/p && mkdir t/.git && ln -s via/x far && ln -s t via");
	begin();
	ok(entry("ft").type == ENTRY_LINK && entry("ft").digest.algo, "a link to a folder has a digest");
	before = entry("ft").digest;
	after = entry("ft2").digest;
	ok(digest_eq(&before, &after), "the same over two links");
	ok(rests_on("ft2", "ft", false) && rests_on("ft2", "t", true) && rests_on("ft2", "t/s", true) && rests_on("ft2", "t/s/b", false) &&
	   rests_on("ft2", "t/l", false), "it rests on every link, folder and file behind it");
	ok(holds("fa", "1") && rests_on("fa", "t/a", false), "a link to a file on the file");
	ok(entry("far").type == ENTRY_LINK && rests_on("far", "via", false) && rests_on("far", "t/x", false),
	   "a dangling one on what is not there and on links on the way");
	content_close(content);
	differs("ft", "printf 3 >t/s/b", "content behind it counts");
	differs("ft", "chmod +x t/a", "and modes");
	differs("ft", "mv t/a t/c", "and names");
	differs("ft", "ln -sf c t/l", "and link texts");
	differs("ft", "printf 4 >c4 && ln -sf ../../c4 t/s/c4", "and links added");
	differs("ft", "printf 5 >c4", "and what those lead to");
	differs("ft", "mkdir t/none", "and empty folders");
	before = link_now("ft");
	sh("touch t/.git/x t/.cairn~run~x");
	after = link_now("ft");
	ok(digest_eq(&before, &after), "but neither .git nor what cairn staged");
}

static void prefetch(void)
{
	struct str paths[400];
	bool right = true;
	size_t n = countof(paths);

	sh("mkdir p && for i in $(seq 0 299); do printf %%s $i >p/$i; done; mkfifo p/390; head -c 300000 /dev/zero >p/big; ln -s 1 p/391");
	for (size_t i = 0; i < n; i++)
		paths[i] = str_fmt(&arena, "p/%zu", i);
	paths[398] = S("p/big");
	paths[399] = S("p/1");
	begin();
	content_prefetch(content, paths, n, 4);
	is_int(reads(), 301, "all files are read ahead");
	for (size_t i = 0; i < 300; i++)
		right &= holds(paths[i].s, str_fmt(&arena, "%zu", i).s);
	ok(right && reads() == 301, "and found");
	ok(entry("p/350").type == ENTRY_ABSENT && entry("p/390").type == 99 && entry("p/391").type == ENTRY_LINK, "others as ever");
	is_int(entry("p/big").size, 300000, "a big one");
	content_prefetch(content, paths, n, 4);
	is_int(reads(), 301, "what is known is not read again");
	end();
}

static void errors(void)
{
	bool root = !geteuid();
	struct entry e;

	sh("printf x >secret && chmod 0 secret && chmod a+rx .");
	if (root && seteuid(65534) < 0)
		return;
	begin();
	e = entry("secret");
	ok(e.type == 99 && str_find(e.link, S("secret: Permission denied")) > 0, "an unreadable file is an error");
	content_prefetch(content, &S("secret"), 1, 2);
	ok(entry("secret").type == 99, "which prefetch keeps");
	content_close(content);
	if (root && seteuid(0) < 0)
		abort();
}

static void damage(void)
{
	struct str bytes = {0};
	bool right = true;
	char *copy;

	sh("rm -r cache && printf kept >k");
	scratch_settle();
	begin();
	holds("k", "kept");
	end();
	file_read(&arena, AT_FDCWD, cache, 1 << 20, &bytes, NULL);
	copy = arena_dup(&arena, bytes.s, bytes.n);
	for (size_t i = 0; i < bytes.n; i += 7) {
		copy[i] ^= 0x20;
		file_write(AT_FDCWD, cache, (struct str){copy, bytes.n}, 0600, NULL);
		begin();
		right &= holds("k", "kept");
		content_close(content);
		copy[i] ^= 0x20;
	}
	for (size_t n = 0; n < bytes.n; n += 13) {
		file_write(AT_FDCWD, cache, str_head(bytes, n), 0600, NULL);
		begin();
		right &= holds("k", "kept") && reads() == 1;
		content_close(content);
	}
	ok(right, "a damaged or cut cache is passed by");
}

static void ageing(void)
{
	struct stat st;
	off_t full;

	sh("rm -r cache && mkdir old && for i in $(seq 0 99); do printf %%s $i >old/$i; done");
	scratch_settle();
	begin();
	for (int i = 0; i < 100; i++)
		entry(str_fmt(&arena, "old/%d", i).s);
	content_save(content, NULL);
	content_close(content);
	stat(cache, &st);
	full = st.st_size;
	for (int i = 0; i < 102; i++) {
		sh("printf %03d >young", i);
		scratch_settle();
		begin();
		entry("young");
		content_save(content, NULL);
		content_close(content);
	}
	stat(cache, &st);
	ok(st.st_size < full / 4, "what a hundred runs did not use is dropped");
}

int main(void)
{
	scratch_make();
	ok(sha256_init(NULL) == 0, "hashing");
	kinds();
	kept();
	edits();
	races();
	told();
	links();
	prefetch();
	errors();
	damage();
	ageing();
	scratch_remove();
	arena_release(&arena);
	return done();
}
