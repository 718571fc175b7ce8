/* Whose output is shown when: a wanted step's at once if nobody else's is, the others' when they end. */
#include <stdlib.h>
#include <time.h>

#include "exec/progress-own.h"
#include "exec/termtext.h"
#include "sys/loop.h"

#define HELD_MAX (4u << 20)             /* of output that is not shown yet; the log has all of it */
#define LINE_MAX_HELD (64u << 10)       /* of an unfinished line on a live screen */

static struct str heap_str(struct str s)
{
	char *copy = xmalloc(s.n + 1);
	memcpy(copy, s.n ? s.s : "", s.n);
	copy[s.n] = '\0';
	return (struct str){copy, s.n};
}

struct row *row_open(struct progress *p, const struct event *e)
{
	struct row *row = xcalloc(1, sizeof(*row));
	*row = (struct row){.name = heap_str(e->step), .since = loop_now(), .held = BUF_INIT(BUF_UNLIMITED),
			    .partial = {BUF_INIT(BUF_UNLIMITED), BUF_INIT(BUF_UNLIMITED)}, .console = e->console};
	row->wanted = p->verbosity == PROGRESS_VERBOSE || (p->is_goal && p->is_goal(p->ctx, e->step));
	vec_add(&p->rows, row);
	return row;
}

void row_free(struct row *row)
{
	free((char *)row->name.s);
	buf_release(&row->held);
	buf_release(&row->partial[0]);
	buf_release(&row->partial[1]);
	vec_free(&row->pieces);
	free(row);
}

struct row *row_find(const struct progress *p, struct str name)
{
	for (size_t i = 0; i < p->rows.n; i++)
		if (str_eq(p->rows.v[i]->name, name))
			return p->rows.v[i];
	return NULL;
}

/* --- sections: ESC [0K section_start:TIME:ID CR ESC [0K TITLE, on the stream that most output takes --- */

void row_section_end(struct progress *p)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	if (!p->section_open)
		return;
	p->section_open = false;
	screen_break(p->screen);
	buf_fmt(&b, "\033[0Ksection_end:%lld:cairn_%u\r\033[0K\n", (long long)time(NULL), p->section);
	screen_text(p->screen, 1, buf_view(&b));
}

static void section_begin(struct progress *p, const struct row *row)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	row_section_end(p);
	p->section_open = true;
	buf_fmt(&b, "\033[0Ksection_start:%lld:cairn_%u%s\r\033[0K", (long long)time(NULL), ++p->section, p->collapse ? "[collapsed=true]" : "");
	progress_clean(&b, row->name);
	buf_c(&b, '\n');
	screen_text(p->screen, 1, buf_view(&b));
}

/* Names the step when another one's output stands above. */
static void speak_as(struct progress *p, const struct row *row, bool named)
{
	bool same = p->speaker.s && str_eq(p->speaker, row->name), sections = p->sections && !p->live;

	if (same && (!sections || p->section_open))
		return;
	screen_break(p->screen);
	if (sections) {
		section_begin(p, row);
	} else if (p->speaker.s && !named) {
		struct buf *b = progress_line(p);
		progress_paint(p, b, PAINT_DIM, "--- ");
		progress_clean(b, row->name);
		progress_line_end(p);
	}
	free((char *)p->speaker.s);
	p->speaker = heap_str(row->name);
}

static void hold(struct row *row, int stream, struct str bytes)
{
	if (row->held.n + bytes.n > HELD_MAX) {
		row->dropped += row->held.n;
		buf_clear(&row->held);
		row->pieces.n = 0;
		if (bytes.n > HELD_MAX) {
			row->dropped += bytes.n - HELD_MAX;
			bytes = str_from(bytes, bytes.n - HELD_MAX);
		}
	}
	if (row->pieces.n && row->pieces.v[row->pieces.n - 1].stream == stream)
		row->pieces.v[row->pieces.n - 1].n += bytes.n;
	else
		vec_add(&row->pieces, (struct piece){stream, bytes.n});
	buf_str(&row->held, bytes);
}

/* Whole lines go out; what is left waits for its end, but not for ever. */
static void live_text(struct progress *p, struct row *row, int stream, struct str bytes)
{
	struct buf *partial = &row->partial[stream - 1];
	ptrdiff_t newline = str_rchr(bytes, '\n');
	if (newline < 0) {
		buf_str(partial, bytes);
		if (partial->n < LINE_MAX_HELD)
			return;
		buf_c(partial, '\n');
		bytes = S("");
		newline = -1;
	} else {
		buf_add(partial, bytes.s, (size_t)newline + 1);
	}
	speak_as(p, row, false);
	screen_text(p->screen, stream, buf_view(partial));
	buf_clear(partial);
	buf_str(partial, str_from(bytes, (size_t)(newline + 1)));
}

static void show(struct progress *p, struct row *row, int stream, struct str bytes)
{
	if (p->live && !p->suspended) {
		live_text(p, row, stream, bytes);
		return;
	}
	speak_as(p, row, false);
	screen_text(p->screen, stream, bytes);
}

void row_finish(struct progress *p, struct row *row)
{
	for (int stream = 1; stream <= 2; stream++)
		if (row->partial[stream - 1].n)
			live_text(p, row, stream, S("\n"));
}

void row_show_held(struct progress *p, struct row *row, bool named)
{
	if (!row->pieces.n)
		return;
	if (named)
		speak_as(p, row, true);
	if (row->dropped) {
		struct buf *b = progress_line(p);
		buf_fmt(b, "(%zu bytes before this are left out here; cairn log ", row->dropped);
		term_quote(b, row->name);
		buf_z(b, " has them)");
		progress_line_end(p);
	}
	size_t at = 0;
	for (size_t i = 0; i < row->pieces.n; i++) {
		show(p, row, row->pieces.v[i].stream, (struct str){row->held.s + at, row->pieces.v[i].n});
		at += row->pieces.v[i].n;
	}
	row_finish(p, row);
	buf_clear(&row->held);
	row->pieces.n = 0;
	row->dropped = 0;
}

void row_output(struct progress *p, struct row *row, int stream, struct str bytes)
{
	if (!bytes.n)
		return;
	row->spoke = true;
	if (row->wanted && !p->live && !p->streamer)
		p->streamer = row;
	if (row->wanted && !p->suspended && (p->live || p->streamer == row))
		show(p, row, stream, bytes);
	else
		hold(row, stream, bytes);
}

void row_pass_on(struct progress *p)
{
	p->streamer = NULL;
	for (size_t i = 0; i < p->rows.n && !p->streamer; i++)
		if (p->rows.v[i]->wanted && p->rows.v[i]->pieces.n)
			p->streamer = p->rows.v[i];
	if (p->streamer)
		row_show_held(p, p->streamer, false);
}

void row_catch_up(struct progress *p)
{
	for (size_t i = 0; i < p->rows.n; i++) {
		struct row *row = p->rows.v[i];
		if (row->wanted && (p->live || p->streamer == row))
			row_show_held(p, row, false);
	}
}
