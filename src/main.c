/* The command table; the one place that prints an error and sets the exit status. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "exec/report.h"
#include "sys/file.h"

const struct command *const commands[] = {
	&cmd_run, &cmd_plan, &cmd_list, &cmd_status, &cmd_explain, &cmd_log, &cmd_clean, &cmd_check, &cmd_init,
	&cmd_generate, &cmd_graph, &cmd_config, &cmd_cache, &cmd_hook, &cmd_pull, &cmd_update, &cmd_doctor, &cmd_version, &cmd_help,
};
const size_t ncommands = countof(commands);

/* A file opened later must not become a standard stream that somebody writes messages to. */
static void standard_fds_fill(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* How many words an option before the command takes; 0: it is none of the common ones. */
static int leading_option(const char *word)
{
	static const char *const valued[] = {"-C", "-f", "--directory", "--file", "--color"};

	for (size_t i = 0; i < countof(valued); i++) {
		size_t n = strlen(valued[i]);

		if (strcmp(word, valued[i]) == 0)
			return 2;
		if (strncmp(word, valued[i], n) == 0 && (valued[i][1] != '-' || word[n] == '='))
			return 1;
	}
	return 0;
}

static int unknown_command(const char *word, struct err *err)
{
	struct str names[countof(commands)], near;

	for (size_t i = 0; i < countof(commands); i++)
		names[i] = str_of(commands[i]->name);
	near = str_nearest(str_of(word), names, countof(commands));
	if (near.s)
		return err_set(err, ERR_USAGE, "unknown command '%s'; did you mean '" STR_FMT "'?", word, STR_ARG(near));
	return err_set(err, ERR_USAGE, "unknown command '%s'; `cairn help` lists them, `cairn run %s` runs a command of the spec",
		       word, word);
}

static int dispatch(const char *name, int argc, char **argv, struct err *err)
{
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i]->run(argc, argv, err);
	return unknown_command(name, err);
}

/* Common options may stand before the command: they are handed on behind its name. */
static int run_command(int argc, char **argv, struct err *err)
{
	int at = 1, words;
	char **moved;
	int status;

	while (at < argc && (words = leading_option(argv[at])))
		at += words;
	if (at >= argc)
		return dispatch("help", 1, (char *[]){(char *)"help", NULL}, err);
	if (strcmp(argv[at], "--version") == 0)
		return dispatch("version", 1, (char *[]){(char *)"version", NULL}, err);
	if (strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0)
		return dispatch("help", 1, (char *[]){(char *)"help", NULL}, err);
	if (argv[at][0] == '-')
		return err_set(err, ERR_USAGE, "unknown option '%s' before the command; `cairn help` lists what there is", argv[at]);
	if (at == 1)
		return dispatch(argv[1], argc - 1, argv + 1, err);
	moved = xcalloc(argc, sizeof(*moved));
	moved[0] = argv[at];
	memcpy(moved + 1, argv + 1, (at - 1) * sizeof(*moved));
	memcpy(moved + at, argv + at + 1, (argc - at - 1) * sizeof(*moved));
	status = dispatch(moved[0], argc - 1, moved, err);
	free(moved);
	return status;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	int status;

	standard_fds_fill();
	/* A reader that went away ends the writing, not the run. Children get the default back. */
	signal(SIGPIPE, SIG_IGN);
	status = run_command(argc, argv, &err);
	if (err_any(&err)) {
		err_print(&err, &text, color_wanted(NULL, 2));
		if (github_here())
			github_annotate_err(&err, &text);
		file_write_all(2, text.s, text.n);
		if (status <= 0)
			status = err_exit_status(&err);
		err_release(&err);
	}
	return status;
}
