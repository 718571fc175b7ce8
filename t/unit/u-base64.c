#include "base/base64.h"

#include "tap.h"

static struct arena arena;

static struct str back(const char *text)
{
	struct str out = {0};

	return base64_read(&arena, str_of(text), &out) ? out : (struct str){0};
}

int main(void)
{
	/* RFC 4648, section 10 */
	static const char *const known[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	char all[256];
	struct buf b = BUF_INIT(1 << 16);
	bool same = true;

	for (size_t i = 0; i < countof(known); i++) {
		buf_clear(&b);
		base64_add(&b, str_of(known[i][0]), false);
		is_str(buf_view(&b), known[i][1], "'%s' is written", known[i][0]);
		is_str(back(known[i][1]), known[i][0], "and read");
	}
	is_str(back("Zg"), "f", "padding may be left out");
	is_str(back("Zm8"), "fo", "of one, too");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	for (size_t i = 0; i <= sizeof(all); i++)
		for (int url = 0; url < 2; url++) {
			buf_clear(&b);
			base64_add(&b, (struct str){all, i}, url);
			same &= str_eq(back(b.s ? b.s : ""), (struct str){all, i});
		}
	ok(same, "every byte, both alphabets, every length");
	buf_clear(&b);
	base64_add(&b, S("\xfb\xff"), true);
	is_str(buf_view(&b), "-_8=", "the second alphabet");
	ok(!back("Z").s && !back("Zg=").s && !back("Z===").s && !back("Zm9v=").s && !back("Zm 9v").s && !back("Zm9v\n").s && !back("=").s &&
	   !back("Zg==Zg==").s, "what is none is refused");
	buf_release(&b);
	arena_release(&arena);
	return done();
}
