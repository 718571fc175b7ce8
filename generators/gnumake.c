/* gnumake.c: a plan as a GNU Makefile. Targets are the steps' outputs, or records of steps that have none make can name;
 * a recipe hands the step's text to the shell text of stepper.h, which compares contents. A step that was looked at and
 * not run has its targets made as new as the look, so that make does not ask again. */
#include "generators/gnumake.h"

#include "base/opt.h"
#include "base/path.h"
#include "base/vec.h"
#include "generators/block.h"
#include "generators/stepper.h"

/* ---- names, as make reads them ---- */

const char *make_name_problem(struct str s)
{
	if (!s.n)
		return "an empty name";
	for (size_t i = 0; i < s.n; i++)
		if (strchr("\n\r\t;\\", s.s[i]))
			return "a name with a tab, a line break, ; or \\";
	if (s.s[0] == '~')
		return "a name that begins with ~";
	if (s.s[s.n - 1] == ')' && str_chr(s, '(') >= 0)
		return "a name of the form lib(member)";
	if (s.s[0] == '.' && s.n > 1 && s.s[1] >= 'A' && s.s[1] <= 'Z' && str_chr(s, '/') < 0)
		return "a name like a special target's";
	return NULL;
}

void make_name(struct buf *out, struct str s, bool target)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (c == '$')
			buf_c(out, '$');
		else if (strchr(" #:*?[", c) || (c == '%' && target) || (c == '|' && !target))
			buf_c(out, '\\');
		if (c == '=')
			buf_z(out, "$(eq)");
		else
			buf_c(out, c);
	}
}

void make_listed(struct buf *out, struct str s, bool target)
{
	buf_c(out, ' ');
	make_name(out, s, target);
}

/* ---- which phonies there are ---- */

static bool goal_named(const struct maker *k, struct str what)
{
	const struct opt_list *goals = k->m->g->goals;

	for (size_t i = 0; !k->m->g->whole && i < goals->n; i++)
		if (str_eq(goals->v[i], what))
			return true;
	return k->m->g->whole;
}

/* The one step whose one target has the command's own name needs no phony. */
static bool is_alias(const struct maker *k, struct str what)
{
	const struct plan *p = k->m->plan;
	uint32_t by = (uint32_t)(uintptr_t)map_get(&k->files, what);

	return by && str_eq(plan_str(p, p->steps[by - 1].command), what) && str_eq(plan_step_name(p, by - 1), what) && k->m->steps[by - 1].ntargets == 1 &&
	       !k->m->steps[by - 1].weak;
}

static struct str free_name(struct maker *k, struct str wish, const char *prefix)
{
	struct str name_ = wish;

	while (map_has(&k->files, name_) || map_has(&k->names, name_))
		name_ = str_fmt(k->m->arena, "%s" STR_FMT, prefix, STR_ARG(name_));
	map_put(&k->names, name_, NULL);
	return name_;
}

static void add_phony(struct maker *k, struct phony phony)
{
	phony.alias = is_alias(k, phony.is);
	phony.name = phony.alias ? phony.is : free_name(k, phony.is, "run-");
	vec_add(&k->phonies, phony);
}

static void add_file(struct maker *k, uint32_t step, const char *field, struct str path, uint32_t by)
{
	const char *problem = make_name_problem(path);
	void **slot;
	bool fresh;

	slot = map_put(&k->files, path, &fresh);
	if (by != PLAN_NONE)
		*slot = (void *)(uintptr_t)(by + 1);
	if (fresh && problem)
		model_refuse(k->m, step, field, "%s: " STR_FMT, problem, STR_ARG(path));
}

static void gather_files(struct maker *k)
{
	struct model *m = k->m;

	for (uint32_t i = 0; i < m->plan->nsteps; i++) {
		struct model_step *t = &m->steps[i];
		struct model_inputs in;

		if (!t->written)
			continue;
		for (size_t n = 0; n < t->ntargets; n++)
			add_file(k, i, "outputs", t->targets[n], i);
		model_inputs(m, i, &in);
		for (size_t n = 0; n < in.nrequired; n++)
			add_file(k, i, "inputs", in.required[n], PLAN_NONE);
	}
	for (uint32_t i = 0; m->sources && i < m->plan->nsources; i++)
		add_file(k, 0, "inputs", plan_path_str(m->plan, m->plan->sources[i]), PLAN_NONE);
}

