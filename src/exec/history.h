/* history.h: what each step's last run in this workspace came to: key, state, reason. What `explain`,
 * `log` and `status` compare with. One file, replaced by rename after a run that did something. */
#pragma once

#include "base/map.h"
#include "exec/event.h"

struct history_step {
	struct digest key;              /* of the last success; DIGEST_NONE: never succeeded */
	enum step_state state;          /* of the last run */
	int64_t when_ns;                /* wall clock */
	uint64_t duration_ns;
	int32_t status, signal;
	struct digest log;              /* blob in the store; DIGEST_NONE: none, or a failed step's: see log_file */
	struct str log_file;            /* file in the state folder with the frames of a run that left no result; "" */
	struct str reason;
};

struct history { struct arena *arena; struct map steps; };      /* name -> struct history_step * */

/* A damaged or absent file is an empty history. */
int history_read(struct arena *, const char *path, struct history *, struct err *);
void history_set(struct history *, struct str step, const struct history_step *);
const struct history_step *history_get(const struct history *, struct str step);
int history_write(const struct history *, const char *path, struct err *);
void history_release(struct history *);
