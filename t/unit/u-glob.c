/* base/glob.h: tables, then random patterns against a plain definition of what they mean. */
#include "tap.h"

#include <time.h>

#include "base/glob.h"

static void matches(void)
{
	static const struct { const char *pattern, *yes, *no; } cases[] = {
		{"a", "a", "b"}, {"*", "abc", "a/b"}, {"*", ".a", ""}, {"?", "a", "/"}, {"??", "ab", "a"}, {"a?c", "abc", "a/c"},
		{"*.c", "x.c", "x.h"}, {"*.c", ".c", "a/x.c"}, {"a*b*c", "a-b-b-c", "a-b-c-d"}, {"**/*.c", "x.c", "x.h"},
		{"**/*.c", "a/b/x.c", "a/b/x.cc"}, {"src/**/x", "src/x", "src/yx"}, {"src/**/x", "src/a/b/x", "x"},
		{"src/**", "src/a", "src"}, {"src/**", "src/a/b/.c", "srca/b"}, {"**", "a/b", ""}, {"**/**", "a", ""},
		{"a/**/**/b", "a/b", "a/c"}, {"a/**/b/**/c", "a/b/b/x/c", "a/c/b"}, {"a**b", "axxb", "ax/b"}, {"***", "ab", "a/b"},
		{"[abc]", "b", "d"}, {"[a-c]x", "cx", "dx"}, {"[!a-c]", "d", "b"}, {"[^a]", "b", "a"}, {"[]]", "]", "["},
		{"[!]]", "a", "]"}, {"[a-]", "-", "b"}, {"[\\]]", "]", "\\"}, {"[[]", "[", "a"}, {"[!a]", "b", "/"}, {"[+-/]", ",", "/"},
		{"[\\!a]", "!", "b"}, {"[.-0]", ".", "/"}, {"\\*", "*", "a"}, {"\\[a]", "[a]", "a"}, {"a\\,b", "a,b", "a\\,b"},
		{"{a,b}", "b", "c"}, {"{a,b}*", "bc", "cb"}, {"x{,y}", "x", "xz"}, {"x{,y}", "xy", "y"},
		{"{a,b{c,d}}.{x,y}", "bd.y", "b.x"}, {"{a/b,c}/*.c", "a/b/x.c", "a/x.c"}, {"{a,**}/x", "q/r/x", "q/y"},
		{"{[,],b}", ",", "["}, {"\\{a,b\\}", "{a,b}", "a"}, {"{a\\,b,c}", "a,b", "a"}, {"{a}", "a", "{a}"}, {"a,b", "a,b", "a"},
		{"/usr/*/x.h", "/usr/include/x.h", "usr/include/x.h"}, {"\xc3\xa4*", "\xc3\xa4x", "\xc3x"}, {"a]b", "a]b", "ab"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str p = str_of(cases[i].pattern);
		ok(!glob_problem(p) || str_is(p, "[+-/]") || str_is(p, "[.-0]"), "'%s' is well-formed", cases[i].pattern);
		ok(glob_match(p, str_of(cases[i].yes)) == !glob_problem(p), "'%s' matches '%s'", cases[i].pattern, cases[i].yes);
		ok(!glob_match(p, str_of(cases[i].no)), "'%s' does not match '%s'", cases[i].pattern, cases[i].no);
	}
}

static void problems(void)
{
	static const char *const bad[] = {
		"", "[", "a[b", "[]", "[a/b]", "{", "{a", "a}", "{a,{b}", "a\\", "a\\/b", "[z-a]", "{a,b}}", "[\\",
	};
	static char braces[40 * 3 + 1], many[10 * 5 + 1], longest[GLOB_MAX_BYTES + 2];
	for (size_t i = 0; i < countof(bad); i++) {
		struct str p = str_of(bad[i]);
		ok(glob_problem(p), "'%s' is malformed", bad[i]);
		glob_match(p, S("a"));
		glob_may_enter(p, S("a"));
	}
	for (int i = 0; i < 40; i++)
		memcpy(braces + 3 * i, "{a}", 3);
	for (int i = 0; i < 10; i++)
		memcpy(many + 5 * i, "{a,b}", 5);
	memset(longest, 'a', sizeof(longest) - 1);
	ok(glob_problem(str_of(braces)), "too many braces");
	ok(glob_problem(str_of(many)), "too many alternatives");
	ok(!glob_problem(str_head(str_of(many), 45)), "512 are allowed");
	ok(glob_problem(str_of(longest)) && !glob_problem(str_from(str_of(longest), 1)), "length");
	ok(glob_problem(S("a\0b")), "a NUL");
}

static void enters(void)
{
	static const struct { const char *pattern, *dir; bool want; } cases[] = {
		{"src/*.c", "", true}, {"src/*.c", "src", true}, {"src/*.c", "src/a", false}, {"src/*.c", "lib", false},
		{"src/**/x", "src/a/b", true}, {"src/**/x", "lib", false}, {"**/x", "any/where", true}, {"a/b", "a/b", false},
		{"{a,b}/c/d", "b/c", true}, {"{a,b}/c/d", "c", false}, {"{a/b/c,x}", "a/b", true}, {"*", "a", false}, {"*/*", "a", true},
		{"/usr/*/x", "/usr", true}, {"/usr/*/x", "/", true}, {"/usr/*/x", "/lib", false}, {"**", "a", true},
	};
	for (size_t i = 0; i < countof(cases); i++)
		ok(glob_may_enter(str_of(cases[i].pattern), str_of(cases[i].dir)) == cases[i].want, "'%s' enters '%s': %d",
		   cases[i].pattern, cases[i].dir, cases[i].want);
}

static void texts(void)
{
	static const struct { const char *pattern, *prefix; } prefixes[] = {
		{"src/a/**", "src/a"}, {"src/a.c", "src"}, {"*.c", ""}, {"a", ""}, {"src/x*/y", "src"}, {"src/{a/b,c}/d", "src"},
		{"a\\*b/c*", "a*b"}, {"/*.c", "/"}, {"/usr/lib/*", "/usr/lib"}, {"a/b/c/[d]", "a/b/c"}, {"", ""},
	};
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(prefixes); i++)
		is_str(glob_prefix(&a, str_of(prefixes[i].pattern)), prefixes[i].prefix, "prefix of '%s'", prefixes[i].pattern);
	struct str odd = S("!a*?[x]{y,z}\\!");
	struct str escaped = glob_escape(&a, odd);
	ok(str_eq(glob_unescape(&a, escaped), odd), "unescaping undoes escaping");
	ok(!glob_is(escaped) && !glob_problem(escaped) && glob_match(escaped, odd), "an escaped text matches itself");
	ok(*escaped.s == '\\', "a leading ! is escaped");
	is_str(glob_escape(&a, S("src/a-b.c")), "src/a-b.c", "plain names stay as they are");
	ok(glob_is(S("a*")) && glob_is(S("a]")) && glob_is(S("{")) && !glob_is(S("a\\*b")) && !glob_is(S("a\\")), "is it a glob");
	arena_release(&a);
}

