/* registryclient.h: what an image is, asked of its registry without a pull: the OCI distribution API over http.h, with Basic,
 * Bearer and identity-token authentication. Blocks (turns the loop) in every call; main thread only.
 *
 * What comes back has been verified: a manifest by the digest it was asked for by, or the one in the reply's header; what it
 * names, by the digest it names. Nothing is cached but tokens, credentials and which of https and http a registry speaks.
 *
 * A registry is spoken to over https, and its certificate must be good. One on this machine (imageref_is_loopback), and those that
 * `insecure` lists, may have any certificate or speak http. Credentials go to the registry, and to the token server that it names;
 * over http only where the registry itself may speak http. */
#pragma once

#include "base/imageref.h"
#include "runtimes/imageid.h"
#include "sys/http.h"

struct registryclient;

/* insecure: "HOST[:PORT]" each; all of it must stay valid. */
struct registryclient *registryclient_open(struct http *, const struct str *insecure, size_t n);
void registryclient_close(struct registryclient *);     /* NULL is fine */

struct registry_image {
	struct digest index;            /* DIGEST_NONE: the name leads to a manifest at once */
	struct digest manifest;
	struct digest config;           /* what Docker's classic store and Podman call the image's id */
	struct imageid id;
};
/* want: what an index is looked through for. strict: an image that is no index must be for it, too.
 * -1: what was asked, why it failed, what to do; ERR_RUNTIME. */
int registry_image(struct registryclient *, struct arena *, const struct imageref *, const struct platform *want, bool strict,
		   struct registry_image *out, struct err *);
/* To what the reference leads just now: an index or a manifest. Costs one small request. */
int registry_digest(struct registryclient *, const struct imageref *, struct digest *out, struct err *);
