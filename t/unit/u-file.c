#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "tap.h"

static char top[] = "/tmp/cairn-u-file.XXXXXX";
static int dir;
static struct arena arena;

static void text_is(const char *path, const char *want, const char *name)
{
	struct str got = {0};
	int found = file_read(&arena, dir, path, 1 << 20, &got, NULL);
	ok(found == 1 && str_is(got, want), "%s", name);
}

static void idents(void)
{
	struct ident a, b;
	file_write(dir, "f", S("one"), 0644, NULL);
	is_int(file_ident(dir, "f", &a, NULL), 1, "a file has an identity");
	is_int((long long)a.size, 3, "with its size");
	file_ident(dir, "f", &b, NULL);
	ok(ident_eq(&a, &b), "that stays while nobody touches it");
	file_write(dir, "f", S("two"), 0644, NULL);
	file_ident(dir, "f", &b, NULL);
	ok(!ident_eq(&a, &b), "and changes when it is replaced by one of the same size");
	is_int(file_ident(dir, "none", &a, NULL), 0, "what is not there is absent");
	ok(a.mode == 0, "and zeroed");
	is_int(file_ident(dir, "f/x", &a, NULL), 0, "a path through a file is absent");
	ok(symlinkat("none", dir, "dangling") == 0 && file_ident(dir, "dangling", &a, NULL) == 1 && S_ISLNK(a.mode),
	   "a link is not followed");
}

static void reads(void)
{
	struct str got;
	struct err err = ERR_INIT;
	file_write(dir, "ten", S("0123456789"), 0644, NULL);
	is_int(file_read(&arena, dir, "ten", 10, &got, NULL), 1, "as long as the limit is read");
	is_str(got, "0123456789", "whole");
	ok(got.s[got.n] == '\0', "with a NUL behind it");
	is_int(file_read(&arena, dir, "ten", 9, &got, &err), -1, "longer than the limit is refused");
	ok(err.text && strstr(err.text, "longer than 9 bytes"), "and says the limit");
	err_release(&err);
	is_int(file_read(&arena, dir, "none", 9, &got, NULL), 0, "an absent file is absent");
	is_int(file_read(&arena, dir, ".", 9, &got, NULL), -1, "a folder is refused");
	file_write(dir, "empty", S(""), 0644, NULL);
	ok(file_read(&arena, dir, "empty", 9, &got, NULL) == 1 && got.n == 0, "an empty file is read");
	ok(file_read(&arena, AT_FDCWD, "/proc/self/maps", 1 << 24, &got, NULL) == 1 && got.n > 0,
	   "a file of /proc, whose size says nothing, is read");
	ok(mkfifoat(dir, "fifo", 0600) == 0 && file_read(&arena, dir, "fifo", 9, &got, NULL) == 1 && got.n == 0,
	   "a pipe that nobody writes does not block");
}

static void writes(void)
{
	struct stat st;
	is_int(file_write(dir, "a/b/c", S("deep"), 0600, NULL), 0, "parents are made");
	text_is("a/b/c", "deep", "and the text is there");
	ok(fstatat(dir, "a/b/c", &st, 0) == 0 && (st.st_mode & 0777) == 0600, "with its mode");
	ok(file_write(dir, "ten/x", S(""), 0600, NULL) < 0, "a file in a parent's place is an error");
	is_int(file_mkdirs(dir, "m/n/o/", 0700, NULL), 0, "folders are made");
	is_int(file_mkdirs(dir, "m/n/o", 0700, NULL), 0, "and may be there");
	struct err err = ERR_INIT;
	is_int(file_mkdirs(dir, "ten/y", 0700, &err), -1, "but not below a file");
	ok(err.text != NULL, "which is said");
	err_release(&err);
}

static void copies(void)
{
	file_write(dir, "from", S("content"), 0644, NULL);
	int from CLEANUP_FD = openat(dir, "from", O_RDONLY);
	int to CLEANUP_FD = openat(dir, "to", O_RDWR | O_CREAT, 0644);
	ok(from >= 0 && to >= 0 && file_copy_fd(from, to, NULL) == 0, "a file is copied");
	text_is("to", "content", "whole");
	int proc CLEANUP_FD = open("/proc/self/status", O_RDONLY);
	int to2 CLEANUP_FD = openat(dir, "to2", O_RDWR | O_CREAT, 0644);
	struct stat st;
	ok(file_copy_fd(proc, to2, NULL) == 0 && fstat(to2, &st) == 0 && st.st_size > 0, "so is one of /proc");
}

static void removes(void)
{
	file_write(dir, "outside/kept", S("x"), 0644, NULL);
	for (int i = 0; i < 300; i++) {
		char name[64];
		snprintf(name, sizeof(name), "tree/sub%d/deep/f", i % 30);
		file_write(dir, name, S("x"), 0644, NULL);
	}
	(void)!symlinkat("../outside", dir, "tree/link");
	fchmodat(dir, "tree/sub3", 0555, 0);
	fchmodat(dir, "tree/sub4", 0, 0);
	is_int(file_remove_tree(dir, "tree", NULL), 0, "a tree with read-only folders is removed");
	struct ident id;
	is_int(file_ident(dir, "tree", &id, NULL), 0, "and is gone");
	text_is("outside/kept", "x", "a link out of it was not followed");
	is_int(file_remove_tree(dir, "tree", NULL), 0, "what is absent is fine");
	is_int(file_remove_tree(dir, "dangling", NULL), 0, "a dangling link is removed");
	is_int(file_ident(dir, "dangling", &id, NULL), 0, "itself");
}

static void clocks(void)
{
	struct ident before, after, folder;
	int64_t now = 0;
	file_ident(dir, ".", &folder, NULL);
	file_write(dir, "before", S("x"), 0644, NULL);
	file_ident(dir, "before", &before, NULL);
	file_ident(dir, ".", &folder, NULL);
	is_int(file_fs_now(dir, &now, NULL), 0, "the file system has a clock");
	file_ident(dir, ".", &after, NULL);
	ok(ident_eq(&folder, &after), "asking leaves the folder alone");
	file_write(dir, "after", S("x"), 0644, NULL);
	file_ident(dir, "after", &after, NULL);
	ok(before.ctime <= now && now <= after.ctime, "that agrees with its files");
}

int main(void)
{
	if (!mkdtemp(top) || (dir = open(top, O_RDONLY | O_DIRECTORY)) < 0)
		return 1;
	idents();
	reads();
	writes();
	copies();
	removes();
	clocks();
	ok(file_remove_tree(AT_FDCWD, top, NULL) == 0, "an absolute path is removed");
	arena_release(&arena);
	return done();
}
