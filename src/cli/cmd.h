/* cmd.h: the command table. A file a command (cmd-NAME.c); main.c alone prints errors and exits. */
#pragma once

#include "base/opt.h"

struct command {
	const char *name;
	const char *summary;            /* one line for `cairn help` */
	const char *usage;              /* "cairn run [GOAL...] [-- ARGS]" */
	/* argv[0] is the command's name. Returns the exit status, -1: what err says. err is printed when it is set. */
	int (*run)(int argc, char **argv, struct err *);
};

extern const struct command cmd_run, cmd_plan, cmd_list, cmd_explain, cmd_status, cmd_log, cmd_clean, cmd_check, cmd_init,
	cmd_config, cmd_cache, cmd_generate, cmd_graph, cmd_hook, cmd_pull, cmd_update, cmd_doctor, cmd_version, cmd_help;
extern const struct command *const commands[];
extern const size_t ncommands;

/* The build's version, "0.1.0". */
extern const char cairn_version[];

/* Parses a command's options with the common ones (-C, -f, --color, -h); after -h *helped is set and the help is
 * on standard output. -C has been carried out. */
struct common {
	struct str file;                /* -f; {NULL} when not given */
	struct str directory;           /* -C */
	struct str color;               /* auto | always | never */
};
int cmd_options(struct arena *, const struct command *, const struct opt *, size_t n, int argc, char **argv, bool keep_unknown,
		struct common *, struct opt_rest *, bool *helped, struct err *);
/* A command that takes options only refuses words. */
int cmd_no_words(const struct command *, const struct opt_rest *, struct err *);
/* --color as it was last parsed, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM=dumb, a terminal. common may be NULL. */
bool color_wanted(const struct common *, int fd);
/* Writes all of text to standard output; a closed pipe is no error. */
int cmd_print(const struct buf *, struct err *);
