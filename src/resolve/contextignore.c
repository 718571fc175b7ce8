#include "resolve/contextignore.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "resolve/contextwild.h"

struct rule {
	bool back;                      /* "!" */
	const struct contextwild *wild;
};

struct contextignore {
	struct rule *rules;
	size_t n;
};

/* --- which file --- */

void contextignore_names(struct arena *arena, struct str containerfile, struct str context, struct str names[CONTEXTIGNORE_NAMES])
{
	const char *slash = context.n && !str_ends(context, S("/")) ? "/" : "";

	names[0] = str_fmt(arena, STR_FMT ".dockerignore", STR_ARG(containerfile));
	names[1] = str_fmt(arena, STR_FMT ".containerignore", STR_ARG(containerfile));
	names[2] = str_fmt(arena, STR_FMT "%s.dockerignore", STR_ARG(context), slash);
	names[3] = str_fmt(arena, STR_FMT "%s.containerignore", STR_ARG(context), slash);
}

int contextignore_choose(const struct source *const found[CONTEXTIGNORE_NAMES], const struct source **out, struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < CONTEXTIGNORE_NAMES && !*out; i += 2) {
		const struct source *docker = found[i], *other = found[i + 1];

		if (docker && other && !str_eq(docker->text, other->text))
			return err_set(err, ERR_SPEC, STR_FMT " and " STR_FMT " differ, and engines would not agree which to read; "
				       "keep one of them", STR_ARG(docker->path), STR_ARG(other->path));
		*out = docker ? docker : other;
	}
	return 0;
}

/* --- reading --- */

static bool is_space(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static struct str trim(struct str s)
{
	size_t len;

	while (s.n && (len = utf8_len(s.s, s.n)) && is_space(utf8_value(s.s, len)))
		s = str_from(s, len);
	for (size_t end = 0, at = 0;; at += len) {
		if (at >= s.n)
			return str_head(s, end);
		if (!(len = utf8_len(s.s + at, s.n - at)))
			len = 1, end = at + 1;
		else if (!is_space(utf8_value(s.s + at, len)))
			end = at + len;
	}
}

/* Takes the last component off what b holds; false when there is none or it is "..". */
static bool drop_last(struct buf *b, size_t root)
{
	struct str all = buf_view(b), tail = str_from(all, root);
	ptrdiff_t slash = str_rchr(tail, '/');
	struct str last = str_from(tail, slash < 0 ? 0 : slash + 1);

	if (!last.n || str_is(last, ".."))
		return false;
	b->n = root + (slash < 0 ? 0 : slash);
	return true;
}

/* Resolves "." and "..", doubled slashes and those at the end; a path that begins with "/" keeps it. */
static struct str clean(struct arena *arena, struct str s)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	size_t root = s.n && s.s[0] == '/';
	struct str rest = s, part;

	if (root)
		buf_c(&b, '/');
	while (str_cut(&rest, '/', &part)) {
		if (!part.n || str_is(part, "."))
			continue;
		if (str_is(part, "..") && (drop_last(&b, root) || root))
			continue;
		if (b.n > root)
			buf_c(&b, '/');
		buf_str(&b, part);
	}
	return b.n ? str_dup(arena, buf_view(&b)) : S(".");
}

/* What a line says: 1 a pattern, 0 nothing. */
static bool read_pattern(struct arena *arena, struct str line, struct str *pattern)
{
	struct str p;
	bool back;

	if (str_starts(line, S("#")))
		return false;
	p = trim(line);
	if (!p.n)
		return false;
	back = p.s[0] == '!';
	if (back)
		p = trim(str_from(p, 1));
	if (p.n)
		p = clean(arena, p);
	if (p.n > 1 && p.s[0] == '/')
		p = str_from(p, 1);
	/* Docker cleans the whole once more, "!" and all. */
	*pattern = clean(arena, trim(back ? str_fmt(arena, "!" STR_FMT, STR_ARG(p)) : p));
	return true;
}

static int read_rule(struct arena *arena, struct str pattern, struct loc loc, struct rule *rule, struct err *err)
{
	const char *problem;

	rule->back = pattern.s[0] == '!';
	if (rule->back)
		pattern = str_from(pattern, 1);
	if (!pattern.n)
		return err_at(err, loc, NULL, "a \"!\" brings back what a pattern behind it names, and there is none");
	rule->wild = contextwild_new(arena, pattern, CONTEXTWILD_IGNORE, &problem);
	return rule->wild ? 0 : err_at(err, loc, NULL, "unable to read the pattern " STR_FMT ": %s", STR_ARG(pattern), problem);
}

int contextignore_read(struct arena *arena, const struct source *src, const struct contextignore **out, struct err *err)
{
	struct contextignore *ig = arena_new(arena, struct contextignore);
	struct str rest = src ? src->text : S(""), line, pattern;
	struct loc loc = {src, 0, 1};
	VEC(struct rule) rules = {0};
	struct rule rule;
	int rc = 0;

	if (rest.n > CONTEXTIGNORE_MAX)
		return err_set(err, ERR_SPEC, "unable to read " STR_FMT ": it is longer than 4 MiB", STR_ARG(src->path));
	if (str_starts(rest, S("\xef\xbb\xbf")))
		rest = str_from(rest, 3);
	while (str_cut(&rest, '\n', &line)) {
		loc.line++;
		if (!read_pattern(arena, line, &pattern))
			continue;
		if (read_rule(arena, pattern, loc, &rule, err) < 0)
			rc = -1;
		else
			vec_add(&rules, rule);
	}
	ig->n = rules.n;
	ig->rules = arena_array(arena, rules.n, struct rule);
	if (rules.n)
		memcpy(ig->rules, rules.v, rules.n * sizeof(*rules.v));
	vec_free(&rules);
	*out = ig;
	return rc;
}

/* --- matching --- */

static bool matches(const struct contextwild *w, struct str path)
{
	if (contextwild_match(w, path))
		return true;
	for (size_t i = 1; i < path.n; i++)
		if (path.s[i] == '/' && contextwild_match(w, str_head(path, i)))
			return true;
	return false;
}

bool contextignore_match(const struct contextignore *ig, struct str path)
{
	for (size_t i = ig->n; i-- > 0;)
		if (matches(ig->rules[i].wild, path))
			return !ig->rules[i].back;
	return false;
}

bool contextignore_may_enter(const struct contextignore *ig, struct str dir)
{
	for (size_t i = 0; i < ig->n; i++)
		if (ig->rules[i].back && contextwild_may_enter(ig->rules[i].wild, dir))
			return true;
	return false;
}