/* ---- the definition: exponential, for short patterns without classes ---- */

static bool plain(const char *p, const char *s, bool start)
{
	if (start && p[0] == '*' && p[1] == '*' && (p[2] == '/' || !p[2])) {
		if (!p[2])
			return *s != '\0';
		if (plain(p + 3, s, true))
			return true;
		const char *slash = strchr(s, '/');
		return slash && plain(p, slash + 1, true);
	}
	if (!*p)
		return !*s;
	if (*p == '*')
		return plain(p + 1, s, false) || (*s && *s != '/' && plain(p, s + 1, false));
	if (*p == '?')
		return *s && *s != '/' && plain(p + 1, s + 1, false);
	return *p == *s && plain(p + 1, s + 1, *p == '/');
}

static bool defined(const char *p, const char *s)
{
	const char *open = strchr(p, '{'), *part, *end;
	int depth = 0;
	char next[256];
	if (!open)
		return plain(p, s, true);
	for (end = open + 1; *end != '}' || depth; end++)
		depth += *end == '{' ? 1 : *end == '}' ? -1 : 0;
	part = open + 1;
	for (const char *at = part; at <= end; at++) {
		if (depth == 0 && (*at == ',' || at == end)) {
			snprintf(next, sizeof(next), "%.*s%.*s%s", (int)(open - p), p, (int)(at - part), part, end + 1);
			if (defined(next, s))
				return true;
			part = at + 1;
		}
		depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
	}
	return false;
}

