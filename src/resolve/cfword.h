/* cfword.h: the words of a Containerfile's line: split, with their places, and expanded. */
#pragma once

#include "base/str.h"

#define CFWORD_MAX (1u << 20)            /* bytes of a word, expanded */

struct cfword { struct str s; size_t at; };     /* as written; at: byte of the line */
struct cfwords { struct cfword *v; size_t n; };

bool cf_space(char c);

/* The words of line from byte `from` on. quoted: quotes and the escape character keep blanks in a word. */
void cfwords_split(struct arena *, struct str line, size_t from, char escape, bool quoted, struct cfwords *);
/* A JSON list of texts; false: it is none. */
bool cfwords_json(struct arena *, struct str line, size_t from, struct cfwords *);
/* The words in front that begin with "--", without their quotes; returns where the rest begins. */
size_t cfwords_flags(struct arena *, struct str line, size_t from, struct cfwords *);
/* Without quotes and escapes; false when a quote is not closed. */
bool cfword_unquote(struct arena *, struct str word, char escape, struct str *out);
/* Fields separated by commas, `"a,b"` being one (of --mount). */
void cfword_fields(struct arena *, struct str word, struct cfwords *);

/* What stands for a variable: 1 set, 0 unset; *unsure is set when it may be another at the build. */
struct cfword_env {
	int (*get)(void *ctx, struct str name, struct str *value, bool *unsure);
	void *ctx;
	char escape;
	struct str unsure;              /* the first such variable that was met; {NULL}: none */
	bool expanded;                  /* some variable was met */
};

/* $X, ${X}, ${X:-y}, ${X:+y}, ${X:?y} and these without the colon; quotes and escapes go. NULL, or what is wrong with it. */
const char *cfword_expand(struct arena *, struct cfword_env *, struct str word, struct str *out);
