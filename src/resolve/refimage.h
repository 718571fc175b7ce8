/* refimage.h: what the image references of a plan are: pinned by cairn.lock, or asked about (runtimes/identify.h).
 *
 * What the lock pins for the platform is not asked about, whatever the pull policy. Where it pins the reference's index but not
 * this platform, that index is asked, so that a tag that moved is not followed either. */
#pragma once

#include "resolve/imagelock.h"
#include "runtimes/identify.h"

struct refimages;

struct refimage {
	/* Of a pinned one only identity, ref, platform, create, pull and the digests are there. `pull` is "" under `never`. */
	struct image_found found;
	bool pinned;
};

/* The identifier stays the caller's. NULL: cairn.lock can't be read. */
struct refimages *refimages_open(int rootfd, struct identifier *, struct err *);
void refimages_close(struct refimages *);       /* NULL is fine */
/* whole: a pinned one is asked about as well, by its digest, so that all of found is there (for a build on it). Same answer for the
 * same question. -1: as image_identify. Lives as long as refimages. */
int refimages_ask(struct refimages *, const struct image_ask *, bool whole, const struct refimage **out, struct err *);
