#include "imageref.h"

#define NAME_MAX_BYTES 255              /* registry and path */
#define TAG_MAX_BYTES 128
#define HEX 64

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }

/* "sha256:" and 64 lower-case hexadecimal digits. */
static bool is_digest(struct str s)
{
	if (s.n != 7 + HEX || !str_starts(s, S("sha256:")))
		return false;
	for (size_t i = 7; i < s.n; i++)
		if (!is_digit(s.s[i]) && !(s.s[i] >= 'a' && s.s[i] <= 'f'))
			return false;
	return true;
}

static const char *check_digest(struct str s)
{
	if (is_digest(s))
		return NULL;
	return str_starts(s, S("sha256:")) ? "a sha256 digest has 64 hexadecimal digits, in lower case"
					   : "the digest does not begin with sha256:";
}

static const char *check_tag(struct str tag)
{
	if (!tag.n)
		return "the tag is empty";
	if (tag.n > TAG_MAX_BYTES)
		return "the tag is longer than 128 characters";
	for (size_t i = 0; i < tag.n; i++)
		if (!is_alnum(tag.s[i]) && tag.s[i] != '_' && !(i && (tag.s[i] == '.' || tag.s[i] == '-')))
			return "a tag is made of letters, digits, '_', '.' and '-', and begins with neither of the last two";
	return NULL;
}

/* Runs of small letters and digits, between them ".", "_", "__" or any number of "-". */
static const char *check_component(struct str c)
{
	size_t i = 0;

	if (!c.n)
		return "a part of the name is empty";
	while (i < c.n) {
		size_t from = i;

		while (i < c.n && (is_lower(c.s[i]) || is_digit(c.s[i])))
			i++;
		if (i == from)
			break;
		if (i == c.n)
			return NULL;
		from = i;
		while (i < c.n && c.s[i] == c.s[from] && c.s[i] == '-')
			i++;
		if (i == from && c.s[i] == '_')
			i += i + 1 < c.n && c.s[i + 1] == '_' ? 2 : 1;
		else if (i == from && c.s[i] == '.')
			i++;
		else if (i == from)
			break;
	}
	for (i = 0; i < c.n; i++)
		if (is_upper(c.s[i]))
			return "the name has capital letters, which image names can't have";
	return "the parts of a name are small letters and digits, with '.', '_', '__' or '-' between them";
}

static const char *check_path(struct str path)
{
	const char *why = NULL;
	struct str part;

	if (!path.n || path.s[path.n - 1] == '/')
		return "a part of the name is empty";
	while (!why && str_cut(&path, '/', &part))
		why = check_component(part);
	return why;
}

static bool is_port(struct str s)
{
	uint64_t n;

	return s.n && s.n <= 5 && is_digit(s.s[0]) && str_u64(s, &n) && n <= 65535;
}

/* An address in brackets and what stands behind it. */
static const char *check_ipv6(struct str s)
{
	ptrdiff_t end = str_chr(s, ']');

	if (end < 3)
		return "the registry's address has no closing bracket";
	for (ptrdiff_t i = 1; i < end; i++)
		if (!is_digit(s.s[i]) && !((s.s[i] | 32) >= 'a' && (s.s[i] | 32) <= 'f') && s.s[i] != ':' && s.s[i] != '.')
			return "the registry's address is no IPv6 address";
	s = str_from(s, end + 1);
	return !s.n || (s.s[0] == ':' && is_port(str_from(s, 1))) ? NULL : "the registry's port is no number up to 65535";
}

static const char *check_registry(struct str s)
{
	ptrdiff_t colon = str_chr(s, ':');
	struct str host = colon < 0 ? s : str_head(s, colon), label;

	if (s.n && s.s[0] == '[')
		return check_ipv6(s);
	if (colon >= 0 && !is_port(str_from(s, colon + 1)))
		return "the registry's port is no number up to 65535";
	if (!host.n || host.s[host.n - 1] == '.')
		return "the registry's name is not a host name";
	while (str_cut(&host, '.', &label)) {
		if (!label.n || label.s[0] == '-' || label.s[label.n - 1] == '-')
			return "the registry's name is not a host name";
		for (size_t i = 0; i < label.n; i++)
			if (!is_alnum(label.s[i]) && label.s[i] != '-')
				return "the registry's name is not a host name";
	}
	return NULL;
}

