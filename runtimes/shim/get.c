/* get.c: files below a folder become an archive that is sent as the log has room. Names are sorted in each folder, so the
 * same files give the same bytes. */
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

struct level {                          /* a folder that is being gone through */
	struct level *above;
	int fd;
	size_t path_n;                  /* of its own path, with a slash behind it unless it is the root */
	struct words names;
	size_t at;
};

static struct {
	bool running, ended;
	uint32_t id, flags;
	uint8_t *message;
	struct words paths;
	size_t at;
	int root, file;
	struct level *level;
	char path[USTAR_PATH_MAX];
	uint8_t head[USTAR_HEAD_MAX];
	size_t head_n, head_at, padding;
	uint64_t left, size;
	int reason;
	struct text text;
	struct sha2 sum;
} get;                                  /* root and file: -1 where there is none, while it is running */

bool get_running(void)
{
	return get.running;
}

static int fail(const char *what, int reason)
{
	if (get.reason)
		return -1;
	get.reason = reason;
	text_add(&get.text, "unable to ");
	text_add(&get.text, what);
	text_add(&get.text, " ");
	text_add(&get.text, get.path);
	text_add(&get.text, ": ");
	text_add(&get.text, strerror(reason));
	return -1;
}

/* --- going through folders --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void pop(void)
{
	struct level *l = get.level;
	get.level = l->above;
	for (size_t i = 0; i < l->names.n; i++)
		free(l->names.v[i]);
	words_release(&l->names);
	if (l->fd != get.root)
		close(l->fd);
	free(l);
}

static int read_names(struct level *l)
{
	int again = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	if (!dir)
		return fail("list", errno);
	bool good = true;
	for (struct dirent *entry; good && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			good = words_add(&l->names, strdup(entry->d_name));
	closedir(dir);
	if (!good)
		return fail("list", ENOMEM);
	if (l->names.n)
		qsort(l->names.v, l->names.n, sizeof(*l->names.v), by_name);
	return 0;
}

static int push(int fd)
{
	struct level *l = calloc(1, sizeof(*l));
	if (!l)
		return fail("list", ENOMEM);
	l->fd = fd;
	l->above = get.level;
	l->path_n = strlen(get.path);
	get.level = l;
	if (l->path_n && l->path_n + 1 < sizeof(get.path))
		memcpy(get.path + l->path_n++, "/", 2);
	return read_names(l);
}

/* --- entries --- */

static int add_head(struct ustar_entry *e, const struct stat *st)
{
	e->path = get.path;
	e->mode = st->st_mode & 07777;
	e->mtime = get.flags & GET_TIMES && st->st_mtime > 0 ? (uint64_t)st->st_mtime : 0;
	get.head_n = ustar_head(e, get.head);
	get.head_at = 0;
	return get.head_n ? 0 : fail("pack", ENAMETOOLONG);
}

static int add_link(int dir, const char *name, const struct stat *st)
{
	char link[USTAR_PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link));
	if (n < 0 || (size_t)n == sizeof(link))
		return fail("read the link", n < 0 ? errno : ENAMETOOLONG);
	link[n] = '\0';
	return add_head(&(struct ustar_entry){.type = USTAR_LINK, .link = link}, st);
}

static int add_folder(int dir, const char *name, const struct stat *st)
{
	if (add_head(&(struct ustar_entry){.type = USTAR_FOLDER}, st) < 0)
		return -1;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail("open", errno) : push(fd);
}

static int add_file(int dir, const char *name)
{
	struct stat st;
	get.file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (get.file < 0 || fstat(get.file, &st) < 0)
		return fail("read", errno);
	if (!S_ISREG(st.st_mode))
		return fail("read", ESTALE);
	get.left = get.flags & GET_LIST ? 0 : (uint64_t)st.st_size;
	get.padding = ustar_padding(get.left);
	return add_head(&(struct ustar_entry){.type = USTAR_FILE, .size = get.left}, &st);
}

static int add(int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (errno == ENOENT || errno == ENOTDIR) && get.flags & GET_ABSENT ? 0 : fail("read", errno);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return add_file(dir, name);
	case S_IFDIR:
		return add_folder(dir, name, &st);
	case S_IFLNK:
		return add_link(dir, name, &st);
	}
	return fail("pack what is neither file nor folder nor link,", ENOTSUP);
}

static int add_asked(const char *path)
{
	const char *name;
	get.path[0] = '\0';
	if (strcmp(path, ".") == 0)
		return push(get.root);
	if (!ustar_path_sane(path) || strlen(path) >= sizeof(get.path))
		return fail("pack that path", EINVAL);
	strcpy(get.path, path);
	int dir = inside_parent(get.root, path, false, &name);
	if (dir < 0)
		return (errno == ENOENT || errno == ENOTDIR) && get.flags & GET_ABSENT ? 0 : fail("read", errno);
	return add(dir, name);
}

