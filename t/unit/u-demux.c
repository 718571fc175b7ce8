#include "runtimes/demux.h"

#include "tap.h"

static struct buf got;
static void output(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	buf_fmt(&got, "%d<" STR_FMT ">", stream, STR_ARG(bytes));
}

/* What comes of text, fed in pieces of so many bytes: pieces of one stream joined, then how it ended. */
static struct str fed(struct str text, size_t piece)
{
	struct demux d = DEMUX_INIT;
	struct err err = ERR_INIT;
	int rc = 0;
	buf_clear(&got);
	for (size_t i = 0; i < text.n && rc == 0; i += piece)
		rc = demux_feed(&d, (struct str){text.s + i, i + piece < text.n ? piece : text.n - i}, output, NULL, &err);
	if (rc < 0)
		buf_z(&got, demux_feed(&d, S("\1"), output, NULL, NULL) < 0 ? " broken" : " revived");
	else if (demux_end(&d, &err) < 0)
		buf_fmt(&got, " %s", err.text);
	err_release(&err);
	demux_release(&d);
	return buf_view(&got);
}

#define FRAME(stream, n, text) stream "\0\0\0" "\0\0\0" n text

int main(void)
{
	got = (struct buf)BUF_INIT(BUF_UNLIMITED);
	struct str two = S(FRAME("\1", "\5", "hello") FRAME("\2", "\3", "bad") FRAME("\1", "\0", "") FRAME("\1", "\1", "!"));
	is_str(fed(two, 1000), "1<hello>2<bad>1<!>", "streams come apart");
	is_str(fed(two, 1), "1<h>1<e>1<l>1<l>1<o>2<b>2<a>2<d>1<!>", "in whatever pieces they come");
	is_str(fed(two, 9), "1<h>1<ello>2<bad>1<!>", "odd ones too");
	is_str(fed(S(""), 1), "", "nothing is nothing");
	is_str(fed(S("\1\0\0\0\0\0\0\5hel"), 100), "1<hel> the engine's stream ends within a frame", "an end within a frame is no end");
	is_str(fed(S("\1\0\0"), 100), " the engine's stream ends within a frame", "nor within a head");
	is_str(fed(S("\1\0\0\0\xff\xff\xff\xffx"), 100), "1<x> the engine's stream ends within a frame", "a length of 4 GiB takes no memory");
	is_str(fed(S("\4\0\0\0\0\0\0\1x"), 100), " broken", "a stream of another number");
	is_str(fed(S("\1\0\1\0\0\0\0\1x"), 100), " broken", "a byte that must be zero");
	is_str(fed(S("no frames at all"), 100), " broken", "text");
	is_str(fed(S(FRAME("\0", "\1", "x") FRAME("\1", "\1", "y")), 100), "1<y>", "an echo of the input is left out");
	is_str(fed(S(FRAME("\3", "\5", "no!\n\n") FRAME("\1", "\1", "y")), 2), "1<y> the engine reports: no!", "what the engine says is no output");
	char *big = calloc(1, 70008);
	memcpy(big, "\3\0\0\0\0\1\x11\x70", 8);
	memset(big + 8, 'z', 70000);
	ok(fed((struct str){big, 70008}, 4096).n < 5000, "of which a part is enough");
	free(big);
	buf_release(&got);
	return done();
}
