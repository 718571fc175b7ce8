/* ledger.h: what steps wrote in this workspace, with digests: the only files that cairn may ever
 * remove or replace without saving them first.
 *
 * An append-only journal in the workspace's state folder, compacted when most of it is dead. A torn
 * tail (kill -9, full disk) is cut off at the last whole record. A rename is journalled before it is
 * done, so that the next start puts it right. Not thread-safe. The writer holds the workspace lock. */
#pragma once

#include "base/err.h"
#include "plan/entry.h"

struct ledger;

/* In an entry's mode: written by a run with options of its own (-V), which another run's plan does not hold against it. */
#define LEDGER_OF_OPTIONS 0x8000

/* root: the workspace's folder. A journal of another format is discarded (and *fresh set). */
int ledger_open(struct ledger **, const char *path, int rootfd, bool *fresh, struct err *);
void ledger_close(struct ledger *);                     /* compacts when due */
/* What the step wrote last, sorted by path; false when nothing is known. The array and its texts stay as they
 * are until the ledger is closed, whatever the step writes later. */
bool ledger_outputs(const struct ledger *, struct str step, struct entries *out);
/* The step whose ledger holds path (a file or link, not a folder: those may be shared), {NULL} when none. */
struct str ledger_owner(const struct ledger *, struct str path);
int ledger_set(struct ledger *, struct str step, const struct entries *, struct err *);
int ledger_forget(struct ledger *, struct str step, struct err *);
/* Every step, in order of first appearance. */
size_t ledger_steps(const struct ledger *);
struct str ledger_step(const struct ledger *, size_t i);

/* Renames under way. These three are only noted: ledger_flush writes all notes at once and must have returned
 * before the first rename or staged file is made. What is settled may stay unwritten until the next write or
 * ledger_close: undoing it again finds nothing to undo.
 * A rename within the workspace that must be undone unless it is settled; `to` is a staged name. */
void ledger_moving(struct ledger *, struct str from, struct str to);
void ledger_staging(struct ledger *, struct str staged);   /* what must go unless settled; replaces a move to that name */
void ledger_settled(struct ledger *, struct str to_or_staged);
int ledger_flush(struct ledger *, struct err *);
/* Undoes what a killed run left; *n counts. Called under the lock, before anything else. */
int ledger_recover(struct ledger *, int rootfd, size_t *n, struct err *);
