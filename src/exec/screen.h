/* screen.h: standard output and standard error of cairn as one surface: output of steps, lines of our own, and on a
 * terminal a block of lines at the bottom that is taken away before and put back after whatever else is written. */
#pragma once

#include "base/str.h"

struct screen;

struct screen *screen_open(int out, int err, bool live);
void screen_close(struct screen *);     /* takes the block away */
/* Output of a step. On a live screen: whole lines only. */
void screen_text(struct screen *, int stream, struct str bytes);
/* A line of our own, on standard error; begins a new line if a step left one unfinished. */
void screen_line(struct screen *, struct str line);
/* Ends lines that a step left unfinished: another one's output follows. */
void screen_break(struct screen *);

/* The block: begun, its lines added, then shown in place of the earlier one. cols: columns that a line takes. */
void screen_size(const struct screen *, size_t *rows, size_t *cols);
void screen_begin(struct screen *);
void screen_add(struct screen *, struct str line, size_t cols);
void screen_show(struct screen *);
void screen_hide(struct screen *);      /* away until the next screen_show */
