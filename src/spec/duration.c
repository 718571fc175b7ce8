#include "spec/spec.h"

static bool unit_ms(struct str unit, uint64_t *ms)
{
	static const struct { const char *name; uint64_t ms; } units[] = {
		{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
	};
	for (size_t i = 0; i < countof(units); i++) {
		if (str_is(unit, units[i].name)) {
			*ms = units[i].ms;
			return true;
		}
	}
	return false;
}

static struct str take_while(struct str *rest, bool digits)
{
	size_t n = 0;
	while (n < rest->n && (rest->s[n] >= '0' && rest->s[n] <= '9') == digits &&
	       (digits || rest->s[n] != '.'))
		n++;
	struct str part = str_head(*rest, n);
	*rest = str_from(*rest, n);
	return part;
}

/* Units come from the greatest to the smallest, each once; a number alone counts seconds. */
bool spec_duration(struct str s, uint64_t *ms)
{
	static const uint64_t longest = 366ull * 86400000;
	uint64_t total = 0, before = UINT64_MAX;
	bool bare = false;
	if (!s.n)
		return false;
	while (s.n) {
		uint64_t whole, unit, tenth = 0, scale = 1;
		struct str digits = take_while(&s, true), fraction = {"", 0};
		if (s.n && s.s[0] == '.') {
			s = str_from(s, 1);
			fraction = take_while(&s, true);
			if (!fraction.n || fraction.n > 6 || !str_u64(fraction, &tenth))
				return false;
		}
		struct str name = take_while(&s, false);
		if (bare || !digits.n || digits.n > 12 || !str_u64(digits, &whole) || !unit_ms(name, &unit))
			return false;
		if (unit >= before || (name.n == 0 && before != UINT64_MAX))
			return false;
		bare = name.n == 0;
		before = unit;
		for (size_t i = 0; i < fraction.n; i++)
			scale *= 10;
		if (whole > longest)
			return false;
		total += whole * unit + tenth * unit / scale;
		if (total > longest)
			return false;
	}
	*ms = total;
	return true;
}
