/* Values, the ${{ }} language and durations. */
#include "tap.h"

#include "base/err.h"
#include "spec/expr.h"
#include "spec/spec.h"

static struct arena arena;

static const struct str heads[] = {S("vars"), S("each"), S("matrix"), S("params"), S("out"),
				   S("env"),  S("git"),  S("os"),     S("arch")};

static int answer(struct value v, struct value *out)
{
	*out = v;
	return 1;
}

static int vars_lookup(struct str member, struct value *out)
{
	static struct str names[] = {S("n"), S("s"), S("b"), S("l"), S("empty"), S("hex")};
	static struct value values[6], items[3];
	values[0] = value_plain(S("1.20"));
	values[1] = value_str(S("src/a b.c"));
	values[2] = value_plain(S("True"));
	for (size_t i = 0; i < 3; i++)
		items[i] = value_str((struct str[]){S("a"), S("it's"), S("")}[i]);
	values[3] = value_list(items, 3);
	values[4] = value_list(NULL, 0);
	values[5] = value_plain(S("0x1f"));
	if (!member.s)
		return answer((struct value){.kind = VALUE_MAP, .names = names, .items = values, .n = 6},
		              out);
	for (size_t i = 0; i < countof(names); i++) {
		if (str_eq(names[i], member))
			return answer(values[i], out);
	}
	return 0;
}

static int lookup(void *ctx, struct str head, struct str member, struct value *out, struct err *err)
{
	static struct value items[2];
	(void)ctx, (void)err;
	items[0] = value_str(S("build/x*.o"));
	items[1] = value_str(S("y"));
	if (str_is(head, "vars"))
		return vars_lookup(member, out);
	if (str_is(head, "os"))
		return answer(value_str(S("linux")), out);
	if (str_is(head, "out"))
		return member.s ? str_is(member, "depfile") && answer(value_str(S("x.d")), out)
		                : answer(value_list(items, 2), out);
	if (str_is(head, "env"))
		return str_is(member, "HOME") ? answer(value_str(S("/home/me")), out) : 0;
	if (str_is(head, "git"))
		return str_is(member, "branch") ? EXPR_ASKED : 0;
	return 0;
}

static const struct scope scope = {.lookup = lookup, .heads = heads, .nheads = countof(heads)};

static int expand(const char *in, enum expand_mode mode, struct str *out, struct err *err)
{
	struct text t = {.s = str_of(in)};
	return text_expand(&arena, &t, &scope, mode, out, err);
}

static void yields(const char *in, const char *want)
{
	struct err err = ERR_INIT;
	struct str out = S("");
	int got = expand(in, EXPAND_RAW, &out, &err);
	if (got)
		printf("# %d: %s\n", got, err.ndiags ? err.diags[0].text : "no reason");
	is_str(got ? S("(failed)") : out, want, "%.*s", (int)strcspn(in, "\n"), in);
	struct text t = {.s = str_of(in)};
	is_int(text_check(&t, &err), 0, "its form is right");
	err_release(&err);
}

static void fails(const char *in, const char *says)
{
	struct err err = ERR_INIT;
	struct str out;
	is_int(expand(in, EXPAND_RAW, &out, &err), -1, "%s fails", in);
	const char *text = err.ndiags ? err.diags[0].text : err.text ? err.text : "";
	if (!ok(strstr(text, says) != NULL, "it says \"%s\"", says))
		printf("# it says \"%s\"\n", text);
	err_release(&err);
}

static void test_operators(void)
{
	yields("a ${{ 1 }} b ${{ \"x\" }}", "a 1 b x");
	yields("${{ 0x1f == 31 }} ${{ 1.0 == 1 }} ${{ 1e3 > 999 }}", "true true true");
	yields("${{ 1.20 }} ${{ vars.n }} ${{ vars.hex }}", "1.20 1.20 0x1f");
	yields("${{ !vars.b }} ${{ !!vars.b }} ${{ vars.b }}", "false true True");
	yields("${{ 1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2 }}", "true");
	yields("${{ \"a\" < \"b\" }} ${{ 'a' == \"a\" }}", "true true");
	yields("${{ true || vars.nothing }} ${{ false && vars.nothing }}", "true false");
	yields("${{ vars.b && \"yes\" || \"no\" }} ${{ vars.empty && \"yes\" || \"no\" }}", "yes no");
	yields("${{ !\"\" }} ${{ !0 }} ${{ !\"0\" }} ${{ !vars.l }} ${{ !vars.empty }}",
	       "true true false false true");
	yields("${{ (1 == 2) == false }} ${{ -1.5 < 0 }}", "true true");
	yields("${{ 1 == 1 == true }} ${{ true || false && false }}", "true true");
	yields("${{\tvars.n\n}}", "1.20");
	yields("${{ vars.l == vars.l }} ${{ vars.l == vars.empty }}", "true false");
	yields("$HOME ${HOME} $$ ${#a[@]} }} {{ $ {{ x", "$HOME ${HOME} $$ ${#a[@]} }} {{ $ {{ x");
	yields("${{ '}}' }} ${{ \"${{\" }}", "}} ${{");
	yields("${{ '\\x41\\n\\t\\'\\\"\\\\\\101' }}", "A\n\t'\"\\A");
}

