#include "generators/block.h"

#include "base/glob.h"
#include "generators/shelltext.h"

struct block {
	struct buf *out;
	struct model *m;
	const struct plan *plan;
	const struct plan_step *s;
	uint32_t step;
};

static void word(struct block *b, struct str s)
{
	buf_c(b->out, ' ');
	shell_word(b->out, s);
}

static void words(struct block *b, const char *what, const struct str *v, size_t n)
{
	if (!n)
		return;
	buf_z(b->out, what);
	for (size_t i = 0; i < n; i++)
		word(b, v[i]);
	buf_c(b->out, '\n');
}

/* A list that the shell text takes apart later: quoted words, as one word. */
static void list_end(struct block *b, struct buf *list)
{
	struct str text = buf_view(list);

	if (text.n && text.s[0] == ' ')
		text = str_from(text, 1);
	word(b, text);
	buf_release(list);
}

static void list_add(struct buf *list, struct str s)
{
	buf_c(list, ' ');
	shell_word(list, s);
}

/* ---- what it reads ---- */

static void slugs(struct block *b, const char *what, const uint32_t *steps, size_t n)
{
	if (!n)
		return;
	buf_z(b->out, what);
	for (size_t i = 0; i < n; i++)
		word(b, b->m->steps[steps[i]].slug);
	buf_c(b->out, '\n');
}

/* One of them, or all that it holds: as one expression. */
static void alternatives(struct buf *re, const struct plan *p, struct plan_span globs, bool negated)
{
	size_t n = 0;

	for (uint32_t i = 0; i < globs.n; i++) {
		struct str pattern = plan_word(p, globs, i);
		bool not = pattern.n && pattern.s[0] == '!';

		if (not != negated)
			continue;
		buf_z(re, n++ ? "|" : "^(");
		shell_pattern(re, not ? str_from(pattern, 1) : pattern);
	}
	if (n)
		buf_z(re, ")$");
}

static void globbed(struct block *b, const struct model_inputs *in)
{
	CLEANUP_BUF struct buf yes = BUF_INIT(BUF_UNLIMITED), no = BUF_INIT(BUF_UNLIMITED);

	if (!in->nglobbed)
		return;
	alternatives(&yes, b->plan, b->s->globs, false);
	alternatives(&no, b->plan, b->s->globs, true);
	buf_z(b->out, "made_like");
	word(b, buf_view(&yes));
	word(b, buf_view(&no));
	slugs(b, "", in->globbed, in->nglobbed);
}

static void reads(struct block *b)
{
	const struct model_step *t = &b->m->steps[b->step];
	struct model_inputs in;

	model_inputs(b->m, b->step, &in);
	words(b, "inputs", in.required, in.nrequired);
	words(b, "inputs_if_there", in.optional, in.noptional);
	if (b->s->flags & STEP_ALL_SOURCES)
		buf_z(b->out, "all_sources\n");
	slugs(b, "made", t->needs, t->nneeds);
	for (size_t i = 0; i < in.nmade; i++) {
		if (!i || in.made[i - 1].step != in.made[i].step) {
			buf_z(b->out, i ? "\nmade_at" : "made_at");
			word(b, b->m->steps[in.made[i].step].slug);
		}
		word(b, in.made[i].path);
	}
	if (in.nmade)
		buf_c(b->out, '\n');
	globbed(b, &in);
}

/* ---- what it makes ---- */

static void literals(struct block *b, const char *what, uint32_t mask, uint32_t flags)
{
	struct buf list = BUF_INIT(BUF_UNLIMITED);
	bool any = false;

	for (uint32_t i = 0; i < b->s->outputs.n; i++) {
		const struct plan_output *o = &b->plan->outputs[b->s->outputs.at + i];

		if (o->flags & (OUTPUT_GLOB | OUTPUT_NEGATED) || (o->flags & mask) != flags)
			continue;
		list_add(&list, plan_str(b->plan, o->path));
		any = true;
	}
	if (any) {
		buf_z(b->out, what);
		list_end(b, &list);
		buf_c(b->out, '\n');
	}
}

static void anchored(struct buf *list, struct str pattern)
{
	CLEANUP_BUF struct buf re = BUF_INIT(BUF_UNLIMITED);

	buf_z(&re, "^(");
	shell_pattern(&re, pattern);
	buf_z(&re, ")(/.*)?$");
	list_add(list, buf_view(&re));
}

