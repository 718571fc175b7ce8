/* cfparts.h: a Containerfile as instructions, shared by containerfile.c and cfreach*.c. Private to them. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "resolve/containerfile.h"

enum cf_kind { CF_ADD, CF_ARG, CF_COPY, CF_ENV, CF_FROM, CF_ONBUILD, CF_RUN, CF_OTHER };

struct cf_flag {
	struct str name, value;         /* value {NULL}: none was given */
	size_t at;
};

struct cf_instruction {
	enum cf_kind kind;
	const struct cfline *line;
	size_t at;                      /* of its keyword in the line */
	struct cf_flag *flags;
	size_t nflags;
	struct cfwords words;           /* ADD, COPY: sources and destination; ARG, ENV: NAME=VALUE, as written */
	struct cf_instruction *trigger; /* ONBUILD */
};

struct cf_stage {
	struct str name;                /* lower case, "" when it has none */
	struct cfword base, platform;   /* as written; platform {NULL}: none */
	const struct cfline *line;
	size_t first, n;                /* its instructions behind FROM */
};

struct cfile {
	const struct source *src;
	char escape;
	struct str syntax;
	struct loc syntax_loc;
	bool foreign;                   /* in a language of which nothing is known */
	struct cf_instruction *v;
	size_t n;
	struct cf_stage *stages;
	size_t nstages;
	size_t nglobals;                /* ARG instructions before the first FROM: the first of v */
};

struct loc cf_loc(const struct cfile *, const struct cfline *, size_t at);
const struct cf_flag *cf_flag(const struct cf_instruction *, const char *name);
struct str cf_lower(struct arena *, struct str);
/* Is it a syntax frontend that may be of another language than this one? */
bool cf_foreign(struct str syntax);
/* Index of the last stage before `before` of that name; -1: none. */
ptrdiff_t cf_stage(const struct cfile *, struct str lower, size_t before);

/* --- expansion (cfvars.c) --- */

enum cf_var_kind { CF_VAR_ENV, CF_VAR_ARG };

struct cf_var {
	struct str name, value;
	enum cf_var_kind kind;
	bool unsure;
};

struct cf_vars {
	VEC(struct cf_var) v;
	bool scratch;                   /* no image below */
	const struct cfile_image *image;        /* NULL, unless scratch: not known */
};

void cf_vars_copy(struct cf_vars *to, const struct cf_vars *from);      /* as a stage built FROM another begins */
void cf_vars_set(struct cf_vars *, const struct cf_var *);
/* As cfword_env.get, of a struct cf_vars. */
int cf_vars_get(void *vars, struct str name, struct str *value, bool *unsure);
/* Arguments every builder knows undeclared: proxies, SOURCE_DATE_EPOCH, BUILDKIT_*. */
bool cf_arg_ambient(struct str name);
/* TARGETPLATFORM and its like; false: there is none of that name. *value {NULL}: the ask does not say. */
bool cf_arg_platform(const struct cfile_ask *, struct str name, struct str *value);

/* --- evaluation --- */

struct cf_state {                       /* of one stage */
	bool reached;
	ptrdiff_t base;                 /* stage it is built from; -1: an image or scratch */
	struct str ref, platform;       /* of the image; ref "" for scratch */
	struct cf_vars vars;            /* as they are at its end */
};

struct cf_reach {
	struct arena *arena;
	const struct cfile *file;
	const struct cfile_ask *ask;
	struct cfile_needs *needs;
	struct err *err;
	struct cf_state *states;
	struct cf_vars globals;
	bool *used;                     /* of ask->args */
	struct loc loc;                 /* of what is being expanded with the globals */
	bool failed;                    /* a look-up did; err says why */
	VEC(struct cfile_base) bases;
	VEC(struct cfile_source) sources;
	VEC(struct cfile_arg) predefined;
	VEC(struct cfile_secret) secrets;
};

/* The first reason stays. */
void cf_because(struct cf_reach *, struct cfile_why *, struct loc, const char *fmt, ...) PRINTF(4, 5);
/* The given one of that name, which is used from now on; NULL. */
const struct cfile_arg *cf_given(struct cf_reach *, struct str name);
/* A predefined platform argument, which is used from now on. 1, 0 there is none, -1. */
int cf_predefined(struct cf_reach *, struct str name, struct loc, struct str *value);
/* As cfword_env.get, of a struct cf_reach: what FROM sees. */
int cf_global_get(void *reach, struct str name, struct str *value, bool *unsure);
/* The image is one of the bases from now on. */
const struct cfile_image *cf_base(struct cf_reach *, struct str ref, struct str platform, struct loc);

/* What --from and from= name, seen from a stage; word is as written. *out: the stage. -1: error. */
enum { CF_FROM_IMAGE, CF_FROM_STAGE, CF_FROM_SCRATCH };
int cf_from(struct cf_reach *, size_t stage, const struct cf_instruction *, struct cfword word, size_t *out);

/* A mount of RUN, its values as written (cfmount.c). */
struct cf_mount {
	struct str type;                /* "bind", ... */
	struct cfword from;             /* s {NULL}: none */
	struct str source, id, target;
	bool required;
};
int cf_mount_read(struct cf_reach *, const struct cf_instruction *, const struct cf_flag *, struct cf_mount *);

/* An instruction in a stage, evaluated with its variables (cfread.c). */
int cf_read(struct cf_reach *, const struct cf_instruction *, struct cf_vars *);
/* An ARG, in a stage or before the first FROM. */
int cf_read_arg(struct cf_reach *, const struct cf_instruction *, struct cf_vars *, bool global);
