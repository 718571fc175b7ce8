/* base/opt.h */
#include "tap.h"

#include "base/opt.h"

static bool flag, other;
static int count;
static struct str text, maybe;
static struct opt_list list;
static int64_t number;

static const struct opt table[] = {
	{'f', "flag", OPT_FLAG, &flag, NULL, "a flag"},
	{'x', NULL, OPT_FLAG, &other, NULL, NULL},
	{'v', "verbose", OPT_COUNT, &count, NULL,
	 "say more; each further one says more again, until nothing is left to be said, which takes about three of them"},
	{'C', "directory", OPT_STR, &text, "DIR", "start there"},
	{'e', "env", OPT_LIST, &list, "NAME=VALUE", "set a variable"},
	{'j', "jobs", OPT_INT, &number, "N", "at once"},
	{0, "force", OPT_OPTIONAL, &maybe, "all", "whatever is known"},
	{0, "an-option-with-a-very-long-name", OPT_STR, &text, "SOMETHING", "long"},
};

/* Words are separated by blanks. NULL or what is wrong. */
static const char *parse(const char *line, bool keep_unknown, struct arena *a, struct opt_rest *rest)
{
	static struct err e = ERR_INIT;
	char *argv[32] = {(char *)"cmd"}, *copy = arena_dup(a, line, strlen(line));
	int argc = 1;
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	flag = other = false;
	count = 0;
	text = maybe = (struct str){0};
	list = (struct opt_list){0};
	number = -1;
	err_release(&e);
	if (opt_parse(a, table, countof(table), argc, argv, keep_unknown, rest, &e) == 0)
		return NULL;
	is_int(e.kind, ERR_USAGE, "a mistake of the user: %s", line);
	return e.text;
}

static struct str joined(struct arena *a, const struct opt_list *l)
{
	struct str s = S("");
	for (size_t i = 0; i < l->n; i++)
		s = str_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(s), i ? " " : "", STR_ARG(l->v[i]));
	return s;
}

static void parses(void)
{
	struct arena a = ARENA_INIT;
	struct opt_rest rest;
	ok(!parse("a -f --verbose b -vv -C dir - -e x=1 --env=y=2 --env z -j4 --force c", false, &a, &rest), "all kinds");
	ok(flag && !other && count == 3 && number == 4, "flag, count, number");
	is_str(text, "dir", "text");
	is_str(joined(&a, &list), "x=1 y=2 z", "list");
	is_str(maybe, "", "an optional value that was left out");
	is_str(joined(&a, &rest.words), "a b - c", "words");
	ok(!rest.dashdash && !rest.unknown.n && !rest.after.n, "and nothing else");

	ok(!parse("-fxvCdir --force=all --directory= -- -f --bogus -- x", false, &a, &rest), "letters together");
	ok(flag && other && count == 1, "each of them");
	is_str(maybe, "all", "an optional value");
	ok(text.s && text.n == 0, "an empty value");
	is_str(joined(&a, &rest.after), "-f --bogus -- x", "what follows --");
	ok(rest.dashdash && rest.words.n == 0, "is no word");

	ok(!parse("-C -- x --jobs=-5", false, &a, &rest), "a value may look like anything");
	is_str(text, "--", "even like --");
	ok(number == -5 && !rest.dashdash, "a negative number");

	ok(!parse("t --pattern=Foo -f --a=b=c --x=", true, &a, &rest), "unknown ones are kept");
	is_str(joined(&a, &rest.unknown), "pattern=Foo a=b=c x=", "without their dashes");

	ok(!parse("", false, &a, &rest) && !maybe.s && !text.s, "nothing at all");
	arena_release(&a);
}

static void refusals(void)
{
	static const struct { const char *line; bool keep; const char *want; } cases[] = {
		{"--forcd", false, "unknown option '--forcd'; did you mean '--force'?"},
		{"--zzz", false, "unknown option '--zzz'; --help lists them"},
		{"--zzz=1", false, "unknown option '--zzz'; --help lists them"},
		{"--zzz", true, "unknown option '--zzz'; a param is given as --zzz=VALUE"},
		{"--=x", true, "unknown option '--'; a param is given as --=VALUE"},
		{"-z", true, "unknown option '-z'; --help lists them"},
		{"-fz", false, "unknown option '-z'; --help lists them"},
		{"--flag=1", false, "option --flag takes no value"},
		{"--directory", false, "option --directory needs a value: DIR"},
		{"-C", false, "option -C needs a value: DIR"},
		{"-jx", false, "option -j needs a whole number, not 'x'"},
		{"--jobs=9223372036854775808", false, "option --jobs needs a whole number, not '9223372036854775808'"},
		{"--jobs=", false, "option --jobs needs a whole number, not ''"},
	};
	struct arena a = ARENA_INIT;
	struct opt_rest rest;
	for (size_t i = 0; i < countof(cases); i++) {
		const char *got = parse(cases[i].line, cases[i].keep, &a, &rest);
		is_str(str_of(got), cases[i].want, "%s", cases[i].line);
	}
	arena_release(&a);
}

int main(void)
{
	parses();
	refusals();
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	opt_help(table, countof(table), &out);
	is_str(buf_view(&out),
	       "  -f, --flag            a flag\n"
	       "  -v, --verbose         say more; each further one says more again, until\n"
	       "                        nothing is left to be said, which takes about three of\n"
	       "                        them\n"
	       "  -C, --directory=DIR   start there\n"
	       "  -e, --env=NAME=VALUE  set a variable\n"
	       "  -j, --jobs=N          at once\n"
	       "      --force[=all]     whatever is known\n"
	       "      --an-option-with-a-very-long-name=SOMETHING\n"
	       "                        long\n", "help");
	return done();
}
