/* glob.h: path patterns. `*` and `?` stay within a path component, `**` as a whole component crosses
 * any number including none (a last `**` at least one: `a/ **` is what a folder holds, not the folder),
 * `[a-z]` and `[!a-z]` (or `[^a-z]`) classes, `{a,b}` alternatives (may nest, and hold "/"), `\` escapes.
 * `*` and `**` match names that begin with a dot. Bytes, not characters.
 *
 * Patterns come from outside: matching is polynomial, braces stand for at most GLOB_MAX_ALTERNATIVES
 * patterns; glob_problem refuses more. A pattern that it refuses matches nothing or too little. */
#pragma once

#include "err.h"

#define GLOB_MAX_BYTES 4096
#define GLOB_MAX_BRACES 32
#define GLOB_MAX_ALTERNATIVES 1000

/* Why a pattern is malformed ("unclosed [" ...), or NULL. */
const char *glob_problem(struct str pattern);
bool glob_is(struct str text);                          /* holds an unescaped * ? [ ] { } */
bool glob_match(struct str pattern, struct str path);
/* Could a path below folder `dir` ("" is the root) match? Used to prune walks; never false wrongly. */
bool glob_may_enter(struct str pattern, struct str dir);
/* The folder part before the first wild component, unescaped: "src/a" of "src/a/ **". */
struct str glob_prefix(struct arena *, struct str pattern);
struct str glob_escape(struct arena *, struct str literal);
struct str glob_unescape(struct arena *, struct str pattern);
/* Bytes of the class at p ("[" is its first), 0 when it is not closed within its component. A "]" that comes first is a member. */
size_t glob_class_len(struct str p);
