#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/replay.h"
#include "cli/runner.h"
#include "cli/session.h"

#define JOBS_UNSAID INT64_MIN

struct run_words {
	struct common common;
	struct plan_words plan;
	struct runner_options runner;
	int64_t jobs;
	bool keep_going, dry_run, quiet;
	int verbose;
	struct str force, events, junit;
};

static int check_words(struct run_words *w, struct err *err)
{
	struct runner_options *o = &w->runner;

	if (w->jobs != JOBS_UNSAID && (w->jobs < 1 || w->jobs > 65536))
		return err_set(err, ERR_USAGE, "-j %lld: expected a number from 1 to 65536", (long long)w->jobs);
	o->jobs = w->jobs == JOBS_UNSAID ? 0 : w->jobs;
	o->keep_going = w->keep_going;
	o->dry_run = w->dry_run;
	o->verbosity = w->quiet ? PROGRESS_QUIET : w->verbose ? PROGRESS_VERBOSE : PROGRESS_NORMAL;
	o->events = w->events;
	o->junit = w->junit;
	o->color = color_wanted(&w->common, STDOUT_FILENO);
	if (w->junit.s && w->dry_run)
		return err_set(err, ERR_USAGE, "--junit: a dry run runs nothing that could be told");
	if (!w->force.s)
		return 0;
	if (w->force.n && !str_is(w->force, "all"))
		return err_set(err, ERR_USAGE, "--force=" STR_FMT ": expected --force or --force=all", STR_ARG(w->force));
	o->force = str_is(w->force, "all") ? FORCE_ALL : FORCE_GOALS;
	return 0;
}

/* Without a goal that could have such a param, it can only be a misspelled option. */
static int check_unknown(struct arena *a, const struct opt *options, size_t n, const struct opt_rest *rest,
			 struct err *err)
{
	struct str *names = arena_array(a, n, struct str), name, near;
	struct str word = rest->unknown.n ? rest->unknown.v[0] : (struct str){0};

	if (!rest->unknown.n || rest->words.n)
		return 0;
	for (size_t i = 0; i < n; i++)
		names[i] = str_of(options[i].long_name);
	name = str_head(word, (size_t)str_chr(word, '='));
	near = str_nearest(name, names, n);
	if (near.s)
		return err_set(err, ERR_USAGE, "unknown option '--" STR_FMT "'; did you mean '--" STR_FMT "'?", STR_ARG(name),
			       STR_ARG(near));
	return err_set(err, ERR_USAGE, "unknown option '--" STR_FMT "'; if it is a param, name the goal that takes it",
		       STR_ARG(name));
}

static int run_words(int argc, char **argv, struct arena *a, struct run_words *w, bool *helped, struct err *err)
{
	struct opt_rest rest = {0};
	const struct opt options[] = {
		{'j', "jobs", OPT_INT, &w->jobs, "N", "run at most N steps at a time (default: the CPUs this process may use)"},
		{'k', "keep-going", OPT_FLAG, &w->keep_going, NULL, "after a failure go on with what does not need the failed step"},
		{'n', "dry-run", OPT_FLAG, &w->dry_run, NULL, "say what would run and why, run nothing"},
		{0, "force", OPT_OPTIONAL, &w->force, "all", "run the goals though nothing changed; --force=all: what they need, too"},
		{0, "events", OPT_STR, &w->events, "FILE", "write what happens as JSON lines (- is standard output)"},
		{0, "claim", OPT_FLAG, &w->runner.claim, NULL, "leave steps that ask for tags this machine lacks to others"},
		{0, "junit", OPT_STR, &w->junit, "FILE", "write what became of the steps as JUnit XML"},
		{0, "plan", OPT_STR, &w->runner.plan_file, "FILE", "replay an exported plan (cairn plan --json) without the spec"},
		{'v', "verbose", OPT_COUNT, &w->verbose, NULL, "show every step and its output"},
		{'q', "quiet", OPT_FLAG, &w->quiet, NULL, "show failures only"},
		SINCE_OPTS(&w->plan),
		PLAN_WORD_OPTS(&w->plan),
	};

	if (cmd_options(a, &cmd_run, options, countof(options), argc, argv, true, &w->common, &rest, helped, err) < 0)
		return -1;
	if (!*helped && check_unknown(a, options, countof(options), &rest, err) < 0)
		return -1;
	w->plan.goals = rest.words;
	w->plan.unknown = rest.unknown;
	w->plan.args = rest.after;
	w->plan.has_args = rest.dashdash;
	return *helped ? 0 : check_words(w, err);
}

static int carry_out(struct session *s, struct run_words *w, struct err *err)
{
	if ((w->runner.plan_file.s ? replay_open(s, &w->plan, err) : session_open(s, &w->common, &w->plan, err)) < 0)
		return -1;
	if (!s->replayed && !w->plan.since.s && !w->plan.affected && !w->runner.force && !w->dry_run && session_check(s) == SNAPSHOT_SAME &&
	    (!runner_names_steps(&w->runner) || snapshot_whole(s->snapshot)))
		return runner_nothing(s, &w->runner, err);
	return runner_run(s, &w->runner, err);
}

static int run(int argc, char **argv, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct run_words w = {.jobs = JOBS_UNSAID};
	struct session s = {.rootfd = -1};
	bool helped = false;
	int status = -1;

	if (run_words(argc, argv, &arena, &w, &helped, err) == 0) {
		if (helped)
			status = 0;
		else
			status = carry_out(&s, &w, err);
		if (!helped)
			session_close(&s);
	}
	arena_release(&arena);
	return status < 0 ? err_exit_status(err) : status;
}

const struct command cmd_run = {"run", "run goals and what they need, skipping what has not changed", "cairn run [GOAL...] [--PARAM=VALUE...] [-- ARGS...]", run};
