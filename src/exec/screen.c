#include "exec/screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "sys/file.h"

struct screen {
	int fd[3];                      /* by stream */
	bool live;
	bool same;                      /* both are one file or terminal */
	bool unfinished[3];             /* the last byte written was no newline */
	struct buf block;               /* its text, lines ended */
	VEC(size_t) widths;             /* of its lines */
	bool shown;
	struct buf frame;               /* scratch: what one write takes */
};

static bool is_same(int a, int b)
{
	struct stat sa, sb;
	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

struct screen *screen_open(int out, int err, bool live)
{
	struct screen *s = xcalloc(1, sizeof(*s));
	s->fd[1] = out;
	s->fd[2] = err;
	s->live = live;
	s->same = is_same(out, err);
	s->block = s->frame = (struct buf)BUF_INIT(BUF_UNLIMITED);
	return s;
}

void screen_close(struct screen *s)
{
	screen_hide(s);
	buf_release(&s->block);
	buf_release(&s->frame);
	vec_free(&s->widths);
	free(s);
}

void screen_size(const struct screen *s, size_t *rows, size_t *cols)
{
	struct winsize size;
	bool known = ioctl(s->fd[2], TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
	*rows = known ? size.ws_row : 24;
	*cols = known ? size.ws_col : 80;
}

/* A terminal that is gone or a full disk is no reason to end a build. */
static void put(struct screen *s, int stream)
{
	if (s->frame.n)
		(void)file_write_all(s->fd[stream], s->frame.s, s->frame.n);
	buf_clear(&s->frame);
}

/* --- the block --- */

/* Lines drawn when the terminal was wider may have wrapped since. */
static void frame_erase(struct screen *s)
{
	if (!s->shown)
		return;
	size_t rows, cols, up = 0;
	screen_size(s, &rows, &cols);
	for (size_t i = 0; i < s->widths.n; i++)
		up += s->widths.v[i] > cols ? (s->widths.v[i] + cols - 1) / cols : 1;
	buf_fmt(&s->frame, "\r\033[%zuA\033[J", up);
}

static void frame_block(struct screen *s)
{
	if (!s->shown)
		return;
	buf_z(&s->frame, "\033[0m");            /* a step may have left a color on */
	buf_str(&s->frame, buf_view(&s->block));
}

void screen_hide(struct screen *s)
{
	frame_erase(s);
	s->shown = false;
	put(s, 2);
	buf_clear(&s->block);
	s->widths.n = 0;
}

void screen_begin(struct screen *s)
{
	frame_erase(s);
	s->shown = false;
	buf_clear(&s->block);
	s->widths.n = 0;
}

void screen_add(struct screen *s, struct str line, size_t cols)
{
	buf_str(&s->block, line);
	buf_c(&s->block, '\n');
	vec_add(&s->widths, cols);
}

void screen_show(struct screen *s)
{
	s->shown = s->live && s->widths.n;
	frame_block(s);
	put(s, 2);
}

/* --- text --- */

static void frame_break(struct screen *s, int stream)
{
	if (!s->unfinished[stream])
		return;
	buf_c(&s->frame, '\n');
	s->unfinished[stream] = false;
}

/* One write where both streams are one terminal, so that the block does not flicker. */
void screen_text(struct screen *s, int stream, struct str bytes)
{
	if (!bytes.n)
		return;
	frame_erase(s);
	if (!s->same && stream != 2)
		put(s, 2);
	buf_str(&s->frame, bytes);
	s->unfinished[stream] = bytes.s[bytes.n - 1] != '\n';
	if (s->same)
		s->unfinished[3 - stream] = false;
	if (!s->shown || (!s->same && stream != 2))
		put(s, stream);
	frame_block(s);
	put(s, 2);
}

void screen_break(struct screen *s)
{
	for (int stream = 1; stream <= 2; stream++) {
		frame_break(s, stream);
		put(s, stream);
	}
}

void screen_line(struct screen *s, struct str line)
{
	frame_erase(s);
	if (s->same)
		frame_break(s, 1);
	frame_break(s, 2);
	buf_str(&s->frame, line);
	buf_c(&s->frame, '\n');
	frame_block(s);
	put(s, 2);
}
