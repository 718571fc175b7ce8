#include "resolve/depfile.h"
#include "tap.h"

static struct arena arena;

static const struct { const char *text, *deps; } cases[] = {
	{"", ""},
	{"\n \n", ""},
	{"a.o: a.c a.h\n", "a.c a.h"},
	{"a.o: a.c a.h", "a.c a.h"},
	{"a.o : a.c", "a.c"},
	{"a.o: a.c \\\n  a.h \\\n\tb.h\n", "a.c a.h b.h"},
	{"a.o: a.c \\\r\n  a.h\r\n", "a.c a.h"},
	{"a.o: \\\n a.c\\\n b.c\n", "a.c b.c"},
	{"a.o a.d: a.c\n", "a.c"},
	{"a.o: x.h y.h x.h\n", "x.h y.h"},
	{"a.o: x.h\nx.h:\ny.h:\n", "x.h"},
	{"a.o: x.h\nb.o: y.h\n", "x.h y.h"},
	{"a.o: x.h\nx.h: z.h\n", "x.h z.h"},
	{"a.o: with\\ blank.h b.h\n", "with blank.h b.h"},
	{"a.o: two\\\\\\ x.h\n", "two\\ x.h"},
	{"a.o: even\\\\ x.h\n", "even\\\\ x.h"},
	{"a.o: \\#x.h a#b\n", "#x.h a#b"},
	{"a.o: a$$b $x\n", "a$b $x"},
	{"c:\\x\\a.o: c:\\y\\b.h\n", "c:\\y\\b.h"},
	{"a\\:b.o: c\\:d.h\n", "c:d.h"},
	{"a\\: b.h\n", "b.h"},
	{"# comment: x\na.o: b.h\n#env-dep:X=1\n", "b.h"},
	{"a.o:\n", ""},
	{"a.o: b:\n", "b"},
	{"a.o:b.h c.h", NULL},
	{"a.o b.h\n", NULL},
	{"a.o: b.h\nc.h d.h\n", NULL},
	{"a.o: tail\\", "tail\\"},
	{"a.o: (x) [y] {z} 'q' \"r\" %~^!=+@,;|<>&*\n", "(x) [y] {z} 'q' \"r\" %~^!=+@,;|<>&*"},
	{"a.o: \xc3\xa4.h \xff.h\n", "\xc3\xa4.h \xff.h"},
};

static void grammar(void)
{
	for (size_t i = 0; i < countof(cases); i++) {
		CLEANUP_BUF struct buf got = BUF_INIT(BUF_UNLIMITED);
		struct err err = ERR_INIT;
		struct str *deps;
		size_t n;
		int rc = depfile_parse(&arena, str_of(cases[i].text), &deps, &n, &err);

		for (size_t k = 0; k < n; k++) {
			if (k)
				buf_c(&got, ' ');
			buf_str(&got, deps[k]);
		}
		if (!cases[i].deps)
			ok(rc < 0 && err.text && strstr(err.text, "colon"), "case %zu is refused", i);
		else
			is_str(rc < 0 ? S("(error)") : buf_view(&got), cases[i].deps, "case %zu", i);
		err_release(&err);
	}
}

static void limits(void)
{
	struct str *deps;
	struct err err = ERR_INIT;
	size_t n;

	is_int(depfile_parse(&arena, S("a: b\0c"), &deps, &n, &err), -1, "a NUL byte is refused");
	err_release(&err);
	is_int(depfile_parse(&arena, (struct str){"", DEPFILE_MAX + 1ul}, &deps, &n, &err), -1, "so is a text that is too long");
	err_release(&err);
	is_int(depfile_parse(&arena, S("a: b\nc: d\n\\\n\ne f\n"), &deps, &n, &err), -1, "a line without a colon is refused");
	ok(err.text && strstr(err.text, "line 5"), "and named");
	err_release(&err);
}

int main(void)
{
	grammar();
	limits();
	arena_release(&arena);
	return done();
}
