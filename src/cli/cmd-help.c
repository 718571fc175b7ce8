#include "cli/cmd.h"

static int overview(struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);

	buf_z(&out, "Usage: cairn COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		    "Runs what cairn.yaml describes, and only what has to run.\n\nCommands:\n");
	for (size_t i = 0; i < ncommands; i++)
		buf_fmt(&out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	buf_z(&out, "\n`cairn help COMMAND` shows a command's options; cairn(1) and cairn-spec(5) tell everything.\n");
	return cmd_print(&out, err);
}

static int help_of(struct str name, struct err *err)
{
	static char help_option[] = "--help";
	struct str names[64], near;
	size_t n = 0;

	for (size_t i = 0; i < ncommands; i++) {
		if (str_is(name, commands[i]->name))
			return commands[i]->run(2, (char *[]){(char *)commands[i]->name, help_option, NULL}, err);
		if (n < countof(names))
			names[n++] = str_of(commands[i]->name);
	}
	near = str_nearest(name, names, n);
	return err_set(err, ERR_USAGE, "unknown command '" STR_FMT "'%s" STR_FMT "%s", STR_ARG(name), near.s ? "; did you mean '" : "",
		       STR_ARG(near), near.s ? "'?" : "; `cairn help` lists them");
}

static int help(int argc, char **argv, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct common common;
	struct opt_rest rest;
	bool helped;
	int rc = cmd_options(&arena, &cmd_help, NULL, 0, argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped) {
		if (rest.words.n > 1 || rest.after.n)
			rc = err_set(err, ERR_USAGE, "cairn help takes one command; usage: %s", cmd_help.usage);
		else
			rc = rest.words.n ? help_of(rest.words.v[0], err) : overview(err);
	}
	arena_release(&arena);
	return rc;
}

const struct command cmd_help = {"help", "explain cairn, or one of its commands", "cairn help [COMMAND]", help};
