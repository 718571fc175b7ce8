/* The shim's frames, log and sums, and its tar archives, without a shim. */
#include "runtimes/shim/outlog.h"
#include "runtimes/shim/sha2.h"
#include "runtimes/shim/unframe.h"
#include "runtimes/shim/ustar.h"
#include "sys/archive.h"
#include "sys/sha.h"
#include "tap.h"

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static struct bytes text(const char *z) { return (struct bytes){(const uint8_t *)z, strlen(z)}; }

static void sums(void)
{
	static uint8_t bytes[1000];
	int wrong = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)below(256);
	ok(crc32_of(0, "123456789", 9) == 0xcbf43926, "CRC-32 has the value that its definitions give");
	for (size_t n = 0; n < 300; n++) {
		struct sha2 s;
		struct digest want, got = {.algo = DIGEST_SHA256};
		size_t cut = below(n + 1);
		sha2_begin(&s);
		sha2_add(&s, bytes, cut);
		sha2_add(&s, bytes + cut, n - cut);
		sha2_end(&s, got.bytes);
		sha256_bytes(bytes, n, &want);
		wrong += !digest_eq(&got, &want) || crc32_of(crc32_of(0, bytes, cut), bytes + cut, n - cut) != crc32_of(0, bytes, n);
	}
	is_int(wrong, 0, "SHA-256 agrees with libcrypto at each length, in any pieces");
}

/* --- frames --- */

static struct unframe in;

static enum unframe_result feed(struct bytes *b, struct frame *f)
{
	return unframe_next(&in, b, FRAME_HELLO, f);
}

static void reset(void)
{
	memset(&in, 0, sizeof(in));
}

static size_t frame(uint8_t *out, uint32_t type, uint32_t sequence, struct bytes payload)
{
	wire_head(out, type, sequence, payload, (struct bytes){0});
	if (payload.n)
		memcpy(out + HEAD_SIZE, payload.p, payload.n);
	return HEAD_SIZE + payload.n;
}

static void frames(void)
{
	uint8_t b[200];
	struct frame f;
	size_t n = frame(b, FRAME_OUTPUT, 1, text("hello"));
	n += frame(b + n, FRAME_PING, 0, text("12345678"));
	n += frame(b + n, FRAME_DONE | FRAME_MORE, 2, text(""));
	for (size_t piece = 1; piece <= n; piece++) {
		int got = 0;
		reset();
		for (size_t at = 0; at < n; at += piece) {
			struct bytes p = {b + at, piece < n - at ? piece : n - at};
			while (feed(&p, &f) == UNFRAME_FRAME) {
				got = got * 100 + (int)f.type;
				if (f.type == FRAME_OUTPUT && (f.payload.n != 5 || memcmp(f.payload.p, "hello", 5)))
					got = -1000000;
				if (f.type == FRAME_DONE && !f.more)
					got = -1000000;
			}
		}
		if (got != 330434 || in.position != 2 * HEAD_SIZE + 5) {
			ok(false, "frames in pieces of %zu", piece);
			return;
		}
	}
	ok(true, "frames come whole, whatever pieces the bytes come in");
}

