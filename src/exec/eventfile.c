/* Events as JSON lines: event_file of event.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "exec/event.h"
#include "sys/file.h"

#define KEEP_MAX (64u << 10)            /* written when that much has come */

struct event_file {
	int fd;
	bool ours;                      /* fd is to be closed */
	char *path;
	struct buf lines;
	struct err fault;               /* the first one; told at the end */
};

struct event_file *event_file_open(const char *path, struct err *err)
{
	bool ours = strcmp(path, "-") != 0;
	int fd = ours ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666) : STDOUT_FILENO;
	if (fd < 0) {
		err_errno(err, "unable to open the event file %s", path);
		return NULL;
	}
	struct event_file *f = xcalloc(1, sizeof(*f));
	*f = (struct event_file){.fd = fd, .ours = ours, .path = strdup(path), .lines = BUF_INIT(BUF_UNLIMITED)};
	return f;
}

static void flush(struct event_file *f)
{
	if (!err_any(&f->fault) && file_write_all(f->fd, f->lines.s, f->lines.n) < 0)
		err_errno(&f->fault, "unable to write events to %s", f->ours ? f->path : "standard output");
	buf_clear(&f->lines);
}

int event_file_close(struct event_file *f, struct err *err)
{
	flush(f);
	if (f->ours && close(f->fd) < 0 && !err_any(&f->fault))
		err_errno(&f->fault, "unable to write events to %s", f->path);
	int status = err_any(&f->fault) ? -1 : 0;
	if (status < 0 && err)
		err_move(err, &f->fault);
	err_release(&f->fault);
	buf_release(&f->lines);
	free(f->path);
	free(f);
	return status;
}

/* --- lines --- */

static void optional(struct json *j, const char *key, struct str text)
{
	if (text.n)
		json_kstr(j, key, text);
}

static void end_line(struct json *j, const struct event *e)
{
	json_kstr(j, "state", str_of(step_state_name(e->state)));
	if (e->has_status)
		json_kint(j, "status", e->status);
	if (e->signal)
		json_kint(j, "signal", e->signal);
	if (e->attempt)
		json_kint(j, "attempt", e->attempt);
	if (e->duration_ns)
		json_kint(j, "duration_ns", (int64_t)e->duration_ns);
	if (e->key) {
		char text[DIGEST_TEXT_MAX];
		json_kstr(j, "key", str_of(digest_text(e->key, text)));
	}
	optional(j, "reason", e->reason);
}

static void counts_line(struct json *j, const struct event *e)
{
	json_key(j, "counts");
	json_open(j, '{');
	for (int state = STATE_RAN; state <= STATE_UNKNOWN; state++)
		if (e->counts[state])
			json_kint(j, step_state_name(state), (int64_t)e->counts[state]);
	json_close(j, '}');
}

static void body(struct json *j, const struct event *e)
{
	switch (e->kind) {
	case EVENT_RUN_START:
		json_kint(j, "total", (int64_t)e->total);
		break;
	case EVENT_STEP_START:
		if (e->attempt)
			json_kint(j, "attempt", e->attempt);
		optional(j, "reason", e->reason);
		break;
	case EVENT_STEP_OUTPUT:
		json_kstr(j, "stream", e->stream == 1 ? S("stdout") : S("stderr"));
		json_kstr(j, "text", e->bytes);
		break;
	case EVENT_STEP_END:
		end_line(j, e);
		break;
	case EVENT_NOTE:
		json_kstr(j, "level", e->warning ? S("warning") : S("remark"));
		json_kstr(j, "text", e->text);
		break;
	case EVENT_RUN_END:
		counts_line(j, e);
		break;
	}
}

/* Steps that nothing was done for come by the thousand and may wait; whatever else happens is written at once, so that
 * who follows the file sees it. */
static bool may_wait(const struct event *e)
{
	return e->kind == EVENT_STEP_END && !e->has_status && !e->signal && (step_state_ok(e->state) || e->state == STATE_BLOCKED);
}

void event_file_see(void *file, const struct event *e)
{
	static const char *const kinds[] = {
		[EVENT_RUN_START] = "run-start", [EVENT_STEP_START] = "step-start", [EVENT_STEP_OUTPUT] = "step-output",
		[EVENT_STEP_END] = "step-end", [EVENT_NOTE] = "note", [EVENT_RUN_END] = "run-end",
	};
	struct event_file *f = file;
	struct json j = {.out = &f->lines};
	json_open(&j, '{');
	json_kstr(&j, "event", str_of(kinds[e->kind]));
	optional(&j, "step", e->step);
	body(&j, e);
	json_kint(&j, "at_ns", (int64_t)e->at_ns);
	json_close(&j, '}');
	buf_c(&f->lines, '\n');
	if (!may_wait(e) || f->lines.n >= KEEP_MAX)
		flush(f);
}