static void patterns(struct block *b)
{
	struct buf like = BUF_INIT(BUF_UNLIMITED), maybe = BUF_INIT(BUF_UNLIMITED), under = BUF_INIT(BUF_UNLIMITED);
	CLEANUP_BUF struct buf unlike = BUF_INIT(BUF_UNLIMITED);
	size_t n = 0;

	for (uint32_t i = 0; i < b->s->outputs.n; i++) {
		const struct plan_output *o = &b->plan->outputs[b->s->outputs.at + i];
		struct str path = plan_str(b->plan, o->path);

		if (o->flags & OUTPUT_NEGATED) {
			buf_z(&unlike, unlike.n ? "|" : "^(");
			shell_pattern(&unlike, path);
			n++;
		} else if (o->flags & OUTPUT_GLOB) {
			anchored(o->flags & OUTPUT_OPTIONAL ? &maybe : &like, path);
			list_add(&under, glob_prefix(b->m->arena, path));
			n++;
		}
	}
	if (unlike.n)
		buf_z(&unlike, ")(/.*)?$");
	if (n) {
		buf_z(b->out, "outputs_like");
		list_end(b, &like);
		list_end(b, &maybe);
		word(b, buf_view(&unlike));
		list_end(b, &under);
		buf_c(b->out, '\n');
	}
	buf_release(&like);
	buf_release(&maybe);
	buf_release(&under);
}

static void makes(struct block *b)
{
	literals(b, "outputs", OUTPUT_OPTIONAL, 0);
	literals(b, "optional", OUTPUT_OPTIONAL, OUTPUT_OPTIONAL);
	literals(b, "folders", OUTPUT_DIR, OUTPUT_DIR);
	patterns(b);
	if (b->s->flags & STEP_KEEP)
		buf_z(b->out, "keep\n");
	if (b->s->depfile.n) {
		buf_z(b->out, "depfile");
		word(b, plan_str(b->plan, b->s->depfile));
		buf_c(b->out, '\n');
	}
}

/* ---- how it runs ---- */

static void passed(struct block *b)
{
	for (int keyed = 0; keyed < 2; keyed++) {
		bool any = false;

		for (uint32_t i = 0; i < b->s->pass.n; i++) {
			const struct plan_pass *pass = &b->plan->passes[b->s->pass.at + i];

			if (!pass->key != !keyed)
				continue;
			if (!any)
				buf_z(b->out, keyed ? "pass_keyed" : "pass");
			word(b, plan_str(b->plan, pass->name));
			any = true;
		}
		if (any)
			buf_c(b->out, '\n');
	}
}

/* ${NAME} in a path is the shell's to replace; all else is literal. */
static void secret_path(struct buf *out, struct str s)
{
	buf_c(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		bool open = s.s[i] == '$' && i + 1 < s.n && s.s[i + 1] == '{';
		ptrdiff_t end = open ? str_chr(str_from(s, i), '}') : -1;

		if (end > 0) {
			buf_str(out, str_head(str_from(s, i), end));
			buf_z(out, "?is not set}");
			i += end;
			continue;
		}
		if (strchr("\"\\$`", s.s[i]))
			buf_c(out, '\\');
		buf_c(out, s.s[i]);
	}
	buf_c(out, '"');
}

static void secrets(struct block *b)
{
	for (uint32_t i = 0; i < b->s->secrets.n; i++) {
		const struct plan_secret_use *use = &b->plan->uses[b->s->secrets.at + i];
		const struct plan_secret *secret = &b->plan->secrets[use->secret];

		buf_z(b->out, "secret");
		word(b, plan_str(b->plan, use->name));
		if (secret->kind == SECRET_KIND_ENV) {
			buf_z(b->out, " env");
			word(b, plan_str(b->plan, secret->source));
		} else {
			buf_z(b->out, " file ");
			secret_path(b->out, plan_str(b->plan, secret->source));
		}
		buf_c(b->out, '\n');
	}
}

static void required(struct block *b)
{
	static const char *const kinds[] = {" tool", " file", " variable"};
	struct buf list = BUF_INIT(BUF_UNLIMITED);

	if (!b->s->requires.n)
		return;
	for (uint32_t i = 0; i < b->s->requires.n; i++) {
		const struct plan_require *r = &b->plan->requires[b->s->requires.at + i];

		buf_fmt(&list, "%s %u", kinds[r->kind], r->any.n);
		for (uint32_t k = 0; k < r->any.n; k++)
			list_add(&list, plan_word(b->plan, r->any, k));
	}
	buf_z(b->out, "requires");
	list_end(b, &list);
	buf_c(b->out, '\n');
}