/* Each bit that is wrong is found, and nothing behind it is taken for a frame. */
static void damage(void)
{
	uint8_t b[200], bad[200];
	struct frame f;
	int taken = 0;
	size_t n = frame(b, FRAME_OUTPUT, 1, text("hello"));
	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(bad, b, n);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		size_t all = n + frame(bad + n, FRAME_OUTPUT, 2, text("more"));
		struct bytes p = {bad, all};
		enum unframe_result got;
		bool lost = false;
		reset();
		while ((got = feed(&p, &f)) != UNFRAME_MORE) {
			lost |= got == UNFRAME_LOST;
			taken += got == UNFRAME_FRAME;
		}
		taken += !lost || in.position != 0;
	}
	is_int(taken, 0, "a frame with a wrong bit is refused, with all behind it");
	reset();
	n = frame(b, FRAME_OUTPUT, 2, text("x"));
	ok(feed(&(struct bytes){b, n}, &f) == UNFRAME_LOST && in.lost == LOST_SEQUENCE, "so is one whose sequence is not the next");
	reset();
	memcpy(b, "cfr9", 4);
	ok(feed(&(struct bytes){b, n}, &f) == UNFRAME_LOST && in.lost == LOST_VERSION, "and one of another version");
	reset();
	wire_head(b, FRAME_OUTPUT, 1, (struct bytes){b, 1}, (struct bytes){0});
	wire_u32(b + HEAD_LENGTH, FRAME_MAX + 1);
	wire_u32(b + HEAD_HEADSUM, crc32_of(0, b, HEAD_HEADSUM));
	ok(feed(&(struct bytes){b, n}, &f) == UNFRAME_LOST && in.lost == LOST_LENGTH, "and one that says to be longer than any");
}

/* A stream that is cut at any byte and begins anew with the preamble: its HELLO is found, whatever was there before. */
static void greetings(void)
{
	static uint8_t b[HEAD_SIZE + FRAME_MAX + PREAMBLE + 200], big[FRAME_MAX];
	struct frame f;
	int missed = 0;
	for (int i = 0; i < 300; i++) {
		size_t n = frame(b, FRAME_PUT_DATA, 1, (struct bytes){big, i % 3 ? below(200) : FRAME_MAX}), cut = below(n + 1);
		memset(b + cut, 0, PREAMBLE);
		size_t all = cut + PREAMBLE + frame(b + cut + PREAMBLE, FRAME_HELLO, 0, text("0123456789012345678901234567890123456789"));
		all += frame(b + all, FRAME_PING, 0, text("12345678"));
		reset();
		struct bytes p = {b, all};
		bool found = false, after = false;
		for (enum unframe_result got; (got = feed(&p, &f)) != UNFRAME_MORE;) {
			if (got == UNFRAME_FRAME && f.type == FRAME_HELLO) {
				found = f.payload.n == HELLO_SIZE;
				unframe_found(&in);
			}
			after |= found && got == UNFRAME_FRAME && f.type == FRAME_PING;
		}
		missed += !after;
	}
	is_int(missed, 0, "after a cut at any byte the next HELLO is found, and what follows it");
}

/* --- the log --- */

/* Two ends over a stream that breaks: what arrives is what was added, each once. */
static void logs(void)
{
	static uint8_t ring[4096], now[POSITION_SIZE];
	struct outlog o = {.ring = ring, .size = sizeof(ring)};
	uint32_t added = 0, arrived = 0, pings = 0;
	bool wrong = false;
	reset();
	for (int i = 0; i < 200000; i++) {
		uint8_t head[4];
		char body[120];
		struct frame f;
		wire_u32(head, added);
		memset(body, (char)added, sizeof(body));
		if (below(3) == 0 && outlog_add(&o, FRAME_OUTPUT, (struct bytes){head, 4}, (struct bytes){(uint8_t *)body, added % 120}))
			added++;
		if (below(20) == 0)
			outlog_now(&o, FRAME_PING, (struct bytes){now, sizeof(now)});
		struct bytes v = outlog_view(&o);
		v.n = v.n ? below(v.n + 1) : 0;
		outlog_wrote(&o, v.n);
		bool cut = below(50) == 0;
		if (cut)
			v.n = below(v.n + 1);   /* the rest is lost */
		while (unframe_next(&in, &v, FRAME_WELCOME, &f) == UNFRAME_FRAME) {
			if (f.type == FRAME_PING) {
				pings++;
				continue;
			}
			wrong |= wire_get32(f.payload.p) != arrived || f.payload.n != 4 + arrived % 120;
			arrived++;
		}
		wrong |= in.sought != 0;
		if (cut) {
			unframe_seek(&in, 0);
			outlog_hold(&o);
			wrong |= !outlog_resume(&o, in.position);
		} else if (below(10) == 0) {
			wrong |= !outlog_ack(&o, in.position);
		}
	}
	ok(!wrong && arrived > 10000 && pings > 1000 && added - arrived < 200, "what is added to a log arrives in order and once, whatever is cut");
	ok(!outlog_ack(&o, o.end + 1) && !outlog_ack(&o, o.acked - 1), "nobody has what was not sent, nor less than before");
	uint64_t inside = o.acked + 1;
	ok(!outlog_resume(&o, inside) && !outlog_resume(&o, o.end + 1), "and a log goes on only where a frame begins");
}

