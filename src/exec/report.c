#include "exec/report.h"

#include <stdlib.h>

bool report_is_bad(enum step_state s)
{
	return s == STATE_FAILED || s == STATE_TIMED_OUT || s == STATE_OOM || s == STATE_UNKNOWN;
}

static struct report_step *step_new(struct report *r, struct str name)
{
	struct report_step *s = arena_new(&r->arena, struct report_step);

	*s = (struct report_step){.name = str_dup(&r->arena, name), .output = BUF_INIT(BUF_UNLIMITED)};
	return s;
}

/* Keeps the end: cut once twice as much has come, so that each byte is moved at most once. */
static void take_output(struct report_step *s, struct str bytes)
{
	buf_str(&s->output, bytes);
	if (s->output.n < 2 * REPORT_OUTPUT_MAX)
		return;
	size_t from = s->output.n - REPORT_OUTPUT_MAX;

	memmove(s->output.s, s->output.s + from, REPORT_OUTPUT_MAX);
	s->output.n = REPORT_OUTPUT_MAX;
	s->dropped += from;
}

static void see_start(struct report *r, struct str name)
{
	if (!map_get(&r->running, name)) {
		struct report_step *s = step_new(r, name);

		*map_put(&r->running, s->name, NULL) = s;
	}
}

static void see_end(struct report *r, const struct event *e)
{
	struct report_step *s = map_get(&r->running, e->step);

	if (s)
		*map_put(&r->running, s->name, NULL) = NULL;
	else
		s = step_new(r, e->step);
	s->state = e->state;
	s->has_status = e->has_status;
	s->status = e->status;
	s->signal = e->signal;
	s->duration_ns = e->duration_ns;
	s->attempt = e->attempt;
	s->reason = str_dup(&r->arena, e->reason);
	if (!report_is_bad(s->state))
		buf_release(&s->output);
	vec_add(&r->steps, s);
}

void report_see(void *report, const struct event *e)
{
	struct report *r = report;
	struct report_step *s;

	switch (e->kind) {
	case EVENT_RUN_START:
		r->total = e->total;
		break;
	case EVENT_STEP_START:
		see_start(r, e->step);
		break;
	case EVENT_STEP_OUTPUT:
		if ((s = map_get(&r->running, e->step)))
			take_output(s, e->bytes);
		break;
	case EVENT_STEP_END:
		see_end(r, e);
		break;
	case EVENT_NOTE:
		if (e->warning)
			vec_add(&r->warnings, str_fmt(&r->arena, STR_FMT "%s" STR_FMT, STR_ARG(e->step), e->step.n ? ": " : "", STR_ARG(e->text)));
		break;
	case EVENT_RUN_END:
		memcpy(r->counts, e->counts, sizeof(r->counts));
		r->duration_ns = e->at_ns;
		r->over = true;
		break;
	}
}

void report_release(struct report *r)
{
	for (size_t i = 0; i < r->steps.n; i++)
		buf_release(&r->steps.v[i]->output);
	for (size_t i = 0; i < r->running.n; i++)
		if (r->running.entries[i].value)
			buf_release(&((struct report_step *)r->running.entries[i].value)->output);
	vec_free(&r->steps);
	vec_free(&r->warnings);
	map_release(&r->running);
	arena_release(&r->arena);
}

void report_phrase(const struct report_step *s, struct buf *b)
{
	buf_z(b, step_state_name(s->state));
	if (s->reason.n)
		buf_fmt(b, ": " STR_FMT, STR_ARG(s->reason));
	else if (s->signal)
		buf_fmt(b, ": signal %d", s->signal);
	else if (s->has_status)
		buf_fmt(b, ": exit status %d", s->status);
	if (s->attempt > 1)
		buf_fmt(b, " (after %u attempts)", s->attempt);
}

/* The length of an escape sequence at the start of s, which begins with ESC: CSI (ESC [ ... letter), OSC (ESC ] ... BEL or
 * ESC \), or two bytes. */
static size_t escape_len(struct str s)
{
	size_t n = 2;

	if (s.n < 2)
		return s.n;
	if (s.s[1] == '[') {
		while (n < s.n && !((uint8_t)s.s[n] >= 0x40 && (uint8_t)s.s[n] <= 0x7e))
			n++;
		return n < s.n ? n + 1 : n;
	}
	if (s.s[1] == ']') {
		while (n < s.n && s.s[n] != '\a' && !(s.s[n] == '\033'))
			n++;
		return n >= s.n ? n : s.s[n] == '\a' ? n + 1 : n + 2 > s.n ? s.n : n + 2;
	}
	return n;
}

void report_plain(struct buf *b, struct str text)
{
	while (text.n) {
		size_t skip = text.s[0] == '\033' ? escape_len(text) : text.s[0] == '\r' ? 1 : 0;

		if (skip) {
			text = str_from(text, skip);
			continue;
		}
		buf_c(b, text.s[0]);
		text = str_from(text, 1);
	}
}
