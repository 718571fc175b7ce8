/* What steps say, in every order and with any bytes: the sinks that read events must stand it. Lines of an event file are JSON
 * that gives back each name and each byte, and the views of a person take whatever comes.
 * The first byte chooses the view. Then come events: an operation with a step, a length, that many bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/node.h"
#include "exec/event.h"
#include "exec/progress.h"
#include "sys/file.h"

#define STEPS 4
#define EVENTS 200

struct feed {
	struct str rest;
	struct str names[STEPS];        /* the input's own bytes, the step's number before */
	bool running[STEPS], ended[STEPS];
	struct event seen[EVENTS];
	size_t n;
	struct events events;
	struct arena *arena;
};

static unsigned byte(struct feed *f)
{
	unsigned b = f->rest.n ? (uint8_t)f->rest.s[0] : 0;

	f->rest = str_from(f->rest, f->rest.n ? 1 : 0);
	return b;
}

static struct str bytes(struct feed *f)
{
	size_t n = byte(f);
	struct str got = str_head(f->rest, n < f->rest.n ? n : f->rest.n);

	f->rest = str_from(f->rest, got.n);
	return got;
}

static void emit(struct feed *f, struct event e)
{
	events_emit(&f->events, &e);
	f->seen[f->n++] = e;
}

static void end_step(struct feed *f, unsigned step, unsigned how)
{
	static const struct digest key = {.algo = DIGEST_SHA256, .bytes = {7}};
	struct event e = {.kind = EVENT_STEP_END, .step = f->names[step], .state = STATE_RAN + how % STATE_UNKNOWN, .reason = bytes(f)};

	if (f->running[step]) {
		e.has_status = how & 16;
		e.status = how;
		e.signal = how & 32 ? 9 : 0;
		e.attempt = 1;
		e.duration_ns = how * 1000000007ull;
		e.key = how & 64 ? &key : NULL;
	}
	f->running[step] = false;
	f->ended[step] = true;
	emit(f, e);
}

static void one_event(struct feed *f)
{
	unsigned op = byte(f), step = op % STEPS, how = byte(f);

	switch (op / STEPS % 4) {
	case 0:
		if (f->ended[step] || f->running[step])
			return;
		f->running[step] = true;
		emit(f, (struct event){.kind = EVENT_STEP_START, .step = f->names[step], .reason = bytes(f), .attempt = 1, .console = how % 8 == 0});
		break;
	case 1:
		if (f->running[step])
			emit(f, (struct event){.kind = EVENT_STEP_OUTPUT, .step = f->names[step], .stream = 1 + how % 2, .bytes = bytes(f)});
		break;
	case 2:
		if (!f->ended[step])
			end_step(f, step, how);
		break;
	case 3:
		emit(f, (struct event){.kind = EVENT_NOTE, .text = bytes(f), .warning = how & 1, .step = how & 2 ? f->names[step] : (struct str){0}});
		break;
	}
}

static void all_events(struct feed *f, struct progress *p)
{
	struct event end = {.kind = EVENT_RUN_END};

	for (unsigned i = 0; i < STEPS; i++)
		f->names[i] = str_fmt(f->arena, "%u" STR_FMT, i, STR_ARG(bytes(f)));
	emit(f, (struct event){.kind = EVENT_RUN_START, .total = STEPS});
	while (f->rest.n && f->n < EVENTS - STEPS - 1) {
		one_event(f);
		if (f->n % 3 == 0)
			progress_tick(p);
	}
	for (unsigned i = 0; i < STEPS; i++)
		if (!f->ended[i])
			end_step(f, i, i);
	for (size_t i = 0; i < f->n; i++)
		end.counts[f->seen[i].kind == EVENT_STEP_END ? f->seen[i].state : 0]++;
	end.counts[0] = 0;
	emit(f, end);
}

static void same_text(struct arena *a, const struct node *line, const char *key, struct str want)
{
	const struct node *value = node_get(line, str_of(key));

	if (want.n ? !value || !str_eq(json_bytes(a, value->s), want) : value && value->s.n)
		BUG("an event says something else");
}

static void same_event(struct arena *a, const struct node *line, const struct event *e)
{
	same_text(a, line, "step", e->step);
	if (e->kind == EVENT_STEP_OUTPUT)
		same_text(a, line, "text", e->bytes);
	else if (e->kind == EVENT_NOTE)
		same_text(a, line, "text", e->text);
	else
		same_text(a, line, "reason", e->reason);
	if (e->kind == EVENT_STEP_END)
		same_text(a, line, "state", str_of(step_state_name(e->state)));
}

/* Each event is one line, and says what the event did. */
static void read_back(struct feed *f, struct str lines)
{
	struct str line;
	size_t n = 0;

	while (str_cut(&lines, '\n', &line)) {
		struct source source = {S("events"), line};
		struct node *doc;

		if (n == f->n || !str_starts(line, S("{\"event\":\"")) || json_read(f->arena, &source, &doc, NULL) < 0)
			BUG("a line that is no event");
		same_event(f->arena, doc, &f->seen[n++]);
	}
	if (n != f->n)
		BUG("an event that is lost");
}

static int memory(void)
{
	int fd = memfd_create("sink", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static bool is_goal(void *ctx, struct str step)
{
	return (uintptr_t)ctx >> (step.s[0] & 3) & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct feed f = {.rest = {(const char *)data, size}, .arena = &arena};
	unsigned view = byte(&f);
	int shown = memory(), said = view & 1 ? shown : memory(), kept = memory();
	char path[64];
	struct str lines;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	struct event_file *file = event_file_open(path, NULL);
	struct progress *p = progress_open(shown, said, view & 2, view & 4, (view >> 3) % 3, is_goal, (void *)(uintptr_t)(view >> 4));
	if (!file)
		abort();
	events_add(&f.events, event_file_see, file);
	events_add(&f.events, progress_see, p);
	all_events(&f, p);
	progress_close(p);
	if (event_file_close(file, NULL) < 0 || file_read(&arena, AT_FDCWD, path, 1u << 30, &lines, NULL) < 0)
		abort();
	read_back(&f, lines);
	close(kept);
	close(shown);
	if (said != shown)
		close(said);
	arena_release(&arena);
	return 0;
}