static void test_names(void)
{
	yields("${{ vars[\"n\"] }} ${{ vars['s'].stem }}", "1.20 a b");
	yields("${{ vars.s.dir }} ${{ vars.s.name }} ${{ vars.s.ext }} ${{ vars.s.noext }}",
	       "src a b.c .c src/a b");
	yields("${{ vars.l[1] }} ${{ vars.l }} ${{ out[0] }} ${{ out.depfile }} ${{ out[1].dir }}",
	       "it's a it's  build/x*.o x.d .");
	yields("${{ env.HOME.dir }} ${{ os }}", "/home linux");
	yields("${{ default(env.NOPE, \"x\") }} ${{ default(env.HOME, \"x\") }} ${{ default(vars.l[9], 1) }}",
	       "x /home/me 1");
	yields("${{ default(env.A && env.B, default(env.C, 'z')) }}", "z");
	yields("${{ default(vars.at[\"all\"].dir, os) }}", "linux");
	fails("${{ vars.m }}", "unknown name 'vars.m'");
	fails("${{ var.n }}", "unknown name 'var.n'");
	fails("${{ nope }}", "unknown name 'nope'");
	fails("${{ vars.l[3] }}", "no item [3] in a list of 3");
	fails("${{ vars.l[-1] }}", "no item");
	fails("${{ vars.l[0.5] }}", "no item");
	fails("${{ vars.l[\"a\"] }}", "takes a number");
	fails("${{ os[0] }}", "takes an item of a list");
	fails("${{ vars.s.base }}", "no part 'base'");
	fails("${{ vars.l.name }}", "a list has no part");
	fails("${{ vars }}", "a map has no text");
}

static void test_functions(void)
{
	yields("${{ sh(vars.s) }} ${{ sh(vars.l) }} ${{ sh(\"plain-1.c\") }}",
	       "'src/a b.c' a 'it'\\''s' '' plain-1.c");
	yields("${{ json(vars.l) }} ${{ json(vars.n) }} ${{ json(vars.hex) }} ${{ json(vars.b) }}",
	       "[\"a\",\"it's\",\"\"] 1.2 31 true");
	yields("${{ join(vars.l, \",\") }} ${{ join(vars.empty) }}", "a,it's, ");
	yields("${{ contains(vars.l, \"a\") }} ${{ contains(\"abc\", \"bc\") }} ${{ contains(vars.empty, 1) }}",
	       "true true false");
	yields("${{ startswith(os, 'lin') }} ${{ endswith(vars.s, '.h') }}", "true false");
	fails("${{ startswith(1, 'a') }}", "takes a string");
	fails("${{ contains(vars.l, 1) }}", "a list that holds none");
	fails("${{ join(os) }}", "takes a list");
	fails("${{ sh() }}", "takes 1 operand, not 0");
	fails("${{ default(os) }}", "expected ','");
	fails("${{ shh(os) }}", "unknown function 'shh'");
	fails("${{ 1 == \"1\" }}", "unable to compare a number with a string");
	fails("${{ true < false }}", "has no order");
}

static void test_form(void)
{
	fails("${{ 1", "not closed");
	fails("${{ 'a }}", "quote is not closed");
	fails("${{ 1 2 }}", "expected an operator");
	fails("${{ a.  }}", "expected a name");
	struct err err = ERR_INIT;
	struct text t = {.s = S("${{ 1 + }} ${{ fn() }} ${{ ok }} ${{ os }}")};
	is_int(text_check(&t, &err), -1, "several mistakes in one text");
	is_int(err.ndiags, 3, "are all told");
	err_release(&err);
	char deep[1000] = "${{ ";
	memset(deep + 4, '(', 500);
	fails(deep, "more than 64 levels");
}

