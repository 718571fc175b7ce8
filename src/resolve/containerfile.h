/* containerfile.h: what a Containerfile needs for a target: the stages it reaches, the images they come from, what they can
 * read of the context, the arguments they use, and whether the result may be kept at all.
 *
 * It is read as BuildKit reads it. Where engines differ in what they would make of a text it is refused, or nothing is taken
 * for sure: then the whole context counts, or the build is not cached, and the reason is given with its place. */
#pragma once

#include "resolve/cfline.h"

struct cfile;

/* src and its text must live as long as the arena. Mistakes have their place (ERR_SPEC). */
int cfile_parse(struct arena *, const struct source *, struct cfile **, struct err *);

struct cfile_arg { struct str name, value; };

/* What is known of an image: its identity, which is part of the key, and what of its configuration a build with it rests on. */
struct cfile_image {
	struct str identity;
	const struct str *env;          /* NAME=VALUE */
	size_t nenv;
	const struct str *onbuild;      /* its triggers */
	size_t nonbuild;
};

struct cfile_ask {
	struct str target;              /* name or number of a stage; "": the last */
	const struct cfile_arg *args;   /* given for the build */
	size_t nargs;
	struct str platform;            /* "linux/amd64": what is built for */
	struct str build_platform;      /* what is built on; may be empty where nothing asks for it */
	bool every;                     /* all stages up to the target, as builders that leave none out read them */
	/* NULL, or returning NULL: the image is not known (yet); then the answer is the bases, and whole and uncached. */
	const struct cfile_image *(*image)(void *ctx, struct str ref, struct str platform);
	void *ctx;
};

struct cfile_base {
	struct str ref, platform;
	struct loc loc;
	const struct cfile_image *image;        /* NULL: not known */
};

/* A place of the context that COPY, ADD or a bind mount reads: a clean relative path, "" being all of it, or a pattern
 * (CONTEXTWILD_SOURCE). */
struct cfile_source {
	struct str path;
	bool wild;
	struct loc loc;
};

struct cfile_why {
	struct str text;                /* {NULL}: it does not apply */
	struct loc loc;
};

struct cfile_secret { struct str id; bool required; };

struct cfile_needs {
	uint32_t *stages;               /* indices of those reached, ascending; the target is one */
	size_t nstages;
	uint32_t target;
	struct str target_name;         /* as given, or "" */
	struct cfile_base *bases;       /* each (ref, platform) once, in the order met; stages and scratch are none */
	size_t nbases;
	struct cfile_source *sources;
	size_t nsources;
	struct cfile_why whole;         /* the whole context counts, and why */
	struct cfile_why uncached;      /* the result can't be kept, and why */
	struct cfile_why buildkit;      /* Docker's classic builder does not know something in a reached stage */
	struct cfile_arg *args;         /* given or predefined, and used: by name */
	size_t nargs;
	struct str *unused;             /* names of those given that nothing declares */
	size_t nunused;
	struct cfile_secret *secrets;   /* of RUN --mount=type=secret, each once */
	size_t nsecrets;
	bool ssh;                       /* RUN --mount=type=ssh */
	struct str frontend;            /* "# syntax=" or BUILDKIT_SYNTAX; {NULL}: none */
};

/* An unknown target, a stage that is not there yet and the like are errors with their place. */
int cfile_reach(struct arena *, const struct cfile *, const struct cfile_ask *, struct cfile_needs *, struct err *);
