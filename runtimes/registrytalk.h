/* registrytalk.h: requests to a registry, with whatever authentication it asks for. Private to registryclient.c and
 * registrytalk.c. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "runtimes/credentials.h"
#include "runtimes/registryclient.h"
#include "runtimes/registrydoc.h"

struct registrytalk_host {
	struct http_server server;
	bool may_http;                  /* it may speak http, and have any certificate */
	bool settled;                   /* server is how it is spoken to */
};

struct registrytalk_pass {              /* how one repository is read */
	struct credential credential;
	struct str authorization;       /* for the header; {NULL}: not yet needed */
	uint64_t until;                 /* loop_now when it no longer holds; 0: for ever */
	bool got;                       /* credential was looked for */
};

struct registryclient {
	struct arena arena;
	struct http *http;
	const struct str *insecure; size_t ninsecure;
	struct map hosts;               /* registry -> struct registrytalk_host */
	struct map passes;              /* registry/path -> struct registrytalk_pass */
};

/* method: GET or HEAD. path: behind /v2/REPOSITORY. what: for the error, "the manifest of X". Any status but a success is an error;
 * *absent (may be NULL) then says that it was 404. */
int registrytalk(struct registryclient *, const struct imageref *, const char *method, struct str path, const char *accept,
		 struct http_reply *, bool *absent, struct err *);