static unsigned seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void random_pattern(char *out, size_t *n, int depth)
{
	static const char *const pieces[] = {"a", "b", "*", "?", "/", "**", "/**/", "a/", "*b"};
	for (unsigned count = pick(5) + !depth; count > 0; count--) {
		if (depth < 2 && pick(6) == 0) {
			out[(*n)++] = '{';
			for (unsigned alternatives = pick(2) + 1; alternatives > 0; alternatives--) {
				random_pattern(out, n, depth + 1);
				out[(*n)++] = ',';
			}
			out[*n - 1] = '}';
			continue;
		}
		const char *piece = pieces[pick(countof(pieces))];
		memcpy(out + *n, piece, strlen(piece));
		*n += strlen(piece);
	}
	out[*n] = '\0';
}

static void random_path(char *out)
{
	size_t n = 0;
	for (unsigned count = pick(4) + 1; count > 0; count--) {
		for (unsigned letters = pick(3) + 1; letters > 0; letters--)
			out[n++] = "ab"[pick(2)];
		out[n++] = '/';
	}
	out[n - 1] = '\0';
}

static void properties(void)
{
	char pattern[2048], path[64];
	int wrong = 0, pruned = 0, matched = 0;
	for (int i = 0; i < 100000; i++) {
		size_t n = 0;
		seed = (unsigned)i;
		random_pattern(pattern, &n, 0);
		random_path(path);
		struct str p = str_of(pattern), s = str_of(path);
		if (n > 200 || glob_problem(p))
			continue;
		bool want = defined(pattern, path);
		matched += want;
		if (glob_match(p, s) != want && wrong++ < 5)
			printf("# '%s' '%s' want %d\n", pattern, path, want);
		for (size_t k = 0; want && k < s.n; k++)
			if (s.s[k] == '/' && !glob_may_enter(p, str_head(s, k)) && pruned++ < 5)
				printf("# '%s' does not enter '%.*s'\n", pattern, (int)k, path);
	}
	ok(matched > 1000 && wrong == 0, "random patterns match what they should (%d did)", matched);
	is_int(pruned, 0, "no folder that holds a match is pruned");
}

/* Patterns that take naive matchers for ever. */
static void hostile(void)
{
	static char p[2001], s[2001];
	clock_t began = clock();
	for (int i = 0; i < 1000; i++)
		memcpy(p + 2 * i, "*a", 2);
	memset(s, 'a', 1500);
	s[1499] = 'b';
	ok(!glob_match(str_of(p), str_of(s)), "many stars");
	for (int i = 0; i < 500; i++)
		memcpy(p + 4 * i, "**/a", 4);
	for (int i = 0; i < 1999; i++)
		s[i] = i % 2 ? '/' : 'a';
	for (int i = 3; i < 2000; i += 4)
		p[i] = i % 3 ? '/' : 'a';
	glob_match(str_of(p), str_of(s));
	for (int i = 0; i < 400; i++)
		memcpy(p + 5 * i, "{,*a}", 5);
	glob_match(str_head(str_of(p), 160), str_of(s));
	glob_match(str_of(p), str_of(s));
	glob_may_enter(str_head(str_of(p), 160), str_of(s));
	ok(glob_problem(str_of(p)), "many braces are refused");
	ok((clock() - began) / CLOCKS_PER_SEC < 20, "none takes for ever");
}

int main(void)
{
	matches();
	problems();
	enters();
	texts();
	properties();
	hostile();
	return done();
}
