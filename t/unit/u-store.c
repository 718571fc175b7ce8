/* The stores: one table of checks for the folder and for its twin in memory, then what only a folder can suffer. */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache/store.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "sys/sha.h"

static char top[4096];                   /* the test's own folder, which it starts in */
static unsigned warned;

static void on_warn(void *ctx, struct str text)
{
	(void)ctx;
	(void)text;
	warned++;
}

static struct store *open_dir(const char *name)
{
	struct err err = ERR_INIT;
	struct store *s = NULL;
	if (store_dir_open(str_of(name), &s, &err)) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	s->warn = on_warn;
	return s;
}

static struct digest hash_of(struct str bytes)
{
	struct digest d;
	sha256_bytes(bytes.s, bytes.n, &d);
	return d;
}

static int file_with(const char *name, struct str bytes)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || file_write_all(fd, bytes.s, bytes.n))
		printf("Bail out! %s: %s\n", name, strerror(errno));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct str bytes_of(struct arena *a, const char *name)
{
	struct str s = {NULL, 0};
	file_read(a, AT_FDCWD, name, SIZE_MAX / 2, &s, NULL);
	return s;
}

/* The file in which the folder store dir keeps the blob d. */
static char *blob_path(const char *dir, const struct digest *d)
{
	static char path[200];
	char hex[65];
	digest_hex(d, hex);
	snprintf(path, sizeof(path), "%s/v1/blobs/%.2s/%s", dir, hex, hex + 2);
	return path;
}

static void age(const char *path, int64_t seconds)
{
	struct timespec t = {.tv_sec = time(NULL) - seconds};
	utimensat(AT_FDCWD, path, (struct timespec[]){t, t}, 0);
}

/* --- what every store does --- */

static void check_records(const char *kind, struct store *s)
{
	struct arena a = ARENA_INIT;
	struct digest key = hash_of(S("key")), other = hash_of(S("other"));
	struct str got;
	struct err err = ERR_INIT;
	ok(s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 0, "%s: a record that was never put is absent", kind);
	ok(!s->ops->put(s, RECORD_RESULT, &key, S("one\0two"), &err), "%s: a record is put", kind);
	ok(s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 1 && str_eq(got, S("one\0two")), "%s: and got", kind);
	ok(s->ops->get(s, RECORD_PATHS, &key, &a, &got, &err) == 0, "%s: kinds are apart", kind);
	ok(s->ops->get(s, RECORD_RESULT, &other, &a, &got, &err) == 0, "%s: keys are apart", kind);
	ok(!s->ops->put(s, RECORD_RESULT, &key, S(""), &err) && s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 1 &&
	   got.n == 0, "%s: put replaces, an empty record too", kind);
	ok(!s->ops->put(s, RECORD_PATHS, &other, S("p"), &err) && !s->ops->remove(s, RECORD_RESULT, &key, &err) &&
	   s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 0, "%s: a removed record is absent", kind);
	ok(!s->ops->remove(s, RECORD_RESULT, &key, &err), "%s: removing what is absent is fine", kind);
	ok(!s->ops->put(s, RECORD_RESULT, &key, S("again"), &err) && s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 1,
	   "%s: it can be put again", kind);
	ok(!err_any(&err), "%s: no error was said", kind);
	arena_release(&a);
}