static void gather_phonies(struct maker *k)
{
	const struct plan *p = k->m->plan;

	k->seen = arena_array(k->m->arena, p->nsteps + 1, uint32_t);
	for (uint32_t i = 0; i < p->nworkflows; i++) {
		const struct plan_workflow *w = &p->workflows[i];

		if (goal_named(k, plan_str(p, w->name)))
			add_phony(k, (struct phony){.is = plan_str(p, w->name), .summary = plan_str(p, w->summary), .workflow = w});
	}
	for (uint32_t i = 0; i < p->ncommands; i++) {
		const struct plan_command *c = &p->commands[i];

		if (c->steps.n && goal_named(k, plan_str(p, c->name)))
			add_phony(k, (struct phony){.is = plan_str(p, c->name), .summary = plan_str(p, c->summary), .command = c});
	}
	k->help = free_name(k, S("help"), "make-");
	k->clean = free_name(k, S("clean"), "make-");
}

static int make_check(struct generation *g, struct err *err)
{
	struct maker *k = arena_new(g->arena, struct maker);

	k->m = model_new(g, STATE);
	k->all = (struct buf)BUF_INIT(BUF_UNLIMITED);
	gather_files(k);
	gather_phonies(k);
	g->priv = k;
	return model_checked(k->m, "make", err);
}

/* ---- text ---- */

static void comment(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_c(out, text.s[i] == '\n' || text.s[i] == '\r' ? ' ' : text.s[i]);
	if (text.n && text.s[text.n - 1] == '\\')
		buf_c(out, ' ');
}

/* Verbatim unless a line of it means something to `define`: then make expands it, and what it would see is hidden. */
static bool is_verbatim(struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		if (str_ends(line, S("\\")) || str_ends(line, S("\r")))
			return false;
		line = str_trim(line);
		if (str_starts(line, S("endef")) || str_starts(line, S("define")) || str_starts(line, S("override")) || str_starts(line, S("export")) ||
		    str_starts(line, S("private")) || str_starts(line, S("unexport")))
			return false;
	}
	return true;
}

static void expandable(struct buf *out, struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		struct str bare = str_trim(line);

		if (bare.n && strchr("edopu", bare.s[0]))
			buf_z(out, "$()");
		for (size_t i = 0; i < line.n; i++) {
			buf_c(out, line.s[i]);
			if (line.s[i] == '$')
				buf_c(out, '$');
		}
		buf_z(out, str_ends(line, S("\\")) || str_ends(line, S("\r")) ? "$()\n" : "\n");
	}
}

/* A verbatim text ends without its last newline, which $(file) adds. */
static bool define(struct buf *out, const char *prefix, struct str what, struct str text)
{
	bool verbatim = is_verbatim(text);

	buf_fmt(out, "define %s" STR_FMT "\n", prefix, STR_ARG(what));
	if (verbatim)
		buf_str(out, text);
	else
		expandable(out, text);
	buf_z(out, "endef\n");
	return verbatim;
}

static void head(struct maker *k, struct buf *out)
{
	const struct plan *p = k->m->plan;

	buf_z(out, "# Generated from ");
	for (uint32_t i = 0; i < p->nspecs; i++) {
		buf_z(out, i ? ", " : "");
		comment(out, plan_str(p, p->specs[i]));
	}
	buf_z(out, " for GNU make 4.3 or later, to be run in the folder of the spec: `make help` lists what there is.\n"
		   "# It is static: which files there are, which conditions hold and what ${{ }} stands for was settled when it was written.\n"
		   "# Records of what ran are in " STATE "; without them everything runs once.\n\n"
		   "ifeq ($(filter grouped-target,$(.FEATURES)),)\n$(error this Makefile needs GNU make 4.3 or later)\nendif\n"
		   "dry := $(findstring n,$(firstword -$(MAKEFLAGS)))\n"
		   "go_on := $(findstring k,$(firstword -$(MAKEFLAGS)))\n"
		   "MAKEFLAGS += --no-builtin-rules --no-builtin-variables\n.SUFFIXES:\nSHELL := /bin/sh\neq := =\n"
		   "this := $(firstword $(MAKEFILE_LIST))\n\n"
		   "# A recipe writes its step's text into a file and hands it to the shell text at the end.\n"
		   "step = $(if $(dry),,$(file >" STATE "/$1.step,$(value step.$1)))sh " STATE "/run $1 '$(once)' $(if $(filter-out FORCE,$?),,still)\n"
		   "step_expanded = $(if $(dry),,$(file >" STATE "/$1.step,$(step.$1)))sh " STATE "/run $1 '$(once)' $(if $(filter-out FORCE,$?),,still)\n"
		   "passed := sh " STATE "/run --passed\n\n.PHONY: FORCE\n");
}

