/* credentials.h: who one is to a registry, from where Docker and Podman keep it. Nothing of it may enter a plan, a key, a log
 * or an error; what is said of it says only where it came from.
 *
 * Files, in this order: $REGISTRY_AUTH_FILE alone if it is set, else $XDG_RUNTIME_DIR/containers/auth.json (or
 * /run/containers/UID/auth.json), $XDG_CONFIG_HOME/containers/auth.json (~/.config), and $DOCKER_CONFIG/config.json
 * (~/.docker). In each: the helper that `credHelpers` names for the registry, else the one of `credsStore`, else `auths`. An
 * entry for "registry/owner/name" or a part of it goes before the registry's own. docker.io is also found under
 * "https://index.docker.io/v1/", the name that Docker gives it.
 * A helper is the program docker-credential-NAME, found by PATH; it is told the entry's name on standard input. */
#pragma once

#include "base/imageref.h"

struct credential {
	enum { CREDENTIAL_NONE, CREDENTIAL_PASSWORD, CREDENTIAL_IDENTITY /* a token to get tokens with */, CREDENTIAL_BEARER } kind;
	struct str user, secret;        /* secret: the password or the token */
	struct str from;                /* the file, or "docker-credential-x (from FILE)"; {NULL} for none */
	struct str problem;             /* why one that may be there was not got: a sentence; {NULL} */
};

/* What can't be read or asked is no failure: the registry may serve anybody. It is in out->problem, for the day it does not. */
void credential_find(struct arena *, const struct imageref *, struct credential *out);
/* "Basic ..." or "Bearer ..." for an Authorization header; {NULL} for none and for an identity token. */
struct str credential_authorization(struct arena *, const struct credential *);
/* The value of an engine's X-Registry-Auth; {NULL} for none. */
struct str credential_engine_auth(struct arena *, const struct credential *, const struct imageref *);
