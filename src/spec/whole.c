/* What can only be said when all files are read: names that clash, names that name nothing, workflows
 * that include themselves. Names made by ${{ }} or patterns are known when it is planned. */
#include "spec/fields.h"

#include <stdlib.h>

#define WORKFLOWS_MAX_DEPTH 256

struct whole {
	struct reader *r;
	const struct spec *spec;
	struct str *names;              /* commands' and workflows', made for the first hint */
	size_t nnames;
};

/* ---- looking up ---- */

static void *name_find(const struct map *by_name, const struct spec_file *file, struct str name)
{
	char full[1024];
	if (file->prefix.n && file->prefix.n + name.n <= sizeof(full)) {
		memcpy(full, file->prefix.s, file->prefix.n);
		memcpy(full + file->prefix.n, name.s, name.n);
		void *own = map_get(by_name, (struct str){full, file->prefix.n + name.n});
		if (own)
			return own;
	}
	return map_get(by_name, name);
}

struct spec_command *spec_command_find(const struct spec *s, const struct spec_file *file, struct str name)
{
	return name_find(&s->command_by_name, file, name);
}

struct spec_workflow *spec_workflow_find(const struct spec *s, const struct spec_file *file, struct str name)
{
	return name_find(&s->workflow_by_name, file, name);
}

static const char *at_line(struct whole *w, const char *what, struct loc loc)
{
	return str_fmt(w->r->arena, "%s at " STR_FMT ":%u", what, STR_ARG(loc.src->path), loc.line).s;
}

/* Names as `file` would write them. */
static const char *hint_names(struct whole *w, const struct spec_file *file, struct str name)
{
	const struct spec *s = w->spec;
	if (w->r->err->ndiags >= ERR_MAX_DIAGS)
		return NULL;
	if (!w->names) {
		w->names = arena_array(w->r->arena, s->ncommands + s->nworkflows + 1, struct str);
		for (size_t i = 0; i < s->ncommands; i++)
			w->names[w->nnames++] = s->commands[i].name;
		for (size_t i = 0; i < s->nworkflows; i++)
			w->names[w->nnames++] = s->workflows[i].name;
	}
	struct str full = str_fmt(w->r->arena, STR_FMT STR_FMT, STR_ARG(file->prefix), STR_ARG(name));
	for (size_t i = 0; i < w->nnames; i++) {
		struct str theirs = w->names[i];
		if (theirs.n > name.n + 1 && theirs.s[theirs.n - name.n - 1] == ':' && str_ends(theirs, name))
			return str_fmt(w->r->arena, "did you mean '" STR_FMT "'?", STR_ARG(theirs)).s;
	}
	struct str near = str_nearest(full, w->names, w->nnames);
	if (near.s && str_starts(near, file->prefix))
		near = str_from(near, file->prefix.n);
	else
		near = str_nearest(name, w->names, w->nnames);
	return near.s ? str_fmt(w->r->arena, "did you mean '" STR_FMT "'?", STR_ARG(near)).s : NULL;
}

/* The command's part of a step's name. False when it is known at planning only, or wrong (then said). */
static bool step_name(struct whole *w, const struct text *t, struct str *name)
{
	ptrdiff_t open = str_chr(t->s, '[');
	*name = t->s;
	if (!t->s.n || text_has_expr(t->s))
		return false;
	if (open >= 0) {
		if (t->s.s[t->s.n - 1] != ']')
			return mistake(w->r, t->loc, NULL, "the instance in '" STR_FMT "' is not closed by ]",
			               STR_ARG(t->s));
		*name = str_head(t->s, (size_t)open);
	}
	return str_chr(*name, '*') < 0 && str_chr(*name, '?') < 0;
}

/* ---- names ---- */

static void commands_index(struct whole *w, struct spec *s)
{
	for (size_t i = 0; i < s->ncommands; i++) {
		struct spec_command *c = &s->commands[i];
		bool fresh;
		void **place = map_put(&s->command_by_name, c->name, &fresh);
		if (fresh)
			*place = c;
		else
			mistake(w->r, c->loc,
			        at_line(w, "the other is", ((struct spec_command *)*place)->loc),
			        "there are two commands '" STR_FMT "'", STR_ARG(c->name));
	}
}

static void workflows_index(struct whole *w, struct spec *s)
{
	for (size_t i = 0; i < s->nworkflows; i++) {
		struct spec_workflow *f = &s->workflows[i];
		const struct spec_command *c = map_get(&s->command_by_name, f->name);
		bool fresh;
		void **place = map_put(&s->workflow_by_name, f->name, &fresh);
		if (fresh)
			*place = f;
		else
			mistake(w->r, f->loc,
			        at_line(w, "the other is", ((struct spec_workflow *)*place)->loc),
			        "there are two workflows '" STR_FMT "'", STR_ARG(f->name));
		if (c)
			mistake(w->r, f->loc, at_line(w, "the command is", c->loc),
			        "'" STR_FMT "' names both a workflow and a command", STR_ARG(f->name));
	}
}

static void need_check(struct whole *w, const struct spec_command *c, const struct text *t)
{
	struct str name;
	if (!step_name(w, t, &name) || spec_command_find(w->spec, c->file, name))
		return;
	if (spec_workflow_find(w->spec, c->file, name))
		mistake(w->r, t->loc, "a command without run that needs its steps makes a group",
		        "'" STR_FMT "' is a workflow, which no command can need", STR_ARG(name));
	else
		mistake(w->r, t->loc, hint_names(w, c->file, name), "'" STR_FMT "' names no command",
		        STR_ARG(name));
}

