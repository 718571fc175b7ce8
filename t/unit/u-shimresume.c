/* A stream that is cut at random bytes, again and again: no status is ever wrong, no byte lost or doubled.
 * ROUNDS says how often (30), SEED with what. */
#include <time.h>

#include "shimrig.h"

struct check { uint64_t at[3]; bool wrong; };

static void check_lines(struct rig *r, int stream, struct str bytes)
{
	static const char line[] = "0123456789abcdef\n";
	struct check *c = r->user;
	for (size_t i = 0; i < bytes.n; i++, c->at[stream]++)
		c->wrong |= bytes.s[i] != line[c->at[stream] % 17];
}

/* Some steps over one shim. What went wrong, or NULL. */
static const char *steps(struct rig *r)
{
	char script[256];
	for (int i = 1 + (int)rig_random(4); i; i--) {
		struct check c = {{0}, false};
		unsigned out = (unsigned)rig_random(rig_random(3) ? 3000 : 3000000), err = (unsigned)rig_random(rig_random(3) ? 3000 : 400000);
		unsigned status = (unsigned)rig_random(256);
		r->user = &c;
		snprintf(script, sizeof(script), "yes 0123456789abcdef | head -c %u; yes 0123456789abcdef | head -c %u >&2; exit %u", out, err, status);
		if (!rig_sh(r, script))
			return "it never ended";
		if (r->done.kind != SHIM_EXITED || r->done.status != status)
			return "a wrong status";
		if (c.wrong || c.at[1] != out || c.at[2] != err)
			return "wrong output";
	}
	return NULL;
}

static int all_cuts;

static const char *round_trip(void)
{
	struct rig r;
	rig_start(&r, rig_program(true), NULL, false);
	r.keep = false;
	r.on_output = check_lines;
	r.cut_at = rig_random(5000);
	const char *wrong = steps(&r);
	all_cuts += r.cuts;
	if (!wrong && r.readies < 1)
		wrong = "it was never greeted";
	r.cut_at = UINT64_MAX;
	int cuts = r.cuts;
	if (rig_finish(&r) != 0 && !wrong)
		wrong = "the shim did not end as it was told";
	if (wrong)
		printf("# after %d cuts: %s (%s)\n", cuts, wrong, r.reason);
	return wrong;
}

/* The same link on the same bytes, sent twice over: what it has it refuses to take again. */
static void another(void)
{
	struct rig r;
	rig_start(&r, rig_program(true), NULL, false);
	rig_sh(&r, "echo x");
	struct shimlink *mine = r.link;
	r.link = shimlink_open(&rig_calls, &r, RIG_SILENCE, NULL);
	shimlink_connect(r.link, loop_now());
	int before = r.brokens;
	ok(rig_await(&r, &r.brokens, before) && strstr(r.reason, "another controller"), "a controller of another session is refused");
	shimlink_close(r.link);
	r.link = mine;
	shimlink_connect(r.link, loop_now());
	ok(rig_sh(&r, "exit 9") && r.done.status == 9, "the right one goes on");
	ok(rig_finish(&r) == 0, "to the end");
}

static void garbage(void)
{
	struct rig r;
	rig_start(&r, rig_program(true), NULL, false);
	rig_sh(&r, "echo x");
	buf_z(&r.to, "this is no frame of any kind");
	int before = r.brokens;
	ok(rig_await(&r, &r.brokens, before), "bytes that are no frame break the stream");
	shimlink_connect(r.link, loop_now());
	ok(rig_sh(&r, "exit 9") && r.done.status == 9, "and it goes on with the next");
	buf_z(&r.from, "neither is this, whatever it may be");
	rig_turn(&r);
	ok(r.brokens == before + 2, "so do bytes that come from the shim");
	shimlink_connect(r.link, loop_now());
	ok(rig_sh(&r, "exit 8") && r.done.status == 8, "and it goes on with the next");
	ok(rig_finish(&r) == 0, "to the end");
}

int main(void)
{
	const char *rounds = getenv("ROUNDS"), *seed = getenv("SEED");
	int wrong = 0, n = rounds ? atoi(rounds) : 30;
	signal(SIGPIPE, SIG_IGN);
	rig_seed = seed ? strtoull(seed, NULL, 10) : getenv("CI") ? 4711 : (uint64_t)time(NULL);
	printf("# SEED=%" PRIu64 " ROUNDS=%d\n", rig_seed, n);
	for (int i = 0; i < n && !wrong; i++)
		wrong += round_trip() != NULL;
	printf("# %d cuts\n", all_cuts);
	is_int(wrong, 0, "whatever is cut, each status is right, and each byte comes once");
	another();
	garbage();
	return done();
}
