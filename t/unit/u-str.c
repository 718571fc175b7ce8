/* base/str.h: strings and buffers */
#include "tap.h"

static void slices(void)
{
	struct str part, rest = S("a,,b,");
	ok(str_cmp(S("a"), S("b")) < 0 && str_cmp(S("b"), S("a")) > 0 && !str_cmp(S("a"), S("a")), "byte order");
	ok(str_cmp(S("a"), S("ab")) < 0 && str_cmp(S(""), S("a")) < 0, "shorter first");
	ok(str_cmp(S("\x7f"), S("\x80")) < 0, "bytes are unsigned");
	ok(!str_cmp((struct str){0}, S("")) && str_eq((struct str){0}, S("")), "no string equals the empty one");
	ok(str_starts(S("abc"), S("ab")) && str_starts(S("abc"), S("")) && !str_starts(S("a"), S("ab")), "starts");
	ok(str_ends(S("abc"), S("bc")) && str_ends((struct str){0}, S("")) && !str_ends(S("c"), S("bc")), "ends");
	is_int(str_chr(S("abca"), 'a'), 0, "first");
	is_int(str_rchr(S("abca"), 'a'), 3, "last");
	is_int(str_chr((struct str){0}, 'a'), -1, "nothing in nothing");
	is_int(str_find(S("abcbc"), S("bc")), 1, "find");
	is_int(str_find(S("abc"), S("")), 0, "the empty needle is at the front");
	is_int(str_find(S("abc"), S("abcd")), -1, "a needle that is too long");
	is_str(str_trim(S(" \t\na b\r\n")), "a b", "trim");
	is_str(str_trim(S(" \n")), "", "trim of blanks");

	ok(str_cut(&rest, ',', &part) && str_is(part, "a"), "cut");
	ok(str_cut(&rest, ',', &part) && str_is(part, ""), "cut of an empty part");
	ok(str_cut(&rest, ',', &part) && str_is(part, "b"), "cut of the last part");
	ok(!str_cut(&rest, ',', &part), "nothing is left after a last separator");
}

static void numbers(void)
{
	uint64_t u = 5;
	ok(str_u64(S("18446744073709551615"), &u) && u == UINT64_MAX, "the largest number");
	ok(!str_u64(S("18446744073709551616"), &u) && !str_u64(S("99999999999999999999999"), &u), "too large");
	ok(!str_u64(S(""), &u) && !str_u64(S("-1"), &u) && !str_u64(S("1 "), &u) && !str_u64(S("0x1"), &u), "no number");
	ok(u == UINT64_MAX, "what is no number changes nothing");
	ok(str_u64(S("007"), &u) && u == 7, "leading zeros");
}

static void formats(void)
{
	struct arena a = ARENA_INIT;
	struct str s = str_fmt(&a, "%d-" STR_FMT, 5, STR_ARG(S("xyz")));
	is_str(s, "5-xyz", "format");
	ok(s.s[s.n] == '\0', "followed by a NUL");
	is_str(str_dup(&a, str_head(S("abc"), 2)), "ab", "dup of a slice");
	ok(!str_dup(&a, (struct str){0}).s && str_dup(&a, S("")).s, "dup keeps the difference of none and empty");
	arena_release(&a);
}

static void nearest(void)
{
	static const struct str names[] = {S("inputs"), S("outputs"), S("needs"), S("run"), S("x")};
	static const struct { const char *word, *want; } cases[] = {
		{"input", "inputs"}, {"ouptuts", "outputs"}, {"need", "needs"}, {"rnu", "run"}, {"runs", "run"},
		{"inputs", "inputs"}, {"zzzzz", NULL}, {"a", NULL}, {"", NULL},
		{"an-extremely-long-name-that-goes-on-and-on-and-on-until-it-is-cut-off-somewhere", NULL},
	};
	for (size_t i = 0; i < countof(cases); i++)
		is_str(str_nearest(str_of(cases[i].word), names, countof(names)), cases[i].want, "nearest to '%s'", cases[i].word);
}

static void buffers(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(10), large = BUF_INIT(BUF_UNLIMITED);
	is_str(buf_view(&b), "", "an unused buffer is empty");
	buf_z(&b, "12345");
	buf_fmt(&b, "%03d", 7);
	is_str(buf_view(&b), "12345007", "added");
	buf_z(&b, "abc");
	is_str(buf_view(&b), "12345007", "what goes past the limit is dropped whole");
	ok(b.full, "and said");
	buf_c(&b, 'x');
	is_str(buf_view(&b), "12345007", "so that the buffer stays a beginning");
	buf_clear(&b);
	buf_fmt(&b, "%s", "1234567890");
	ok(b.n == 10 && !b.full && b.s[10] == '\0', "exactly the limit fits");
	ok(!buf_reserve(&b, SIZE_MAX) && b.full, "an impossible size is refused");
	buf_clear(&b);
	buf_fmt(&b, "%s", "12345678901");
	ok(b.full && b.n == 0, "formatted text past the limit is dropped whole");

	for (int i = 0; i < 10000; i++)
		buf_fmt(&large, "%d,", i);
	ok(large.n == 48890 && strlen(large.s) == large.n, "a buffer grows");
}

int main(void)
{
	slices();
	numbers();
	formats();
	nearest();
	buffers();
	return done();
}
