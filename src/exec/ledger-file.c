/* ledger-file.c: the ledger's journal on disk. Nothing is written until there is something to say, so
 * that those who only read need no lock: they see whole frames up to where the writer is. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/ledger-format.h"
#include "exec/ledger-table.h"
#include "sys/file.h"

#define COMPACT_MIN (256u << 10)        /* dead bytes that are not worth the writing */

int ledger_load(struct ledger *l, bool *fresh, struct str *image, struct err *err)
{
	int found = file_read(&l->arena, AT_FDCWD, l->path, LEDGER_MAX, image, err);
	if (found < 0)
		return err_wrap(err, "unable to read the ledger of this workspace");
	struct buf head = BUF_INIT(BUF_UNLIMITED);
	ledger_head(&head, l->dev, l->ino);
	bool ours = found && str_starts(*image, buf_view(&head));
	buf_release(&head);
	l->end = ours ? LEDGER_HEAD : 0;
	*fresh = !ours;
	return 0;
}

static int open_file(struct ledger *l, struct err *err)
{
	const int how = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	l->fd = open(l->path, how, 0600);
	if (l->fd < 0 && errno == ENOENT) {
		if (file_mkparents(AT_FDCWD, l->path, err))
			return -1;
		l->fd = open(l->path, how, 0600);
	}
	if (l->fd < 0)
		return err_errno(err, "unable to write the ledger %s", l->path);
	/* What is behind the last whole frame: a torn one, or a file of another format. */
	struct stat st;
	if (!fstat(l->fd, &st) && (uint64_t)st.st_size == l->end)
		return 0;
	return ftruncate(l->fd, (off_t)l->end) ? err_errno(err, "unable to cut off the end of the ledger %s", l->path) : 0;
}

static int append(struct ledger *l, const char *bytes, size_t n)
{
	uint64_t at = l->end;
	while (n) {
		ssize_t put = pwrite(l->fd, bytes, n, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			int e = errno;
			if (ftruncate(l->fd, (off_t)l->end)) {
				close(l->fd);   /* the next write tries again, as after opening */
				l->fd = -1;
			}
			errno = e;
			return -1;
		}
		bytes += put;
		n -= (size_t)put;
		at += (uint64_t)put;
	}
	l->end = at;
	return 0;
}

static int write_notes(struct ledger *l, struct err *err)
{
	if (l->fd < 0 && open_file(l, err))
		return -1;
	l->wrote = true;
	if (!l->end) {
		struct buf head = BUF_INIT(BUF_UNLIMITED);
		ledger_head(&head, l->dev, l->ino);
		int rc = append(l, head.s, head.n);
		buf_release(&head);
		if (rc)
			return err_errno(err, "unable to write the ledger %s", l->path);
	}
	return append(l, l->notes.s, l->notes.n) ? err_errno(err, "unable to write the ledger %s", l->path) : 0;
}

int ledger_write(struct ledger *l, struct err *err)
{
	int rc = l->notes.n ? write_notes(l, err) : 0;
	buf_clear(&l->notes);
	return rc;
}

static void add_live(const struct ledger *l, struct buf *out)
{
	for (size_t i = 0; i < l->order.n; i++) {
		const struct ledger_step *s = l->order.v[i];
		size_t begun = frame_begin(out, FRAME_SET);
		frame_text(out, s->name);
		buf_str(out, s->encoded);
		frame_end(out, begun);
	}
	for (size_t i = 0; i < l->pending.n; i++) {
		const struct ledger_pending *p = &l->pending.v[i];
		if (p->done)
			continue;
		size_t begun = frame_begin(out, p->from.s ? FRAME_MOVING : FRAME_STAGING);
		if (p->from.s)
			frame_text(out, p->from);
		frame_text(out, p->to);
		frame_end(out, begun);
	}
}

int ledger_compact(struct ledger *l, struct err *err)
{
	uint64_t dead = l->end - LEDGER_HEAD - l->live;
	if (!l->wrote || l->end < LEDGER_HEAD + l->live || dead < COMPACT_MIN || dead < l->live)
		return 0;
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	buf_reserve(&out, LEDGER_HEAD + l->live);
	ledger_head(&out, l->dev, l->ino);
	add_live(l, &out);
	int rc = file_write(AT_FDCWD, l->path, buf_view(&out), 0600, err);
	if (!rc) {
		l->end = out.n;
		close(l->fd);
		l->fd = -1;
	}
	buf_release(&out);
	return rc;
}
