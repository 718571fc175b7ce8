/* The first line is a pattern, the rest a path. What matches must be below folders that may be entered; an escaped literal
 * matches itself. Time is what the fuzzer's own limit (-timeout) holds. */
#include "base/glob.h"
#include "base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct str path = {(const char *)data, size}, pattern = S(""), clean, prefix;
	bool good;

	str_cut(&path, '\n', &pattern);
	if (!path.s || memchr(data, 0, size) || !path_join(&arena, S(""), path, &clean) || (clean.n && clean.s[0] == '/'))
		goto out;
	good = !glob_problem(pattern);
	glob_is(pattern);
	glob_unescape(&arena, pattern);
	prefix = glob_prefix(&arena, pattern);
	if (glob_match(pattern, clean) && good) {
		for (struct str dir = path_dir(clean); dir.n; dir = path_dir(dir))
			if (!glob_may_enter(pattern, dir))
				BUG("a match below a folder that may not be entered");
		if (!path_within(clean, prefix))
			BUG("a match that is not below the literal prefix");
	}
	if (clean.n && clean.n < 2000 && !glob_match(glob_escape(&arena, clean), clean))
		BUG("an escaped literal that does not match itself");
out:
	arena_release(&arena);
	return 0;
}
