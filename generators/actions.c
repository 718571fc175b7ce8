/* actions.c: a plan as a GitHub Actions workflow: a job for each command, whose steps are a matrix. A first job asks cairn
 * what would run, and jobs with nothing to do are skipped. cairn's store goes from job to job as artifacts, and from run
 * to run by the cache. The jobs call cairn, so everything that a step is stays cairn's; only what a job is has to be said. */
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/opt.h"
#include "base/vec.h"
#include "generators/generator.h"
#include "generators/shelltext.h"
#include "generators/refusals.h"

#define MATRIX_MAX 256                  /* jobs of one matrix, as GitHub documents it */

struct job {
	const char *id;
	struct str command;
	VEC(uint32_t) steps;
	uint32_t *needs; size_t nneeds; /* jobs */
	bool last;                      /* finally */
};

struct flow {
	struct generation *g;
	const struct plan *plan;
	struct arena *arena;
	VEC(struct job) jobs;
	uint32_t *job_of;               /* by step, PLAN_NONE */
	struct refusals refusals;
};

/* ---- jobs ---- */

static const char *job_id(struct flow *f, struct str command, struct map *taken)
{
	char text[80];
	size_t n = 0;
	struct str id;
	bool fresh;

	text[n++] = 'j';
	text[n++] = '-';
	for (size_t i = 0; i < command.n && n < sizeof(text) - 1; i++) {
		char c = command.s[i];

		text[n++] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ? c : '-';
	}
	id = str_dup(f->arena, (struct str){text, n});
	for (unsigned k = 2; map_put(taken, id, &fresh), !fresh; k++)
		id = str_fmt(f->arena, "%.*s-%u", (int)n, text, k);
	return id.s;
}

static void gather_jobs(struct flow *f)
{
	const struct plan *p = f->plan;
	struct map by_command = MAP_INIT, taken = MAP_INIT;

	for (uint32_t i = 0; i < p->nsteps; i++) {
		const struct plan_step *s = &p->steps[i];
		bool fresh;
		void **slot;

		f->job_of[i] = PLAN_NONE;
		if (!f->g->selection->wanted[i] || s->script_kind == SCRIPT_KIND_NONE)
			continue;
		slot = map_put(&by_command, plan_str(p, s->command), &fresh);
		if (fresh) {
			*slot = (void *)(uintptr_t)f->jobs.n;
			vec_add(&f->jobs, (struct job){.command = plan_str(p, s->command), .id = job_id(f, plan_str(p, s->command), &taken), .last = true});
		}
		f->job_of[i] = (uint32_t)(uintptr_t)*slot;
		vec_add(&f->jobs.v[f->job_of[i]].steps, i);
		f->jobs.v[f->job_of[i]].last &= !!(f->g->selection->wanted[i] & SELECT_FINALLY);
	}
	map_release(&by_command);
	map_release(&taken);
}

/* Marks the jobs a step waits for; through groups. */
static void mark_needs(const struct flow *f, uint32_t step, bool *marks)
{
	const struct plan_step *s = &f->plan->steps[step];

	for (uint32_t i = 0; i < s->needs.n; i++) {
		uint32_t need = f->plan->needs[s->needs.at + i].step;

		if (f->job_of[need] != PLAN_NONE)
			marks[f->job_of[need]] = true;
		else
			mark_needs(f, need, marks);
	}
}

static void set_needs(struct flow *f, uint32_t at)
{
	struct job *j = &f->jobs.v[at];
	const struct selection *sel = f->g->selection;
	bool *marks = arena_array(f->arena, f->jobs.n + 1, bool);

	for (size_t i = 0; i < j->steps.n; i++)
		mark_needs(f, j->steps.v[i], marks);
	for (size_t i = 0; i < sel->norder; i++)
		if (f->job_of[sel->order[i].after] == at && f->job_of[sel->order[i].before] != PLAN_NONE)
			marks[f->job_of[sel->order[i].before]] = true;
	for (uint32_t k = 0; j->last && k < f->jobs.n; k++)
		marks[k] |= !f->jobs.v[k].last;
	j->needs = arena_array(f->arena, f->jobs.n, uint32_t);
	for (uint32_t k = 0; k < f->jobs.n; k++)
		if (marks[k] && k != at)
			j->needs[j->nneeds++] = k;
}

/* ---- what can't be expressed ---- */