/* Is what stands before the first slash a registry rather than an owner? */
static bool names_registry(struct str s)
{
	if (str_chr(s, '.') >= 0 || str_chr(s, ':') >= 0 || str_is(s, "localhost"))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (is_upper(s.s[i]))
			return true;
	return false;
}

static const char *take_name(struct arena *a, struct str name, struct imageref *out)
{
	ptrdiff_t slash = str_chr(name, '/');
	const char *why;

	out->bare = slash < 0 || !names_registry(str_head(name, slash));
	out->registry = out->bare ? S("docker.io") : str_head(name, slash);
	out->path = out->bare ? name : str_from(name, slash + 1);
	if ((why = check_registry(out->registry)) || (why = check_path(out->path)))
		return why;
	if (str_is(out->registry, "index.docker.io") || str_is(out->registry, "registry-1.docker.io"))
		out->registry = S("docker.io");
	if (str_is(out->registry, "docker.io") && str_chr(out->path, '/') < 0)
		out->path = str_fmt(a, "library/" STR_FMT, STR_ARG(out->path));
	if (out->bare && is_digest(str_fmt(a, "sha256:" STR_FMT, STR_ARG(name))))
		return "64 hexadecimal digits are an image's id, which is written with sha256: before it";
	return out->registry.n + 1 + out->path.n > NAME_MAX_BYTES ? "the name is longer than 255 characters" : NULL;
}

const char *imageref_parse(struct arena *a, struct str s, struct imageref *out)
{
	ptrdiff_t at, colon;
	const char *why = NULL;

	*out = (struct imageref){S(""), S(""), S(""), S(""), S(""), false};
	if (!s.n)
		return "it is empty";
	if (s.n > IMAGEREF_MAX)
		return "it is longer than 4096 bytes";
	s = str_dup(a, s);
	if (str_find(s, S("://")) >= 0)
		return "it holds '://'; a reference has no scheme before it";
	if (is_digest(s)) {
		out->id = s;
		return NULL;
	}
	at = str_chr(s, '@');
	if (at >= 0) {
		out->digest = str_from(s, at + 1);
		s.n = at;
		why = check_digest(out->digest);
	}
	colon = str_rchr(s, ':');
	if (colon >= 0 && str_chr(str_from(s, colon), '/') < 0) {
		out->tag = str_from(s, colon + 1);
		s.n = colon;
		why = why ? why : check_tag(out->tag);
	}
	if (!out->tag.n && !out->digest.n)
		out->tag = S("latest");
	return why ? why : take_name(a, s, out);
}

struct str imageref_name(struct arena *a, const struct imageref *r)
{
	if (r->id.n)
		return (struct str){0};
	return str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(r->registry), STR_ARG(r->path));
}

struct str imageref_text(struct arena *a, const struct imageref *r)
{
	if (r->id.n)
		return r->id;
	return str_fmt(a, STR_FMT "/" STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(r->registry), STR_ARG(r->path), r->tag.n ? ":" : "",
		       STR_ARG(r->tag), r->digest.n ? "@" : "", STR_ARG(r->digest));
}

bool imageref_is_loopback(struct str s)
{
	ptrdiff_t colon = str_rchr(s, ':');
	struct str host = s, part;
	uint64_t n;
	int parts = 0;

	if (s.n && s.s[0] == '[')
		return str_starts(s, S("[::1]"));
	if (colon >= 0)
		host.n = colon;
	if (str_is(host, "localhost"))
		return true;
	if (!str_starts(host, S("127.")))
		return false;
	while (str_cut(&host, '.', &part)) {
		if (part.n > 3 || !str_u64(part, &n) || n > 255)
			return false;
		parts++;
	}
	return parts == 4;
}
