#include <fcntl.h>
#include <unistd.h>

#include "exec/progress.h"
#include "exec/termtext.h"
#include "sys/file.h"
#include "tap.h"

static struct arena arena;
static int out, err;
static struct progress *p;

static int scratch(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static struct str all(int fd)
{
	static char text[1 << 20];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	return str_dup(&arena, (struct str){text, n > 0 ? (size_t)n : 0});
}

static bool is_goal(void *ctx, struct str step)
{
	(void)ctx;
	return str_starts(step, S("goal"));
}

/* one: both streams are the same file, as on a terminal. */
static void begin(bool one, bool live, enum verbosity verbosity)
{
	out = scratch();
	err = one ? fcntl(out, F_DUPFD_CLOEXEC, 3) : scratch();
	p = progress_open(out, err, live, false, verbosity, is_goal, NULL);
	progress_see(p, &(struct event){.kind = EVENT_RUN_START, .total = 4});
}

static void end(void)
{
	progress_close(p);
	close(out);
	close(err);
}

static void start(const char *step)
{
	progress_see(p, &(struct event){.kind = EVENT_STEP_START, .step = str_of(step)});
}

static void say(const char *step, int stream, const char *text)
{
	progress_see(p, &(struct event){.kind = EVENT_STEP_OUTPUT, .step = str_of(step), .stream = stream, .bytes = str_of(text)});
}

static void ended(const char *step, enum step_state state, const char *reason)
{
	progress_see(p, &(struct event){.kind = EVENT_STEP_END, .step = str_of(step), .state = state, .reason = str_of(reason)});
}

static void plain(void)
{
	begin(false, false, PROGRESS_NORMAL);
	start("dep");
	say("dep", 1, "noise\n");
	ended("dep", STATE_RAN, "");
	ended("old", STATE_HIT, "");
	start("goal");
	say("goal", 1, "half ");
	is_str(all(out), "half ", "a goal's output streams");
	say("goal", 2, "warn\n");
	say("goal", 1, "line\n");
	ended("goal", STATE_RAN, "");
	is_str(all(out), "half line\n", "and is all there is on standard output");
	is_str(all(err), "ran dep\nwarn\nran goal\n", "steps that did something get a line, hits none");
	end();

	begin(true, false, PROGRESS_NORMAL);
	start("dep");
	say("dep", 1, "noise\n");
	say("dep", 2, "why");
	ended("dep", STATE_FAILED, "exit status 1");
	is_str(all(out), "failed dep: exit status 1\nnoise\nwhy", "the output of a failed step is shown whole");
	struct event e = {.kind = EVENT_RUN_END};
	e.counts[STATE_FAILED] = 1;
	e.counts[STATE_HIT] = 3;
	progress_see(p, &e);
	ok(str_find(all(out), S("why\nfailed: dep: exit status 1; its output: cairn log dep\ncairn: 4 steps: 1 failed, 3 hit in ")) >= 0,
	   "it is named again at the end, failures first");
	end();
}

static void several(void)
{
	begin(true, false, PROGRESS_NORMAL);
	start("goal1");
	start("goal2");
	say("goal2", 1, "two a\n");
	say("goal1", 1, "one a\n");
	say("goal2", 1, "two b");
	is_str(all(out), "two a\ntwo b", "one goal streams, the other waits");
	ended("goal2", STATE_RAN, "");
	is_str(all(out), "two a\ntwo b\nran goal2\n--- goal1\none a\n", "then comes the other, named");
	say("goal1", 1, "one b\n");
	ok(str_ends(all(out), S("one a\none b\n")), "and streams");
	end();
	begin(true, false, PROGRESS_QUIET);
	start("dep");
	ended("dep", STATE_RAN, "");
	progress_see(p, &(struct event){.kind = EVENT_NOTE, .text = S("remark")});
	progress_see(p, &(struct event){.kind = EVENT_NOTE, .text = S("warned"), .warning = true});
	progress_see(p, &(struct event){.kind = EVENT_RUN_END});
	is_str(all(out), "cairn: warning: warned\n", "quiet says only what is wrong");
	end();
	begin(true, false, PROGRESS_VERBOSE);
	progress_see(p, &(struct event){.kind = EVENT_STEP_START, .step = S("dep"), .reason = S("a.c changed")});
	say("dep", 1, "x\n");
	ended("old", STATE_HIT, "");
	is_str(all(out), "start dep: a.c changed\nx\nhit old\n", "verbose says all");
	end();
}

/* "  dep  0.02s" becomes "  dep  T": how long it took depends on the machine. */
static void hide_time(char *line)
{
	size_t n = strlen(line), from = n;
	if (n && line[n - 1] == 's')
		for (from = n - 1; from && strchr("0123456789.ms", line[from - 1]); from--)
			;
	if (n - from > 1)
		strcpy(line + from, "T");
}

/* What a terminal shows of text: enough of ECMA-48 for what we write. 24 lines are never exceeded here. */
static struct str screen(struct str text)
{
	char lines[64][256] = {{0}};
	size_t row = 0, col = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] == '\n') {
			row++;
			col = 0;
		} else if (text.s[i] == '\r') {
			col = 0;
		} else if (text.s[i] == '\033') {
			size_t n = strtoul(text.s + i + 2, NULL, 10);
			while (!strchr("AJKm", text.s[++i]) || text.s[i] == '[')
				;
			if (text.s[i] == 'A')
				row = n < row ? row - n : 0;
			if (text.s[i] == 'J')
				memset(lines[row], 0, (64 - row) * 256);
		} else {
			lines[row][col++] = text.s[i];
		}
	}
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i <= row; i++)
		hide_time(lines[i]);
	for (size_t i = 0; i <= row; i++)
		buf_fmt(&b, "%s%s", lines[i], i < row ? "\n" : "");
	struct str s = str_dup(&arena, buf_view(&b));
	buf_release(&b);
	return s;
}