static void goals(struct maker *k, struct buf *out)
{
	CLEANUP_BUF struct buf list = BUF_INIT(BUF_UNLIMITED);

	buf_z(out, "\n# --- goals ---\n\n.DEFAULT_GOAL :=");
	for (size_t i = 0; i < k->phonies.n; i++) {
		struct phony *f = &k->phonies.v[i];

		if (k->m->g->whole && f->workflow && str_is(f->is, "default"))
			make_listed(&list, f->name, false);
		else if (!k->m->g->whole)
			make_listed(&list, f->name, false);
	}
	if (k->phonies.n == 1 || (k->m->g->whole && list.n)) {
		buf_str(out, buf_view(&list));
	} else if (k->m->g->whole) {
		make_listed(out, k->help, false);
	} else {
		struct str all = free_name(k, S("all"), "make-");

		make_listed(out, all, false);
		buf_c(out, '\n');
		phony_steps(k, out, all, k->m->g->selection->goals, k->m->g->selection->ngoals);
	}
	buf_c(out, '\n');
	for (size_t i = 0; i < k->phonies.n; i++) {
		const struct phony *f = &k->phonies.v[i];

		if (f->alias)
			continue;
		if (f->workflow)
			phony_workflow(k, out, f->name, f->workflow);
		else
			phony_command(k, out, f->name, f->command);
	}
	buf_fmt(out, ".PHONY:" STR_FMT "\n", STR_ARG(buf_view(&k->all)));
}

static void help(struct maker *k, struct buf *out)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	const struct phony more[] = {{.name = k->help, .summary = S("List what there is")},
				     {.name = k->clean, .summary = S("Remove what the steps made, unless somebody changed it, and the records")}};

	for (size_t i = 0; i < k->phonies.n + countof(more); i++) {
		const struct phony *f = i < k->phonies.n ? &k->phonies.v[i] : &more[i - k->phonies.n];

		buf_fmt(&text, "  %-24.*s ", STR_ARG(f->name));
		comment(&text, f->summary);
		buf_c(&text, '\n');
	}
	buf_z(out, "\n");
	buf_fmt(out, ".PHONY: " STR_FMT " " STR_FMT "\n", STR_ARG(k->help), STR_ARG(k->clean));
	bool verbatim = define(out, "", S("help.text"), buf_view(&text));
	buf_fmt(out, STR_FMT ":\n\t@:$(info $(%shelp.text))\n", STR_ARG(k->help), verbatim ? "value " : "");
	buf_fmt(out, STR_FMT ": " STATE "/run\n\t@sh " STATE "/run --clean\n", STR_ARG(k->clean));
}

/* Folders of outputs, unless they are themselves something that make makes. */
static void folders(struct maker *k, struct buf *out, struct map *all)
{
	for (uint32_t i = 0; i < k->m->plan->nsteps; i++) {
		const struct model_step *t = &k->m->steps[i];

		for (size_t n = 0; t->written && n < t->ntargets; n++) {
			struct str dir = path_dir(t->targets[n]);

			if (dir.n && !map_has(&k->files, dir))
				map_put(all, dir, NULL);
		}
	}
	map_put(all, S(STATE), NULL);
	buf_z(out, "\n# --- folders ---\n\n");
	for (size_t i = 0; i < all->n; i++) {
		buf_z(out, i ? " \\\n\t" : "");
		make_name(out, all->entries[i].key, true);
	}
	buf_z(out, ":\n\t@mkdir -p '$(subst ','\\'',$@)'\n");
}

static void prerequisites(struct maker *k, struct buf *out, uint32_t step)
{
	const struct model *m = k->m;
	const struct model_step *t = &m->steps[step];
	struct model_inputs in;

	model_inputs(k->m, step, &in);
	for (size_t i = 0; i < in.nrequired; i++)
		make_listed(out, in.required[i], false);
	if (m->plan->steps[step].flags & STEP_ALL_SOURCES)
		buf_z(out, " $(sources)");
	for (size_t i = 0; i < t->nneeds; i++) {
		const struct model_step *of = &m->steps[t->needs[i]];

		/* one without outputs is no input: it only comes first */
		for (size_t n = 0; n < of->ntargets && m->plan->steps[t->needs[i]].outputs.n; n++)
			make_listed(out, of->targets[n], false);
	}
	for (size_t i = 0; i < in.nmade; i++)
		for (size_t n = 0; (!i || in.made[i - 1].step != in.made[i].step) && n < m->steps[in.made[i].step].ntargets; n++)
			make_listed(out, m->steps[in.made[i].step].targets[n], false);
	for (size_t i = 0; i < in.nglobbed; i++)
		for (size_t n = 0; n < m->steps[in.globbed[i]].ntargets; n++)
			make_listed(out, m->steps[in.globbed[i]].targets[n], false);
	buf_z(out, " " STATE "/run");
	if (t->always || t->watched)
		buf_z(out, " FORCE");
}

