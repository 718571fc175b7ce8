#include "exec/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/mask.h"
#include "sys/file.h"

#define FRAME_HEAD 5

struct log {
	struct mask mask;
	struct mask_stream streams[2];
	struct buf masked;              /* scratch */
	struct buf memory;              /* frames that are not in the file */
	size_t last;                    /* where the last of them begins; SIZE_MAX: there is none */
	char *dir;
	int file;                       /* -1: all is in memory */
	uint64_t spilled, limit;
	bool cut;
	void *map;
	size_t mapped;
};

struct log *log_open(const struct secret_values *secrets, const char *spill_dir)
{
	struct log *log = xcalloc(1, sizeof(*log));
	mask_init(&log->mask, secrets ? secrets->v : NULL, secrets ? secrets->n : 0);
	log->streams[0] = log->streams[1] = (struct mask_stream)MASK_STREAM_INIT;
	log->masked = log->memory = (struct buf)BUF_INIT(BUF_UNLIMITED);
	log->last = SIZE_MAX;
	log->dir = strdup(spill_dir);
	log->file = -1;
	log->limit = LOG_MAX;
	return log;
}

void log_hide(struct log *log, struct str secret)
{
	mask_hide(&log->mask, secret);
}

void log_set_limit(struct log *log, uint64_t bytes)
{
	log->limit = bytes;
}

static void log_unmap(struct log *log)
{
	if (log->map)
		munmap(log->map, log->mapped);
	log->map = NULL;
}

void log_close(struct log *log)
{
	if (!log)
		return;
	log_unmap(log);
	mask_release(&log->mask);
	for (size_t i = 0; i < countof(log->streams); i++)
		buf_release(&log->streams[i].held);
	buf_release(&log->masked);
	buf_release(&log->memory);
	cleanup_fd(&log->file);
	free(log->dir);
	free(log);
}

/* --- keeping --- */

static void put_length(char *head, size_t n)
{
	for (int i = 0; i < 4; i++)
		head[1 + i] = (char)(n >> 8 * i);
}

static void frame_add(struct log *log, int stream, struct str bytes)
{
	struct buf *b = &log->memory;
	if (log->last == SIZE_MAX || b->s[log->last] != (char)stream) {
		log->last = b->n;
		buf_add(b, (char[FRAME_HEAD]){(char)stream}, FRAME_HEAD);
	}
	buf_str(b, bytes);
	put_length(b->s + log->last, b->n - log->last - FRAME_HEAD);
}

/* A file without a name, so that nothing of it is left whatever becomes of us. */
static int spill_open(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	char *name CLEANUP_FREE = NULL;
	if (asprintf(&name, "%s/log.XXXXXX", dir) < 0)
		BUG("out of memory");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

static int spill(struct log *log)
{
	if (log->file < 0)
		log->file = spill_open(log->dir);
	if (log->file < 0)
		return -1;
	if (file_write_all(log->file, log->memory.s, log->memory.n) < 0) {
		int reason = errno;
		if (ftruncate(log->file, (off_t)log->spilled) < 0 || !log->spilled)
			cleanup_fd(&log->file), log->file = -1;
		errno = reason;
		return -1;
	}
	log->spilled += log->memory.n;
	buf_clear(&log->memory);
	log->last = SIZE_MAX;
	return 0;
}

static void log_keep(struct log *log, int stream, struct str bytes, void (*shown)(void *, int, struct str), void *ctx)
{
	char why[160] = "";
	uint64_t used = log_size(log) + FRAME_HEAD;
	uint64_t room = used < log->limit ? log->limit - used : 0;
	if (log->cut || !bytes.n)
		return;
	if (bytes.n > room) {
		snprintf(why, sizeof(why), "it is longer than %llu bytes", (unsigned long long)log->limit);
		bytes.n = (size_t)room;
	}
	/* In pieces, so that a frame's length always fits. */
	while (bytes.n) {
		struct str piece = str_head(bytes, bytes.n < LOG_MEMORY ? bytes.n : LOG_MEMORY);
		frame_add(log, stream, piece);
		bytes = str_from(bytes, piece.n);
		if (log->memory.n >= LOG_MEMORY && spill(log) < 0) {
			snprintf(why, sizeof(why), "unable to write to %.80s: %s", log->dir, strerror(errno));
			break;
		}
	}
	if (!*why)
		return;
	log->cut = true;
	char text[256];
	int n = snprintf(text, sizeof(text), "\ncairn: the rest of this output is not kept: %s\n", why);
	frame_add(log, 2, (struct str){text, (size_t)n});
	if (shown)
		shown(ctx, 2, (struct str){text, (size_t)n});
}

static void log_pass(struct log *log, int stream, struct str bytes, bool last, void (*shown)(void *, int, struct str), void *ctx)
{
	struct str masked = bytes;
	if (log->mask.n) {
		buf_clear(&log->masked);
		mask_add(&log->mask, &log->streams[stream - 1], bytes, last, &log->masked);
		masked = buf_view(&log->masked);
	}
	if (!masked.n)
		return;
	if (shown)
		shown(ctx, stream, masked);
	log_keep(log, stream, masked, shown, ctx);
}

void log_add(struct log *log, int stream, struct str bytes, void (*shown)(void *ctx, int stream, struct str), void *ctx)
{
	if (stream < 1 || stream > 2)
		BUG("stream %d", stream);
	log_pass(log, stream, bytes, false, shown, ctx);
}

void log_end(struct log *log, void (*shown)(void *ctx, int stream, struct str), void *ctx)
{
	for (int stream = 1; stream <= 2; stream++)
		log_pass(log, stream, S(""), true, shown, ctx);
}

/* --- reading --- */

uint64_t log_size(const struct log *log)
{
	return log->spilled + log->memory.n;
}

struct str log_frames(struct log *log)
{
	if (log->file < 0)
		return buf_view(&log->memory);
	if (log->memory.n && spill(log) < 0)
		buf_clear(&log->memory);        /* a full disk: what is in the file is all there is */
	log_unmap(log);
	if (log->file < 0 || !log->spilled)
		return S("");
	log->mapped = (size_t)log->spilled;
	log->map = mmap(NULL, log->mapped, PROT_READ, MAP_PRIVATE, log->file, 0);
	if (log->map == MAP_FAILED) {
		log->map = NULL;
		return S("");
	}
	return (struct str){log->map, log->mapped};
}

int log_next(struct str frames, size_t *at, int *stream, struct str *bytes)
{
	size_t left = frames.n - *at;
	if (!left)
		return 0;
	if (left < FRAME_HEAD)
		return -1;
	const unsigned char *head = (const unsigned char *)frames.s + *at;
	size_t n = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
	if ((head[0] != 1 && head[0] != 2) || n > left - FRAME_HEAD)
		return -1;
	*stream = head[0];
	*bytes = (struct str){frames.s + *at + FRAME_HEAD, n};
	*at += FRAME_HEAD + n;
	return 1;
}