static void check_step(struct flow *f, uint32_t step)
{
	const struct plan *p = f->plan;
	const struct plan_step *s = &p->steps[step];
	struct str name = plan_step_name(p, step);

	if (str_find(name, S("${{")) >= 0 || str_chr(name, '\n') >= 0)
		refusals_add(&f->refusals, name, "each", "a name with ${{ or a line break in it");
	for (uint32_t i = 0; i < s->secrets.n; i++)
		if (p->secrets[p->uses[s->secrets.at + i].secret].kind == SECRET_KIND_FILE)
			refusals_add(&f->refusals, name, "secrets", "one from a file: a runner has no such file");
	for (uint32_t i = 0; i < s->secret_files.n; i++)
		if (p->secrets[p->uses[s->secret_files.at + i].secret].kind == SECRET_KIND_FILE)
			refusals_add(&f->refusals, name, "secrets", "one from a file: a runner has no such file");
	if (s->flags & STEP_CONTINUE)
		refusals_add(&f->refusals, name, "continue_on_failure", "the workflow would end well");
	for (uint32_t i = 0; i < s->needs.n; i++) {
		uint32_t need = p->needs[s->needs.at + i].step;

		if (f->job_of[need] != PLAN_NONE && f->job_of[need] != f->job_of[step] && !(p->steps[need].flags & (STEP_CACHED | STEP_SKIP)))
			refusals_add(&f->refusals, name, "needs", STR_FMT " is never cached: it would run again in each job that needs it",
				     STR_ARG(plan_step_name(p, need)));
	}
	if (s->flags & STEP_CONSOLE)
		refusals_add(&f->refusals, name, "console", "a runner has no terminal");
}

static void check_job(struct flow *f, const struct job *j)
{
	const struct plan *p = f->plan;
	const struct plan_step *first = &p->steps[j->steps.v[0]];

	if (j->steps.n > MATRIX_MAX)
		refusals_add(&f->refusals, j->command, "each", "%zu steps: a matrix has at most %d jobs", j->steps.n, MATRIX_MAX);
	for (size_t i = 1; i < j->steps.n; i++) {
		const struct plan_step *s = &p->steps[j->steps.v[i]];
		bool same = s->tags.n == first->tags.n;

		for (uint32_t k = 0; same && k < s->tags.n; k++)
			same = str_eq(plan_word(p, s->tags, k), plan_word(p, first->tags, k));
		if (!same)
			refusals_add(&f->refusals, plan_step_name(p, j->steps.v[i]), "tags", "others than those of its command's other steps");
	}
}

/* Commands may need each other both ways, by steps: jobs can't. */
static void check_cycles(struct flow *f)
{
	uint32_t *depth = arena_array(f->arena, f->jobs.n + 1, uint32_t);
	bool moved = true;

	for (size_t round = 0; moved && round <= f->jobs.n; round++) {
		moved = false;
		for (uint32_t i = 0; i < f->jobs.n; i++)
			for (size_t k = 0; k < f->jobs.v[i].nneeds; k++)
				if (depth[i] <= depth[f->jobs.v[i].needs[k]]) {
					depth[i] = depth[f->jobs.v[i].needs[k]] + 1;
					moved = true;
				}
	}
	for (uint32_t i = 0; moved && i < f->jobs.n; i++)
		if (depth[i] >= f->jobs.n)
			refusals_add(&f->refusals, f->jobs.v[i].command, "needs", "its steps and those of another command need each other both ways");
}

static int github_check(struct generation *g, struct err *err)
{
	struct flow *f = arena_new(g->arena, struct flow);

	*f = (struct flow){.g = g, .plan = g->plan, .arena = g->arena, .refusals = REFUSALS_INIT};
	f->job_of = arena_array(g->arena, g->plan->nsteps + 1, uint32_t);
	gather_jobs(f);
	for (uint32_t i = 0; i < f->jobs.n; i++)
		set_needs(f, i);
	for (uint32_t i = 0; i < g->plan->nsteps; i++)
		if (f->job_of[i] != PLAN_NONE)
			check_step(f, i);
	for (uint32_t i = 0; i < f->jobs.n; i++)
		check_job(f, &f->jobs.v[i]);
	check_cycles(f);
	g->priv = f;
	return refusals_end(&f->refusals, "GitHub Actions", err);
}

/* ---- text ---- */

/* JSON strings are strings of YAML. */
static void quoted(struct buf *out, struct str s)
{
	struct json j = {.out = out};

	json_str(&j, s);
}

static void goals(const struct flow *f, struct buf *out)
{
	for (size_t i = 0; i < f->g->goals->n; i++) {
		buf_c(out, ' ');
		shell_word(out, f->g->goals->v[i]);
	}
}

static const char store[] =
	"      - uses: actions/checkout@v4\n"
	"      - name: Get cairn\n"
	"        run: ${{ vars.GET_CAIRN || 'cairn version' }}\n";

