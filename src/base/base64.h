/* base64.h: RFC 4648's two alphabets, as credentials are written. */
#pragma once

#include "str.h"

/* Adds the text to out, padded; url: with '-' and '_'. */
void base64_add(struct buf *out, struct str bytes, bool url);
/* Reads either alphabet; padding may be left out, nothing else may stand beside it. False when it is none. */
bool base64_read(struct arena *, struct str text, struct str *out);