static void check_blob(const char *kind, struct store *s, struct str content)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct digest want = hash_of(content), d, both[2] = {want, hash_of(S("nowhere"))};
	uint64_t size = 0;
	bool present[2] = {true, true};
	ok(!s->ops->has(s, both, 2, present, &err) && !present[0] && !present[1], "%s, %zu bytes: absent at first", kind,
	   content.n);
	int to = file_with("to", S(""));
	ok(s->ops->read(s, &want, to, &err) == 0, "%s, %zu bytes: can't be read either", kind, content.n);
	int from = file_with("from", content);
	ok(!s->ops->write_file(s, from, &d, &size, &err) && digest_eq(&d, &want) && size == content.n,
	   "%s, %zu bytes: written from a file", kind, content.n);
	ok(!s->ops->write_file(s, from, &d, &size, &err) && digest_eq(&d, &want), "%s, %zu bytes: once more", kind, content.n);
	ok(!s->ops->write_bytes(s, content, &d, &err) && digest_eq(&d, &want), "%s, %zu bytes: and from memory", kind,
	   content.n);
	ok(!s->ops->has(s, both, 2, present, &err) && present[0] && !present[1], "%s, %zu bytes: it alone is there", kind,
	   content.n);
	ok(s->ops->read(s, &want, to, &err) == 1 && str_eq(bytes_of(&a, "to"), content), "%s, %zu bytes: read into a file",
	   kind, content.n);
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	ok(s->ops->read_bytes(s, &want, content.n, &b, &err) == 1 && str_eq(buf_view(&b), content),
	   "%s, %zu bytes: read into memory", kind, content.n);
	ok(!err_any(&err), "%s, %zu bytes: no error was said", kind, content.n);
	if (content.n)
		ok(s->ops->read_bytes(s, &want, content.n - 1, &b, &err) == -1 && err_any(&err),
		   "%s, %zu bytes: a limit is kept and said", kind, content.n);
	err_release(&err);
	buf_release(&b);
	close(to);
	close(from);
	arena_release(&a);
}

struct seen { size_t n; struct digest last; };

static int see(void *ctx, const struct digest *d)
{
	struct seen *seen = ctx;
	seen->n++;
	seen->last = *d;
	return 0;
}

static struct { struct store *s; struct digest made[64]; bool good[64]; } shared;

static void write_shared(void *ctx, size_t i)
{
	(void)ctx;
	char text[32], name[32];
	snprintf(text, sizeof(text), "content %zu", i % 16);    /* several at once write the same */
	snprintf(name, sizeof(name), "shared%zu", i);
	int fd = file_with(name, str_of(text));
	uint64_t size;
	bool present;
	struct digest want = hash_of(str_of(text));
	int to = file_with(name, str_of(text));
	shared.good[i] = !shared.s->ops->write_file(shared.s, fd, &shared.made[i], &size, NULL) &&
			 digest_eq(&want, &shared.made[i]) && !shared.s->ops->has(shared.s, &want, 1, &present, NULL) &&
			 present && shared.s->ops->read(shared.s, &want, to, NULL) == 1;
	close(fd);
	close(to);
}

static void check_threads(const char *kind, struct store *s)
{
	shared.s = s;
	pool_each(countof(shared.made), 8, write_shared, NULL);
	bool good = true;
	for (size_t i = 0; i < countof(shared.good); i++)
		good = good && shared.good[i];
	ok(good, "%s: threads write and read at the same time", kind);
}

static void check_store(const char *kind, struct store *s)
{
	check_records(kind, s);
	struct seen seen = {0};
	struct digest other = hash_of(S("other"));
	ok(!s->ops->each_record(s, RECORD_PATHS, see, &seen, NULL) && seen.n == 1 && digest_eq(&seen.last, &other),
	   "%s: each record of a kind is seen", kind);
	check_blob(kind, s, S(""));
	check_blob(kind, s, S("small\n\0and odd\xff"));
	struct arena a = ARENA_INIT;
	for (size_t n = 65535; n < 6u << 20; n *= 4) {
		char *big = arena_alloc(&a, n);
		for (size_t i = 0; i < n; i++)
			big[i] = (char)(i * 7 >> 3);
		check_blob(kind, s, (struct str){big, n});
	}
	arena_release(&a);
	check_threads(kind, s);
}

struct tally { unsigned calls, failed, which; bool said; struct err err; };

