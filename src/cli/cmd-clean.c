/* Removes what steps wrote, as far as nobody changed it since. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/vec.h"
#include "cli/names.h"
#include "cli/show.h"
#include "cli/view.h"
#include "exec/copy.h"
#include "exec/ledger.h"
#include "exec/place.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/started.h"

struct cleaning {
	struct view *v;
	struct place place;
	VEC(struct str) steps;          /* to be cleaned */
	size_t removed;
	VEC(struct str) kept;           /* files that were changed since */
	bool all;
	int lock;
};

static int take_lock(struct cleaning *c, struct err *err)
{
	bool busy = false;
	long holder = 0;

	c->lock = lock_take(session_path(&c->v->s, "lock"), false, &busy, &holder, err);
	if (c->lock >= 0 || !busy)
		return c->lock < 0 ? -1 : 0;
	err_release(err);
	return err_set(err, ERR_SYSTEM, "unable to clean: another cairn (process %ld) is at work in this workspace; try again when it is done",
		       holder);
}

static int open_place(struct cleaning *c, struct err *err)
{
	struct session *s = &c->v->s;
	size_t undone, ended;
	bool fresh;

	if (started_end_left(session_path(s, STARTED_FILE), s->root.s, session_path(s, COPIES), &ended, err) < 0)
		return -1;
	file_remove_tree(AT_FDCWD, session_path(s, COPIES), NULL);

	c->place = (struct place){.rootfd = s->rootfd, .root = s->root.s};
	snprintf(c->place.run, sizeof(c->place.run), "c%lx", (unsigned long)getpid());
	if (ledger_open(&c->place.ledger, session_ledger(s), s->rootfd, &fresh, err) < 0)
		return -1;
	return ledger_recover(c->place.ledger, s->rootfd, &undone, err);
}

/* A name without outputs is fine as long as the spec, if it can be read, knows it. */
static int known_to_spec(struct cleaning *c, struct str word, struct err *err)
{
	struct session *s = &c->v->s;
	const struct plan *plan;
	struct str *names;
	size_t n = 0;

	if (!s->plan && session_plan(s, NULL) < 0)
		return err_set(err, ERR_USAGE, "nothing is known here that a step '" STR_FMT "' wrote", STR_ARG(word));
	plan = s->plan;
	names = arena_array(&s->arena, plan->ncommands + plan->nsteps, struct str);
	for (uint32_t i = 0; i < plan->ncommands; i++)
		names[n++] = plan_str(plan, plan->commands[i].name);
	for (uint32_t i = 0; i < plan->nsteps; i++)
		names[n++] = plan_step_name(plan, i);
	for (size_t i = 0; i < n; i++)
		if (name_matches(word, names[i]))
			return 0;
	return name_unknown(word, names, n, "no command or step is called", err);
}

static int choose(struct cleaning *c, struct err *err)
{
	const struct opt_list *words = &c->v->words.goals;
	struct ledger *ledger = c->place.ledger;
	bool *used = arena_array(&c->v->arena, words->n, bool);

	for (size_t i = 0; i < ledger_steps(ledger); i++) {
		struct str step = ledger_step(ledger, i);
		bool wanted = !words->n;

		for (size_t w = 0; w < words->n; w++)
			if (name_matches(words->v[w], step))
				wanted = used[w] = true;
		if (wanted)
			vec_add(&c->steps, str_dup(&c->v->arena, step));
	}
	for (size_t w = 0; w < words->n; w++)
		if (!used[w] && known_to_spec(c, words->v[w], err) < 0)
			return -1;
	return 0;
}

static int clean_step(struct cleaning *c, struct str step, struct err *err)
{
	struct arena *a = &c->v->arena;
	struct entries outputs = {0}, before;
	size_t n = 0, kept = 0;

	if (!ledger_outputs(c->place.ledger, step, &outputs))
		return 0;
	before = (struct entries){arena_array(a, outputs.n, struct entry), outputs.n};
	for (size_t i = 0; i < outputs.n; i++) {
		before.v[i] = outputs.v[i];
		before.v[i].path = str_dup(a, outputs.v[i].path);
	}
	if (place_remove(&c->place, step, &n, &kept, err) < 0)
		return err_wrap(err, "unable to clean " STR_FMT, STR_ARG(step));
	c->removed += n;
	for (size_t i = 0; kept && i < before.n; i++) {
		struct ident ident;

		if (before.v[i].type != ENTRY_DIR && file_ident(c->place.rootfd, before.v[i].path.s, &ident, NULL) == 1)
			vec_add(&c->kept, before.v[i].path);
	}
	return 0;
}

/* What was learnt about the workspace; the next run starts as if it were the first. */
static int forget_state(struct cleaning *c, struct err *err)
{
	static const char *const stay[] = {".", "..", "lock"};
	DIR *dir = opendir(c->v->s.state.s);
	struct dirent *e;
	int rc = 0;

	while (dir && rc == 0 && (e = readdir(dir))) {
		bool keep = strncmp(e->d_name, "ledger", 6) == 0;

		for (size_t i = 0; i < countof(stay); i++)
			keep |= strcmp(e->d_name, stay[i]) == 0;
		if (!keep)
			rc = file_remove_tree(dirfd(dir), e->d_name, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

static void report(struct cleaning *c)
{
	struct buf *out = &c->v->out;

	buf_z(out, "removed ");
	show_count(out, c->removed, "file", "files");
	buf_c(out, '\n');
	for (size_t i = 0; i < c->kept.n; i++) {
		buf_z(out, "kept ");
		show_text(out, c->kept.v[i]);
		buf_z(out, ", which was changed since\n");
	}
}

static int clean_all(struct cleaning *c, struct err *err)
{
	int rc = take_lock(c, err);

	if (rc < 0 || open_place(c, err) < 0 || choose(c, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < c->steps.n; i++)
		rc = clean_step(c, c->steps.v[i], err);
	if (rc == 0 && c->all)
		rc = forget_state(c, err);
	report(c);
	return cmd_print(&c->v->out, rc < 0 ? NULL : err) < 0 ? -1 : rc;
}

static int clean(int argc, char **argv, struct err *err)
{
	struct view v;
	struct cleaning c = {.v = &v, .lock = -1};
	const struct opt opts[] = {
		{0, "all", OPT_FLAG, &c.all, NULL, "also forget the last runs, their logs and the kept plans"},
	};
	int rc = view_options(&v, &cmd_clean, opts, countof(opts), argc, argv, VIEW_NAMES, err);

	if (rc == 0 && !v.helped) {
		if (c.all && v.words.goals.n)
			rc = err_set(err, ERR_USAGE, "--all cleans everything: it goes without names");
		else if ((rc = view_open(&v, err)) == 0 && access(v.s.state.s, F_OK) < 0 && !v.words.goals.n)
			report(&c);             /* nothing ran here yet */
		else if (rc == 0 && (rc = file_mkdirs(AT_FDCWD, v.s.state.s, 0700, err)) == 0)
			rc = clean_all(&c, err);
	}
	if (c.place.ledger)
		ledger_close(c.place.ledger);
	vec_free(&c.steps);
	vec_free(&c.kept);
	if (c.lock >= 0)
		close(c.lock);
	return view_close(&v, rc);
}

const struct command cmd_clean = {"clean", "remove what steps wrote and nobody changed since", "cairn clean [STEP...|--all]", clean};
