/* snapshot-format.h: how a snapshot lies in its file; shared by what reads and what writes it. Private to this room. */
#pragma once

#include "resolve/snapshot.h"

#define SNAPSHOT_FORMAT 5
#define SNAPSHOT_MAGIC "cairnst"        /* with its NUL: 8 bytes */

struct span { uint64_t at, n; };        /* bytes from the file's start, count */

struct head {
	char magic[8];
	uint32_t format, quiet;
	struct xxh build;               /* of the program's own identity */
	struct xxh sum;                 /* of what a no-op reads: behind the head, up to the end of texts */
	struct xxh rest_sum;            /* of everything behind that */
	uint64_t hits, skipped;         /* steps */
	struct xxh head_sum;            /* of the head while this is zero */
	uint64_t size;
	uint64_t root_dev, root_ino;
	struct span folders, names, idents, kinds, env, asked, steps, digests, refs, outputs, images, texts, plan;
};

struct bytes { uint32_t at, n; };
struct folder { struct bytes path; struct ident ident; uint32_t first, n; uint32_t listed, pad; };
struct env_row { struct bytes name; struct xxh value; uint64_t set; };
struct asked_row { struct bytes text; struct xxh answer; uint64_t kind; };

struct output_row { uint64_t size; struct bytes link; uint32_t file; uint16_t mode; uint8_t type, pad; };

struct snapshot {
	const struct head *h;
	size_t size;
	struct plan plan;
	uint8_t *changed;               /* by file, after a check; heap */
	bool keys_changed;              /* something that any key may rest on */
	int whole;                      /* the rest was checked: 1 right, -1 wrong */
	uint32_t *row_of;               /* by step id: row in steps + 1; made on first use */
	struct str *folder_of;          /* by file; made on first use */
};

#define ROWS(s, section, type) ((const type *)((const char *)(s)->h + (s)->h->section.at))

static inline struct str text_of(const struct snapshot *s, struct bytes t) { return (struct str){ROWS(s, texts, char) + t.at, t.n}; }

/* A file's kind, whether any key may rest on it, and what the plan makes of it, in one byte. */
static inline unsigned kind_of(uint8_t k) { return k & 7; }
static inline bool any_key(uint8_t k) { return k & 8; }
static inline unsigned fact_of(uint8_t k) { return k >> 4; }

struct xxh snapshot_head_sum(const struct head *);
/* The path of a file in a folder, as watches name it. */
struct str snapshot_file_path(struct arena *, struct str folder, struct str name);