static void count_call(struct tally *t, int rc)
{
	t->calls++;
	if (rc < 0) {
		t->failed++;
		t->which = t->calls;
		t->said = t->err.text && strstr(t->err.text, "was to fail");
	}
	err_release(&t->err);
	t->err = (struct err)ERR_INIT;
}

/* Every call fails in its turn, leaves the rest alone and says why. */
static void check_failing(void)
{
	for (unsigned n = 1; n <= 6; n++) {
		struct store *s = store_mem_open(n);
		struct arena a = ARENA_INIT;
		struct digest key = hash_of(S("k")), d;
		struct str got;
		bool present;
		struct tally t = {0};
		count_call(&t, s->ops->put(s, RECORD_RESULT, &key, S("x"), &t.err));
		count_call(&t, s->ops->get(s, RECORD_RESULT, &key, &a, &got, &t.err));
		count_call(&t, s->ops->write_bytes(s, S("b"), &d, &t.err));
		count_call(&t, s->ops->has(s, &key, 1, &present, &t.err));
		count_call(&t, s->ops->read(s, &key, 1, &t.err));
		count_call(&t, s->ops->remove(s, RECORD_RESULT, &key, &t.err));
		ok(t.failed == 1 && t.which == n && t.said, "mem: call %u alone fails when it is to, and says so", n);
		arena_release(&a);
		store_close(s);
	}
}

/* --- what only a folder can suffer --- */

static void check_damage(void)
{
	struct store *s = open_dir("damage");
	struct digest d;
	struct str whole = S("the whole content");
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	bool present;
	s->ops->write_bytes(s, whole, &d, NULL);
	struct stat st;
	ok(!stat(blob_path("damage", &d), &st) && (st.st_mode & 07777) == 0444, "dir: a blob is read-only");
	ok(!stat("damage/v1", &st) && (st.st_mode & 07777) == 0700, "dir: the store is private");

	chmod(blob_path("damage", &d), 0600);
	close(file_with(blob_path("damage", &d), S("the whole c0ntent")));
	warned = 0;
	ok(s->ops->read_bytes(s, &d, 100, &b, NULL) == 0 && b.n == 0, "dir: a damaged blob is absent");
	ok(warned == 1 && access(blob_path("damage", &d), F_OK), "dir: it is said and removed");

	s->ops->write_bytes(s, whole, &d, NULL);
	truncate(blob_path("damage", &d), 0);
	ok(!s->ops->has(s, &d, 1, &present, NULL) && !present, "dir: an emptied blob is absent at once");
	ok(!s->ops->write_bytes(s, whole, &d, NULL) && s->ops->read_bytes(s, &d, 100, &b, NULL) == 1 && str_eq(buf_view(&b), whole),
	   "dir: and is written anew");

	struct buf big = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 300000; i++)
		buf_fmt(&big, "%d\n", i);
	s->ops->write_bytes(s, buf_view(&big), &d, NULL);
	chmod(blob_path("damage", &d), 0600);
	int fd = open(blob_path("damage", &d), O_WRONLY);
	pwrite(fd, "x", 1, 1000000);
	close(fd);
	int to = file_with("to", S(""));
	ok(s->ops->read(s, &d, to, NULL) == 0 && !fstat(to, &st) && st.st_size == 0,
	   "dir: of a big damaged blob nothing is left in the file it was read into");
	close(to);
	buf_release(&big);
	buf_release(&b);
	store_close(s);
}

