/* images.h: what each image of a plan really is. Asked at most once a run, when the first step that runs in it is looked at:
 * cairn.lock first, then the engine and the registry for a reference; for a Containerfile its text, its bases and the context.
 * What a step makes is seen in a context if every step in that image needs it; else it is a leftover, and not there.
 * Main thread only; may block on an engine, a registry and the files of a context. */
#pragma once

#include "plan/plan.h"
#include "resolve/content.h"
#include "runtimes/identify.h"

struct images;

struct images_options {
	struct arena *arena;            /* of the run */
	const struct plan *plan;
	struct content *content;
	struct str root;                /* absolute */
	int rootfd;
	const struct identify_options *identify;        /* stays valid */
	/* What a plan that is replayed says; by image, NULL: it says nothing. Wins over everything. */
	const struct image_fact *pins;
	struct store *store;            /* keeps descriptions, so that explain can say what differs; may be NULL */
	void (*warn)(void *ctx, struct str text);
	void *ctx;
};

struct image_base {                     /* what a Containerfile is built on */
	struct str name;                /* as FROM says it */
	struct str create, pull;        /* as image_fact's */
	struct str platform;
};

struct image_fact {
	struct str description;         /* the manifest that identity is the hash of; "" of one that is pinned and was not asked about */
	struct digest identity;         /* what enters keys; DIGEST_NONE: it can't be told, and steps in it are not cached */
	struct str problem;             /* why it can't be told */
	bool pinned;                    /* cairn.lock says what it is: as long as that file is the same, so is this */
	struct str create;              /* the engine's id, to be looked for first; "": not known */
	struct str pull;                /* "name@sha256:...", what it is pulled by; "" it is only here, or not known */
	struct digest index, manifest;  /* DIGEST_NONE: not known */
	/* BUILD */
	const struct image_base *bases; size_t nbases;
	struct str file;                /* of the Containerfile in the tar that image_context writes */
};

struct images *images_open(const struct images_options *);
void images_close(struct images *);     /* NULL is fine */

/* image: into plan->images. The answer lives as long as the arena. */
const struct image_fact *images_fact(struct images *, uint32_t image);
/* The same if it has been asked for, else NULL; images may be NULL. */
const struct image_fact *images_known(const struct images *, uint32_t image);
/* Writes what a build of the image needs as a tar to fd: after images_fact said what it is. */
int image_context(struct images *, uint32_t image, int fd, struct err *);
/* cairn.lock as it was read: true if there is one or it was looked for, with the identity it had. */
bool images_lock(const struct images *, struct ident *);
