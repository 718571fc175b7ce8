/* ask-context: answers about container builds, for shell tests.
 *	ask-context ignore FILE     those of the paths on standard input that the rules in FILE keep; exits 1 when they are refused */
#include "resolve/contextignore.h"

#include <fcntl.h>
#include <stdio.h>

#include "sys/file.h"

static int say(struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

	err_print(err, &text, false);
	fwrite(text.s, 1, text.n, stderr);
	return 1;
}

static int keep(struct arena *arena, const char *file)
{
	struct source src = {str_of(file), {0}};
	const struct contextignore *ig;
	struct err err = ERR_INIT;
	char line[4096];

	if (file_read(arena, AT_FDCWD, file, CONTEXTIGNORE_MAX, &src.text, &err) < 0 || contextignore_read(arena, &src, &ig, &err) < 0)
		return say(&err);
	while (fgets(line, sizeof(line), stdin)) {
		struct str path = str_trim(str_of(line));

		if (!contextignore_match(ig, path))
			puts(str_dup(arena, path).s);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;

	if (argc == 3 && !strcmp(argv[1], "ignore"))
		return keep(&arena, argv[2]);
	return 2;
}
