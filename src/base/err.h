/* err.h: errors as values. A fallible function takes `struct err *` last and returns 0 or -1
 * (look-ups: 1 found, 0 absent, -1 failed). The text is built where the cause is known, context is
 * added on the way up, and only main.c prints.
 *
 * Wording: "unable to open X: reason", lower case, no full stop; a second sentence may say what to
 * do. A mistake in a spec carries its location; several may be collected in one err. */
#pragma once

#include "str.h"

/* A text that locations point into; lives in the spec arena. */
struct source {
	struct str path;                /* as shown to the user */
	struct str text;
};

struct loc {
	const struct source *src;       /* NULL: nowhere in particular */
	uint32_t line, col;             /* 1-based; col counts bytes */
};

enum err_kind {                         /* decides the exit status, see err_exit_status */
	ERR_NONE,
	ERR_USAGE,                      /* options and names on the command line: 2 */
	ERR_SPEC,                       /* the spec: 2 */
	ERR_SYSTEM,                     /* files, memory, processes: 3 */
	ERR_RUNTIME,                    /* an engine, a field it can't honour: 3 */
	ERR_STALE,                      /* a plan file that no longer matches: 4 */
};

struct diag {
	struct loc loc;
	struct source *shown;           /* heap: the path and the one line, so that an err outlives the text it is about */
	char *text;                     /* heap */
	char *hint;                     /* heap or NULL */
};

struct err {
	enum err_kind kind;
	char *text;                     /* heap; NULL when there are only diags */
	struct diag *diags;
	size_t ndiags, capdiags;
	size_t nmore;                   /* mistakes past ERR_MAX_DIAGS, which are not in diags */
};

#define ERR_INIT {0}
#define ERR_MAX_DIAGS 50                /* further located mistakes are counted, not kept */

/* All return -1. err may be NULL: then only the return value is left. */
int err_set(struct err *, enum err_kind, const char *fmt, ...) PRINTF(3, 4);
int err_errno(struct err *, const char *fmt, ...) PRINTF(2, 3);      /* ERR_SYSTEM, appends ": " strerror(errno) */
int err_wrap(struct err *, const char *fmt, ...) PRINTF(2, 3);       /* prepends "context: " to the text; diags have a location instead */
/* Adds a located mistake (ERR_SPEC). hint may be NULL; else it is a sentence for a line of its own. */
int err_at(struct err *, struct loc, const char *hint, const char *fmt, ...) PRINTF(4, 5);
void err_release(struct err *);
void err_move(struct err *to, struct err *from);        /* adds to what `to` holds; from's text wins; from is empty then */
static inline bool err_any(const struct err *e) { return e->kind != ERR_NONE; }
int err_exit_status(const struct err *);
/* The whole text as shown: "cairn: ..." and, for each diag, file:line:col, the source line, a caret. */
void err_print(const struct err *, struct buf *out, bool color);
