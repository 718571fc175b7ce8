/* jsonscan.h: a text is prepared for cJSON, which is lenient where JSON is strict and whose strings
 * end at a NUL. Private to this room. */
#pragma once

#include "base/err.h"

/* What \u0000 becomes in the prepared text: the lone surrogate U+DC00, which no text can hold otherwise. */
#define JSONSCAN_NUL "\xed\xb0\x80"
#define JSONSCAN_MAX_NUMBER 60          /* bytes */

/* Writes text to out with \udc80..\udcff as three bytes of generalised UTF-8 and \u0000 as above.
 * Refuses, besides, what no JSON holds outside and inside strings, other lone surrogates, and more
 * levels or values than a node tree may have. NULL, or why not; *at is then where. Reading ends early
 * when out is `stop` bytes long; *at is then the place in text. */
const char *jsonscan(struct str text, struct buf *out, size_t stop, size_t *at);