static const char fetch[] =
	"      - name: Fetch what earlier jobs made\n"
	"        uses: actions/download-artifact@v4\n"
	"        with: {pattern: store-*, path: /tmp/cairn-in}\n"
	"      - name: Unpack it\n"
	"        run: |\n"
	"          mkdir -p \"$CAIRN_CACHE_DIR\" \"$STORE_IN\" \"$STORE_OUT\"\n"
	"          find \"$STORE_IN\" -name store.tar -exec tar -C \"$CAIRN_CACHE_DIR\" -xf {} \\;\n"
	"          touch \"$STORE_OUT/since\"\n";

static void head(const struct flow *f, struct buf *out)
{
	buf_z(out, "# Generated from");
	for (uint32_t i = 0; i < f->plan->nspecs; i++)
		buf_fmt(out, "%s " STR_FMT, i ? "," : "", STR_ARG(plan_str(f->plan, f->plan->specs[i])));
	buf_z(out, " for GitHub Actions: a job for each command, cairn's store goes from job to job and from run to run.\n"
		   "# The repository's variable GET_CAIRN is the command that puts cairn on a runner's PATH.\n"
		   "# Which jobs there are is static; which steps run is asked at each run.\n");
	buf_z(out, "name: ");
	quoted(out, f->plan->head->name.n ? plan_str(f->plan, f->plan->head->name) : S("cairn"));
	buf_z(out, "\non: {push: {}, pull_request: {}, workflow_dispatch: {}}\n"
		   "permissions: {contents: read}\n"
		   "defaults: {run: {shell: bash}}\n"
		   "env: {CAIRN_CACHE_DIR: /tmp/cairn-store, STORE_IN: /tmp/cairn-in, STORE_OUT: /tmp/cairn-out}\n"
		   "jobs:\n");
}

static void plan_job(const struct flow *f, struct buf *out)
{
	buf_z(out, "  plan:\n    name: What would run\n    runs-on: ubuntu-latest\n    outputs:\n");
	for (size_t i = 0; i < f->jobs.n; i++)
		buf_fmt(out, "      %s: ${{ steps.plan.outputs.%s }}\n", f->jobs.v[i].id, f->jobs.v[i].id);
	buf_z(out, "    steps:\n");
	buf_z(out, store);
	buf_z(out, "      - name: Restore the store of an earlier run\n"
		   "        uses: actions/cache/restore@v4\n"
		   "        with:\n"
		   "          path: /tmp/cairn-store\n"
		   "          key: cairn-${{ runner.os }}-${{ runner.arch }}-${{ github.run_id }}-${{ github.run_attempt }}\n"
		   "          restore-keys: |\n"
		   "            cairn-${{ runner.os }}-${{ runner.arch }}-\n"
		   "      - name: Ask what would run\n"
		   "        id: plan\n"
		   "        run: |\n"
		   "          mkdir -p \"$CAIRN_CACHE_DIR\" \"$STORE_OUT\"\n"
		   "          tar -C \"$CAIRN_CACHE_DIR\" -cf \"$STORE_OUT/store.tar\" .\n"
		   "          cairn plan --json --status");
	goals(f, out);
	buf_z(out, " >\"$STORE_OUT/plan.json\"\n"
		   "          left() {\n"
		   "            jq -c --arg command \"$1\" '[.steps[] | select(.command == $command and (.status == \"would-run\" or .status == \"pending\")) | .name]' \\\n"
		   "              \"$STORE_OUT/plan.json\"\n"
		   "          }\n");
	for (size_t i = 0; i < f->jobs.n; i++) {
		buf_fmt(out, "          echo \"%s=$(left ", f->jobs.v[i].id);
		shell_word(out, f->jobs.v[i].command);
		buf_z(out, ")\" >>\"$GITHUB_OUTPUT\"\n");
	}
	buf_z(out, "      - uses: actions/upload-artifact@v4\n        with: {name: store-plan, path: /tmp/cairn-out/store.tar}\n");
}

static void secrets(const struct flow *f, struct buf *out, const struct job *j)
{
	const struct plan *p = f->plan;
	struct map seen = MAP_INIT;

	for (size_t i = 0; i < j->steps.n; i++) {
		const struct plan_step *s = &p->steps[j->steps.v[i]];

		for (uint32_t k = 0; k < s->secrets.n + s->secret_files.n; k++) {
			const struct plan_secret_use *use = &p->uses[k < s->secrets.n ? s->secrets.at + k : s->secret_files.at + k - s->secrets.n];
			struct str name = plan_str(p, p->secrets[use->secret].source);
			bool fresh;

			map_put(&seen, name, &fresh);
			if (fresh)
				buf_fmt(out, "          " STR_FMT ": ${{ secrets." STR_FMT " }}\n", STR_ARG(name), STR_ARG(name));
		}
	}
	map_release(&seen);
}

