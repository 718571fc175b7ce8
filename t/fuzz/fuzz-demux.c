/* Whatever pieces a stream comes in, the same comes out, and never more than went in. */
#include "runtimes/demux.h"

struct out { struct buf streams[2]; };

static void output(void *ctx, int stream, struct str bytes)
{
	struct out *o = ctx;
	if (stream < 1 || stream > 2 || !bytes.n)
		BUG("stream %d, %zu bytes", stream, bytes.n);
	buf_str(&o->streams[stream - 1], bytes);
}

/* How it ended: 0, or the text's first bytes. */
static int feed(struct str text, size_t piece, struct out *o)
{
	struct demux d = DEMUX_INIT;
	struct err err = ERR_INIT;
	int rc = 0;
	for (size_t i = 0; i < text.n && rc == 0; i += piece)
		rc = demux_feed(&d, (struct str){text.s + i, text.n - i < piece ? text.n - i : piece}, output, o, &err);
	if (rc == 0)
		rc = demux_end(&d, &err) < 0 ? -2 : 0;
	if ((rc < 0) != err_any(&err))
		BUG("a reason without a failure, or the other way round");
	err_release(&err);
	demux_release(&d);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct out whole = {{BUF_INIT(BUF_UNLIMITED), BUF_INIT(BUF_UNLIMITED)}}, parts = whole;
	if (!size)
		return 0;
	struct str text = {(const char *)data + 1, size - 1};
	int a = feed(text, size, &whole), b = feed(text, 1 + data[0] % 16, &parts);
	if (a != b)
		BUG("it ends as %d, in pieces as %d", a, b);
	for (int i = 0; i < 2; i++) {
		if (!str_eq(buf_view(&whole.streams[i]), buf_view(&parts.streams[i])))
			BUG("pieces change what comes");
		buf_release(&whole.streams[i]);
		buf_release(&parts.streams[i]);
	}
	return 0;
}
