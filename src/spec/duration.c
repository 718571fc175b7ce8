#include "spec/spec.h"

#include <string.h>

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

/* 1024, 64k, 1.5g, 512MiB: powers of 1024. */
bool spec_size(struct str s, uint64_t *out)
{
	static const char units[] = "bkmgtp";
	uint64_t whole, part = 0, scale = 1, unit = 1;
	size_t n = 0, from;
	while (n < s.n && s.s[n] >= '0' && s.s[n] <= '9')
		n++;
	if (!n || n > 15 || !str_u64(str_head(s, n), &whole))
		return false;
	if (n < s.n && s.s[n] == '.') {
		for (from = ++n; n < s.n && s.s[n] >= '0' && s.s[n] <= '9'; n++)
			scale *= 10;
		if (n == from || n - from > 6 || !str_u64((struct str){s.s + from, n - from}, &part))
			return false;
	}
	s = str_from(s, n);
	if (s.n) {
		const char *at = strchr(units, s.s[0] | 0x20);
		if (!at || !*at)
			return false;
		unit <<= 10 * (at - units);
		s = str_from(s, 1);
		if (unit > 1 && s.n && !str_is(s, "b") && !str_is(s, "B") && !str_is(s, "iB") && !str_is(s, "ib"))
			return false;
		if (unit == 1 && s.n)
			return false;
	}
	if (whole > UINT64_MAX / 2 / unit)
		return false;
	*out = whole * unit + (uint64_t)((double)part / scale * unit);
	return true;
}
