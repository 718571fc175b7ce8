/* The last line is a path, the lines before it are rules. A last rule that names the path itself, with every byte escaped, has
 * the say. Time is what the fuzzer's own limit (-timeout) holds. */
#include "base/path.h"
#include "resolve/ignore.h"

static struct str named(struct arena *arena, struct str rules, const char *how, struct str path)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct str text;

	buf_str(&b, rules);
	buf_z(&b, how);
	for (size_t i = 0; i < path.n; i++) {
		if (path.s[i] != '/')
			buf_c(&b, '\\');
		buf_c(&b, path.s[i]);
	}
	text = str_dup(arena, buf_view(&b));
	buf_release(&b);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct str rules = {(const char *)data, size}, path;
	ptrdiff_t cut = str_rchr(rules, '\n');
	struct ignore *root;

	if (cut < 0 || !path_join(&arena, S(""), str_from(rules, cut + 1), &path) || !path.n || path.s[0] == '/' ||
	    memchr(path.s, 0, path.n) || memchr(path.s, '\r', path.n))
		goto out;
	rules.n = cut;
	root = ignore_new(&arena, NULL, S(""), rules);
	ignore_match(root, path, false);
	ignore_match(ignore_new(&arena, root, path_dir(path), rules), path, true);
	if (ignore_match(ignore_new(&arena, NULL, S(""), named(&arena, rules, "\n!/", path)), path, false))
		BUG("ignored in spite of its own rule");
	if (!ignore_match(ignore_new(&arena, NULL, S(""), named(&arena, rules, "\n/", path)), path, false))
		BUG("not ignored in spite of its own rule");
out:
	arena_release(&arena);
	return 0;
}
