/* A lock file is refused with a place, or read; then what is written of it is read as the same. */
#include "resolve/imagelock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf once = BUF_INIT(BUF_UNLIMITED), twice = BUF_INIT(BUF_UNLIMITED);
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct imagelock lock, again;

	if (imagelock_parse(&arena, (struct str){(const char *)data, size}, &lock, &err) < 0) {
		if (!err.ndiags)
			BUG("refused without a place");
	} else {
		imagelock_text(&lock, &once);
		if (imagelock_parse(&arena, buf_view(&once), &again, NULL) < 0)
			BUG("what was written is refused");
		imagelock_text(&again, &twice);
		if (!str_eq(buf_view(&once), buf_view(&twice)))
			BUG("what was written is read as something else");
		imagelock_release(&again);
		imagelock_release(&lock);
	}
	err_release(&err);
	arena_release(&arena);
	return 0;
}
