/* What a workspace keeps for the next run, and the frames of a log. First byte: which. Sums are made right, that what
 * lies behind them is reached; what is read and written is read the same again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/history.h"
#include "exec/log.h"
#include "resolve/memo.h"
#include "resolve/statcache.h"

static char path[64];
static int file = -1;

static void keep(const void *head, size_t nhead, struct str rest)
{
	if (file < 0) {
		if ((file = memfd_create("state", 0)) < 0)
			abort();
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (ftruncate(file, 0) || pwrite(file, head, nhead, 0) != (ssize_t)nhead ||
	    pwrite(file, rest.s, rest.n, nhead) != (ssize_t)rest.n)
		abort();
}

static void read_history(struct arena *a, struct str rest)
{
	char head[16 + sizeof(struct xxh)] = "cairn history 1\n";
	struct xxh sum = xxh_bytes(rest.s, rest.n);
	struct history h;

	memcpy(head + 16, &sum, sizeof(sum));
	keep(head, sizeof(head), rest);
	if (history_read(a, path, &h, NULL))
		abort();
	for (size_t i = 0; i < h.steps.n; i++) {        /* none when the rest is no row of steps */
		const struct history_step *s = h.steps.entries[i].value;

		if (history_get(&h, h.steps.entries[i].key) != s || s->state > STATE_UNKNOWN)
			BUG("a step that is not what it was");
		xxh_bytes(s->reason.s, s->reason.n);
		xxh_bytes(s->log_file.s, s->log_file.n);
	}
	history_release(&h);
}

static void read_memo(struct arena *a, struct str rest)
{
	struct { char magic[8]; uint32_t format, n; struct xxh sum; } head = {
		"cairnmo", 1, rest.n / sizeof(struct memo_pair), xxh_bytes(rest.s, rest.n),
	};
	struct digest key = {0}, value;
	struct memo m;

	keep(&head, sizeof(head), rest);
	memo_open(&m, a, path);
	if (rest.n >= sizeof(struct memo_pair))
		memcpy(key.bytes, rest.s, 32);
	if (memo_get(&m, &key, &value) != (rest.n && rest.n % sizeof(struct memo_pair) == 0))
		BUG("a pair that is lost");
	memo_release(&m);
}

/* The first two bytes are the entries and the slots' power; the rest is all three sections. */
static void read_statcache(struct str rest)
{
	struct { char magic[8]; uint32_t format, run; struct xxh sum; uint64_t entries, slots, texts; } head = {"cairnst", 1, 1000, {0}, 0, 0, 0};
	struct statcache_entry first = {0};
	struct statcache *s;
	struct digest found;

	if (rest.n < 2)
		return;
	head.entries = (uint8_t)rest.s[0];
	head.slots = 1u << (rest.s[1] & 7);
	rest = str_from(rest, 2);
	head.texts = rest.n - head.entries * sizeof(first) - head.slots * 4;
	head.sum = xxh_bytes(rest.s, rest.n);
	keep(&head, sizeof(head), rest);
	s = statcache_open(path);
	if (!s)
		return;
	if (head.entries)
		memcpy(&first, rest.s, sizeof(first));
	for (size_t n = 0; n <= head.texts && n < 8; n++)
		statcache_find(s, (struct str){rest.s + rest.n - head.texts, n}, &first.ident, &found);
	statcache_find(s, S(""), &first.ident, &found);
	struct statcache_item item = {S("a"), first.ident, {DIGEST_SHA256, {1}}};
	if (statcache_save(s, "/dev/null/none", &item, 1, NULL) == 0)
		abort();
	statcache_close(s);
}

static void read_frames(struct str frames)
{
	size_t at = 0, total = 0;
	struct str bytes;
	int stream, got;

	while ((got = log_next(frames, &at, &stream, &bytes)) > 0) {
		total += bytes.n + 5;
		xxh_bytes(bytes.s, bytes.n);
	}
	if (total > frames.n || (got == 0 && total != frames.n))
		BUG("frames that are not the log");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct str rest = {(const char *)data + 1, size - 1};

	if (!size)
		return 0;
	switch (data[0] & 3) {
	case 0: read_history(&arena, rest); break;
	case 1: read_memo(&arena, rest); break;
	case 2: read_statcache(rest); break;
	case 3: read_frames(rest); break;
	}
	arena_release(&arena);
	return 0;
}
