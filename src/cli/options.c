/* What all commands share: the common options, help from the option tables, colour, writing to standard output. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "sys/file.h"

static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_said;       /* what the command line said last */

static int help_print(const struct command *command, const struct opt *own, size_t n, const struct opt *shared, size_t nshared,
		      struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);

	buf_fmt(&out, "Usage: %s\n\n%s\n", command->usage, command->summary);
	if (n) {
		buf_z(&out, "\nOptions:\n");
		opt_help(own, n, &out);
	}
	buf_z(&out, "\nCommon options:\n");
	opt_help(shared, nshared, &out);
	return cmd_print(&out, err);
}

static int color_read(struct str word, struct err *err)
{
	if (!word.s || str_is(word, "auto"))
		color_said = COLOR_AUTO;
	else if (str_is(word, "always"))
		color_said = COLOR_ALWAYS;
	else if (str_is(word, "never"))
		color_said = COLOR_NEVER;
	else
		return err_set(err, ERR_USAGE, "--color takes auto, always or never, not '" STR_FMT "'", STR_ARG(word));
	return 0;
}

int cmd_options(struct arena *arena, const struct command *command, const struct opt *own, size_t n, int argc, char **argv,
		bool keep_unknown, struct common *common, struct opt_rest *rest, bool *helped, struct err *err)
{
	const struct opt shared[] = {
		{'C', "directory", OPT_STR, &common->directory, "DIR", "start in DIR"},
		{'f', "file", OPT_STR, &common->file, "FILE", "use this spec instead of the nearest cairn.yaml"},
		{0, "color", OPT_STR, &common->color, "WHEN", "auto, always or never"},
		{'h', "help", OPT_FLAG, helped, NULL, "show this"},
	};
	struct opt *all = arena_array(arena, n + countof(shared), struct opt);

	*common = (struct common){0};
	*rest = (struct opt_rest){0};
	*helped = false;
	if (n)
		memcpy(all, own, n * sizeof(*own));
	memcpy(all + n, shared, sizeof(shared));
	if (opt_parse(arena, all, n + countof(shared), argc, argv, keep_unknown, rest, err) < 0) {
		if (!err->ndiags)
			err_wrap(err, "%s", command->name);
		return -1;
	}
	if (*helped)
		return help_print(command, own, n, shared, countof(shared), err);
	if (color_read(common->color, err) < 0)
		return -1;
	if (common->directory.s && chdir(str_dup(arena, common->directory).s) < 0)
		return err_errno(err, "unable to enter " STR_FMT, STR_ARG(common->directory));
	return 0;
}

int cmd_no_words(const struct command *command, const struct opt_rest *rest, struct err *err)
{
	const struct opt_list *more = rest->words.n ? &rest->words : &rest->after;

	if (!more->n)
		return 0;
	return err_set(err, ERR_USAGE, "cairn %s takes no argument '" STR_FMT "'; usage: %s", command->name, STR_ARG(more->v[0]),
		       command->usage);
}

static bool variable_says(const char *name)
{
	const char *value = getenv(name);

	return value && *value && !str_is(str_of(value), "0");
}

bool color_wanted(const struct common *common, int fd)
{
	const char *plain = getenv("NO_COLOR"), *term = getenv("TERM");

	(void)common;
	if (color_said != COLOR_AUTO)
		return color_said == COLOR_ALWAYS;
	if (plain && *plain)
		return false;
	if (variable_says("CLICOLOR_FORCE") || variable_says("FORCE_COLOR"))
		return true;
	return term && *term && !str_is(str_of(term), "dumb") && isatty(fd);
}

int cmd_print(const struct buf *text, struct err *err)
{
	if (!text->n || file_write_all(1, text->s, text->n) == 0 || errno == EPIPE)
		return 0;
	return err_errno(err, "unable to write to standard output");
}
