/* ledger-table.h: the ledger in memory, shared by ledger*.c alone. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "exec/ledger.h"

struct ledger_step {
	struct str name;
	struct str encoded;             /* frame_entries of what it wrote */
	struct entries outputs;         /* decoded on first use */
	bool known, decoded;
};

/* from.s NULL: a staged file. done: settled. */
struct ledger_pending { struct str from, to; bool done; };

struct ledger {
	char *path;
	uint64_t dev, ino;              /* of the workspace's folder */
	struct arena arena;             /* the journal as read, and all that was added */
	struct map steps;               /* name -> ledger_step, forgotten ones too */
	VEC(struct ledger_step *) order;        /* known ones */
	struct map owners;              /* path -> ledger_step or NULL; filled on first use */
	bool has_owners;
	VEC(struct ledger_pending) pending;     /* in order; emptied when all are settled */
	size_t npending;                /* not settled */
	struct map by_name;             /* to -> index + 1 into pending */

	struct buf notes;               /* frames not yet written */
	int fd;                         /* -1 until the first write */
	uint64_t end;                   /* of the last whole frame in the file; 0: the file must be made anew */
	uint64_t live;                  /* bytes of frames that still count */
	bool wrote;
};

/* ledger-file.c */
/* Reads the journal into the arena; end is set behind its head, or 0 when it is absent or of another format or folder. */
int ledger_load(struct ledger *, bool *fresh, struct str *image, struct err *);
/* Appends the notes, which are empty afterwards in any case. */
int ledger_write(struct ledger *, struct err *);
/* Writes it anew when most of it is dead; only for one who wrote and so holds the lock. */
int ledger_compact(struct ledger *, struct err *);
