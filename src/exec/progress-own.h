/* progress-own.h: what the files of progress share. */
#pragma once

#include "base/vec.h"
#include "exec/progress.h"
#include "exec/screen.h"

struct piece { int stream; size_t n; };

/* A step that runs. */
struct row {
	struct str name;                /* heap */
	uint64_t since;                 /* loop_now */
	bool wanted;                    /* its output is shown while it runs, if nobody else's is */
	bool console;
	bool spoke;
	struct buf held;                /* output that is not shown yet, its pieces in a row */
	VEC(struct piece) pieces;
	size_t dropped;                 /* bytes that were held for too long */
	struct buf partial[2];          /* live: unfinished lines */
};

struct progress {
	struct screen *screen;
	bool live, color, suspended;
	bool sections, section_open, collapse;
	unsigned section;               /* number of the last one */
	enum verbosity verbosity;
	bool (*is_goal)(void *ctx, struct str step);
	void *ctx;
	uint64_t begun;
	size_t total, ended, hits, failures;
	VEC(struct row *) rows;         /* in order of start */
	struct row *streamer;           /* plain: whose output goes straight through */
	struct str speaker;             /* heap; whose output was shown last; "" */
	VEC(char *) failed;             /* lines for the end */
	struct buf line;                /* scratch */
};

/* --- progress-lines.c: lines of cairn's own --- */
bool progress_is_bad(enum step_state);
struct buf *progress_line(struct progress *);           /* an empty line to be filled ... */
void progress_line_end(struct progress *);              /* ... and shown */
/* Text of a spec or a step, cleaned of what a terminal would obey. */
void progress_clean(struct buf *, struct str text);
void progress_start_line(struct progress *, const struct event *);
void progress_end_line(struct progress *, const struct event *);
void progress_note_line(struct progress *, const struct event *);
void progress_failure_line(const struct progress *, const struct event *, bool spoke, struct buf *out);
void progress_summary_line(struct progress *, const struct event *);
enum paint { PAINT_NONE, PAINT_BAD, PAINT_GOOD, PAINT_DIM, PAINT_WARN };
void progress_paint(const struct progress *, struct buf *, enum paint, const char *text);

/* --- progress-output.c: whose output is shown when --- */
struct row *row_find(const struct progress *, struct str name);
struct row *row_open(struct progress *, const struct event *start);
void row_free(struct row *);
void row_output(struct progress *, struct row *, int stream, struct str bytes);
/* Of a row that ended: its unfinished lines before, whole output that was held after the line that says how. */
void row_finish(struct progress *, struct row *);
void row_show_held(struct progress *, struct row *, bool named);
/* Ends the section that is open, if one is. */
void row_section_end(struct progress *);
/* The one who streamed ended: the next is who has waited longest. */
void row_pass_on(struct progress *);
/* What came while a console step had the terminal. */
void row_catch_up(struct progress *);
