/* shimmessage.h: the messages of runtimes/shim/protocol.h that have fields, as the controller writes and reads them. */
#pragma once

#include "runtimes/shimlink.h"

/* The id first. What is too long for the buf sets `full`. */
void message_step(struct buf *, uint32_t id, const struct shim_step *);
void message_put(struct buf *, uint32_t id, const struct shim_put *);
void message_get(struct buf *, uint32_t id, const char *root, const char *const *paths, size_t n, uint32_t flags);

struct host_request { uint32_t call; char **argv, **env; const char *cwd; };
/* In the arena; false when it makes no sense. */
bool host_request_read(struct str message, struct arena *, struct host_request *);
