/* wild.h: the wildcards of gitignore(5): `*` and `?` stay within a path component, `**` between
 * slashes (or at an end of the pattern) crosses them, `[...]` with ranges, `!` or `^` and `[:class:]`,
 * `\` makes the next byte a plain one. Behaves as git 2.39 does, odd corners included (`foo**` then a
 * slash and `bar` matches "foobar"); t/2010-ignore.t compares. Time is linear in the text for patterns without `**`, and
 * in text times components with it. */
#pragma once

#include "base/str.h"

struct wild;

/* NULL when the pattern can match nothing: an unclosed class, a `\` at its end. */
struct wild *wild_new(struct arena *, struct str pattern);
bool wild_match(const struct wild *, struct str text);