/* A blob as a power loss may leave it: right size, wrong bytes, older than this boot. */
static void check_boot(void)
{
	struct store *s = open_dir("boot");
	struct digest d;
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	s->ops->write_bytes(s, S("content"), &d, NULL);
	chmod(blob_path("boot", &d), 0600);
	close(file_with(blob_path("boot", &d), S("\0\0\0\0\0\0\0")));
	age(blob_path("boot", &d), 100);
	ok(!s->ops->write_bytes(s, S("content"), &d, NULL) && s->ops->read_bytes(s, &d, 100, &b, NULL) == 1 &&
	   str_eq(buf_view(&b), S("content")), "dir: a blob from before this boot is verified before it is relied on");
	struct stat before, after;
	age(blob_path("boot", &d), 100);
	s->ops->write_bytes(s, S("content"), &d, NULL);
	stat(blob_path("boot", &d), &before);
	s->ops->write_bytes(s, S("content"), &d, NULL);
	stat(blob_path("boot", &d), &after);
	ok(before.st_mtime >= time(NULL) - 10 && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec,
	   "dir: and is young from then on");
	buf_release(&b);
	store_close(s);
}

static uint64_t count_files(const char *path)
{
	uint64_t n = 0;
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static bool write_fails(struct store *s, struct err *err)
{
	struct buf big = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 400000; i++)
		buf_fmt(&big, "%d\n", i);
	struct digest d;
	uint64_t size;
	int from = file_with("big", buf_view(&big));
	bool fails = s->ops->write_file(s, from, &d, &size, err) == -1;
	bool kept = s->ops->write_bytes(s, (struct str){big.s, 900000}, &d, NULL) == 0;
	close(from);
	buf_release(&big);
	return fails && !kept;
}

static void check_full(void)
{
	struct err err = ERR_INIT;
	mkdir("full", 0700);
	if (mount("none", "full", "tmpfs", 0, "size=700k")) {
		printf("# no tmpfs here (%s): the limit on file sizes stands in\n", strerror(errno));
		pid_t pid = fork();
		if (!pid) {
			signal(SIGXFSZ, SIG_IGN);
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){500000, 500000});
			struct store *s = open_dir("limited");
			_exit(!(write_fails(s, &err) && count_files("limited/v1/tmp") == 0));
		}
		int status = 1;
		waitpid(pid, &status, 0);
		ok(status == 0, "dir: a write that fails half-way leaves nothing");
		return;
	}
	struct store *s = open_dir("full");
	ok(write_fails(s, &err), "dir: a full disk is an error");
	ok(err.text && strstr(err.text, "cairn cache gc"), "dir: which says what makes room");
	ok(count_files("full/v1/tmp") == 0, "dir: and leaves nothing half-written");
	struct digest d;
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	ok(!s->ops->write_bytes(s, S("small"), &d, NULL) && s->ops->read_bytes(s, &d, 10, &b, NULL) == 1,
	   "dir: what fits is kept still");
	buf_release(&b);
	err_release(&err);
	store_close(s);
	umount("full");
}