static void test_modes(void)
{
	struct err err = ERR_INIT;
	struct str out;
	is_int(expand("dir/*.c ${{ out[0] }}", EXPAND_PATTERN, &out, &err), 0, "a pattern expands");
	is_str(out, "dir/*.c build/x\\*.o", "only what ${{ }} yields is escaped");
	is_int(expand("${{ git.branch }} ${{ git.branch == \"x\" }}", EXPAND_RAW, &out, &err), EXPR_ASKED,
	       "a question stops it");
	is_int(expand("${{ git.branch }} ${{ vars.nope }}", EXPAND_RAW, &out, &err), -1,
	       "a mistake behind a question is told");
	err_release(&err);
	struct value v;
	struct text t = {.s = S("${{ vars.l }}")};
	is_int(text_value(&arena, &t, &scope, &v, &err), 0, "a text that is one ${{ }}");
	ok(v.kind == VALUE_LIST && v.n == 3, "keeps its type");
	t.s = S("${{ vars.n }} ");
	is_int(text_value(&arena, &t, &scope, &v, &err), 0, "any other");
	ok(v.kind == VALUE_STR && str_is(v.s, "1.20 "), "is a string");
	struct str *names;
	size_t n;
	t.s = S("${{ vars.a && each[\"src\"].dir == os }} ${{ default(vars.a, out[0]) }}");
	text_names(&arena, &t, &names, &n);
	is_int(n, 4, "the names of a text, each once");
	is_str(n > 1 ? names[1] : S(""), "each.src", "with their members");
}

static void test_values(void)
{
	static const struct { const char *text; enum value_kind kind; double num;
	} plain[] = {
		{"12", VALUE_NUM, 12},    {"-1.5e2", VALUE_NUM, -150}, {"0o17", VALUE_NUM, 15},
		{"0xFF", VALUE_NUM, 255}, {".5", VALUE_NUM, .5},       {"1_000", VALUE_STR, 0},
		{"yes", VALUE_STR, 0},    {"null", VALUE_STR, 0},      {"", VALUE_STR, 0},
		{"TRUE", VALUE_BOOL, 0},  {"false", VALUE_BOOL, 0},    {"1.2.3", VALUE_STR, 0},
		{"0b1", VALUE_STR, 0},
	};
	for (size_t i = 0; i < countof(plain); i++) {
		struct value v = value_plain(str_of(plain[i].text));
		ok(v.kind == plain[i].kind && (v.kind != VALUE_NUM || v.num == plain[i].num), "plain '%s'",
		   plain[i].text);
	}
	struct value number = value_plain(S("1")), text = value_str(S("x")), truth = value_bool(true), out;
	ok(value_like(&number, S("2.50"), &out) && str_is(out.s, "2.50"),
	   "a number is read by the type of its default");
	ok(!value_like(&number, S("two"), &out), "and nothing else");
	ok(value_like(&text, S("2"), &out) && out.kind == VALUE_STR, "a text stays one");
	ok(value_like(&truth, S("false"), &out) && !out.truth && !value_like(&truth, S("no"), &out),
	   "booleans");
}

static void test_durations(void)
{
	static const struct { const char *text; long long ms;
	} all[] = {
		{"90", 90000},     {"1.5", 1500},      {"500ms", 500},
		{"10m", 600000},   {"1h30m", 5400000}, {"2d", 172800000},
		{"1.5h", 5400000}, {"0", 0},           {"1m30s500ms", 90500},
		{"", -1},          {"m", -1},          {"10 m", -1},
		{"1m1h", -1},      {"1m1m", -1},       {"1m30", -1},
		{"-1", -1},        {"1e3", -1},        {"99999999999d", -1},
		{"1..5s", -1},     {".5s", -1},        {"10min", -1},
		{"1.", -1},
	};
	for (size_t i = 0; i < countof(all); i++) {
		uint64_t ms = 0;
		bool good = spec_duration(str_of(all[i].text), &ms);
		is_int(good ? (long long)ms : -1, all[i].ms, "duration '%s'", all[i].text);
	}
}

int main(void)
{
	test_operators();
	test_names();
	test_functions();
	test_form();
	test_modes();
	test_values();
	test_durations();
	arena_release(&arena);
	return done();
}
