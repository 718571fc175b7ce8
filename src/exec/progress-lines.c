/* The lines cairn itself says of a run. */
#include <stdio.h>

#include "exec/progress-own.h"
#include "exec/termtext.h"
#include "sys/loop.h"

void progress_paint(const struct progress *p, struct buf *b, enum paint color, const char *text)
{
	static const char *const codes[] = {"", "\033[1;31m", "\033[32m", "\033[2m", "\033[33m"};
	if (p->color && color != PAINT_NONE)
		buf_fmt(b, "%s%s\033[0m", codes[color], text);
	else
		buf_z(b, text);
}

bool progress_is_bad(enum step_state s)
{
	return s == STATE_FAILED || s == STATE_TIMED_OUT || s == STATE_OOM || s == STATE_UNKNOWN;
}

static enum paint paint_of(enum step_state s)
{
	return progress_is_bad(s) ? PAINT_BAD : s == STATE_RAN || s == STATE_RESTORED ? PAINT_GOOD : s == STATE_HIT ? PAINT_DIM : PAINT_WARN;
}

struct buf *progress_line(struct progress *p)
{
	buf_clear(&p->line);
	return &p->line;
}

void progress_line_end(struct progress *p)
{
	screen_line(p->screen, buf_view(&p->line));
}

void progress_clean(struct buf *b, struct str text)
{
	struct str line;
	for (bool more = false; str_cut(&text, '\n', &line); more = true) {
		if (more)
			buf_z(b, "\n");
		term_clip(b, line, SIZE_MAX);
	}
}

void progress_start_line(struct progress *p, const struct event *e)
{
	struct buf *b = progress_line(p);
	progress_paint(p, b, PAINT_DIM, "start ");
	progress_clean(b, e->step);
	if (e->reason.n)
		buf_z(b, ": ");
	progress_clean(b, e->reason);
	progress_line_end(p);
}

void progress_end_line(struct progress *p, const struct event *e)
{
	char time[TERM_TIME_MAX];
	struct buf *b = progress_line(p);
	progress_paint(p, b, paint_of(e->state), step_state_name(e->state));
	buf_c(b, ' ');
	progress_clean(b, e->step);
	if (e->reason.n && e->state != STATE_RAN && e->state != STATE_RESTORED) {
		buf_z(b, ": ");
		progress_clean(b, e->reason);
	}
	if (e->duration_ns)
		buf_fmt(b, " %s", term_time(e->duration_ns, time));
	progress_line_end(p);
}

void progress_note_line(struct progress *p, const struct event *e)
{
	struct buf *b = progress_line(p);
	if (!e->step.n)
		buf_z(b, "cairn: ");
	if (e->warning)
		progress_paint(p, b, PAINT_WARN, "warning: ");
	if (e->step.n) {
		progress_clean(b, e->step);
		buf_z(b, ": ");
	}
	progress_clean(b, e->text);
	progress_line_end(p);
}

/* Said again at the end, where it is looked for. */
void progress_failure_line(const struct progress *p, const struct event *e, bool spoke, struct buf *out)
{
	progress_paint(p, out, PAINT_BAD, step_state_name(e->state));
	buf_z(out, ": ");
	progress_clean(out, e->step);
	if (e->reason.n) {
		buf_z(out, ": ");
		progress_clean(out, e->reason);
	}
	if (spoke) {
		buf_z(out, "; its output: cairn log ");
		term_quote(out, e->step);
	}
}

/* "cairn: 340 steps: 1 failed, 12 ran, 327 hit in 4.1 s" */
void progress_summary_line(struct progress *p, const struct event *e)
{
	static const enum step_state order[] = {
		STATE_FAILED, STATE_TIMED_OUT, STATE_OOM, STATE_UNKNOWN, STATE_BLOCKED, STATE_CANCELLED, STATE_LEFT,
		STATE_RAN, STATE_RESTORED, STATE_HIT, STATE_SKIPPED,
	};
	struct buf *b = progress_line(p);
	buf_fmt(b, "cairn: %zu step%s", p->total, p->total == 1 ? "" : "s");
	const char *sep = ": ";
	for (size_t i = 0; i < countof(order); i++) {
		char text[64];
		if (!e->counts[order[i]])
			continue;
		buf_z(b, sep);
		snprintf(text, sizeof(text), "%zu %s", e->counts[order[i]], step_state_name(order[i]));
		progress_paint(p, b, progress_is_bad(order[i]) ? PAINT_BAD : PAINT_NONE, text);
		sep = ", ";
	}
	double s = (double)e->at_ns / 1e9;
	if (s < 60)
		buf_fmt(b, s < 0.995 ? " in %.2f s" : " in %.1f s", s);
	else
		buf_fmt(b, " in %u min %u s", (unsigned)(s / 60), (unsigned)s % 60);
	progress_line_end(p);
}
