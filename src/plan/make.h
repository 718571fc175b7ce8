/* make.h: spec + facts -> plan. A pure function that asks questions. */
#pragma once

#include "plan/facts.h"
#include "plan/plan.h"
#include "spec/spec.h"

struct plan_set { struct str name, value; };

struct plan_options {
	struct str os, arch;
	const struct plan_set *vars; size_t nvars;      /* -V name=value */
	const struct plan_set *env; size_t nenv;        /* --env NAME=VALUE, wins over everything */
	struct str runner_image;                        /* for containers without image; empty: there is none */
	/* For the one goal that has them: a variant step of that command. */
	struct str goal;                                /* command's name, {NULL} when nothing below is given */
	const struct plan_set *params; size_t nparams;
	const struct str *args; size_t nargs;           /* after "--" */
	bool has_args;
};

enum { PLAN_DONE = 0, PLAN_ASKED = 1 };
/* PLAN_DONE: *out holds the image's bytes (8-aligned heap memory). PLAN_ASKED: facts has open
 * questions. -1: err, with every mistake found in this round. */
int plan_make(const struct spec *, struct facts *, const struct plan_options *, struct buf *out, struct err *);
