/* contextwild.h: path patterns as container builders read them: in ignore files and as sources of COPY and ADD.
 *
 * They are anchored at the context's root. `*` and `?` stay within a component, `[a-z]` and `[^a-z]` are classes,
 * `\` makes the next character a plain one, `.+(){}|$` are plain. Characters, not bytes; what is no UTF-8 counts as
 * U+FFFD, byte by byte.
 *
 * CONTEXTWILD_IGNORE behaves as moby/patternmatcher 0.6 does, odd corners included: a `**` crosses components and,
 * unless it is the pattern's end, has to end before a name's beginning (`a**b` matches "ab" and "ax/b", not "axb"), but
 * one that begins a pattern without other wildcards does not (`**b` matches "xb"); a `[^x]` matches a "/"; a `**` stops at
 * a newline. What it would hand to its regular expressions with another meaning than the one documented is refused.
 * CONTEXTWILD_SOURCE matches at least what Go's filepath.Match does; `**` stands for anything there.
 *
 * Matching takes time proportional to the product of both lengths. */
#pragma once

#include "base/str.h"

#define CONTEXTWILD_MAX 4096            /* bytes of a pattern */

enum contextwild_kind { CONTEXTWILD_IGNORE, CONTEXTWILD_SOURCE };
struct contextwild;

/* NULL when it is malformed: *problem says why, and what to write instead where there is something. The pattern is clean:
 * no "." or ".." to resolve, no "/" at an end. */
const struct contextwild *contextwild_new(struct arena *, struct str pattern, enum contextwild_kind, const char **problem);
bool contextwild_match(const struct contextwild *, struct str path);
/* Could a path below folder dir ("" is the root) match? Never false wrongly. */
bool contextwild_may_enter(const struct contextwild *, struct str dir);
