#include "cli/cmd.h"

const char cairn_version[] = "0.1.0";

static int version(int argc, char **argv, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(256);
	struct arena arena = ARENA_INIT;
	struct common common;
	struct opt_rest rest;
	bool helped;
	int rc = cmd_options(&arena, &cmd_version, NULL, 0, argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped && (rc = cmd_no_words(&cmd_version, &rest, err)) == 0) {
		buf_fmt(&out, "cairn %s\n", cairn_version);
		rc = cmd_print(&out, err);
	}
	arena_release(&arena);
	return rc;
}

const struct command cmd_version = {"version", "print the version", "cairn version", version};
