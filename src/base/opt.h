/* opt.h: command-line options from one table: parsing, --help and completion.
 * Long options take --name=value or --name value; short ones -nvalue or -n value; options may stand
 * anywhere before "--". */
#pragma once

#include "err.h"

enum opt_kind { OPT_FLAG, OPT_COUNT, OPT_STR, OPT_LIST, OPT_INT, OPT_OPTIONAL /* --x or --x=VALUE */ };

struct opt {
	char short_name;                /* 0: none */
	const char *long_name;          /* NULL: none */
	enum opt_kind kind;
	void *value;                    /* bool*, int*, struct str*, struct opt_list*, int64_t*, struct str* */
	const char *arg;                /* name of the value in help */
	const char *help;
};

struct opt_list { struct str *v; size_t n; };

struct opt_rest {
	struct opt_list words;          /* what is no option */
	struct opt_list unknown;        /* "name=value" of each --name=value that the table does not know, when asked for */
	struct opt_list after;          /* after "--" */
	bool dashdash;
};

/* keep_unknown: unknown long options with a value are collected instead of refused (params of a goal).
 * argv[0] is the command's own name. Mistakes are ERR_USAGE. */
int opt_parse(struct arena *, const struct opt *, size_t n, int argc, char **argv, bool keep_unknown,
	      struct opt_rest *, struct err *);
/* Options without a help text are not shown. */
void opt_help(const struct opt *, size_t n, struct buf *out);
