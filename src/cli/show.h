/* show.h: values as people read them. Everything is appended to a buffer. */
#pragma once

#include "base/str.h"

void show_size(struct buf *, uint64_t bytes);           /* "1.2 GiB", "17 bytes" */
void show_duration(struct buf *, uint64_t ns);          /* "35 ms", "1.24 s", "2 min 5 s" */
void show_when(struct buf *, int64_t ns);               /* wall clock, local time: "2024-05-01 13:02:11" */
/* Text from a spec, a path or a log without what could move a terminal's cursor: control bytes are written as \n, \x1b. */
void show_text(struct buf *, struct str);
/* show_text, then blanks up to width columns (a byte that starts a character counts one). */
void show_padded(struct buf *, struct str, size_t width);
size_t show_width(struct str);
/* "1 step", "2 steps" */
void show_count(struct buf *, uint64_t n, const char *one, const char *many);