/* 1 done, 0 there may be more, -1 */
static int next(void)
{
	struct level *l = get.level;
	if (!l)
		return get.at == get.paths.n ? 1 : add_asked(get.paths.v[get.at++]);
	if (l->at == l->names.n) {
		pop();
		return 0;
	}
	const char *name = l->names.v[l->at++];
	size_t n = strlen(name);
	if (l->path_n + n >= sizeof(get.path)) {
		get.path[l->path_n] = '\0';
		return fail("pack a name in", ENAMETOOLONG);
	}
	memcpy(get.path + l->path_n, name, n + 1);
	return add(l->fd, name);
}

/* --- bytes --- */

static size_t least(size_t a, uint64_t b) { return a < b ? a : (size_t)b; }

static size_t take_file(uint8_t *to, size_t room)
{
	ssize_t n = read(get.file, to, least(room, get.left));
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0) {
		fail(n < 0 ? "read" : "read all of", n < 0 ? errno : ESTALE);
		return 0;
	}
	get.left -= (uint64_t)n;
	return (size_t)n;
}

static size_t take(uint8_t *to, size_t room)
{
	if (get.head_at < get.head_n) {
		size_t n = least(room, get.head_n - get.head_at);
		memcpy(to, get.head + get.head_at, n);
		get.head_at += n;
		return n;
	}
	if (get.file >= 0 && get.left)
		return take_file(to, room);
	if (get.file >= 0) {
		close(get.file);
		get.file = -1;
	}
	size_t n = least(room, get.padding);
	memset(to, 0, n);
	get.padding -= n;
	return n;
}

static bool nothing_to_take(void)
{
	return get.head_at == get.head_n && get.file < 0 && !get.padding;
}

static size_t fill(uint8_t *chunk)
{
	size_t n = 0;
	while (n < FRAME_MAX && !get.reason) {
		size_t got = take(chunk + n, FRAME_MAX - n);
		n += got;
		if (got || !nothing_to_take())
			continue;
		if (get.ended)
			break;
		if (next() == 1) {
			get.ended = true;
			get.padding = 2 * USTAR_BLOCK;
		}
	}
	return n;
}

static void finish(void)
{
	uint8_t head[GET_DONE_HEAD];
	while (get.level)
		pop();
	if (get.file >= 0)
		close(get.file);
	inside_forget();
	if (get.root >= 0)
		close(get.root);
	words_release(&get.paths);
	free(get.message);
	get.message = NULL;
	get.running = false;
	wire_u32(head, get.id);
	wire_u32(head + 4, (uint32_t)get.reason);
	wire_u64(head + 8, get.size);
	sha2_end(&get.sum, head + 16);
	say(FRAME_GET_DONE, (struct bytes){head, sizeof(head)}, text_bytes(&get.text));
}

void get_turn(void)
{
	static uint8_t chunk[FRAME_MAX];
	while (get.running && say_room()) {
		size_t n = fill(chunk);
		sha2_add(&get.sum, chunk, n);
		get.size += n;
		if (n)
			say(FRAME_GET_DATA, (struct bytes){chunk, n}, (struct bytes){0});
		if (get.reason || (get.ended && nothing_to_take()))
			finish();
	}
}

/* --- what is asked for --- */

static bool read_request(struct bytes fields, char **root)
{
	uint16_t tag;
	struct bytes v;
	int got;
	while ((got = wire_field(&fields, &tag, &v)) > 0) {
		bool good = tag == FIELD_ROOT ? (*root = field_text(v)) && **root == '/' :
			    tag == FIELD_PATH ? words_add(&get.paths, field_text(v)) :
			    tag == FIELD_FLAGS ? field_u32(v, &get.flags) && !(get.flags & ~(GET_LIST | GET_ABSENT | GET_TIMES)) :
			    false;
		if (!good)
			return false;
	}
	return got == 0 && *root;
}

bool get_begin(uint8_t *message, size_t n)
{
	struct bytes fields;
	char *root = NULL;
	if (get.running || !(get.message = malloc(n ? n : 1)))
		return false;
	memcpy(get.message, message, n);
	get.flags = 0;
	get.reason = 0;
	get.text.n = 0;
	get.ended = false;
	get.at = get.head_n = get.head_at = get.padding = 0;
	get.left = get.size = 0;
	get.path[0] = '\0';
	get.root = get.file = -1;
	sha2_begin(&get.sum);
	get.running = fields_begin(get.message, n, &get.id, &fields);
	if (get.running && !read_request(fields, &root)) {
		get.reason = EINVAL;
		text_add(&get.text, "unable to understand what is to be packed");
	} else if (get.running && (get.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		strncat(get.path, root, sizeof(get.path) - 1);
		fail("open", errno);
	}
	return get.running;
}
