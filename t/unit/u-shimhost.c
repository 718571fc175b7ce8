/* cairn-host from within steps of a real shim, answered by a controller of this test's own. */
#include "scratch.h"
#include "shimrig.h"

static struct arena arena;

/* What the controller here does for a call; a real one runs commands. */
struct answer {
	uint32_t call;
	struct buf words, input;
	bool eof, cat, gone;
	size_t flood;                   /* bytes still to be said */
	uint64_t flooded;
	int calls, ends;
};

static struct answer here;
static struct rig *rig;

static void flood(void)
{
	static char line[8192];
	size_t n, piece = sizeof(line);
	memset(line, 'f', sizeof(line));
	while (here.flood && (n = shimlink_host_output(rig->link, here.call, 1, (struct str){line, here.flood < piece ? here.flood : piece}))) {
		here.flood -= n;
		here.flooded += n;
	}
	if (!here.flood) {
		shimlink_host_output(rig->link, here.call, 1, S(""));
		shimlink_host_done(rig->link, here.call, SHIM_EXITED, 0, S(""));
	}
}

static void answer_cat(void)
{
	while (here.input.n) {
		size_t n = shimlink_host_output(rig->link, here.call, 1, buf_view(&here.input));
		if (!n)
			return;
		shimlink_host_taken(rig->link, here.call, n);
		rig_drop(&here.input, n);
	}
	if (here.eof)
		shimlink_host_done(rig->link, here.call, SHIM_EXITED, 0, S(""));
}

static void on_call(void *ctx, uint32_t call, char *const *argv, char *const *env, const char *cwd)
{
	(void)ctx, (void)env;
	here.call = call;
	here.calls++;
	here.eof = here.cat = here.gone = false;
	buf_clear(&here.words);
	buf_z(&here.words, cwd);
	for (char *const *a = argv; *a; a++)
		buf_fmt(&here.words, "|%s", *a);
	if (strcmp(argv[0], "say") == 0) {
		shimlink_host_output(rig->link, call, 1, S("out\n"));
		shimlink_host_output(rig->link, call, 2, S("err\n"));
		shimlink_host_done(rig->link, call, SHIM_EXITED, (uint32_t)atoi(argv[1]), S(""));
	} else if (strcmp(argv[0], "signal") == 0) {
		shimlink_host_done(rig->link, call, SHIM_SIGNALLED, SIGTERM, S(""));
	} else if (strcmp(argv[0], "refuse") == 0) {
		shimlink_host_done(rig->link, call, SHIM_NOT_STARTED, 0, S("not for you"));
	} else if (strcmp(argv[0], "flood") == 0) {
		here.flood = (size_t)atoi(argv[1]);
		here.flooded = 0;
		flood();
	} else {
		here.cat = strcmp(argv[0], "cat") == 0;
	}
}

static void on_input(void *ctx, uint32_t call, struct str bytes)
{
	(void)ctx, (void)call;
	here.eof |= !bytes.n;
	buf_str(&here.input, bytes);
	if (here.cat)
		answer_cat();
}

static void on_room(void *ctx, uint32_t call, int stream)
{
	(void)ctx, (void)call, (void)stream;
	if (here.cat)
		answer_cat();
	else
		flood();
}

static void on_gone(void *ctx, uint32_t call)
{
	(void)ctx;
	here.gone |= call == here.call;
	here.ends++;
}

static struct shimlink_calls calls;

static bool step(const char *script)
{
	const char *argv[4];
	struct shim_step s = rig_shell(str_fmt(&arena, "PATH=%s:$PATH; cd %s; %s", scratch_path, scratch_path, script).s, argv);
	s.flags |= STEP_HOST;
	buf_clear(&here.input);
	return rig_step(rig, &s);
}

