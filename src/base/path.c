#include "base/path.h"

/* Cuts the last component off the n bytes at s, down to `floor` (1 behind a leading "/"). */
static size_t cut_last(const char *s, size_t n, size_t floor)
{
	while (n > floor && s[n - 1] != '/')
		n--;
	return n > floor ? n - 1 : floor;
}

bool path_join(struct arena *a, struct str base, struct str rel, struct str *out)
{
	size_t floor = rel.n && *rel.s == '/';
	if (floor)
		base = S("");
	char *s = arena_alloc(a, base.n + rel.n + 2);
	size_t n = 0;
	if (base.n)
		memcpy(s, base.s, n = base.n);
	if (floor)
		s[n++] = '/';

	struct str part;
	while (str_cut(&rel, '/', &part)) {
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			if (n == 0)
				return false;
			n = cut_last(s, n, floor);
			continue;
		}
		if (n > floor)
			s[n++] = '/';
		memcpy(s + n, part.s, part.n);
		n += part.n;
	}
	s[n] = '\0';
	*out = (struct str){s, n};
	return true;
}

struct str path_dir(struct str path)
{
	ptrdiff_t at = str_rchr(path, '/');
	if (at == 0 && path.n > 1)
		return str_head(path, 1);
	return str_head(path, at > 0 ? (size_t)at : 0);
}

struct str path_name(struct str path)
{
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

struct str path_ext(struct str path)
{
	struct str name = path_name(path);
	size_t lead = 0;
	while (lead < name.n && name.s[lead] == '.')
		lead++;
	ptrdiff_t at = str_rchr(name, '.');
	if (at < (ptrdiff_t)lead || (size_t)at + 1 == name.n)
		return str_from(name, name.n);
	return str_from(name, (size_t)at);
}

struct str path_stem(struct str path)
{
	struct str name = path_name(path);
	return str_head(name, name.n - path_ext(path).n);
}

struct str path_noext(struct str path)
{
	return str_head(path, path.n - path_ext(path).n);
}

bool path_within(struct str path, struct str dir)
{
	if (dir.n == 0)
		return true;
	if (!str_starts(path, dir))
		return false;
	return path.n == dir.n || path.s[dir.n] == '/' || dir.s[dir.n - 1] == '/';
}
