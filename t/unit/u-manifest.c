#include "tap.h"

#include "plan/key.h"

static struct str text_of(struct buf *b) { return buf_view(b); }

static void reading(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(MANIFEST_MAX);
	struct manifest_item item;
	size_t at = 0;

	manifest_begin(&b);
	manifest_field(&b, "script", S("cc\n"));
	manifest_field(&b, "input", S("a b"), S("file"), S(""));
	is_int(manifest_next(text_of(&b), &at, &item), 1, "a field");
	is_str(item.tag, "script", "its tag");
	is_int(item.n, 1, "its parts");
	is_str(item.parts[0], "cc\n", "its part");
	is_int(manifest_next(text_of(&b), &at, &item), 1, "another");
	is_str(item.parts[0], "a b", "its name");
	is_str(item.parts[2], "", "an empty part");
	is_int(manifest_next(text_of(&b), &at, &item), 0, "the end");
	is_int(at, b.n, "all was read");
}

static void damage(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(MANIFEST_MAX);
	struct manifest_item item;
	size_t cuts = 0;

	manifest_begin(&b);
	size_t head = b.n;
	manifest_field(&b, "input", S("a"), S("file"));
	for (size_t n = 0; n < b.n; n++) {
		size_t at = 0;
		int got = manifest_next(str_head(text_of(&b), n), &at, &item);

		cuts += got == (n == head ? 0 : -1);
	}
	is_int(cuts, b.n, "a manifest cut anywhere is malformed, but for one without fields");
	size_t at = 0;
	b.s[head + 6] = 9;
	is_int(manifest_next(text_of(&b), &at, &item), -1, "more parts than are allowed");
}

static void differences(void)
{
	struct arena arena = ARENA_INIT;
	CLEANUP_BUF struct buf a = BUF_INIT(MANIFEST_MAX), b = BUF_INIT(MANIFEST_MAX);
	struct manifest_change *c;
	size_t n;

	manifest_begin(&a);
	manifest_field(&a, "script", S("one"));
	manifest_field(&a, "input", S("gone"), S("file"), S("1"));
	manifest_field(&a, "input", S("same"), S("file"), S("2"));
	manifest_begin(&b);
	manifest_field(&b, "script", S("two"));
	manifest_field(&b, "input", S("new"), S("file"), S("3"));
	manifest_field(&b, "input", S("same"), S("file"), S("2"));
	is_int(manifest_diff(&arena, text_of(&a), text_of(&b), &c, &n), 0, "two manifests are compared");
	is_int(n, 3, "three fields differ");
	is_str(c[0].tag, "script", "a changed field");
	is_str(c[0].before, "one", "as it was");
	is_str(c[0].after, "two", "as it is");
	is_str(c[1].name, "new", "a new one");
	is_str(c[1].before, NULL, "was not there");
	is_str(c[1].after, "file 3", "parts are joined");
	is_str(c[2].name, "gone", "one that is gone comes last");
	is_str(c[2].after, NULL, "is not there any more");
	is_int(manifest_diff(&arena, text_of(&a), S("cairn manifest 0\n"), &c, &n), -1, "another format");
	arena_release(&arena);
}

/* Fields joined without lengths would make these two equal. */
static void boundaries(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(MANIFEST_MAX), b = BUF_INIT(MANIFEST_MAX);

	manifest_begin(&a);
	manifest_field(&a, "env", S("AB"), S("C"));
	manifest_begin(&b);
	manifest_field(&b, "env", S("A"), S("BC"));
	ok(!str_eq(text_of(&a), text_of(&b)), "AB=C is not A=BC");
}

static void key_of(struct entry *inputs, size_t n, struct buf *out)
{
	static const char texts[] = "\0name\0run it\0.";
	static const struct plan_step step = {.name = {1, 4}, .script = {6, 6}, .workdir = {0, 0}};
	static const struct plan plan = {.texts = texts, .ntexts = sizeof(texts), .steps = &step, .nsteps = 1};
	struct key_facts facts = {.os = S("linux"), .arch = S("x86_64"), .path = S("/bin"), .inputs = inputs, .ninputs = n};

	key_manifest(&plan, &step, &facts, out);
}

static bool same_key(struct entry a, struct entry b)
{
	CLEANUP_BUF struct buf x = BUF_INIT(MANIFEST_MAX), y = BUF_INIT(MANIFEST_MAX);

	key_of(&a, 1, &x);
	key_of(&b, 1, &y);
	return str_eq(text_of(&x), text_of(&y));
}

static void keys(void)
{
	struct digest one = {.algo = DIGEST_SHA256, .bytes = {1}}, two = {.algo = DIGEST_SHA256, .bytes = {2}};
	struct entry file = {.path = S("a"), .type = ENTRY_FILE, .mode = 0644, .digest = one}, other = file;
	struct entry link = {.path = S("a"), .type = ENTRY_LINK, .link = S("b"), .digest = one};

	other.mode = 0600;
	other.size = 7;
	ok(same_key(file, other), "of a file's mode only the executable bit is in a key");
	ok(entry_same(&file, &other), "and in entry_same");
	other.mode = 0755;
	ok(!same_key(file, other), "the executable bit is in a key");
	ok(!entry_same(&file, &other), "and in entry_same");
	other = file;
	other.digest = two;
	ok(!same_key(file, other), "the content is");
	other = link;
	other.link = S("c");
	ok(!same_key(link, other), "the text of a link is");
	other = link;
	other.digest = two;
	ok(!same_key(link, other), "what a link points to is");
	other.digest = (struct digest){0};
	ok(!same_key(link, other), "a dangling link is another");
	other = (struct entry){.path = S("a")};
	ok(!same_key(file, other), "absence is");
}

int main(void)
{
	reading();
	damage();
	differences();
	boundaries();
	keys();
	return done();
}
