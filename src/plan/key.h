/* key.h: what a step is, as bytes: its manifest. The one place that decides what is in a key
 * (doc/cache-keys.md is its text). Pure: all that it needs is handed to it. */
#pragma once

#include "plan/entry.h"
#include "plan/manifest.h"
#include "plan/plan.h"

struct key_tool {                       /* parallel to the step's tools, then the interpreter */
	struct str name;                /* as written, or the command line */
	struct str path;                /* where PATH found it, links followed; {NULL} not found */
	struct digest digest;           /* of the program, or of the command's output */
};

struct key_env { struct str name, value; bool set; };

enum key_need_state { KEY_NEED_OK, KEY_NEED_SKIPPED, KEY_NEED_FAILED };

struct key_facts {
	struct str os, arch;
	struct str path;                /* PATH as text, home and workspace root as tokens */
	struct digest packages;         /* of the package database; DIGEST_NONE when tools are given or there is none */
	struct digest image;            /* identity of what it runs in; DIGEST_NONE: native */
	struct key_tool *tools; size_t ntools;
	struct key_env *passed; size_t npassed; /* pass_env with key: true */
	struct entry *inputs; size_t ninputs;   /* sorted by path, unique: declared, globbed, outputs of direct needs */
	struct { struct str name; enum key_need_state state; } *needs; size_t nneeds;   /* only those that are not OK */
};

/* K1's manifest. */
void key_manifest(const struct plan *, const struct plan_step *, const struct key_facts *, struct buf *out);
/* K2's: K1 and every discovered path with what is there (absent too), sorted by path; shadows: workspace
 * paths that share a base name with a discovered one. */
void key_manifest_discovered(const struct digest *k1, const struct entry *found, size_t n,
			     const struct str *shadows, size_t nshadows, struct buf *out);