static void answers(void)
{
	ok(step("cairn-host say 7 'a  b'; echo $?") && here.calls == 1, "a command reaches the controller");
	is_str(buf_view(&here.words), str_fmt(&arena, "%s|say|7|a  b", scratch_path).s, "with its folder and words");
	is_str(buf_view(&rig->stream[1]), "out\n7\n", "its output and status come back");
	is_str(buf_view(&rig->stream[2]), "err\n", "errors apart");
	ok(step("cairn-host signal; echo $?"), "one that a signal ended");
	is_str(buf_view(&rig->stream[1]), "143\n", "ends by it");
	ok(step("cairn-host refuse; echo $?"), "one that is refused");
	is_str(buf_view(&rig->stream[1]), "255\n", "fails");
	ok(strstr(rig->stream[2].s, "not for you") != NULL, "and says why");
	ok(step("cairn-host; echo $?") && str_is(buf_view(&rig->stream[1]), "255\n"), "none at all is a mistake");
	ok(step("printf '%070000d' 1 >long; cairn-host say 0 \"$(cat long)\" 2>/dev/null; echo $?") && str_is(buf_view(&rig->stream[1]), "255\n"),
	   "a longer one than the shim takes as well");
	ok(step("printf '%050000d' 1 >long; cairn-host say 3 \"$(cat long)\"; echo $?") && str_is(buf_view(&rig->stream[1]), "out\n3\n") &&
	   here.words.n > 50000, "one of 50 kB is none");
}

static void streams(void)
{
	ok(step("head -c 3000000 /dev/zero | tr '\\0' x | cairn-host cat | cksum; head -c 3000000 /dev/zero | tr '\\0' x | cksum") , "3 MB through a command");
	struct str all = buf_view(&rig->stream[1]), line;
	ok(str_cut(&all, '\n', &line) && str_eq(line, str_trim(all)) && line.n, "come back as they were");
	ok(step("cairn-host flood 2000000 | (sleep 0.2; wc -c)"), "a step that reads slowly");
	is_str(str_trim(buf_view(&rig->stream[1])), "2000000", "gets all of it");
	int before = here.calls;
	ok(step("for i in 1 2 3 4 5 6 7 8; do cairn-host say $i >/dev/null 2>&1 & done; wait") && here.calls == before + 8, "many at a time");
	ok(step("for i in $(seq 40); do cairn-host say 0 & done; wait") && rig->total[1] == 160, "more than there is room for wait for their turn");
}

static void over(void)
{
	ok(step("cairn-host flood 100000000 | head -c 10 | wc -c") && rig->total[1], "a step that stops listening");
	int before = here.ends;
	ok(step("cairn-host wait <&- & cairn-host say 0; exit 3") && rig->done.status == 3, "a call that nobody waits for");
	ok(here.ends > before, "is over with its step");
	ok(step("cairn-host wait & p=$!; cairn-host say 0; sleep 0.05; kill -9 $p; wait; cairn-host say 0") && here.ends >= before + 2, "or when cairn-host is killed");
	before = here.calls;
	ok(rig_sh(rig, str_fmt(&arena, "%s/cairn-host say 0; echo $?", scratch_path).s) && here.calls == before, "a step that may not gets nothing");
	is_str(buf_view(&rig->stream[1]), "255\n", "but an error");
	shimlink_host_output(rig->link, 12345, 1, S("x"));
	shimlink_host_done(rig->link, 12345, SHIM_EXITED, 0, S(""));
	ok(rig_sh(rig, "exit 4") && rig->done.status == 4, "what is said to a call that is over harms nothing");
}

static void cut(void)
{
	int cuts = rig->cuts;
	rig->cut_at = rig->moved + 10000;
	ok(step("for i in 1 2 3; do head -c 700000 /dev/zero | tr '\\0' x | cairn-host cat | cksum; done | uniq | wc -l"), "over a stream that is cut");
	is_str(str_trim(buf_view(&rig->stream[1])), "1", "nothing is lost or doubled");
	ok(rig->cuts > cuts + 5, "though it was");
	rig->cut_at = UINT64_MAX;
}

int main(void)
{
	struct rig r;
	signal(SIGPIPE, SIG_IGN);
	rig = &r;
	calls = rig_calls;
	calls.host_call = on_call, calls.host_input = on_input, calls.host_room = on_room, calls.host_gone = on_gone;
	here.words = here.input = (struct buf)BUF_INIT(16 << 20);
	for (int installed = 1; installed >= 0; installed--) {
		const char *program = rig_program(installed);
		scratch_make();
		sh("ln -s '%s' cairn-host", program);
		here.calls = here.ends = 0;
		rig_start_with(&r, program, NULL, false, &calls, RIG_SILENCE);
		answers();
		streams();
		over();
		cut();
		is_int(rig_finish(&r), 0, "the shim ends as it was told");
		ok(!r.brokens, "and the stream was never refused");
		scratch_remove();
	}
	buf_release(&here.words), buf_release(&here.input);
	arena_release(&arena);
	return done();
}