/* As a user to whom permissions mean something. */
static void check_unwritable(void)
{
	struct store *s = open_dir("readonly");
	struct digest d, key = hash_of(S("k"));
	s->ops->write_bytes(s, S("kept before"), &d, NULL);
	s->ops->put(s, RECORD_RESULT, &key, S("r"), NULL);
	store_close(s);
	if (getuid() == 0 && system("chmod 755 . && chown -R 65534:65534 readonly"))
		printf("# chown failed\n");
	if (system("chmod -R a-w readonly"))
		printf("# chmod failed\n");
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		if (getuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(1);
		struct err err = ERR_INIT;
		struct buf b = BUF_INIT(BUF_UNLIMITED);
		struct arena a = ARENA_INIT;
		struct str got;
		struct digest other;
		s = open_dir("readonly");
		bool good = ok(s->ops->get(s, RECORD_RESULT, &key, &a, &got, &err) == 1 &&
			       s->ops->read_bytes(s, &d, 100, &b, &err) == 1, "dir: a store that can't be written is read");
		good &= ok(!s->ops->write_bytes(s, S("kept before"), &other, &err), "dir: what it holds need not be written");
		good &= ok(s->ops->write_bytes(s, S("new"), &other, &err) == -1 && strstr(err.text, "writable"),
			   "dir: writing says that it can't");
		err_release(&err);
		struct store *none = NULL;
		good &= ok(store_dir_open(S("readonly/v1/results/sub"), &none, &err) == -1 && strstr(err.text, "writable"),
			   "dir: so does making one where none can be made");
		_exit(good ? 0 : 1);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	tap_run += 4;
	ok(status == 0, "dir: all of that held");
	if (system("chmod -R u+w readonly"))
		printf("# chmod failed\n");
}

/* --- gc --- */

/* A "record" is the digests of its blobs, one behind the other. */
static int refs_of(struct str record, void (*blob)(void *, const struct digest *), void *ctx)
{
	if (record.n % sizeof(struct digest))
		return -1;
	for (size_t at = 0; at < record.n; at += sizeof(struct digest)) {
		struct digest d;
		memcpy(&d, record.s + at, sizeof(d));
		blob(ctx, &d);
	}
	return 0;
}

static int check_any(enum record_kind kind, struct str record)
{
	return kind == RECORD_RESULT && record.n % sizeof(struct digest) ? -1 : 0;
}

static struct digest put_result(struct store *s, const char *dir, int i, int64_t seconds_old)
{
	char text[16384];
	struct digest blobs[2], key;
	memset(text, 'a' + i, sizeof(text));
	s->ops->write_bytes(s, (struct str){text, sizeof(text)}, &blobs[0], NULL);
	s->ops->write_bytes(s, S("shared by all"), &blobs[1], NULL);
	key = hash_of((struct str){text, (size_t)i + 1});
	s->ops->put(s, RECORD_RESULT, &key, (struct str){(char *)blobs, sizeof(blobs)}, NULL);
	char path[200], hex[65];
	digest_hex(&key, hex);
	snprintf(path, sizeof(path), "%s/v1/results/%.2s/%s", dir, hex, hex + 2);
	age(path, seconds_old);
	age(blob_path(dir, &blobs[0]), seconds_old);
	age(blob_path(dir, &blobs[1]), seconds_old);
	return key;
}

static bool held(struct store *s, const struct digest *key)
{
	struct arena a = ARENA_INIT;
	struct str got;
	bool there = s->ops->get(s, RECORD_RESULT, key, &a, &got, NULL) == 1;
	arena_release(&a);
	return there;
}

static bool blob_held(struct store *s, int i)
{
	char text[16384];
	bool present = false;
	memset(text, 'a' + i, sizeof(text));
	struct digest d = hash_of((struct str){text, sizeof(text)});
	s->ops->has(s, &d, 1, &present, NULL);
	return present;
}

static void check_gc(void)
{
	struct store *s = open_dir("gc");
	struct digest keys[8], stray, young;
	struct store_gc told;
	struct store_stats stats;
	for (int i = 0; i < 8; i++)
		keys[i] = put_result(s, "gc", i, 10000 * (8 - i));
	s->ops->write_bytes(s, S("named by none"), &stray, NULL);
	age(blob_path("gc", &stray), 10000);
	s->ops->write_bytes(s, S("named by none yet"), &young, NULL);
	struct store_limits none = {0}, day = {.max_age_s = 65000};
	ok(!store_dir_gc_due(s, &day), "gc: nothing is due before there is a limit to break");
	ok(!store_dir_gc(s, &none, refs_of, &told, NULL) && told.removed_records == 0 && told.removed_blobs == 1,
	   "gc: without limits what no record names goes");
	bool present[2];
	ok(!s->ops->has(s, (struct digest[]){stray, young}, 2, present, NULL) && !present[0] && present[1],
	   "gc: but for what is young");
	ok(!store_dir_stats(s, &stats, NULL) && stats.records == 8 && stats.blobs == 10 && stats.bytes == told.kept_bytes,
	   "gc: kept is what stats count");
	ok(stats.oldest_s >= 80000 && stats.oldest_s < 80100, "gc: and the oldest use is known");

	ok(!store_dir_gc(s, &day, refs_of, &told, NULL) && told.removed_records == 2 && told.removed_blobs == 2 &&
	   told.freed_bytes == 2 * (4096 + 16384), "gc: by age the old go with what they alone hold");
	ok(!held(s, &keys[0]) && !held(s, &keys[1]) && held(s, &keys[2]) && blob_held(s, 2), "gc: and no others");

	/* keys[2] was just marked as used, by held() */
	struct store_limits tight = {.max_bytes = told.kept_bytes - 3 * 16384};
	ok(!store_dir_gc(s, &tight, refs_of, &told, NULL) && told.kept_bytes == tight.max_bytes && told.removed_records == 0 &&
	   told.removed_blobs == 3, "gc: by size exactly as much goes as must, least recently used first");
	ok(blob_held(s, 2) && !blob_held(s, 3) && !blob_held(s, 5) && blob_held(s, 6) && held(s, &keys[3]),
	   "gc: records outlive their blobs");
	struct store_limits tiny = {.max_bytes = 1};
	ok(!store_dir_gc(s, &tiny, refs_of, &told, NULL) && !store_dir_stats(s, &stats, NULL) && stats.bytes == told.kept_bytes &&
	   stats.records == 2 && blob_held(s, 2), "gc: what was used in the last hour stays under any limit");
	ok(!store_dir_gc_due(s, &tiny), "gc: and does not make the next run try again");

	struct digest bad = hash_of(S("bad"));
	s->ops->put(s, RECORD_RESULT, &bad, S("not a record"), NULL);
	warned = 0;
	ok(!store_dir_gc(s, &none, refs_of, &told, NULL) && told.removed_records == 1 && warned == 1 && !held(s, &bad),
	   "gc: a damaged record goes and is said");
	store_close(s);
}

static void check_due(void)
{
	struct store *s = open_dir("due");
	struct store_limits some = {.max_bytes = 120000};
	struct store_gc told;
	struct digest d;
	store_dir_gc(s, &some, refs_of, &told, NULL);
	for (int i = 0; i < 5; i++)
		put_result(s, "due", i, 5000);
	ok(!store_dir_gc_due(s, &some), "gc: not due below the limit");
	store_close(s);
	s = open_dir("due");
	for (int i = 5; i < 8; i++)
		put_result(s, "due", i, 5000);
	ok(store_dir_gc_due(s, &some), "gc: due above it, what another process added counted");
	ok(!store_dir_gc(s, &some, refs_of, &told, NULL) && told.kept_bytes <= some.max_bytes && !store_dir_gc_due(s, &some),
	   "gc: and no longer once it was");
	for (int i = 0; i < 2000; i++) {
		store_close(s);
		s = open_dir("due");
		char text[32];
		snprintf(text, sizeof(text), "%d", i);
		s->ops->write_bytes(s, str_of(text), &d, NULL);
	}
	ok(store_dir_gc_due(s, &(struct store_limits){.max_age_s = 1000000}), "gc: due after very many processes");
	store_close(s);
}

/* A gc beside writers: no record may end up without its blob. */
static void check_gc_beside(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		struct store *s = open_dir("beside");
		struct store_gc told;
		for (;;)
			store_dir_gc(s, &(struct store_limits){.max_bytes = 1}, refs_of, &told, NULL);
	}
	struct store *s = open_dir("beside");
	unsigned lost = 0;
	for (int i = 0; i < 3000; i++) {
		char text[32];
		struct digest d, key;
		bool present;
		snprintf(text, sizeof(text), "content %d", i % 10);
		s->ops->write_bytes(s, str_of(text), &d, NULL);
		age(blob_path("beside", &d), 4000);     /* so old that only its use spares it */
		s->ops->write_bytes(s, str_of(text), &d, NULL);
		key = hash_of(str_of(text));
		s->ops->put(s, RECORD_RESULT, &key, (struct str){(char *)&d, sizeof(d)}, NULL);
		for (int tries = 0; tries < 5000; tries++) {      /* it may be in tmp/ while gc looks at it again */
			present = false;
			s->ops->has(s, &d, 1, &present, NULL);
			if (present)
				break;
			usleep(100);
		}
		lost += !present;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_int(lost, 0, "gc: beside a writer it takes nothing that is in use");
	store_close(s);
}

static void check_verify(void)
{
	struct store *s = open_dir("verify");
	struct store_verify v;
	struct store_stats stats;
	for (int i = 0; i < 8; i++)
		put_result(s, "verify", i, 0);
	ok(!store_dir_verify(s, check_any, &v, NULL) && v.records == 8 && v.blobs == 9 && v.damaged == 0,
	   "verify: a sound store is sound");
	struct digest bad = hash_of(S("bad")), d = hash_of(S("shared by all"));
	s->ops->put(s, RECORD_RESULT, &bad, S("odd"), NULL);
	chmod(blob_path("verify", &d), 0600);
	close(file_with(blob_path("verify", &d), S("shared by al1")));
	close(file_with("verify/v1/blobs/ab", S("")));
	ok(store_dir_verify(s, check_any, &v, NULL) != 0, "verify: a file in a folder's place is an error");
	unlink("verify/v1/blobs/ab");
	mkdir("verify/v1/blobs/ab", 0700);
	close(file_with("verify/v1/blobs/ab/notes.txt", S("")));
	ok(!store_dir_verify(s, check_any, &v, NULL) && v.damaged >= 1, "verify: damage is found");
	ok(!store_dir_verify(s, check_any, &v, NULL) && v.damaged == 0 && v.records == 8 && v.blobs == 8, "verify: and gone");
	ok(!store_dir_clear(s, NULL) && !store_dir_stats(s, &stats, NULL) && stats.records + stats.blobs + stats.bytes == 0,
	   "clear: leaves nothing");
	ok(!s->ops->write_bytes(s, S("after"), &d, NULL), "clear: the store goes on");
	store_close(s);
}

/* Killed while it writes: what has a name is whole. */
static void check_killed(void)
{
	struct store *s = open_dir("killed");
	struct store_verify v;
	uint64_t damaged = 0;
	fflush(stdout);
	for (int round = 0; round < 40; round++) {
		pid_t pid = fork();
		if (!pid) {
			char text[200000];
			struct digest d;
			for (int i = 0;; i++) {
				memset(text, round * 50 + i, sizeof(text));
				s->ops->write_bytes(s, (struct str){text, sizeof(text) - (size_t)(i % 1000)}, &d, NULL);
				s->ops->put(s, RECORD_RESULT, &d, (struct str){(char *)&d, sizeof(d)}, NULL);
			}
		}
		usleep((unsigned)(rand() % 4000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	ok(!store_dir_verify(s, check_any, &v, NULL), "killed: the store can be verified");
	damaged += v.damaged;
	is_int(damaged, 0, "killed: nothing with a name is torn");
	store_close(s);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(top, sizeof(top), "%s/u-store.XXXXXX", tmp ? tmp : "/tmp");
	struct err err = ERR_INIT;
	if (!mkdtemp(top) || chdir(top) || sha256_init(&err)) {
		printf("Bail out! %s\n", err.text ? err.text : strerror(errno));
		return 1;
	}
	struct store *s = store_mem_open(0);
	check_store("mem", s);
	store_close(s);
	s = open_dir("store");
	check_store("dir", s);
	store_close(s);
	s = open_dir("store");
	struct digest key = hash_of(S("key"));
	ok(held(s, &key), "dir: it is there for the next process");
	store_close(s);
	check_failing();
	check_damage();
	check_boot();
	check_full();
	check_unwritable();
	check_gc();
	check_due();
	check_gc_beside();
	check_verify();
	check_killed();
	file_remove_tree(AT_FDCWD, top, NULL);
	return done();
}
