/* put.c: an archive that arrives becomes files below a folder. Every path is walked from that folder, component by
 * component, through no link, so nothing lands outside whatever the archive or a running step does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtimes/shim/inside.h"
#include "runtimes/shim/sha2.h"
#include "runtimes/shim/shim.h"
#include "runtimes/shim/ustar.h"

struct folder {                         /* gets its mode and time when all is in it */
	struct folder *next;
	uint32_t mode;
	uint64_t mtime;
	char path[];
};

static struct {
	bool running, bad;              /* bad: an earlier one failed and none has succeeded since */
	uint32_t id, flags, uid, gid;
	bool has_user;
	int root, file;
	struct ustar_entry entry;
	struct folder *folders;         /* the last one first, so that inner ones come before outer ones */
	int reason;
	struct text text;
	struct untar tar;
	struct sha2 sum;
	uint64_t size;
} put;                                  /* root and file: -1 unless it is running */

bool put_good(void)
{
	return !put.running && !put.bad;
}

static int fail(const char *what, const char *on)
{
	put.reason = errno ? errno : EIO;
	put.text.n = 0;
	text_add(&put.text, "unable to ");
	text_add(&put.text, what);
	text_add(&put.text, " ");
	text_add(&put.text, on);
	text_add(&put.text, ": ");
	text_add(&put.text, strerror(put.reason));
	return -1;
}

/* --- entries --- */

static int own(int dir, const char *name)
{
	return put.has_user ? fchownat(dir, name, put.uid, put.gid, AT_SYMLINK_NOFOLLOW) : 0;
}

static void set_time(int dir, const char *name, uint64_t mtime)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)mtime}};
	if (mtime)
		utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int make_folder(int dir, const char *name, const struct ustar_entry *e)
{
	struct stat st;
	size_t n = strlen(e->path) + 1;
	if (mkdirat(dir, name, 0700) < 0 && (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode)))
		return fail("make the folder", e->path);
	if (own(dir, name) < 0)
		return fail("change the owner of", e->path);
	struct folder *f = malloc(sizeof(*f) + n);
	if (!f)
		return fail("remember the folder", e->path);
	*f = (struct folder){.next = put.folders, .mode = e->mode, .mtime = e->mtime};
	memcpy(f->path, e->path, n);
	put.folders = f;
	return 0;
}

static int make_entry(int dir, const char *name, const struct ustar_entry *e)
{
	if (e->type == USTAR_FOLDER)
		return make_folder(dir, name, e);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail("replace", e->path);
	if (e->type == USTAR_LINK) {
		if (symlinkat(e->link, dir, name) < 0 || own(dir, name) < 0)
			return fail("make the link", e->path);
		set_time(dir, name, e->mtime);
		return 0;
	}
	put.entry = *e;
	put.file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return put.file < 0 ? fail("make the file", e->path) : 0;
}

static int on_entry(void *ctx, const struct ustar_entry *e)
{
	(void)ctx;
	const char *name;
	if (strcmp(e->path, ".") == 0)
		return 0;
	int dir = inside_parent(put.root, e->path, true, &name);
	return dir < 0 ? fail("make the folder of", e->path) : make_entry(dir, name, e);
}

static int on_data(void *ctx, struct bytes b)
{
	(void)ctx;
	while (b.n) {
		ssize_t n = write(put.file, b.p, b.n);
		if (n < 0 && errno != EINTR)
			return fail("write", put.tar.path);
		wire_take(&b, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

static int on_end(void *ctx)
{
	(void)ctx;
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)put.entry.mtime}};
	int fd = put.file, failed = 0;
	put.file = -1;
	if ((put.has_user && fchown(fd, put.uid, put.gid) < 0) || fchmod(fd, put.entry.mode) < 0)
		failed = fail("set the owner and mode of", put.tar.path);
	if (put.entry.mtime)
		futimens(fd, times);
	close(fd);
	return failed;
}

