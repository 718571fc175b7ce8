#include "cli/names.h"

/* Linear in the text for each *, the last of which alone is ever gone back to. */
static bool wild(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.s[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n && (pattern.s[p] == '?' || pattern.s[p] == text.s[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.s[p] == '*')
		p++;
	return p == pattern.n;
}

bool name_matches(struct str word, struct str step)
{
	if (str_eq(word, step))
		return true;
	if (str_starts(step, word) && step.s[word.n] == '[')
		return true;
	return (str_chr(word, '*') >= 0 || str_chr(word, '?') >= 0) && wild(word, step);
}

int name_unknown(struct str word, const struct str *names, size_t n, const char *what, struct err *err)
{
	struct str near = str_nearest(word, names, n);

	if (near.s)
		return err_set(err, ERR_USAGE, "%s '" STR_FMT "'; did you mean '" STR_FMT "'?", what, STR_ARG(word), STR_ARG(near));
	return err_set(err, ERR_USAGE, "%s '" STR_FMT "'", what, STR_ARG(word));
}
