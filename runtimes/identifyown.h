/* identifyown.h: an identifier from the inside: the rules (identify.c) above who is asked (identifyreal.c, identifymem.c).
 * Private to these. */
#pragma once

#include "runtimes/identify.h"
#include "runtimes/registryclient.h"

struct identify_local {
	struct str id;                  /* what a container is made from */
	struct str repo_digest;         /* "name@sha256:..." under the name that was asked for; "" */
	struct digest config;           /* DIGEST_NONE: not told */
	struct imageid image;
};

struct identify_ops {
	/* 1 it is here, 0 not, -1 there is nobody to ask. name: anything an engine takes for one. */
	int (*here)(struct identifier *, struct arena *, struct str name, struct identify_local *out, struct err *);
	/* Does a bare name also mean one of localhost/? */
	bool (*localhost)(struct identifier *);
	int (*there)(struct identifier *, struct arena *, const struct imageref *, const struct platform *, bool strict,
		     struct registry_image *out, struct err *);
	int (*digest)(struct identifier *, const struct imageref *, struct digest *out, struct err *);
	/* pull: "name@sha256:..." */
	int (*pull)(struct identifier *, struct arena *, const struct imageref *pull, const struct platform *,
		    void (*progress)(void *ctx, struct str line), void *ctx, struct err *);
	/* Puts the name "name:tag" on what the engine has as `name`. */
	int (*tag)(struct identifier *, struct arena *, struct str name, struct str tag, struct err *);
	void (*close)(struct identifier *);
};

struct identifier {
	const struct identify_ops *ops;
	struct identify_counts counts;
	void *own;
};
