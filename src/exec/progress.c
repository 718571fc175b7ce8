/* What is said of a run and when. How it comes onto the terminal is screen.c's. */
#include "exec/progress.h"

#include <stdlib.h>

#include "exec/progress-own.h"
#include "sys/loop.h"

#define FAILED_MAX 20                   /* named at the end */

struct progress *progress_open(int out, int err, bool live, bool color, enum verbosity verbosity,
			       bool (*is_goal)(void *ctx, struct str step), void *ctx)
{
	struct progress *p = xcalloc(1, sizeof(*p));
	*p = (struct progress){.screen = screen_open(out, err, live), .live = live, .color = color, .verbosity = verbosity,
			       .is_goal = is_goal, .ctx = ctx, .begun = loop_now(), .line = BUF_INIT(BUF_UNLIMITED)};
	return p;
}

void progress_close(struct progress *p)
{
	for (size_t i = 0; i < p->rows.n; i++)
		row_free(p->rows.v[i]);
	vec_free(&p->rows);
	for (size_t i = 0; i < p->failed.n; i++)
		free(p->failed.v[i]);
	vec_free(&p->failed);
	screen_close(p->screen);
	free((char *)p->speaker.s);
	buf_release(&p->line);
	free(p);
}

void progress_sections(struct progress *p) { p->sections = true; }

static void see_start(struct progress *p, const struct event *e)
{
	if (row_find(p, e->step))
		return;
	const struct row *row = row_open(p, e);
	if (p->verbosity == PROGRESS_VERBOSE)
		progress_start_line(p, e);
	if (row->console)
		progress_suspend(p);
}

static void see_output(struct progress *p, const struct event *e)
{
	struct row *row = row_find(p, e->step);
	if (row)
		row_output(p, row, e->stream, e->bytes);
}

/* Is a line due for the end of a step? */
static bool tells(const struct progress *p, const struct event *e, const struct row *row)
{
	if (progress_is_bad(e->state) || p->verbosity == PROGRESS_VERBOSE)
		return true;
	if (p->verbosity == PROGRESS_QUIET)
		return false;
	switch (e->state) {
	case STATE_RAN:
		return row && !p->live;
	case STATE_RESTORED:
		return !p->live;
	case STATE_CANCELLED:
		return row;
	case STATE_LEFT:
		return true;
	case STATE_SKIPPED:
		return p->is_goal && p->is_goal(p->ctx, e->step);
	default:
		return false;
	}
}

static void remember_failure(struct progress *p, const struct event *e, bool spoke)
{
	if (p->failures++ >= FAILED_MAX)
		return;
	struct buf line = BUF_INIT(BUF_UNLIMITED);
	progress_failure_line(p, e, spoke, &line);
	vec_add(&p->failed, line.s);
}

static void row_end(struct progress *p, struct row *row, const struct event *e)
{
	bool told = tells(p, e, row), streamed = p->streamer == row, console = row->console;
	row_finish(p, row);
	if (p->speaker.s && str_eq(p->speaker, row->name))
		row_section_end(p);
	if (told)
		progress_end_line(p, e);
	p->collapse = !progress_is_bad(e->state);
	if (row->wanted || progress_is_bad(e->state))
		row_show_held(p, row, told);
	p->collapse = false;
	if (p->speaker.s && str_eq(p->speaker, row->name))
		row_section_end(p);
	size_t i = 0;
	while (p->rows.v[i] != row)
		i++;
	memmove(&p->rows.v[i], &p->rows.v[i + 1], (--p->rows.n - i) * sizeof(*p->rows.v));
	row_free(row);
	if (streamed)
		row_pass_on(p);
	if (console)
		progress_resume(p);
}

static void see_end(struct progress *p, const struct event *e)
{
	p->ended++;
	p->hits += e->state == STATE_HIT;
	struct row *row = p->rows.n ? row_find(p, e->step) : NULL;
	if (progress_is_bad(e->state))
		remember_failure(p, e, row && row->spoke);
	if (row)
		row_end(p, row, e);
	else if ((e->state != STATE_HIT || p->verbosity == PROGRESS_VERBOSE) && tells(p, e, NULL))
		progress_end_line(p, e);
}

static void see_run_end(struct progress *p, const struct event *e)
{
	screen_hide(p->screen);
	p->live = false;
	row_section_end(p);
	for (size_t i = 0; i < p->failed.n; i++)
		screen_line(p->screen, str_of(p->failed.v[i]));
	if (p->failures > p->failed.n) {
		buf_fmt(progress_line(p), "and %zu more", p->failures - p->failed.n);
		progress_line_end(p);
	}
	if (p->verbosity != PROGRESS_QUIET || p->failures)
		progress_summary_line(p, e);
}

void progress_see(void *progress, const struct event *e)
{
	struct progress *p = progress;
	switch (e->kind) {
	case EVENT_RUN_START:
		p->total = e->total;
		break;
	case EVENT_STEP_START:
		see_start(p, e);
		break;
	case EVENT_STEP_OUTPUT:
		see_output(p, e);
		break;
	case EVENT_STEP_END:
		see_end(p, e);
		break;
	case EVENT_NOTE:
		if (e->warning || p->verbosity != PROGRESS_QUIET)
			progress_note_line(p, e);
		break;
	case EVENT_RUN_END:
		see_run_end(p, e);
		break;
	}
}
