/* imageref.h: image references as text: "busybox", "ghcr.io/a/b:1", "127.0.0.1:5000/x@sha256:...". The grammar and the
 * defaults are those of the distribution project (github.com/distribution/reference), which Docker and Podman share: a
 * name without a registry is docker.io's, one without an owner there is library's, one without tag and digest is "latest".
 * Besides, "sha256:" and 64 digits name an image of the local engine by its id. */
#pragma once

#include "str.h"

#define IMAGEREF_MAX 4096               /* bytes of text */

struct imageref {
	struct str registry;            /* "docker.io", "127.0.0.1:5000", "[::1]:5000"; "" for an id */
	struct str path;                /* "library/busybox"; "" for an id */
	struct str tag;                 /* "latest" where neither it nor a digest was given; "" beside a digest that stands alone */
	struct str digest;              /* "sha256:hex" or ""; where both are given, it says what is meant */
	struct str id;                  /* "sha256:hex" of an image that only a local engine knows, or "" */
	bool bare;                      /* no registry was written: Podman also looks for it under localhost/ */
};

/* NULL, or why it is none: a sentence's end, such as "the tag is longer than 128 characters". Parts are in the arena. */
const char *imageref_parse(struct arena *, struct str, struct imageref *out);
/* The whole name: "docker.io/library/busybox:latest", with the digest where there is one. Parsed again it is the same. */
struct str imageref_text(struct arena *, const struct imageref *);
/* "docker.io/library/busybox": without tag and digest. An id has none: {NULL}. */
struct str imageref_name(struct arena *, const struct imageref *);
/* Does the registry run on this machine: localhost, 127.0.0.0/8, [::1], with any port? */
bool imageref_is_loopback(struct str registry);

/* "linux/arm/v7", "arm64", "linux/x86_64": os/arch[/variant] after the OCI's names, "x86_64" and the like translated. */
struct platform { struct str os, arch, variant; };
const char *platform_parse(struct arena *, struct str, struct platform *out);   /* as imageref_parse */
struct str platform_text(struct arena *, const struct platform *);
/* arm64's v8 and arm's v7 are what no variant means. */
struct platform platform_normal(struct platform);
/* How well an image for `have` runs where `want` is asked for: 0 not, else the larger the better. arm runs lower variants. */
unsigned platform_fits(const struct platform *want, const struct platform *have);
