/* content.h: what is in a file, read at most once: identities spare the reading, content decides.
 * A digest is trusted for an identity only if both times are strictly older than the file system's
 * clock when the content was read (git's racy rule); otherwise it is read again next time. A file on another
 * file system than the workspace must be CONTENT_MARGIN older, since that one's clock is not asked. */
#pragma once

#include "plan/entry.h"
#include "sys/file.h"

#define CONTENT_MARGIN 10000000000      /* ns */

struct content;
/* The clock is that of the file system of rootfd; where nothing can be made there, nothing is trusted. cache_file is absolute. */
struct content *content_open(struct arena *, int rootfd, struct str root, const char *cache_file, struct err *);
/* Writes the stat cache beside and renames, if anything was learnt. */
int content_save(struct content *, struct err *);
void content_close(struct content *);
/* Fills entry (path may be absolute) and, if not NULL, the identity it was read under and whether that is racy.
 * A LINK's digest is what it points to (file: content; folder: a digest of all it holds; dangling: none).
 * A file that is neither (socket, device) is -1. Absent: type ENTRY_ABSENT, returns 0.
 * Nothing is looked at twice, until it is forgotten. */
int content_entry(struct content *, struct str path, struct entry *out, struct ident *ident, bool *racy, struct err *);
/* What the digest of a link rests on besides the link itself: the links it leads through, the file at their end, or the
 * folder (listed) and all it holds but .git; what is absent has mode 0. Only after content_entry of it. */
struct content_behind { struct str path; struct ident ident; bool listed; };
const struct content_behind *content_behind(const struct content *, struct str path, size_t *n);
/* Reads many ahead with worker threads, so that content_entry finds them. Errors are kept for then. */
void content_prefetch(struct content *, const struct str *paths, size_t n, unsigned threads);
/* Teaches it a digest that was made elsewhere (a step's output, hashed while it was stored). Racy unless the identity is
 * older than content_open. */
void content_tell(struct content *, struct str path, const struct ident *, const struct digest *);
/* Forgets path, and what a link leads to: it will be looked at again (it was written during the run). */
void content_forget(struct content *, struct str path);
/* Looks again at everything that was racy and is no longer, so that the next run need not; *moved counts what turned
 * out to have other content than before, or is racy still. */
int content_settle(struct content *, size_t *moved, struct err *);
/* Files read and bytes hashed so far, for reports and tests. */
void content_counts(const struct content *, uint64_t *files, uint64_t *bytes);
