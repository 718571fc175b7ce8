/* report.h: what a run came to, gathered from its events for the reports that are written when it is over: JUnit XML, and what
 * GitHub shows beside a job. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "exec/event.h"

#define REPORT_OUTPUT_MAX (64u << 10)   /* of a step that did not end well: the end of what it printed */

struct report_step {
	struct str name;
	enum step_state state;
	bool has_status;
	int status, signal;
	uint64_t duration_ns;
	uint32_t attempt;
	struct str reason;
	struct buf output;              /* only of one that did not end well */
	size_t dropped;                 /* bytes before it */
};

/* Where in the spec a step stands; false when that is not known. */
struct report_place { struct str file; unsigned line, col; };

struct report {
	struct arena arena;
	VEC(struct report_step *) steps;        /* in the order in which they ended; all only if events name them all */
	VEC(struct str) warnings;
	struct map running;             /* name -> struct report_step * */
	size_t total, counts[STATE_UNKNOWN + 1];
	uint64_t duration_ns;
	bool over;
};

void report_see(void *report, const struct event *);
void report_release(struct report *);
bool report_is_bad(enum step_state);    /* failed, timed-out, oom, unknown */
/* "failed: exit status 3 (2nd attempt)": what became of it, in a line. */
void report_phrase(const struct report_step *, struct buf *);
/* Without what moves a terminal's cursor or paints. */
void report_plain(struct buf *, struct str text);

/* junit.c. The file is written whole or not at all. name: of the suite. */
int junit_write(const struct report *, struct str name, const char *path, struct err *);

/* github.c. Annotations are lines of the job's log, for whom GitHub Actions read it: failures where their step stands, and warnings.
 * root: of the workspace, absolute. */
bool github_here(void);                 /* GITHUB_ACTIONS */
void github_annotate(const struct report *, struct str root, bool (*place)(void *ctx, struct str step, struct report_place *), void *ctx,
		     struct buf *out);
void github_annotate_err(const struct err *, struct buf *out);
/* Appends Markdown to the file that $GITHUB_STEP_SUMMARY names, if it names one. */
int github_summary(const struct report *, struct str title, struct err *);