/* Seconds, as exact as they were. */
static void seconds(struct buf *out, uint64_t ms)
{
	buf_fmt(out, " %llu", (unsigned long long)(ms / 1000));
	if (ms % 1000)
		buf_fmt(out, ".%03llu", (unsigned long long)(ms % 1000));
}

static void conduct(struct block *b)
{
	const struct plan_step *s = b->s;

	if (s->workdir.n) {
		buf_z(b->out, "workdir");
		word(b, plan_str(b->plan, s->workdir));
		buf_c(b->out, '\n');
	}
	if (s->tags.n) {
		buf_z(b->out, "tags");
		for (uint32_t i = 0; i < s->tags.n; i++)
			word(b, plan_word(b->plan, s->tags, i));
		buf_c(b->out, '\n');
	}
	if (s->timeout_ms) {
		buf_z(b->out, "timeout_s");
		seconds(b->out, s->timeout_ms);
		buf_c(b->out, '\n');
	}
	if (s->retries) {
		buf_fmt(b->out, "retry %u", s->retries);
		seconds(b->out, s->retry_delay_ms);
		buf_fmt(b->out, " %g\n", s->retry_factor);
	}
	if (s->pool != PLAN_NONE && s->pool_size)
		buf_fmt(b->out, "lock pool%u.%u\n", s->pool, b->step % s->pool_size);
	buf_z(b->out, b->m->steps[b->step].always ? "always\n" : "");
	buf_z(b->out, s->flags & STEP_CONSOLE ? "console\n" : "");
	buf_z(b->out, s->flags & STEP_CONTINUE ? "goes_on\n" : "");
}

/* ---- the command ---- */

static void command(struct block *b)
{
	const struct plan_step *s = b->s;
	struct str script = plan_str(b->plan, s->script), end;
	bool text = s->script_kind == SCRIPT_KIND_RUN, file = text && s->flags & (STEP_SHEBANG | STEP_SCRIPT_FILE);
	bool name = text && !file && s->args.n;         /* "$0" */

	if (text && s->args.n)
		buf_fmt(b->out, "args %u\n", s->args.n + name);
	if (text && str_ends(script, S("\n")))
		buf_z(b->out, file ? "run_file" : "run_lines");
	else
		buf_z(b->out, !text ? "start" : file ? "run_file_chomped" : "run");
	for (uint32_t i = 0; i < s->env.n; i++) {
		const struct plan_env *env = &b->plan->envs[s->env.at + i];

		buf_c(b->out, ' ');
		shell_assignment(b->out, plan_str(b->plan, env->name), plan_str(b->plan, env->value));
	}
	for (uint32_t i = 0; i < s->argv.n && !(s->flags & STEP_SHEBANG); i++)
		word(b, plan_word(b->plan, s->argv, i));
	buf_z(b->out, name ? " cairn" : "");
	for (uint32_t i = 0; i < s->args.n; i++)
		word(b, plan_word(b->plan, s->args, i));
	if (!text) {
		buf_c(b->out, '\n');
		return;
	}
	end = shell_delimiter(b->m->arena, script);
	buf_fmt(b->out, " <<'" STR_FMT "'\n" STR_FMT "%s" STR_FMT "\n", STR_ARG(end), STR_ARG(script), str_ends(script, S("\n")) ? "" : "\n", STR_ARG(end));
}

void block_write(struct buf *out, struct model *m, uint32_t step)
{
	struct block b = {out, m, m->plan, &m->plan->steps[step], step};

	buf_z(out, "step");
	word(&b, plan_step_name(m->plan, step));
	word(&b, m->steps[step].slug);
	buf_c(out, '\n');
	reads(&b);
	makes(&b);
	passed(&b);
	secrets(&b);
	required(&b);
	conduct(&b);
	command(&b);
}

void block_sources(struct buf *out, const struct model *m)
{
	CLEANUP_BUF struct buf list = BUF_INIT(BUF_UNLIMITED);
	struct str end;

	for (uint32_t i = 0; i < m->plan->nsources; i++) {
		buf_str(&list, plan_path_str(m->plan, m->plan->sources[i]));
		buf_c(&list, '\n');
	}
	end = shell_delimiter(m->arena, buf_view(&list));
	buf_fmt(out, "all_sources() {\n\t_describe_all >>\"$_new\" <<'" STR_FMT "' || _bad='unable to read the sources'\n" STR_FMT STR_FMT "\n}\n", STR_ARG(end),
		STR_ARG(buf_view(&list)), STR_ARG(end));
}
