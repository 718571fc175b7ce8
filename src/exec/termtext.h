/* termtext.h: text for a line of a terminal: how wide it is, cut to fit, without what would move the cursor. */
#pragma once

#include "base/str.h"

/* Appends text, which is UTF-8 or nearly: control characters and bytes that are not become "?". What exceeds cols columns is
 * left out, and the last one is then an ellipsis. Returns the columns used. */
size_t term_clip(struct buf *out, struct str text, size_t cols);
/* "0.12s", "4.1s", "2m05s", "1h02m" */
#define TERM_TIME_MAX 24
const char *term_time(uint64_t ns, char out[TERM_TIME_MAX]);
/* As a word for a POSIX shell, quoted where it must be. */
void term_quote(struct buf *out, struct str word);
