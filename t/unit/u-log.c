#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/log.h"
#include "exec/mask.h"
#include "sys/file.h"
#include "tap.h"

static char top[] = "/tmp/cairn-u-log.XXXXXX";
static struct buf shown_text = BUF_INIT(BUF_UNLIMITED);

static void shown(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	(void)stream;
	buf_str(&shown_text, bytes);
}

/* text in pieces of n bytes through a mask with the secrets given. */
static struct str masked(struct arena *arena, struct str *secrets, size_t nsecrets, struct str text, size_t n)
{
	struct mask mask;
	struct mask_stream stream = MASK_STREAM_INIT;
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	mask_init(&mask, secrets, nsecrets);
	for (size_t at = 0; at < text.n; at += n) {
		struct str piece = str_from(text, at);
		mask_add(&mask, &stream, str_head(piece, piece.n < n ? piece.n : n), false, &out);
	}
	mask_add(&mask, &stream, S(""), true, &out);
	struct str result = str_dup(arena, buf_view(&out));
	buf_release(&out);
	buf_release(&stream.held);
	mask_release(&mask);
	return result;
}

static void masks(void)
{
	static struct str secrets[] = {{"hunter2", 7}, {"hunter2000", 10}, {"abcd", 4}, {"cdef", 4}, {"aaaa", 4}, {NULL, 0},
				       {"abc", 3}, {"token\n", 6}};
	static const struct { const char *text, *want; } cases[] = {
		{"no secret here", "no secret here"}, {"hunter2", "***"}, {"x hunter2 y", "x *** y"},
		{"hunter2000!", "***!"}, {"hunter200", "***00"}, {"hunter", "hunter"}, {"hunthunter2", "hunt***"},
		{"hunter2hunter2", "******"}, {"abcdef", "***"}, {"abcde", "***e"}, {"abc", "abc"}, {"xcdefx", "x***x"},
		{"aaaaaaaaaab", "***b"}, {"aaa", "aaa"}, {"aaaabcd", "***"}, {"a token", "a ***"}, {"", ""}, {"hunter2\nabcd\n", "***\n***\n"},
	};
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < countof(cases); i++) {
		bool good = true;
		struct str text = str_of(cases[i].text), got = {0};
		for (size_t n = 1; good && n <= text.n + 1; n++) {
			got = masked(&arena, secrets, countof(secrets), text, n);
			good = str_is(got, cases[i].want);
		}
		if (!ok(good, "\"%s\" is masked however it comes", cases[i].text))
			tap_show("got", got);
	}
	struct str run = masked(&arena, secrets, countof(secrets), S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"), 3);
	is_str(run, "***!", "a run of overlapping secrets is one");
	arena_release(&arena);
}

/* Streams and texts of all frames: "1:out|2:err|". */
static struct str frames_text(struct arena *arena, struct str frames)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct str bytes;
	size_t at = 0;
	int stream, more;
	while ((more = log_next(frames, &at, &stream, &bytes)) > 0)
		buf_fmt(&b, "%d:" STR_FMT "|", stream, STR_ARG(bytes));
	if (more < 0)
		buf_z(&b, "malformed");
	struct str text = str_dup(arena, buf_view(&b));
	buf_release(&b);
	return text;
}

static void small(void)
{
	struct arena arena = ARENA_INIT;
	struct str value = S("secret");
	struct secret_values secrets = {&value, 1};
	struct log *log = log_open(&secrets, top);
	is_int((long long)log_size(log), 0, "nothing was said yet");
	log_add(log, 1, S("out "), shown, NULL);
	log_add(log, 1, S("more se"), shown, NULL);
	log_add(log, 2, S("err secre"), shown, NULL);
	is_str(buf_view(&shown_text), "out more err ", "what may begin a secret is held");
	log_add(log, 1, S("cret\n"), shown, NULL);
	log_end(log, shown, NULL);
	is_str(buf_view(&shown_text), "out more err ***\nsecre", "and shown when it is known");
	is_str(frames_text(&arena, log_frames(log)), "1:out more |2:err |1:***\n|2:secre|", "frames hold the streams in order");
	is_int((long long)log_frames(log).n, (long long)log_size(log), "the size is that of the frames");
	struct str frames = log_frames(log);
	bool caught = true;
	for (size_t n = 1; n < frames.n; n++) {
		size_t at = 0;
		int stream, more;
		struct str bytes;
		while ((more = log_next(str_head(frames, n), &at, &stream, &bytes)) > 0)
			;
		caught &= more < 0 || at == n;
	}
	ok(caught, "frames that are cut short are noticed");
	log_close(log);
	buf_clear(&shown_text);
	arena_release(&arena);
}

static void big(void)
{
	struct log *log = log_open(NULL, top);
	char line[1000];
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 5000; i++) {
		line[0] = (char)('a' + i % 26);
		log_add(log, 1 + i % 2, (struct str){line, sizeof(line)}, NULL, NULL);
	}
	log_end(log, NULL, NULL);
	size_t at = 0, total = 0;
	int stream, more, i = 0;
	bool order = true;
	struct str bytes, frames = log_frames(log);
	while ((more = log_next(frames, &at, &stream, &bytes)) > 0) {
		total += bytes.n;
		order &= stream == 1 + i % 2 && bytes.s[0] == 'a' + i % 26;
		i++;
	}
	ok(more == 0 && total == 5000000 && order, "what exceeds the memory is kept in a file, in order");
	log_add(log, 1, S("again"), NULL, NULL);
	frames = log_frames(log);
	ok(frames.n >= 5 && memcmp(frames.s + frames.n - 5, "again", 5) == 0, "and may grow after it was read");
	log_close(log);
	ok(rmdir(top) == 0 && mkdir(top, 0700) == 0, "the file has no name");
}

static void limits(void)
{
	struct arena arena = ARENA_INIT;
	struct log *log = log_open(NULL, top);
	log_set_limit(log, 20);
	log_add(log, 1, S("0123456789"), NULL, NULL);
	log_add(log, 2, S("0123456789"), shown, NULL);
	log_add(log, 1, S("never"), shown, NULL);
	struct str text = frames_text(&arena, log_frames(log));
	ok(str_starts(text, S("1:0123456789|2:\ncairn: the rest")), "what exceeds the limit is cut, and says so");
	ok(str_ends(buf_view(&shown_text), S("never")), "but is still shown");
	log_close(log);
	buf_clear(&shown_text);

	log = log_open(NULL, "/no/such/folder");
	char *much = xcalloc(1, 300000);
	memset(much, 'x', 300000);
	log_add(log, 1, (struct str){much, 300000}, shown, NULL);
	ok(str_find(buf_view(&shown_text), S("/no/such/folder")) >= 0, "a folder that can't be written is named");
	text = frames_text(&arena, log_frames(log));
	ok(str_find(text, S("not kept")) >= 0 && str_starts(text, S("1:xxxx")), "and what was said before is kept");
	free(much);
	log_close(log);
	arena_release(&arena);
	buf_release(&shown_text);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	masks();
	small();
	big();
	limits();
	file_remove_tree(AT_FDCWD, top, NULL);
	return done();
}
