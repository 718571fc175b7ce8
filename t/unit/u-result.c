#include "tap.h"

#include "plan/result.h"

static struct entry outputs[] = {
	{.path = {"bin", 3}, .type = ENTRY_DIR, .mode = 0755},
	{.path = {"bin/app", 7}, .type = ENTRY_FILE, .mode = 0755, .size = 42, .digest = {DIGEST_SHA256, {7}}},
	{.path = {"bin/link", 8}, .type = ENTRY_LINK, .link = {"app", 3}, .digest = {DIGEST_SHA256, {7}}},
};
static struct entry found[] = {
	{.path = {"/usr/include/a.h", 16}, .type = ENTRY_FILE, .mode = 0644, .size = 1, .digest = {DIGEST_SHA256, {9}}},
	{.path = {"src/a.h", 7}, .type = ENTRY_ABSENT},
};

static struct result sample(void)
{
	return (struct result){
		.key = {DIGEST_SHA256, {1, 2, 3}}, .step = S("build"), .root = S(""), .bound_file = S(""),
		.started_ns = -5, .duration_ns = 1u << 31, .outputs = {outputs, 3}, .found = {found, 2},
		.manifest = S("m"), .discovered = S(""), .log_size = 3,
	};
}

static void round_trip(struct arena *a)
{
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX), again = BUF_INIT(RESULT_MAX);
	struct result r = sample(), got;
	struct err err = ERR_INIT;

	result_encode(&r, &b);
	is_int(result_decode(a, buf_view(&b), &got, &err), 0, "a record is read back");
	result_encode(&got, &again);
	ok(str_eq(buf_view(&b), buf_view(&again)), "and is the same");
	is_int(got.started_ns, -5, "a time before 1970");
	is_str(got.outputs.v[2].link, "app", "a link");
	ok(got.outputs.v[1].path.s[7] == 0, "paths may go to system calls");
}

static void damage(struct arena *a)
{
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct result r = sample(), got;
	size_t refused = 0;

	result_encode(&r, &b);
	for (size_t i = 0; i < b.n; i++) {
		b.s[i] ^= 64;
		refused += result_decode(a, buf_view(&b), &got, NULL) < 0;
		b.s[i] ^= 64;
	}
	is_int(refused, b.n, "a flipped bit anywhere is damage");
	refused = 0;
	for (size_t n = 0; n < b.n; n++)
		refused += result_decode(a, str_head(buf_view(&b), n), &got, NULL) < 0;
	is_int(refused, b.n, "so is an end cut off");
}

static int decode_with(struct arena *a, const char *path)
{
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct entry e = outputs[1];
	struct result r = sample(), got;

	e.path = str_of(path);
	r.outputs = (struct entries){&e, 1};
	result_encode(&r, &b);
	return result_decode(a, buf_view(&b), &got, NULL);
}

static void hostile(struct arena *a)
{
	static const char *const paths[] = {"/etc/passwd", "..", "a/../../b", "../a", "", "a//b", "./a", "a/"};

	is_int(decode_with(a, "a/b"), 0, "an output in the workspace");
	for (size_t i = 0; i < countof(paths); i++)
		is_int(decode_with(a, paths[i]), -1, "an output at \"%s\" is refused", paths[i]);

	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct entry two[] = {outputs[1], outputs[0]};
	struct result r = sample(), got;

	r.outputs = (struct entries){two, 2};
	result_encode(&r, &b);
	is_int(result_decode(a, buf_view(&b), &got, NULL), -1, "outputs out of order are refused");
}

static void pathsets(struct arena *a)
{
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct str one[] = {S("/usr/include/a.h"), S("src/a.h")}, two[] = {S("src/b.h")};
	struct pathsets sets = {.v = {{one, 2}, {two, 1}, {NULL, 0}}, .n = 3}, got;

	pathsets_encode(&sets, &b);
	is_int(pathsets_decode(a, buf_view(&b), &got, NULL), 0, "path sets are read back");
	is_int(got.n, 3, "all of them");
	is_int(got.v[0].n, 2, "the first is whole");
	is_str(got.v[0].paths[1], "src/a.h", "with its paths");
	is_int(got.v[2].n, 0, "an empty set");
	is_int(pathsets_decode(a, str_head(buf_view(&b), b.n - 1), &got, NULL), -1, "cut short, it is damage");
}

int main(void)
{
	struct arena arena = ARENA_INIT;

	round_trip(&arena);
	damage(&arena);
	hostile(&arena);
	pathsets(&arena);
	arena_release(&arena);
	return done();
}
