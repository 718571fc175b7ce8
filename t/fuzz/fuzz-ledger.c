/* The ledger's journal: whatever stands in the file, it is read or cut off, and undoing touches nothing outside.
 * Sums would keep a fuzzer out, so an input whose first byte is even is a row of payloads that get right ones:
 * kind (u8), length (u16), bytes. After an odd byte it is the journal behind its head as it is. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/ledger-format.h"
#include "sys/file.h"

static void journal(const uint8_t *data, size_t size, struct buf *out)
{
	if (!size)
		return;
	if (data[0] & 1) {
		buf_add(out, data + 1, size - 1);
		return;
	}
	for (size_t at = 1; at + 3 <= size;) {
		size_t n = (size_t)(data[at + 1] | data[at + 2] << 8);
		if (n > size - at - 3)
			n = size - at - 3;
		size_t begun = frame_begin(out, FRAME_SET + data[at] % FRAME_SETTLED);
		buf_add(out, data + at + 3, n);
		frame_end(out, begun);
		at += 3 + n;
	}
}

static void look(struct ledger *l)
{
	size_t total = 0;
	for (size_t i = 0; i < ledger_steps(l); i++) {
		struct entries e;
		if (!ledger_outputs(l, ledger_step(l, i), &e))
			abort();
		for (size_t k = 0; k < e.n; k++) {
			total += e.v[k].path.n + e.v[k].link.n;
			ledger_owner(l, e.v[k].path);
		}
	}
	if (total > LEDGER_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[] = "fuzz-ledger.XXXXXX";
	static int rootfd = -1, file = -1;
	if (rootfd < 0) {
		if (!mkdtemp(dir) || (rootfd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 || (file = memfd_create("ledger", 0)) < 0)
			abort();
		rmdir(dir);             /* nothing can be made in it */
	}
	struct stat st;
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	char path[64];
	fstat(rootfd, &st);
	ledger_head(&b, st.st_dev, st.st_ino);
	journal(data, size, &b);
	if (ftruncate(file, 0) || pwrite(file, b.s, b.n, 0) != (ssize_t)b.n)
		abort();
	buf_release(&b);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	struct ledger *l;
	bool fresh;
	size_t n;
	if (ledger_open(&l, path, rootfd, &fresh, NULL) || fresh)
		abort();
	look(l);
	ledger_recover(l, rootfd, &n, NULL);
	if (ledger_steps(l))
		ledger_forget(l, ledger_step(l, 0), NULL);
	look(l);
	ledger_close(l);
	return 0;
}
