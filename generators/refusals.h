/* refusals.h: what a target can't express, collected to be told at once. */
#pragma once

#include "base/err.h"

struct refusals { struct buf text; size_t n; };
#define REFUSALS_INIT {.text = BUF_INIT(1u << 20)}

void refusals_add(struct refusals *, struct str name, const char *field, const char *fmt, ...) PRINTF(4, 5);
void refusals_vadd(struct refusals *, struct str name, const char *field, const char *fmt, va_list);
/* 0 if there are none, else -1 with all of them. Releases. */
int refusals_end(struct refusals *, const char *tool, struct err *);
