/* registrydoc.h: the texts a registry speaks in, read with suspicion: manifests and indices (OCI image-spec 1.0 and Docker's
 * schema 2), and the challenge of a 401 reply (RFC 9110; the distribution project's token authentication). */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "base/imageref.h"

#define REGISTRYDOC_MAX (4u << 20)      /* bytes of a manifest or an index, as registries take them */

struct registrydoc_part { struct digest digest; uint64_t size; struct platform platform; /* of an index */ };

struct registrydoc {
	bool index;
	struct registrydoc_part *parts; size_t nparts;  /* index: images and their platforms, attestations left out */
	struct registrydoc_part config;                 /* manifest: the configuration */
	size_t nlayers;
};

extern const char registrydoc_accept[];         /* for the Accept header */

/* -1 with what is wrong with it, a sentence's end. What is of an older kind, or an index and a manifest at once, is refused. */
int registrydoc_read(struct arena *, struct str text, struct registrydoc *out, struct err *);
/* The image for a platform; NULL when there is none. Of equals the first. */
const struct registrydoc_part *registrydoc_choose(const struct registrydoc *, const struct platform *want);
/* "linux/amd64, linux/arm64": what there is to choose from. */
struct str registrydoc_platforms(struct arena *, const struct registrydoc *);

struct challenge {
	enum { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER } kind;
	struct str realm, service, scope;       /* BEARER */
};
/* The strongest of the challenges in a WWW-Authenticate header's value. */
void challenge_read(struct arena *, struct str header, struct challenge *out);
