/* log.h: a step's output, kept as frames in order of arrival: u8 stream, u32le length, bytes. Secrets are
 * masked across chunk boundaries before anything is kept or shown. Beyond LOG_MEMORY it spills into
 * a file; beyond the limit it is cut and says so. */
#pragma once

#include "base/err.h"

#define LOG_MEMORY (256u << 10)
#define LOG_MAX (1ull << 30)

struct log;
struct secret_values { struct str *v; size_t n; };      /* longer than 3 bytes are masked, as "***" */

/* The secrets' bytes are borrowed. */
struct log *log_open(const struct secret_values *, const char *spill_dir);
/* One more, from now on; borrowed too. */
void log_hide(struct log *, struct str secret);
void log_set_limit(struct log *, uint64_t bytes);       /* of all frames; LOG_MAX unless told otherwise */
/* shown (may be NULL) gets the masked bytes as soon as they are known not to begin a secret, and what is
 * said when the log is cut (the disk is full, the limit reached). stream: 1 or 2. */
void log_add(struct log *, int stream, struct str bytes, void (*shown)(void *ctx, int stream, struct str), void *ctx);
void log_end(struct log *, void (*shown)(void *ctx, int stream, struct str), void *ctx);
uint64_t log_size(const struct log *);
/* All frames, in memory or mapped from the spill file; valid until close. */
struct str log_frames(struct log *);
void log_close(struct log *);
/* Steps through frames: 1, 0 end, -1 malformed. */
int log_next(struct str frames, size_t *at, int *stream, struct str *bytes);