static void live(void)
{
	for (int one = 0; one <= 1; one++) {
		begin(one, true, PROGRESS_NORMAL);
		start("dep");
		is_str(all(err), "", "nothing is drawn before the first tick");
		progress_tick(p);
		is_str(screen(all(err)), "  dep  T\n0/4 done, 1 running  T\n", "what runs is shown");
		say("dep", 1, "hidden\n");
		start("goal");
		say("goal", 1, "half");
		progress_tick(p);
		ok(str_find(all(out), S("half")) < 0, "an unfinished line waits");
		say("goal", 1, " line\nnext");
		if (one)
			is_str(screen(all(err)), "half line\n  dep  T\n  goal  T\n0/4 done, 2 running  T\n",
			       "output stands above the view");
		else
			is_str(all(out), "half line\n", "output has its own stream");
		ended("old", STATE_HIT, "");
		ended("dep", STATE_RAN, "");
		progress_tick(p);
		is_str(str_from(screen(all(err)), one ? 10 : 0), "  goal  T\n2/4 done, 1 hit, 1 running  T\n",
		       "what ended is gone");
		progress_suspend(p);
		progress_tick(p);
		is_str(str_from(screen(all(err)), one ? 10 : 0), "", "suspended, there is no view");
		progress_resume(p);
		progress_tick(p);
		ended("goal", STATE_FAILED, "exit status 2");
		if (one)
			ok(str_starts(screen(all(err)), S("half line\nnext\nfailed goal: exit status 2\n")),
			   "its unfinished line comes at its end");
		progress_see(p, &(struct event){.kind = EVENT_RUN_END});
		struct str last = screen(all(err));
		ok(str_find(last, S("running")) < 0 && str_find(last, S("cairn: 4 steps in ")) >= 0, "at the end the view is gone");
		end();
	}
	begin(true, true, PROGRESS_NORMAL);
	for (int i = 0; i < 40; i++)
		start(str_fmt(&arena, "step%d", i).s);
	start("with a very long name that does not fit into the eighty columns of a terminal at all, by far");
	progress_tick(p);
	struct str view = screen(all(out));
	size_t lines = 0;
	for (size_t i = 0; i < view.n; i++)
		lines += view.s[i] == '\n';
	is_int((long long)lines, 12, "the view takes no more than half of the terminal");
	ok(str_find(view, S("  and 31 more\n")) >= 0, "and says what it leaves out");
	end();
}

static void clip_is(const char *text, size_t cols, const char *want, size_t used)
{
	struct buf b = BUF_INIT(1000);
	size_t n = term_clip(&b, str_of(text), cols);
	is_str(buf_view(&b), want, "\"%s\" in %zu columns", text[0] == '\033' ? "ESC..." : text, cols);
	is_int((long long)n, (long long)used, "takes %zu", used);
	buf_release(&b);
}

static void texts(void)
{
	clip_is("abc", 3, "abc", 3);
	clip_is("abcd", 3, "ab…", 3);
	clip_is("abcd", 0, "", 0);
	clip_is("héé", 3, "héé", 3);
	clip_is("日本語", 6, "日本語", 6);
	clip_is("日本語", 5, "日本…", 5);
	clip_is("日本語", 4, "日…", 3);
	clip_is("\033[31m", 9, "?[31m", 5);
	clip_is("a\xff\xc3", 9, "a??", 3);
	clip_is("e\u0301x", 2, "e\u0301x", 2);
	char time[TERM_TIME_MAX];
	is_str(str_of(term_time(120000000, time)), "0.12s", "a short time");
	is_str(str_of(term_time(4100000000, time)), "4.1s", "a time");
	is_str(str_of(term_time(59990000000, time)), "59.9s", "almost a minute");
	is_str(str_of(term_time(125000000000, time)), "2m05s", "minutes");
	is_str(str_of(term_time(3720000000000, time)), "1h02m", "hours");
	struct buf b = BUF_INIT(100);
	term_quote(&b, S("a/b.c"));
	buf_c(&b, ' ');
	term_quote(&b, S("it's[x=1]"));
	is_str(buf_view(&b), "a/b.c 'it'\\''s[x=1]'", "words are quoted for a shell where they must be");
	buf_release(&b);
}

int main(void)
{
	plain();
	several();
	live();
	texts();
	arena_release(&arena);
	return done();
}