static void runs_on(const struct flow *f, struct buf *out, const struct plan_step *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->tags.n; i++)
		n += !str_is(plan_word(f->plan, s->tags, i), "shell");
	buf_z(out, "    runs-on: ");
	buf_z(out, n ? "[self-hosted" : "ubuntu-latest");
	for (uint32_t i = 0; n && i < s->tags.n; i++) {
		if (str_is(plan_word(f->plan, s->tags, i), "shell"))
			continue;
		buf_z(out, ", ");
		quoted(out, plan_word(f->plan, s->tags, i));
	}
	buf_z(out, n ? "]\n" : "\n");
}

/* A machine that runs a tagged job has the tags: that is how it got it. */
static void tags(const struct flow *f, struct buf *out, const struct plan_step *s)
{
	CLEANUP_BUF struct buf list = BUF_INIT(BUF_UNLIMITED);

	for (uint32_t i = 0; i < s->tags.n; i++) {
		buf_z(&list, i ? "," : "");
		buf_str(&list, plan_word(f->plan, s->tags, i));
	}
	if (!list.n)
		return;
	buf_z(out, "          CAIRN_TAGS: ");
	quoted(out, buf_view(&list));
	buf_c(out, '\n');
}

static void job(const struct flow *f, struct buf *out, const struct job *j)
{
	const struct plan_step *first = &f->plan->steps[j->steps.v[0]];

	buf_fmt(out, "  %s:\n    name: ", j->id);
	quoted(out, str_fmt(f->arena, "${{ matrix.step }}"));
	buf_z(out, "\n    needs: [plan");
	for (size_t i = 0; i < j->nneeds; i++)
		buf_fmt(out, ", %s", f->jobs.v[j->needs[i]].id);
	buf_fmt(out, "]\n    if: ${{ %s && needs.plan.outputs.%s != '[]' }}\n", j->last ? "always() && needs.plan.result == 'success'" : "!failure() && !cancelled()", j->id);
	runs_on(f, out, first);
	buf_fmt(out, "    strategy:\n      fail-fast: false\n      matrix:\n        step: ${{ fromJSON(needs.plan.outputs.%s) }}\n", j->id);
	if (first->pool != PLAN_NONE && first->pool_size)
		buf_fmt(out, "      max-parallel: %u\n", first->pool_size);
	buf_z(out, "    steps:\n");
	buf_z(out, store);
	buf_z(out, fetch);
	buf_z(out, "      - name: Run it\n        env:\n          STEP: ${{ matrix.step }}\n");
	tags(f, out, first);
	secrets(f, out, j);
	buf_fmt(out, "        run: cairn run \"$STEP\"\n"
		     "      - name: Pack what is new\n"
		     "        run: |\n"
		     "          cd \"$CAIRN_CACHE_DIR\"\n"
		     "          find . -type f -newer \"$STORE_OUT/since\" -print0 | tar --null -T - -cf \"$STORE_OUT/store.tar\"\n"
		     "      - uses: actions/upload-artifact@v4\n"
		     "        with: {name: \"store-%s-${{ strategy.job-index }}\", path: /tmp/cairn-out/store.tar}\n", j->id);
}

static void save_job(const struct flow *f, struct buf *out)
{
	buf_z(out, "  keep:\n    name: Keep the store\n    needs: [plan");
	for (size_t i = 0; i < f->jobs.n; i++)
		buf_fmt(out, ", %s", f->jobs.v[i].id);
	buf_z(out, "]\n    if: ${{ always() && needs.plan.result == 'success' }}\n    runs-on: ubuntu-latest\n    steps:\n");
	buf_z(out, fetch);
	buf_z(out, "      - name: Keep it for the next run\n"
		   "        uses: actions/cache/save@v4\n"
		   "        with: {path: /tmp/cairn-store, key: \"cairn-${{ runner.os }}-${{ runner.arch }}-${{ github.run_id }}-${{ github.run_attempt }}\"}\n");
}

static int github_write(struct generation *g, struct buf *out, struct err *err)
{
	struct flow *f = g->priv;

	(void)err;
	head(f, out);
	plan_job(f, out);
	for (size_t i = 0; i < f->jobs.n; i++) {
		job(f, out, &f->jobs.v[i]);
		vec_free(&f->jobs.v[i].steps);
	}
	save_job(f, out);
	vec_free(&f->jobs);
	return 0;
}

const struct generator generator_github = {
	.name = "github",
	.summary = "a GitHub Actions workflow",
	.mode = 0666,
	.check = github_check,
	.write = github_write,
};
