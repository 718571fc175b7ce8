/* names.h: step names as a person gives them, where there is no plan to ask. */
#pragma once

#include "base/err.h"

/* Is step the one that word names: itself, a step of the command of that name, or a match of a pattern in which only
 * * and ? are wild? */
bool name_matches(struct str word, struct str step);
/* ERR_USAGE: what of a word that no name matches; suggests one. */
int name_unknown(struct str word, const struct str *names, size_t n, const char *what, struct err *);
