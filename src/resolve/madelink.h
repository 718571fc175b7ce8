/* madelink.h: what a link that a step made stands for, besides its text: another step's output as it was when the link was
 * made (it may not be on disk yet); anything else as it is now, for nobody else would see it change; of a folder outside the
 * workspace the text is all, for that is no step's output and may be of any size. */
#pragma once

#include "resolve/walk.h"

/* Does what is at path, workspace-relative, lead to a folder outside? */
bool madelink_leads_out(int rootfd, struct str root, struct str path);
/* Gives a link of a need's record the digest of what it leads to now; what that rests on joins the probe. */
int madelink_now(struct walk *, struct probe *, struct entry *, struct err *);
