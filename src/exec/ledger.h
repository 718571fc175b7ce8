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

/* root: the workspace's folder. A journal of another format is discarded (and *fresh set). */
int ledger_open(struct ledger **, const char *path, int rootfd, bool *fresh, struct err *);
void ledger_close(struct ledger *);                     /* compacts when due */
/* What the step wrote last; false when nothing is known. Valid until the next change of that step. */
bool ledger_outputs(const struct ledger *, struct str step, struct entries *out);
/* The step whose ledger holds path, {NULL} when none. */
struct str ledger_owner(const struct ledger *, struct str path);
int ledger_set(struct ledger *, struct str step, const struct entries *, struct err *);
int ledger_forget(struct ledger *, struct str step, struct err *);
/* Every step, in order of first appearance. */
size_t ledger_steps(const struct ledger *);
struct str ledger_step(const struct ledger *, size_t i);

/* A rename within the workspace that must be undone unless it is settled. */
int ledger_moving(struct ledger *, struct str from, struct str to, struct err *);
int ledger_staging(struct ledger *, struct str staged, struct err *);   /* a file that must go unless settled */
int ledger_settled(struct ledger *, struct str to_or_staged, struct err *);
/* Undoes what a killed run left; *n counts. Called under the lock, before anything else. */
int ledger_recover(struct ledger *, int rootfd, size_t *n, struct err *);
