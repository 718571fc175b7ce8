/* enginechild.h: programs that stand between cairn and an engine: a `podman system service` of our own, or ssh for each
 * connection. Both give a Unix socket in a private folder, which goes with engine_service_end. Private to runtimes/engine*.c. */
#pragma once

#include "runtimes/enginefind.h"

struct engine_service;

/* Starts `podman system service` on socket, or listens there for what goes through ssh. */
struct engine_service *engine_service_start(struct loop *, const struct engine_place *, struct str *socket, struct err *);
/* It has ended, or its last words: {NULL}: it runs. Its errors so far, at most a few lines, in arena. */
bool engine_service_ended(const struct engine_service *);
struct str engine_service_words(const struct engine_service *, struct arena *);
/* The service ends by itself when it was not asked for this long: whoever is killed leaves none behind. */
#define ENGINE_SERVICE_IDLE_S 120
void engine_service_end(struct engine_service *);       /* NULL is fine */
