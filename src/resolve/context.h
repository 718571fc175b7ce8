/* context.h: what a container build reads of its context folder: listed under the ignore rules, narrowed to what the
 * Containerfile can read, the same everywhere; its key; and the tar that is sent to the builder.
 *
 * The way to a key: cfile_parse; cfile_reach, which names the bases; their identities are found out; cfile_reach with them;
 * contextignore_choose and _read; context_read; context_key. What is sent to a builder that leaves no stage out (Docker's classic
 * one) is read with the needs of cfile_ask.every: it holds more than the key rests on.
 *
 * Owners, times and modes are normalised in both: files are 0644 or, with the owner's executable bit, 0755; folders 0755;
 * links 0777. So neither umask nor checkout nor the clock changes a key or an image. */
#pragma once

#include "resolve/containerfile.h"
#include "resolve/content.h"
#include "resolve/contextignore.h"
#include "resolve/listing.h"
#include "sys/archive.h"

struct context_file {
	struct entry entry;             /* path below the context; a link has no digest: it is copied, not followed */
	struct ident ident;             /* under which it was looked at */
	bool racy;
};

struct context {
	struct str dir;
	struct context_file *files;
	size_t n;                       /* by path: a folder comes before what it holds */
	struct cfile_why whole;         /* why it was not narrowed; {NULL}: it was */
};

struct context_ask {
	struct str dir;                 /* workspace-relative ("" is the workspace) or absolute */
	const struct contextignore *ignore;
	const struct cfile_needs *needs;
	/* Is it no part of the context though it is there (what an earlier run left)? The path is as dir is. May be NULL. */
	bool (*hidden)(void *ctx, struct str path);
	void *ctx;
	unsigned threads;               /* that read ahead */
};

/* Lists and hashes. .dockerignore and .containerignore at the context's root are never part of it, nor are sockets; devices and
 * pipes are refused. A source that is a link, or is reached through one, makes the whole context count. What was looked at is in
 * the listing's `looked` (folders) and in the files' identities. */
int context_read(struct arena *, struct listing *, struct content *, const struct context_ask *, struct context *, struct err *);

/* The manifest (plan/manifest.h) whose SHA-256 is the key of the image: the Containerfile, its target, platform, arguments and
 * bases, and the context. Tags: doc/containerfiles.md. -1 when the needs say that it can't be kept. */
int context_key(const struct cfile_needs *, struct str containerfile, struct str platform, const struct context *, struct buf *manifest,
		struct digest *key, struct err *);

/* In the tar, the Containerfile; an ignore file beside it leaves out just those two, so that COPY takes neither. */
#define CONTEXT_CONTAINERFILE ".cairn~Containerfile"
/* Of everything in the tar: the second day of 1980, which zip files can hold in every time zone. */
#define CONTEXT_MTIME 315619200

/* The same bytes for the same files. A file that is no longer what was listed is an error. */
int context_tar(const struct context *, int rootfd, struct str containerfile, tar_sink *, void *ctx, struct err *);
