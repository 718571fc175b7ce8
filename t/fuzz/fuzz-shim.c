/* What comes to a shim: whatever it is, the shim takes it or waits for a new HELLO. What it would do outside of its memory
 * (processes, files) is left out here: requests are read, archives unpacked into nothing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtimes/shim/steprequest.h"
#include "runtimes/shim/ustar.h"
#include "shimrows.h"

struct shim shim;
static bool over;
static struct untar tar;

ms now_ms(void) { return 1; }
void complain(const char *what, const char *why) { (void)what, (void)why; }
void shim_end(int status, const char *text) { (void)status, (void)text; over = true; }

size_t polls_add(struct polls *p, int fd, short events)
{
	p->v[p->n] = (struct pollfd){.fd = fd, .events = events, .revents = events};
	return p->n++;
}

void polls_due(struct polls *p, ms when) { p->due = when; }

/* --- what a step would be --- */

bool step_begin(uint8_t *message, size_t n)
{
	struct request r = REQUEST_INIT;
	struct bytes fields;
	uint32_t id;
	size_t length = 0;
	if (!fields_begin(message, n, &id, &fields))
		return false;
	if (request_read(&r, fields) && !(r.flags & STEP_HOST) && request_complete(&r)) {
		for (char **w = r.spawn.argv; *w; w++)
			length += strlen(*w);
		for (char **w = r.env.v; w && *w && !(r.flags & STEP_ENV_ADD); w++)
			length += strlen(*w);
		if (length > n || strlen(r.spawn.cwd) > n + 1)
			abort();
	}
	request_release(&r);
	return true;
}

void step_signal(uint32_t id, int sig) { if (sig < 0 || sig > 64 + (int)(id & 0)) abort(); }

/* --- what archives would be --- */

static int on_entry(void *ctx, const struct ustar_entry *e)
{
	(void)ctx;
	if (strlen(e->path) >= USTAR_PATH_MAX || (!ustar_path_sane(e->path) && strcmp(e->path, ".") != 0))
		abort();
	return 0;
}

static int on_data(void *ctx, struct bytes b) { (void)ctx; return b.n ? 0 : -1; }
static int on_end(void *ctx) { (void)ctx; return 0; }

bool put_begin(uint8_t *message, size_t n)
{
	(void)message;
	memset(&tar, 0, sizeof(tar));
	tar.entry = on_entry, tar.data = on_data, tar.end = on_end;
	return n >= 4;
}

bool put_data(struct bytes b)
{
	if (tar.entry && !tar.wrong)
		untar_feed(&tar, b);
	return tar.entry;
}

bool put_end(struct bytes b) { return b.n == 40 && tar.entry; }
bool put_good(void) { return true; }
bool get_begin(uint8_t *message, size_t n) { (void)message; return n >= 4; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int in = -1, out = -1;
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	if (in < 0) {
		in = memfd_create("in", 0);
		out = open("/dev/null", O_WRONLY);
	}
	shim_rows(data, size, &b);
	if (in < 0 || ftruncate(in, 0) < 0 || lseek(in, 0, SEEK_SET) < 0 || pwrite(in, b.s, b.n, 0) != (ssize_t)b.n)
		abort();
	buf_release(&b);
	over = false;
	memset(&tar, 0, sizeof(tar));
	conversation_begin(in, out, 1000);
	while (!over) {
		struct polls p = {.due = NEVER};
		conversation_poll(&p);
		conversation_read(&p);
		conversation_write();
	}
	return 0;
}
