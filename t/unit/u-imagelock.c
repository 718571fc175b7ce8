#include "resolve/imagelock.h"

#include "scratch.h"

static struct arena arena;

static struct digest digest(char c)
{
	char text[72] = "sha256:";
	struct digest d = {0};

	memset(text + 7, c, 64);
	text[71] = '\0';
	digest_parse(str_of(text), &d);
	return d;
}

static struct imagelock_pin pin(const char *platform, char c) { return (struct imagelock_pin){str_of(platform), digest(c), digest(c), digest(c)}; }

static void set(struct imagelock *lock, const char *ref, char index, const char *platform, char c)
{
	struct digest none = {0}, d = digest(index);
	struct imagelock_pin p = pin(platform, c);

	imagelock_set(&arena, lock, str_of(ref), index == '-' ? &none : &d, &p);
}

static struct str text_of(const struct imagelock *lock)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	imagelock_text(lock, &b);
	return str_dup(&arena, buf_view(&b));
}

static const struct imagelock_pin *find(const struct imagelock *lock, const char *ref, const char *platform)
{
	const struct imagelock_image *image = imagelock_find(lock, str_of(ref));
	struct platform p;

	platform_parse(&arena, str_of(platform), &p);
	return image ? imagelock_pin(image, &p) : NULL;
}

#define X64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void writes(void)
{
	struct imagelock lock = {0}, again;
	struct err err = ERR_INIT;

	is_str(text_of(&lock), "# What the images of the spec were when `cairn update` last asked. Written by it; to be committed.\nlock: 1\nimages: {}\n", "nothing");
	set(&lock, "docker.io/library/b:1", '-', "linux/amd64", 'a');
	set(&lock, "docker.io/library/a:1", 'b', "linux/arm64", 'a');
	set(&lock, "docker.io/library/a:1", 'b', "linux/amd64", 'a');
	set(&lock, "[::1]:5000/c:1", '-', "linux/amd64", 'a');
	is_str(str_from(text_of(&lock), str_find(text_of(&lock), S("lock: 1"))),
	       "lock: 1\nimages:\n"
	       "  \"[::1]:5000/c:1\":\n    linux/amd64:\n      manifest: sha256:" X64 "\n      config: sha256:" X64 "\n      identity: sha256:" X64 "\n"
	       "  docker.io/library/a:1:\n    index: sha256:" B64 "\n"
	       "    linux/amd64:\n      manifest: sha256:" X64 "\n      config: sha256:" X64 "\n      identity: sha256:" X64 "\n"
	       "    linux/arm64:\n      manifest: sha256:" X64 "\n      config: sha256:" X64 "\n      identity: sha256:" X64 "\n"
	       "  docker.io/library/b:1:\n    linux/amd64:\n      manifest: sha256:" X64 "\n      config: sha256:" X64 "\n      identity: sha256:" X64 "\n",
	       "everything has its place");
	ok(imagelock_parse(&arena, text_of(&lock), &again, &err) == 0, "it is read");
	ok(str_eq(text_of(&again), text_of(&lock)), "as it was written");
	ok(find(&again, "docker.io/library/a:1", "linux/arm64/v8") && find(&again, "docker.io/library/b:1", "linux/amd64"), "pins are found");
	ok(!find(&again, "docker.io/library/b:1", "linux/arm64") && !find(&again, "docker.io/library/c:1", "linux/amd64"), "or not");
	imagelock_release(&again);
	ok(imagelock_write(scratch_fd, &lock, NULL) == 0 && imagelock_read(&arena, scratch_fd, &again, NULL) == 1, "through a file");
	ok(str_eq(text_of(&again), text_of(&lock)), "too");
	imagelock_release(&again);
	imagelock_release(&lock);
	err_release(&err);
}

static void changes(void)
{
	struct imagelock lock = {0};

	set(&lock, "docker.io/library/a:1", 'a', "linux/amd64", 'a');
	set(&lock, "docker.io/library/a:1", 'a', "linux/arm64", 'b');
	ok(find(&lock, "docker.io/library/a:1", "linux/amd64") != NULL, "of the same index, the other platform stays");
	set(&lock, "docker.io/library/a:1", 'c', "linux/arm64", 'c');
	ok(!find(&lock, "docker.io/library/a:1", "linux/amd64"), "of another, it is forgotten");
	set(&lock, "docker.io/library/a:1", '-', "linux/amd64", 'd');
	ok(!find(&lock, "docker.io/library/a:1", "linux/arm64") && find(&lock, "docker.io/library/a:1", "linux/amd64"), "an image that is no index is one");
	set(&lock, "docker.io/library/b:1", '-', "linux/amd64", 'd');
	imagelock_remove(&lock, S("docker.io/library/a:1"));
	imagelock_remove(&lock, S("docker.io/library/none:1"));
	ok(!imagelock_find(&lock, S("docker.io/library/a:1")) && imagelock_find(&lock, S("docker.io/library/b:1")), "one is removed");
	imagelock_release(&lock);
}

static void refuses(const char *text, const char *because)
{
	struct imagelock lock;
	struct err err = ERR_INIT;
	bool found = false;
	int rc = imagelock_parse(&arena, str_of(text), &lock, &err);

	for (size_t i = 0; i < err.ndiags; i++)
		found |= strstr(err.diags[i].text, because) != NULL;
	ok(rc == -1 && found && !lock.images.n, "refused: %s", text);
	for (size_t i = 0; i < err.ndiags && !found; i++)
		tap_show("says", str_of(err.diags[i].text));
	err_release(&err);
}

#define IMAGE "lock: 1\nimages:\n  docker.io/library/a:1:\n    linux/amd64:\n"
#define GOOD "      manifest: sha256:" X64 "\n      config: sha256:" X64 "\n"

static void refusals(void)
{
	struct imagelock lock;

	refuses("", "no lock file");
	refuses("[]", "no lock file");
	refuses("lock: 2\nimages: {}\n", "no lock file of a kind that is known");
	refuses("lock: 1\n", "a map 'images'");
	refuses("lock: 1\nimages: []\n", "a map 'images'");
	refuses("lock: 1\nimages: {}\nmore: 1\n", "unknown field 'more'");
	refuses("lock: 1\nimages: {a: {linux/amd64: {}}}\n", "not the whole name");
	refuses("lock: 1\nimages: {A: {}}\n", "capital letters");
	refuses("lock: 1\nimages: {docker.io/library/a:1: {}}\n", "at least one platform");
	refuses("lock: 1\nimages: {docker.io/library/a:1: {indx: 1}}\n", "expected a map");
	refuses("lock: 1\nimages: {docker.io/library/a:1: {a/b/c/d: {}}}\n", "neither 'index' nor a platform");
	refuses("lock: 1\nimages: {docker.io/library/a:1: {index: 1, linux/amd64: {}}}\n", "64 hexadecimal");
	refuses(IMAGE GOOD, "has manifest, config and identity");
	refuses(IMAGE GOOD "      identity: x\n", "64 hexadecimal");
	refuses(IMAGE GOOD "      identity: sha256:" X64 "\n      other: x\n", "unknown field 'other'");
	refuses("<<<<<<< HEAD\nlock: 1\n", "");
	sh("rm -f cairn.lock");
	is_int(imagelock_read(&arena, scratch_fd, &lock, NULL), 0, "there may be none");
}

int main(void)
{
	scratch_make();
	writes();
	changes();
	refusals();
	scratch_remove();
	arena_release(&arena);
	return done();
}
