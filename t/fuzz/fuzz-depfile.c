/* Any text is read or refused; names are unique, not empty, and hold nothing a name can't. */
#include "base/map.h"
#include "resolve/depfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct map seen = MAP_INIT;
	struct str *deps;
	size_t n, total = 0;

	if (depfile_parse(&arena, (struct str){(const char *)data, size}, &deps, &n, &err) < 0) {
		if (!err.text || n)
			BUG("refused without a reason, or with names");
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		bool fresh;

		map_put(&seen, deps[i], &fresh);
		if (!fresh || !deps[i].n || memchr(deps[i].s, '\n', deps[i].n) || memchr(deps[i].s, 0, deps[i].n))
			BUG("a bad name");
		total += deps[i].n + 1;
	}
	if (total > size)
		BUG("more came out than went in");
	map_release(&seen);
	err_release(&err);
	arena_release(&arena);
	return 0;
}
