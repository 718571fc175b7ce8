/* imagelock.h: cairn.lock, which stands beside the root spec and is committed: what each image reference of the spec meant when
 * `cairn update` last asked. What it pins is not asked about, and a tag that moves is not followed. Only `cairn update` writes it.
 *
 * The file is YAML with one value a line and everything in byte order, so that changes to different images merge:
 *
 *	lock: 1
 *	images:
 *	  docker.io/library/busybox:1.36:       # the whole name (imageref_text)
 *	    index: sha256:...                   # where it leads to an index
 *	    linux/amd64:                        # platform_text
 *	      manifest: sha256:...
 *	      config: sha256:...                # the id that Docker's classic store and Podman give the image
 *	      identity: sha256:...              # what enters keys (runtimes/imageid.h) */
#pragma once

#include "base/digest.h"
#include "base/imageref.h"
#include "base/vec.h"
#include "base/err.h"

#define IMAGELOCK_FILE "cairn.lock"
#define IMAGELOCK_MAX (16u << 20)       /* bytes */

struct imagelock_pin { struct str platform; struct digest manifest, config, identity; };
struct imagelock_image {
	struct str ref;
	struct digest index;            /* DIGEST_NONE: the name leads to a manifest */
	VEC(struct imagelock_pin) pins;
};
/* Texts are in the arena given to imagelock_read or imagelock_set. Start with {0}. */
struct imagelock { VEC(struct imagelock_image) images; };

/* 1 read, 0 there is none, -1: located mistakes, or it could not be read. */
int imagelock_read(struct arena *, int rootfd, struct imagelock *out, struct err *);
int imagelock_parse(struct arena *, struct str text, struct imagelock *out, struct err *);
void imagelock_release(struct imagelock *);

/* NULL: not there. Valid until the next set. */
struct imagelock_image *imagelock_find(const struct imagelock *, struct str ref);
/* The pin for a platform: of that text, or of another that means the same. */
const struct imagelock_pin *imagelock_pin(const struct imagelock_image *, const struct platform *);

/* Says what ref is on a platform. Pins of other platforms stay if the index is the same, and are forgotten otherwise. */
void imagelock_set(struct arena *, struct imagelock *, struct str ref, const struct digest *index, const struct imagelock_pin *);
void imagelock_remove(struct imagelock *, struct str ref);
void imagelock_text(const struct imagelock *, struct buf *out);
int imagelock_write(int rootfd, const struct imagelock *, struct err *);
