/* shelltext.h: texts for shells: words, lists of words, patterns as regular expressions. */
#pragma once

#include "base/str.h"

/* As one word of a POSIX shell, quoted only if it must be. */
void shell_word(struct buf *, struct str);
/* A word of the form NAME=VALUE. */
void shell_assignment(struct buf *, struct str name, struct str value);
/* What a pattern of glob.h means, as an extended regular expression without anchors. */
void shell_pattern(struct buf *, struct str glob);
/* A here-document's delimiter that is no line of the text. */
struct str shell_delimiter(struct arena *, struct str text);
