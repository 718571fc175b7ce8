/* depfile.h: Makefile-style dependency files as compilers write them, read as ninja reads them:
 * a rule is targets, a colon before a blank or the line's end, names; a `\` at a line's end continues
 * it; `\ ` `\#` `\:` `$$` stand for the second byte, any other `\` for itself (2N+1 of them before a blank
 * are N and the blank). Several rules add up; the empty rules of -MP add nothing. Unlike ninja: a rule for
 * a name that is itself a dependency adds its names too; a line that begins with `#` is a comment (rustc);
 * a line of names without a colon is an error, and not only where the whole file has none. */
#pragma once

#include "base/err.h"

#define DEPFILE_MAX (64u << 20)
/* Names in order of appearance, once each, not normalised. Texts live in the arena. */
int depfile_parse(struct arena *, struct str text, struct str **deps, size_t *n, struct err *);
