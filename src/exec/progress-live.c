/* The live view: what runs and for how long, under whatever else is said. */
#include <stdio.h>

#include "exec/progress-own.h"
#include "exec/termtext.h"
#include "sys/loop.h"

/* "12/340 done, 3 hit, 2 running  4.1s" */
static void draw_counts(struct progress *p, uint64_t now, size_t cols)
{
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	char time[TERM_TIME_MAX];
	buf_fmt(&text, "%zu/%zu done", p->ended, p->total);
	if (p->failures)
		buf_fmt(&text, ", %zu failed", p->failures);
	if (p->hits)
		buf_fmt(&text, ", %zu hit", p->hits);
	buf_fmt(&text, ", %zu running  %s", p->rows.n, term_time(now - p->begun, time));
	struct buf *b = progress_line(p);
	if (p->color && p->failures)
		buf_z(b, "\033[1;31m");
	size_t used = term_clip(b, buf_view(&text), cols);
	if (p->color && p->failures)
		buf_z(b, "\033[0m");
	screen_add(p->screen, buf_view(b), used);
	buf_release(&text);
}

static void draw_row(struct progress *p, const struct row *row, uint64_t now, size_t cols)
{
	char time[TERM_TIME_MAX];
	size_t room = strlen(term_time(now - row->since, time)) + 4;
	struct buf *b = progress_line(p);
	buf_z(b, "  ");
	size_t used = 2 + term_clip(b, row->name, cols > room ? cols - room : 1);
	if (used + room - 2 <= cols) {
		buf_z(b, "  ");
		progress_paint(p, b, PAINT_DIM, time);
		used += room - 2;
	}
	screen_add(p->screen, buf_view(b), used);
}

void progress_tick(struct progress *p)
{
	if (!p->live || p->suspended)
		return;
	size_t rows, cols;
	screen_size(p->screen, &rows, &cols);
	if (cols > 1)
		cols--;                 /* a full line would wrap on some terminals */
	size_t most = rows / 2 > 2 ? rows / 2 - 1 : 1;          /* running steps, besides the counts */
	uint64_t now = loop_now();
	size_t shown = p->rows.n <= most ? p->rows.n : most - 1;
	screen_begin(p->screen);
	for (size_t i = 0; i < shown; i++)
		draw_row(p, p->rows.v[i], now, cols);
	if (shown < p->rows.n) {
		struct buf *b = progress_line(p);
		char text[48];
		snprintf(text, sizeof(text), "  and %zu more", p->rows.n - shown);
		size_t used = term_clip(b, str_of(text), cols);
		screen_add(p->screen, buf_view(b), used);
	}
	draw_counts(p, now, cols);
	screen_show(p->screen);
}

void progress_suspend(struct progress *p)
{
	screen_hide(p->screen);
	p->suspended = true;
}

void progress_resume(struct progress *p)
{
	p->suspended = false;
	row_catch_up(p);
}
