/* cfline.h: a Containerfile as logical lines: directives at its top, lines joined by the escape character, comments and blank
 * lines left out, heredocs taken with the line that opens them. As BuildKit reads them. */
#pragma once

#include "base/err.h"
#include "resolve/cfword.h"

#define CFLINE_FILE_MAX (4u << 20)      /* bytes of a Containerfile */

struct cfline_heredoc {
	struct str name, body;          /* the body as it stands, its last newline included */
	bool expand;                    /* no part of its name was quoted */
	bool chomp;                     /* "<<-" */
};

struct cfline {
	struct str text;                /* joined, without blanks in front */
	struct cfline_piece { size_t at; uint32_t line, col; } *pieces; /* where the text from byte `at` on stands */
	size_t npieces;
	struct cfline_heredoc *heredocs;
	size_t nheredocs;
};

struct cflines {
	struct cfline *v;
	size_t n;
	char escape;
	struct str syntax;              /* the image "# syntax=" names; {NULL}: none */
	struct loc syntax_loc;
};

/* Mistakes have their place. Lines that engines of different ages join differently are refused. With a syntax directive that
 * foreign() says is of another language, nothing behind the directives is read. */
int cflines_read(struct arena *, const struct source *, bool (*foreign)(struct str syntax), struct cflines *, struct err *);
struct loc cfline_loc(const struct source *, const struct cfline *, size_t at);
/* Is the word, as written, one that opens a heredoc of the line? */
bool cfline_opens(struct arena *, const struct cfline *, struct str word, char escape);
