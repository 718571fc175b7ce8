/* enginefind.h: where an engine may be. In this order:
 *
 *  1. the URL that --engine or container_engine names, alone
 *  2. DOCKER_HOST (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH: a folder with ca.pem, cert.pem, key.pem)
 *  3. the context of docker's that DOCKER_CONTEXT or config.json names, unless it is "default"
 *  4. CONTAINER_HOST
 *  5. Podman's sockets, then Docker's: those of the user, then those of the machine
 *  6. the program podman: its service is started for the run
 *
 * What somebody has named (1 to 4) is either used or the search fails: nothing else takes its place unseen. "podman" and
 * "docker" for an engine put the places where that one may be first, and another kind that answers is passed over.
 * URLs: unix:///PATH, tcp://HOST[:PORT], http://, https://, ssh://[USER@]HOST[:PORT] (by `docker system dial-stdio` there). */
#pragma once

#include "runtimes/engine.h"

struct engine_place {
	enum { PLACE_SOCKET, PLACE_TCP, PLACE_SSH, PLACE_SERVICE } how;
	enum engine_kind likely;
	bool named;                     /* somebody has named it */
	struct str url;                 /* "unix:///run/podman/podman.sock"; "podman system service" */
	struct str why;                 /* "DOCKER_HOST", "the context x of docker", "Podman's socket" */
	struct str problem;             /* it can't be used: why; {NULL} */
	struct http_server server;      /* of a socket and TCP */
	struct str user, host, port;    /* ssh */
};

/* What is named, and by whom; nothing is connected to. wanted: -1 for any, else an engine_kind. */
int engine_places(struct arena *, const struct engine_choice *, int *wanted, struct engine_place **out, size_t *n, struct err *);
/* One URL; a place with a problem when it is none. */
void engine_place_of(struct arena *, struct str url, struct str why, enum engine_kind likely, struct engine_place *out);
/* What to do about a socket that could not be connected to, in brackets behind a blank; "" where nothing is known. */
const char *engine_advice(int os_errno, enum engine_kind likely);
