/* str.h: counted strings by value (struct str) and one growing buffer (struct buf).
 *
 * A str borrows its bytes. Text made by the arena functions below is always followed by a NUL,
 * so its .s may go to system calls; a slice is not. Bytes are bytes: no encoding is assumed. */
#pragma once

#include <stdarg.h>
#include <string.h>

#include "arena.h"

struct str {
	const char *s;
	size_t n;
};

#define S(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(x) (int)(x).n, (x).s

static inline struct str str_of(const char *z) { return (struct str){z, z ? strlen(z) : 0}; }
static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0); }
static inline bool str_is(struct str a, const char *z) { return str_eq(a, str_of(z)); }
/* Byte order, shorter first on a tie: the canonical order everywhere in cairn. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
static inline struct str str_from(struct str s, size_t at) { return (struct str){s.s + at, s.n - at}; }
static inline struct str str_head(struct str s, size_t n) { return (struct str){s.s, n}; }
/* Offset of the first (last) c, or -1. */
ptrdiff_t str_chr(struct str s, char c);
ptrdiff_t str_rchr(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);
struct str str_trim(struct str s);      /* without blanks, tabs and newlines at both ends */
/* Takes the part before the next c off *rest; false when nothing is left. */
bool str_cut(struct str *rest, char c, struct str *part);
/* Whole-string decimal number; false when it is not one or does not fit. */
bool str_u64(struct str s, uint64_t *out);

struct str str_dup(struct arena *, struct str s);       /* {NULL} stays {NULL} */
struct str str_fmt(struct arena *, const char *fmt, ...) PRINTF(2, 3);
struct str str_vfmt(struct arena *, const char *fmt, va_list);

/* The entry of names nearest to s by edit distance, for "did you mean"; {NULL} when none is near. */
struct str str_nearest(struct str s, const struct str *names, size_t n);

/* A buffer on the heap. Its limit is given when it is made: an addition past the limit is dropped
 * whole and sets `full`, which stays set and drops all that follows; check it where the content
 * came from outside. `s` is NULL or followed by a NUL. */
struct buf {
	char *s;
	size_t n, cap, limit;
	bool full;
};

#define BUF_INIT(max) {.limit = (max)}
#define BUF_UNLIMITED SIZE_MAX
void buf_release(struct buf *);
void cleanup_buf(struct buf *);
#define CLEANUP_BUF __attribute__((cleanup(cleanup_buf)))
void buf_clear(struct buf *);           /* empty again, keeps memory and limit */
bool buf_reserve(struct buf *, size_t more);            /* false, and full, past the limit */
void buf_add(struct buf *, const void *, size_t n);
static inline void buf_str(struct buf *b, struct str s) { buf_add(b, s.s, s.n); }
static inline void buf_z(struct buf *b, const char *z) { buf_add(b, z, strlen(z)); }
static inline void buf_c(struct buf *b, char c) { buf_add(b, &c, 1); }
void buf_fmt(struct buf *, const char *fmt, ...) PRINTF(2, 3);
void buf_vfmt(struct buf *, const char *fmt, va_list);
static inline struct str buf_view(const struct buf *b) { return (struct str){b->s ? b->s : "", b->n}; }
