/* identify.h: what an image reference means here and now, and what a container of it is to be made from; never a pull.
 *
 *	local image, under `missing` and `never`    the engine's, if it is there (and for the platform that is asked for)
 *	otherwise, and under `always`               the registry's, of which only manifests and the configuration are read
 *	under `never`, if it is not there           an error
 *
 * A reference with a digest never changes its meaning, so `always` looks at the engine first, too. An id is the engine's alone.
 * What can't be told is an error whose text says why; a step in such an image is not cached.
 *
 * Nothing is opened before the first question that needs it: neither the network nor the engine. Blocks, on a loop of
 * its own, so that it may be asked in the midst of a run and nothing else happens meanwhile; main thread only. */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "base/imageref.h"

enum image_policy { IMAGE_MISSING, IMAGE_ALWAYS, IMAGE_NEVER, IMAGE_REGISTRY /* what the registry has, whatever is here */ };
enum image_source { IMAGE_FROM_ENGINE, IMAGE_FROM_REGISTRY };

struct image_ask {
	struct str ref;                 /* as written */
	struct str platform;            /* "linux/arm64"; "": linux and this machine's architecture */
	enum image_policy policy;
};

struct image_found {
	struct digest identity;         /* what enters keys */
	struct str description;         /* what it is the hash of: imageid_differences names what differs */
	enum image_source source;
	struct str ref;                 /* the whole name */
	struct platform platform;       /* what it is for */
	struct str create;              /* what a container is made from: the engine's id; from the registry the id that Docker's classic
					   store and Podman will give it. To be looked for first */
	struct str pull;                /* "name@sha256:..." of the manifest, to be pulled by; "": it is only here */
	struct digest index, manifest, config;  /* DIGEST_NONE: not known */
	/* see imageid.h; for builds on it */
	struct str *env; size_t nenv;
	bool builder_told;
	struct str *onbuild; size_t nonbuild;
	struct str *shell; size_t nshell;
};

struct identifier;

struct identify_options {
	struct str engine;              /* which was asked for: "podman", "docker", "auto", a URL; {NULL}: what is found */
	struct str engine_from;         /* who asked: "--engine" */
	const struct str *insecure; size_t ninsecure;   /* registries that may speak http: "HOST[:PORT]" */
};

/* Everything in options must stay valid. Never fails: nothing is done yet. */
struct identifier *identifier_open(const struct identify_options *);
void identifier_close(struct identifier *);     /* NULL is fine */

/* The answer is in the arena. -1: ERR_RUNTIME, "unable to tell what the image X is: ..." */
int image_identify(struct identifier *, struct arena *, const struct image_ask *, struct image_found *out, struct err *);
/* To what a reference leads in its registry just now: an index or a manifest. One small request, for "has it moved". */
int image_digest(struct identifier *, struct str ref, struct digest *out, struct err *);
/* The platform that is meant when none is named: so that it depends on nothing that would have to be asked first, an engine
 * elsewhere has no say in it. */
void image_platform(struct arena *, struct platform *out);
/* Has the engine pull it, unless it has it, and verifies that it is what was found; where the reference has a tag, it is put on it, so
 * that `missing` finds it. progress: what the engine is doing, a line each; may be NULL. *pulled: it was not here. */
int image_pull(struct identifier *, struct arena *, const struct image_found *, void (*progress)(void *ctx, struct str line), void *ctx,
	       bool *pulled, struct err *);

/* The twin for tests: images that the registries and the engine of an identifier have, by whole name. */
struct identify_image { const char *ref; bool here, there; const char *config; /* a configuration as JSON */ };
struct identifier *identifier_open_mem(const struct identify_image *, size_t n, bool engine);
/* How often each was asked. */
struct identify_counts { unsigned engine, registry, pulls; };
struct identify_counts identifier_counts(const struct identifier *);