static void order_only(struct maker *k, struct buf *out, uint32_t step, const struct map *dirs)
{
	const struct model *m = k->m;
	const struct model_step *t = &m->steps[step];
	struct str last = {0};

	buf_z(out, " |");
	for (size_t i = 0; i < t->ntargets; i++) {
		struct str dir = path_dir(t->targets[i]);

		if (dir.n && map_has(dirs, dir) && !str_eq(dir, last))
			make_listed(out, dir, false);
		last = dir;
	}
	for (size_t i = 0; i < t->nneeds; i++)
		if (!m->plan->steps[t->needs[i]].outputs.n)
			make_listed(out, m->steps[t->needs[i]].targets[0], false);
	for (size_t i = 0; i < t->nafter; i++)
		for (size_t n = 0; n < m->steps[t->after[i]].ntargets; n++)
			make_listed(out, m->steps[t->after[i]].targets[n], false);
}

static void step_rule(struct maker *k, struct buf *out, uint32_t step, const struct map *dirs)
{
	struct model *m = k->m;
	const struct plan_step *s = &m->plan->steps[step];
	const struct model_step *t = &m->steps[step];
	CLEANUP_BUF struct buf block = BUF_INIT(BUF_UNLIMITED), targets = BUF_INIT(BUF_UNLIMITED);
	bool verbatim;

	buf_z(out, "\n# ");
	comment(out, plan_step_name(m->plan, step));
	if (s->summary.n) {
		buf_z(out, ": ");
		comment(out, plan_str(m->plan, s->summary));
	}
	buf_c(out, '\n');
	block_write(&block, m, step);
	verbatim = define(out, "step.", t->slug, buf_view(&block));
	for (size_t i = 0; i < t->ntargets; i++)
		make_listed(&targets, t->targets[i], true);
	if (s->depfile.n)
		buf_fmt(out, "t." STR_FMT " :=" STR_FMT "\n", STR_ARG(t->slug), STR_ARG(buf_view(&targets)));
	buf_str(out, str_from(buf_view(&targets), 1));
	buf_z(out, t->ntargets > 1 ? " &:" : ":");
	prerequisites(k, out, step);
	order_only(k, out, step, dirs);
	buf_fmt(out, "\n\t@$(call %s," STR_FMT ")\n", verbatim ? "step" : "step_expanded", STR_ARG(t->slug));
}

static void runner(struct maker *k, struct buf *out)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

	buf_z(&text, "_S=" STATE " _mode=make _once=${2-} _still=${3-}\n");
	buf_z(&text, stepper_text);
	if (k->m->sources)
		block_sources(&text, k->m);
	buf_z(&text, "case $1 in\n--clean) clean ;;\n--passed) shift; passed \"$@\" ;;\n*) . \"$_S/$1.step\" ;;\nesac\n");
	buf_z(out, "\n# --- how steps run ---\n\n");
	bool verbatim = define(out, "", S("run.text"), buf_view(&text));
	buf_fmt(out, STATE "/run: $(this) | " STATE "\n\t@$(if $(dry),,$(file >$@,$(%srun.text))$(file >" STATE "/.gitignore,*)):\n", verbatim ? "value " : "");
}

static int make_write(struct generation *g, struct buf *out, struct err *err)
{
	struct maker *k = g->priv;
	struct map dirs = MAP_INIT;
	bool none = true, depfiles = false;

	(void)err;
	head(k, out);
	goals(k, out);
	help(k, out);
	folders(k, out, &dirs);
	if (k->m->sources) {
		buf_z(out, "\nsources :=");
		for (uint32_t i = 0; i < g->plan->nsources; i++)
			make_listed(out, plan_path_str(g->plan, g->plan->sources[i]), false);
		buf_c(out, '\n');
	}
	buf_z(out, "\n# --- steps ---\n");
	for (uint32_t i = 0; i < g->plan->nsteps; i++) {
		if (k->m->steps[i].written) {
			step_rule(k, out, i, &dirs);
			depfiles |= g->plan->steps[i].depfile.n;
			none = false;
		} else if (g->selection->wanted[i] && g->plan->steps[i].script_kind != SCRIPT_KIND_NONE) {
			buf_z(out, "\n# ");
			comment(out, plan_step_name(g->plan, i));
			buf_z(out, ": skipped, its condition is false\n");
		}
	}
	if (none)
		buf_z(out, "\n# none: every condition is false\n");
	if (depfiles)
		buf_z(out, "\n# What steps with depfiles read last time.\n-include $(wildcard " STATE "/*.mk)\n");
	runner(k, out);
	map_release(&dirs);
	map_release(&k->files);
	map_release(&k->names);
	buf_release(&k->all);
	vec_free(&k->phonies);
	return 0;
}

const struct generator generator_make = {
	.name = "make",
	.summary = "a GNU Makefile",
	.whole = true,
	.mode = 0666,
	.check = make_check,
	.write = make_write,
};
