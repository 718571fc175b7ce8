/* yamltext.h: what yaml.c knows about the text apart from libyaml: its form, places, faults in words.
 * Private to this room. */
#pragma once

#include "base/err.h"

/* Turns libyaml's character indices into locations. Going forward costs only the way. */
struct textpos {
	const struct source *src;
	size_t begin;                   /* where index 0 is: behind a byte order mark */
	size_t index, at;               /* the same place in characters and in bytes */
	size_t line_at;                 /* where its line begins */
	uint32_t line;
};

void textpos_init(struct textpos *, const struct source *);
size_t textpos_byte(struct textpos *, size_t index);
struct loc textpos_loc(struct textpos *, size_t index);
struct loc textpos_loc_of_byte(struct textpos *, size_t at);

/* Valid UTF-8 without the control characters that YAML forbids, no longer than NODE_MAX_BYTES? */
int yamltext_check(const struct source *, struct err *);

struct yamlfault {                      /* as libyaml reports it */
	const char *problem, *context;  /* context may be NULL */
	size_t problem_index, context_index;
};

int yamltext_fault(struct textpos *, const struct yamlfault *, struct err *);