/* --- archives --- */

struct seen { struct buf text; };

static int on_entry(void *ctx, const struct ustar_entry *e)
{
	struct seen *s = ctx;
	buf_fmt(&s->text, "%c %o %llu %s%s%s\n", e->type, e->mode, (unsigned long long)e->size, e->path, e->type == USTAR_LINK ? " -> " : "",
		e->type == USTAR_LINK ? e->link : "");
	return 0;
}

static int on_data(void *ctx, struct bytes b)
{
	struct seen *s = ctx;
	buf_add(&s->text, b.p, b.n);
	return 0;
}

static int on_end(void *ctx)
{
	struct seen *s = ctx;
	buf_c(&s->text, '\n');
	return 0;
}

static bool read_archive(struct str archive, size_t piece, struct seen *s)
{
	static struct untar u;
	memset(&u, 0, sizeof(u));
	u.entry = on_entry, u.data = on_data, u.end = on_end, u.ctx = s;
	buf_clear(&s->text);
	for (size_t at = 0; at < archive.n; at += piece)
		if (untar_feed(&u, (struct bytes){(const uint8_t *)archive.s + at, piece < archive.n - at ? piece : archive.n - at}) < 0)
			return false;
	return untar_whole(&u);
}

static int sink(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
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

static char long_name[300], long_link[200];

static void make_long(void)
{
	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 50; i < sizeof(long_name) - 1; i += 50)
		long_name[i] = '/';
	memset(long_link, 'l', sizeof(long_link) - 1);
}

static void by_cairn(void)
{
	struct buf archive = BUF_INIT(1 << 20);
	struct seen s = {BUF_INIT(1 << 20)};
	struct tar_writer *w;
	struct tar_options options = {.mtime = 1};
	make_long();
	bool good = tar_create(&options, sink, &archive, &w, NULL) == 0 &&
		tar_add_bytes(w, &(struct tar_entry){.name = S("d"), .type = TAR_DIR, .mode = 0755}, NULL, NULL) == 0 &&
		tar_add_bytes(w, &(struct tar_entry){.name = S("d/file"), .type = TAR_FILE, .mode = 0640, .size = 5}, "hello", NULL) == 0 &&
		tar_add_bytes(w, &(struct tar_entry){.name = S("d/\xff\n"), .type = TAR_FILE, .mode = 0600}, "", NULL) == 0 &&
		tar_add_bytes(w, &(struct tar_entry){.name = str_of(long_name), .type = TAR_LINK, .mode = 0777, .link = str_of(long_link)}, NULL, NULL) == 0 &&
		tar_finish(w, NULL) == 0;
	ok(good, "an archive of cairn's");
	struct arena a = ARENA_INIT;
	const char *want = str_fmt(&a, "5 755 0 d\n0 640 5 d/file\nhello\n0 600 0 d/\xff\n\n\n2 777 0 %s -> %s\n", long_name, long_link).s;
	int wrong = 0;
	for (size_t piece = 1; piece < 1200; piece += piece < 8 ? 1 : 97)
		wrong += !read_archive(buf_view(&archive), piece, &s) || !str_is(buf_view(&s.text), want);
	is_int(wrong, 0, "is read by the shim, in pieces of any size");
	int whole = 0;
	for (size_t n = 0; n + 1024 < archive.n; n += 100)
		whole += read_archive(str_head(buf_view(&archive), n), 512, &s);
	is_int(whole, 0, "one that is cut off is not whole");
	buf_release(&archive), buf_release(&s.text);
	arena_release(&a);
}