static void settle_folders(void)
{
	for (struct folder *f; (f = put.folders);) {
		const char *name;
		int dir = inside_parent(put.root, f->path, false, &name);
		if (dir >= 0 && !put.reason) {
			if (fchmodat(dir, name, f->mode, 0) < 0)
				fail("set the mode of", f->path);
			set_time(dir, name, f->mtime);
		}
		put.folders = f->next;
		free(f);
	}
}

/* --- messages --- */

static bool read_request(struct bytes fields, char **root)
{
	uint16_t tag;
	struct bytes v;
	int got;
	while ((got = wire_field(&fields, &tag, &v)) > 0) {
		bool good = tag == FIELD_ROOT ? (*root = field_text(v)) && **root == '/' :
			    tag == FIELD_FLAGS ? field_u32(v, &put.flags) && !(put.flags & ~PUT_CLEAN) :
			    tag == FIELD_USER ? (put.has_user = v.n == 8) && wire_take32(&v, &put.uid) && wire_take32(&v, &put.gid) :
			    false;
		if (!good)
			return false;
	}
	return got == 0 && *root;
}

static void open_root(char *root)
{
	put.root = inside_root(root);
	if (put.root < 0)
		fail("open", root);
	else if (put.flags & PUT_CLEAN && inside_empty(put.root) < 0)
		fail("empty", root);
	else if (put.has_user && fchown(put.root, put.uid, put.gid) < 0)
		fail("change the owner of", root);
}

bool put_begin(uint8_t *message, size_t n)
{
	struct bytes fields;
	char *root = NULL;
	if (put.running || !fields_begin(message, n, &put.id, &fields))
		return false;
	put.flags = 0;
	put.has_user = false;
	put.reason = 0;
	put.text.n = 0;
	put.size = 0;
	put.running = put.bad = true;
	put.root = put.file = -1;
	memset(&put.tar, 0, sizeof(put.tar));
	put.tar.entry = on_entry, put.tar.data = on_data, put.tar.end = on_end;
	sha2_begin(&put.sum);
	if (!read_request(fields, &root)) {
		put.reason = EINVAL;
		text_add(&put.text, "unable to understand where the archive belongs");
	} else {
		open_root(root);
	}
	return true;
}

/* After a failure the rest is only counted: the controller may have sent it already. */
bool put_data(struct bytes b)
{
	if (!put.running)
		return false;
	put.size += b.n;
	if (put.reason)
		return true;
	sha2_add(&put.sum, b.p, b.n);
	errno = 0;
	if (untar_feed(&put.tar, b) < 0 && !put.reason) {
		put.reason = EBADMSG;
		text_add(&put.text, "unable to unpack the archive: ");
		text_add(&put.text, put.tar.wrong);
	}
	return true;
}

static void verify(uint64_t size, const uint8_t digest[32])
{
	uint8_t found[32];
	sha2_end(&put.sum, found);
	if (put.reason || (size == put.size && memcmp(found, digest, 32) == 0 && untar_whole(&put.tar)))
		return;
	put.reason = EBADMSG;
	text_add(&put.text, untar_whole(&put.tar) ? "unable to unpack the archive: its digest does not match" :
						    "unable to unpack the archive: it is cut off");
}

bool put_end(struct bytes b)
{
	uint64_t size;
	uint8_t head[8];
	if (!put.running || b.n != 40 || !wire_take64(&b, &size))
		return false;
	verify(size, b.p);
	settle_folders();
	if (put.file >= 0)
		close(put.file);
	inside_forget();
	if (put.root >= 0)
		close(put.root);
	put.running = false;
	put.bad = put.reason != 0;
	wire_u32(head, put.id);
	wire_u32(head + 4, (uint32_t)put.reason);
	say(FRAME_PUT_DONE, (struct bytes){head, sizeof(head)}, put.bad ? text_bytes(&put.text) : (struct bytes){0});
	return true;
}
