/* event.h: the one stream of what happens, from which progress, reports and tests are made. JSON lines
 * after schemas/events.schema.json, compact, exactly one step-end a step. */
#pragma once

#include "base/digest.h"
#include "base/err.h"

enum step_state {                       /* final states, see doc/cairn.1 */
	STATE_NONE, STATE_RAN, STATE_HIT, STATE_RESTORED, STATE_SKIPPED, STATE_BLOCKED, STATE_FAILED,
	STATE_TIMED_OUT, STATE_OOM, STATE_CANCELLED, STATE_LEFT, STATE_UNKNOWN,
};
const char *step_state_name(enum step_state);
bool step_state_ok(enum step_state);    /* ran, hit, restored, skipped */

enum event_kind { EVENT_RUN_START, EVENT_STEP_START, EVENT_STEP_OUTPUT, EVENT_STEP_END, EVENT_NOTE, EVENT_RUN_END };

struct event {
	enum event_kind kind;
	uint64_t at_ns;                 /* since the run began; of a hit only when an event file wants it */
	struct str step;
	/* STEP_END */
	enum step_state state;
	bool has_status; int status;    /* exit status 0-255 */
	int signal;                     /* or the signal, 0 none */
	uint64_t duration_ns;
	const struct digest *key;       /* NULL: none */
	struct str reason;              /* why it ran, was skipped, blocked or failed: a clause */
	uint32_t attempt;
	/* STEP_START, too: reason, attempt */
	bool console;                   /* it is given the terminal */
	/* STEP_OUTPUT */
	int stream; struct str bytes;
	/* NOTE: a warning or a remark for the user; step may be empty */
	struct str text; bool warning;
	/* RUN_START: total; RUN_END: counts */
	size_t total;
	size_t counts[STATE_UNKNOWN + 1];
};

struct event_sink { void (*see)(void *ctx, const struct event *); void *ctx; };
/* start_ns: loop_now() when the run began. */
struct events { struct event_sink sinks[6]; size_t n; uint64_t start_ns; bool timed; };
void events_add(struct events *, void (*see)(void *ctx, const struct event *), void *ctx);
void events_emit(struct events *, struct event *);      /* fills at_ns */

/* A sink that writes JSON lines, at once but for those of steps that nothing was done for: these wait for the next other
 * one, so that a write(2) takes many. What can't be written is told at the end. A closed pipe is such a fault: SIGPIPE
 * must be ignored. */
struct event_file;
struct event_file *event_file_open(const char *path, struct err *);     /* "-": standard output */
void event_file_see(void *file, const struct event *);
int event_file_close(struct event_file *, struct err *);
