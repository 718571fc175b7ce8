#include <fcntl.h>
#include <unistd.h>

#include "exec/event.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "tap.h"

static char path[] = "/tmp/cairn-u-event.XXXXXX";
static struct arena arena;

static struct str text(void)
{
	struct str s = {0};
	file_read(&arena, AT_FDCWD, path, 1 << 20, &s, NULL);
	return s;
}

static bool has(const char *line)
{
	return str_find(text(), str_of(line)) >= 0;
}

static void see(void *ctx, const struct event *e)
{
	size_t *n = ctx;
	*n += e->kind == EVENT_STEP_END;
}

int main(void)
{
	close(mkstemp(path));
	struct events events = {.start_ns = loop_now()};
	struct err err = ERR_INIT;
	size_t seen = 0;
	struct event_file *f = event_file_open(path, &err);
	events_add(&events, see, &seen);
	events_add(&events, event_file_see, f);

	events_emit(&events, &(struct event){.kind = EVENT_RUN_START, .total = 3});
	ok(has("{\"event\":\"run-start\",\"total\":3,\"at_ns\":"), "the start is written at once");
	events_emit(&events, &(struct event){.kind = EVENT_STEP_END, .step = S("a \"b\""), .state = STATE_HIT});
	ok(!has("step-end"), "a hit waits");
	events_emit(&events, &(struct event){.kind = EVENT_STEP_START, .step = S("c"), .reason = S("why")});
	ok(has("{\"event\":\"step-end\",\"step\":\"a \\\"b\\\"\",\"state\":\"hit\",\"at_ns\":"), "until something else happens");
	ok(has("{\"event\":\"step-start\",\"step\":\"c\",\"reason\":\"why\",\"at_ns\":"), "a start is written");
	events_emit(&events, &(struct event){.kind = EVENT_STEP_OUTPUT, .step = S("c"), .stream = 2, .bytes = S("\x1b \xff\n")});
	ok(has("\"stream\":\"stderr\",\"text\":\"\\u001b \\udcff\\n\",\"at_ns\":"), "output keeps every byte");
	struct digest key = {.algo = DIGEST_SHA256};
	events_emit(&events, &(struct event){.kind = EVENT_STEP_END, .step = S("c"), .state = STATE_TIMED_OUT, .has_status = true,
		.status = 0, .duration_ns = 5, .attempt = 2, .key = &key, .reason = S("slow")});
	ok(has("{\"event\":\"step-end\",\"step\":\"c\",\"state\":\"timed-out\",\"status\":0,\"attempt\":2,\"duration_ns\":5,"
	       "\"key\":\"sha256:00000000"), "an end has all that is known");
	events_emit(&events, &(struct event){.kind = EVENT_NOTE, .text = S("look"), .warning = true});
	ok(has("{\"event\":\"note\",\"level\":\"warning\",\"text\":\"look\",\"at_ns\":"), "a note is written");
	struct event end = {.kind = EVENT_RUN_END};
	end.counts[STATE_HIT] = 2;
	end.counts[STATE_FAILED] = 1;
	events_emit(&events, &end);
	ok(has("{\"event\":\"run-end\",\"counts\":{\"hit\":2,\"failed\":1},\"at_ns\":"), "the end counts");
	is_int(event_file_close(f, &err), 0, "closing works");
	is_int((long long)seen, 2, "every sink sees every event");

	f = event_file_open("/dev/full", &err);
	event_file_see(f, &(struct event){.kind = EVENT_RUN_START});
	ok(event_file_close(f, &err) < 0 && strstr(err.text, "/dev/full"), "what can't be written is told at the end");
	err_release(&err);
	ok(!event_file_open("/no/such/folder/f", &err) && err.text, "what can't be opened is told at once");
	err_release(&err);
	for (int s = STATE_NONE; s <= STATE_UNKNOWN; s++)
		if (!step_state_name((enum step_state)s)[0])
			ok(false, "state %d has a name", s);
	ok(step_state_ok(STATE_RESTORED) && !step_state_ok(STATE_CANCELLED), "states are good or bad");

	struct events quiet = {0};
	events_add(&quiet, see, &seen);
	struct event hit = {.kind = EVENT_STEP_END, .state = STATE_HIT};
	for (int i = 0; i < 100000; i++)
		events_emit(&quiet, &hit);
	is_int((long long)seen, 100002, "without an event file hits are only counted");
	unlink(path);
	arena_release(&arena);
	return done();
}
