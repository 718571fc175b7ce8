/* Platforms of images: the second half of imageref.h. */
#include "imageref.h"

#define PART_MAX 40

static const char *check_word(struct str s)
{
	if (!s.n)
		return "a part of it is empty";
	if (s.n > PART_MAX)
		return "a part of it is longer than 40 bytes";
	for (size_t i = 0; i < s.n; i++)
		if (!(s.s[i] >= 'a' && s.s[i] <= 'z') && !(s.s[i] >= '0' && s.s[i] <= '9') && s.s[i] != '_' && s.s[i] != '.' && s.s[i] != '-')
			return "it is made of small letters, digits, '_', '.' and '-'";
	return NULL;
}

/* Names that machines and people use, and the OCI's. */
static struct platform translated(struct platform p)
{
	static const struct { const char *from, *arch, *variant; } other[] = {
		{"x86_64", "amd64", ""}, {"x86-64", "amd64", ""}, {"aarch64", "arm64", ""}, {"armhf", "arm", "v7"}, {"armel", "arm", "v6"},
		{"armv7l", "arm", "v7"}, {"armv6l", "arm", "v6"}, {"i386", "386", ""}, {"i686", "386", ""},
	};

	for (size_t i = 0; i < countof(other); i++)
		if (str_is(p.arch, other[i].from)) {
			p.arch = str_of(other[i].arch);
			p.variant = p.variant.n ? p.variant : str_of(other[i].variant);
			break;
		}
	return p;
}

const char *platform_parse(struct arena *a, struct str s, struct platform *out)
{
	struct str part[3] = {{0}}, rest = s;
	size_t n = 0;
	const char *why = NULL;

	*out = (struct platform){S("linux"), S(""), S("")};
	if (!s.n || s.s[s.n - 1] == '/')
		return "it is OS/ARCHITECTURE, such as linux/arm64";
	if (s.n > IMAGEREF_MAX)
		return "it is longer than 4096 bytes";
	rest = str_dup(a, s);
	for (; !why && n < 3 && str_cut(&rest, '/', &part[n]); n++)
		why = check_word(part[n]);
	if (why)
		return why;
	if (n == 3 && rest.n)
		return "it has more than three parts: OS/ARCHITECTURE/VARIANT";
	if (n == 1 && str_is(part[0], "linux"))
		return "it names no architecture: write linux/amd64, for example";
	if (n > 1)
		out->os = part[0];
	out->arch = part[n == 1 ? 0 : 1];
	if (n == 3)
		out->variant = part[2];
	*out = translated(*out);
	return NULL;
}

struct str platform_text(struct arena *a, const struct platform *p)
{
	return str_fmt(a, STR_FMT "/" STR_FMT "%s" STR_FMT, STR_ARG(p->os), STR_ARG(p->arch), p->variant.n ? "/" : "", STR_ARG(p->variant));
}

struct platform platform_normal(struct platform p)
{
	p = translated(p);
	if ((str_is(p.arch, "arm64") && (str_is(p.variant, "v8") || str_is(p.variant, "8"))) ||
	    (str_is(p.arch, "arm") && (str_is(p.variant, "v7") || str_is(p.variant, "7"))) ||
	    (str_is(p.arch, "amd64") && str_is(p.variant, "v1")))
		p.variant = S("");
	return p;
}

/* 5, 6, 7 of arm's variants; 0: it is another. */
static unsigned arm_level(struct str variant)
{
	if (variant.n && variant.s[0] == 'v')
		variant = str_from(variant, 1);
	if (!variant.n)
		return 7;
	return variant.n == 1 && variant.s[0] >= '5' && variant.s[0] <= '7' ? variant.s[0] - '0' : 0;
}

unsigned platform_fits(const struct platform *want, const struct platform *have)
{
	struct platform w = platform_normal(*want), h = platform_normal(*have);
	unsigned need, has;

	if (!str_eq(w.os, h.os) || !str_eq(w.arch, h.arch))
		return 0;
	if (str_eq(w.variant, h.variant))
		return 10;
	/* one that is made for any processor of its kind */
	if (!h.variant.n && !str_is(w.arch, "arm"))
		return 9;
	need = arm_level(w.variant);
	has = arm_level(h.variant);
	return str_is(w.arch, "arm") && need && has && has < need ? has : 0;
}
