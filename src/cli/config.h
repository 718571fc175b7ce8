/* config.h: settings: /etc/cairn/config.yaml < $XDG_CONFIG_HOME/cairn/config.yaml < CAIRN_<KEY> < options.
 * schemas/config.schema.json. Nothing in it enters a key. */
#pragma once

#include "base/err.h"

enum config_origin { FROM_DEFAULT, FROM_SYSTEM, FROM_USER, FROM_ENV, FROM_OPTION };

struct config_value { const char *key; struct str text; enum config_origin origin; struct str where; /* file:line or the variable */ };

struct config {
	uint64_t jobs;                  /* 0: as many as CPUs */
	struct str cache_dir;           /* absolute */
	uint64_t cache_max_bytes;       /* default 10 GiB; 0: no limit */
	uint64_t cache_max_age_s;       /* default 0 */
	struct str runtime;             /* kind that is picked where a command allows it; {NULL}: each command's first */
	struct str runner_image;        /* of containers for steps that name no image; empty: none */
	struct str container_engine;    /* "auto", "podman", "docker" or a URL */
	struct str container_engine_where;      /* who says so, for texts */
	struct str *insecure_registries; size_t ninsecure_registries;   /* "HOST[:PORT]": may speak http or show any certificate */
	struct str *tags; size_t ntags; /* what this machine offers beside what it finds */
	struct config_value *values; size_t nvalues;    /* every key, for `cairn config` */
};

/* Sizes: "10g", "500m"; ages: "30d", "12h". A bad value is located (file:line:col, or the variable's name). */
int config_read(struct arena *, struct config *, struct err *);
bool config_age(struct str, uint64_t *seconds);
/* Is it what container_engine may be? A URL's details are found out when it is used. */
bool config_engine(struct str);