static void secrets_check(struct whole *w)
{
	struct reader *r = w->r;
	struct str *names = arena_array(r->arena, r->secrets.n + 1, struct str);
	for (size_t i = 0; i < r->secrets.n; i++)
		names[i] = r->secrets.v[i].name;
	for (size_t i = 0; i < r->secret_uses.n; i++) {
		const struct text *t = &r->secret_uses.v[i];
		size_t k = 0;
		while (k < r->secrets.n && !str_eq(names[k], t->s))
			k++;
		if (k == r->secrets.n)
			mistake(r, t->loc, hint_nearest(r, t->s, names, k), "'" STR_FMT "' names no secret",
			        STR_ARG(t->s));
	}
}

/* ---- goals ---- */

static void entry_params_check(struct whole *w, const struct spec_entry *e, const struct spec_command *c)
{
	struct str *names = arena_array(w->r->arena, c->nparams + 1, struct str);
	for (size_t i = 0; i < c->nparams; i++)
		names[i] = c->params[i].name;
	for (size_t i = 0; i < e->nparams; i++) {
		size_t k = 0;
		while (k < c->nparams && !str_eq(names[k], e->params[i]))
			k++;
		if (k == c->nparams)
			mistake(w->r, e->values[i].loc, hint_nearest(w->r, e->params[i], names, k),
			        "'" STR_FMT "' has no param '" STR_FMT "'", STR_ARG(c->name),
			        STR_ARG(e->params[i]));
	}
}

/* Written as {command: NAME}: its name is neither the whole entry nor a key. */
static bool is_explicit(const struct spec_entry *e)
{
	return !e->workflow && e->name.node &&
	       (e->loc.line != e->name.loc.line || e->loc.col != e->name.loc.col);
}

static void entry_check(struct whole *w, const struct spec_workflow *f, struct spec_entry *e, bool finally)
{
	struct str name;
	if (!step_name(w, &e->name, &name))
		return;
	const struct spec_command *c = e->workflow ? NULL : spec_command_find(w->spec, f->file, name);
	bool explicit_command = is_explicit(e);
	if (c) {
		entry_params_check(w, e, c);
		if (finally && c->cache == CACHE_YES)
			mistake(w->r, e->loc, at_line(w, "cache: true stands", c->cache_loc),
			        "'" STR_FMT "' runs finally, which is never cached", STR_ARG(name));
		return;
	}
	if (spec_workflow_find(w->spec, f->file, name) && !explicit_command) {
		e->workflow = true;
		if (e->nparams)
			mistake(w->r, e->values[0].loc, NULL, "the workflow '" STR_FMT "' has no params",
			        STR_ARG(name));
		return;
	}
	mistake(w->r, e->name.loc, hint_names(w, f->file, name), "'" STR_FMT "' names no %s", STR_ARG(name),
		e->workflow ? "workflow" : explicit_command ? "command" : "command or workflow");
}

/* ---- workflows within workflows ---- */

enum { UNSEEN, OPEN, SEEN };

static void workflow_visit(struct whole *w, char *state, const struct spec_workflow *f, unsigned depth);

static void entries_visit(struct whole *w, char *state, const struct spec_workflow *f,
                          const struct spec_entry *v, size_t n, unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		const struct spec_workflow *inner =
			v[i].workflow ? spec_workflow_find(w->spec, f->file, v[i].name.s) : NULL;
		if (!inner)
			continue;
		if (state[inner - w->spec->workflows] == OPEN)
			mistake(w->r, v[i].loc, NULL,
			        inner == f ? "the workflow '" STR_FMT "' includes itself"
			                   : "a cycle: the workflow '" STR_FMT "' includes this one",
			        STR_ARG(inner->name));
		else if (depth >= WORKFLOWS_MAX_DEPTH)
			mistake(w->r, v[i].loc, NULL, "workflows include each other more than %d levels deep",
			        WORKFLOWS_MAX_DEPTH);
		else
			workflow_visit(w, state, inner, depth + 1);
	}
}

static void workflow_visit(struct whole *w, char *state, const struct spec_workflow *f, unsigned depth)
{
	char *mine = &state[f - w->spec->workflows];
	if (*mine != UNSEEN)
		return;
	*mine = OPEN;
	entries_visit(w, state, f, f->steps, f->nsteps, depth);
	entries_visit(w, state, f, f->finally, f->nfinally, depth);
	*mine = SEEN;
}

void whole_check(struct reader *r)
{
	struct spec *s = r->spec;
	struct whole w = {.r = r, .spec = s};
	commands_index(&w, s);
	workflows_index(&w, s);
	secrets_check(&w);
	for (size_t i = 0; i < s->ncommands; i++) {
		for (size_t k = 0; k < s->commands[i].nneeds; k++)
			need_check(&w, &s->commands[i], &s->commands[i].needs[k].step);
	}
	for (size_t i = 0; i < s->nworkflows; i++) {
		struct spec_workflow *f = &s->workflows[i];
		for (size_t k = 0; k < f->nsteps; k++)
			entry_check(&w, f, &f->steps[k], false);
		for (size_t k = 0; k < f->nfinally; k++)
			entry_check(&w, f, &f->finally[k], true);
	}
	char *state = arena_alloc(r->arena, s->nworkflows + 1);
	for (size_t i = 0; i < s->nworkflows; i++)
		workflow_visit(&w, state, &s->workflows[i], 0);
}