static int entry_of_shim(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	char bytes[64];
	ptrdiff_t n = e->type == TAR_FILE ? tar_read(data, bytes, sizeof(bytes), err) : 0;
	buf_fmt(ctx, "%d %o %llu " STR_FMT " " STR_FMT " %.*s\n", e->type, e->mode, (unsigned long long)e->size, STR_ARG(e->name),
		STR_ARG(e->link), (int)n, bytes);
	return 0;
}

static void add(struct buf *b, const struct ustar_entry *e, const char *bytes)
{
	static const char zeros[USTAR_BLOCK];
	uint8_t head[USTAR_HEAD_MAX];
	buf_add(b, head, ustar_head(e, head));
	buf_add(b, bytes, e->type == USTAR_FILE ? e->size : 0);
	buf_add(b, zeros, ustar_padding(e->type == USTAR_FILE ? e->size : 0));
}

static void by_shim(void)
{
	struct buf archive = BUF_INIT(1 << 20), seen = BUF_INIT(1 << 20);
	static const char zeros[2 * USTAR_BLOCK];
	struct arena a = ARENA_INIT;
	make_long();
	add(&archive, &(struct ustar_entry){.type = USTAR_FOLDER, .mode = 0755, .path = "d"}, "");
	add(&archive, &(struct ustar_entry){.type = USTAR_FILE, .mode = 04755, .size = 5, .path = "d/file"}, "hello");
	add(&archive, &(struct ustar_entry){.type = USTAR_FILE, .mode = 0644, .size = 1, .path = long_name}, "x");
	add(&archive, &(struct ustar_entry){.type = USTAR_LINK, .mode = 0777, .path = "l", .link = long_link}, "");
	buf_add(&archive, zeros, sizeof(zeros));
	struct rest from = {buf_view(&archive)};
	struct tar_limits limits = {100, 100, 1000};
	struct tar_visitor visitor = {.entry = entry_of_shim, .ctx = &seen};
	ok(tar_walk(source, &from, &limits, &visitor, NULL) == 0, "an archive of the shim's is read by cairn");
	is_str(buf_view(&seen), str_fmt(&a, "1 755 0 d  \n0 4755 5 d/file  hello\n0 644 1 %s  x\n2 777 0 l %s \n", long_name, long_link).s,
	       "with all that is in it");
	buf_release(&archive), buf_release(&seen);
	arena_release(&a);
}

static void suspicious(void)
{
	static const char *const names[] = {"../x", "/x", "a/../b", "a//b", "a/", "./a", "..", "a/.", ""};
	struct seen s = {BUF_INIT(1 << 20)};
	int sane = 0;
	for (size_t i = 0; i < countof(names); i++)
		sane += ustar_path_sane(names[i]);
	is_int(sane, 0, "a path that leads out, or is not plain, is not sane");
	ok(ustar_path_sane("a") && ustar_path_sane("a/..b/...") && ustar_path_sane(".x"), "others are");
	struct buf archive = BUF_INIT(1 << 20);
	add(&archive, &(struct ustar_entry){.type = USTAR_FILE, .mode = 0644, .size = 1, .path = "../x"}, "x");
	ok(!read_archive(buf_view(&archive), 100, &s) && !s.text.n, "an archive with one is refused before anything of it is told");
	buf_clear(&archive);
	add(&archive, &(struct ustar_entry){.type = '3', .mode = 0644, .path = "dev"}, "");
	ok(!read_archive(buf_view(&archive), 100, &s) && !s.text.n, "so is one with a device");
	buf_release(&archive), buf_release(&s.text);
}

int main(void)
{
	if (sha256_init(NULL) < 0)
		return 1;
	sums();
	frames();
	damage();
	greetings();
	logs();
	by_cairn();
	by_shim();
	suspicious();
	return done();
}
