#include "exec/environ.h"

#include <fcntl.h>
#include <unistd.h>

#include "runtimes/runtime.h"
#include "sys/child.h"
#include "sys/file.h"

#define SECRET_MAX (1u << 20)
#define ARGUMENT_MAX (120u << 10)       /* the kernel takes no more than 128 KiB in one */

const char *environ_get(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

struct env_list { struct arena *arena; const char **v; size_t n; };

static void env_put(struct env_list *l, struct str name, struct str value)
{
	const char *text = str_fmt(l->arena, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value)).s;

	for (size_t i = 0; i < l->n; i++)
		if (!strncmp(l->v[i], text, name.n + 1)) {
			l->v[i] = text;
			return;
		}
	l->v[l->n++] = text;
}

/* What both kinds share: the step's own, then pass_env for what is unset, then secrets. */
static void env_own(struct env_list *l, const struct plan *plan, const struct plan_step *s, const char *const *caller,
		    const struct secret_values *secrets, struct str secrets_dir)
{
	if (s->secret_files.n)
		env_put(l, S("CAIRN_SECRETS"), secrets_dir);
	for (uint32_t i = 0; i < s->env.n; i++) {
		const struct plan_env *env = &plan->envs[s->env.at + i];

		env_put(l, plan_str(plan, env->name), plan_str(plan, env->value));
	}
	for (uint32_t i = 0; i < s->pass.n; i++) {
		struct str name = plan_str(plan, plan->passes[s->pass.at + i].name);
		const char *value = environ_get(caller, name.s);

		if (value && !environ_get(l->v, name.s))
			env_put(l, name, str_of(value));
	}
	for (uint32_t i = 0; i < s->secrets.n; i++) {
		const struct plan_secret_use *use = &plan->uses[s->secrets.at + i];

		if (secrets->v[use->secret].s)
			env_put(l, plan_str(plan, use->name), secrets->v[use->secret]);
	}
}

static struct env_list env_room(struct arena *a, const struct plan_step *s)
{
	return (struct env_list){a, arena_array(a, 9 + s->env.n + s->pass.n + s->secrets.n, const char *), 0};
}

const char *const *environ_make(struct arena *a, const struct plan *plan, const struct plan_step *s, const char *root, const char *tmp,
				const char *const *caller, const struct secret_values *secrets)
{
	static const char *const base[] = {"PATH", "HOME", "USER", "TERM"};
	struct env_list l = env_room(a, s);

	for (size_t i = 0; i < countof(base); i++)
		if (environ_get(caller, base[i]))
			env_put(&l, str_of(base[i]), str_of(environ_get(caller, base[i])));
	env_put(&l, S("TMPDIR"), str_of(tmp));
	env_put(&l, S("CAIRN_WORKSPACE"), str_of(root));
	env_own(&l, plan, s, caller, secrets, str_fmt(a, "%s/secrets", tmp));
	return l.v;
}

const char *const *environ_inside(struct arena *a, const struct plan *plan, const struct plan_step *s, const char *const *caller,
				  const struct secret_values *secrets)
{
	struct env_list l = env_room(a, s);

	env_put(&l, S("CAIRN_WORKSPACE"), S(INSIDE_WORKSPACE));
	env_own(&l, plan, s, caller, secrets, S(INSIDE_SECRETS));
	return l.v;
}

/* Has a shell read a script that is longer than an argument may be. */
static const char *source(struct arena *a, const char *file)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	buf_z(&b, ". '");
	for (; *file; file++)
		*file == '\'' ? buf_z(&b, "'\\''") : buf_c(&b, *file);
	buf_z(&b, "'");
	return str_dup(a, buf_view(&b)).s;
}

const char *const *command_make(struct arena *a, const struct plan *plan, const struct plan_step *s, const char *script_file, bool *needs_file)
{
	const char **argv = arena_array(a, s->argv.n + s->args.n + 4, const char *);
	size_t n = 0;

	struct str script = plan_str(plan, s->script);
	bool as_file = s->script_kind == SCRIPT_KIND_RUN && s->flags & (STEP_SHEBANG | STEP_SCRIPT_FILE);
	bool too_long = s->script_kind == SCRIPT_KIND_RUN && !as_file && script.n > ARGUMENT_MAX;

	*needs_file = as_file || too_long;
	if (!(s->flags & STEP_SHEBANG))
		for (uint32_t i = 0; i < s->argv.n; i++)
			argv[n++] = plan_word(plan, s->argv, i).s;
	if (as_file) {
		argv[n++] = script_file;
	} else if (s->script_kind == SCRIPT_KIND_RUN) {
		argv[n++] = too_long ? source(a, script_file) : script.s;
		if (s->args.n)
			argv[n++] = "cairn";            /* $0 */
	}
	for (uint32_t i = 0; i < s->args.n; i++)
		argv[n++] = plan_word(plan, s->args, i).s;
	return argv;
}

static bool have(struct arena *a, uint32_t kind, struct str what, int rootfd, const char *root, const char *const *env)
{
	const char *path = environ_get(env, "PATH"), *value;
	struct ident ident;
	struct str found;

	if (kind == REQUIRE_TOOL)
		return child_which(a, what, str_of(path ? path : ""), str_of(root), &found);
	if (kind == REQUIRE_FILE)
		return file_ident(rootfd, what.s, &ident, NULL) == 1;
	value = environ_get(env, what.s);
	return value && *value;
}

struct str requires_missing(struct arena *a, const struct plan *plan, const struct plan_step *s, const char *root, const char *const *env)
{
	static const char *const names[] = {"tool", "file", "variable"};
	CLEANUP_FD int rootfd = s->requires.n ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	CLEANUP_BUF struct buf out = BUF_INIT(64 << 10);

	for (uint32_t i = 0; i < s->requires.n; i++) {
		const struct plan_require *r = &plan->requires[s->requires.at + i];
		bool any = false;

		for (uint32_t k = 0; k < r->any.n && !any; k++)
			any = have(a, r->kind, plan_word(plan, r->any, k), rootfd, root, env);
		if (any)
			continue;
		buf_fmt(&out, "%s%s ", out.n ? ", " : "", names[r->kind]);
		for (uint32_t k = 0; k < r->any.n; k++)
			buf_fmt(&out, "%s" STR_FMT, k ? " or " : "", STR_ARG(plan_word(plan, r->any, k)));
	}
	return out.n ? str_dup(a, buf_view(&out)) : (struct str){0};
}

/* ${NAME} of the caller; an unset one is an error. */
static int expand_home(struct arena *a, struct str text, const char *const *caller, struct str *out, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(64 << 10);
	ptrdiff_t at;

	while ((at = str_find(text, S("${"))) >= 0) {
		struct str rest = str_from(text, at + 2), name;
		const char *value;

		if (str_chr(rest, '}') < 0)
			break;
		buf_str(&b, str_head(text, at));
		str_cut(&rest, '}', &name);
		value = environ_get(caller, str_dup(a, name).s);
		if (!value)
			return err_set(err, ERR_SYSTEM, "${" STR_FMT "} is not set", STR_ARG(name));
		buf_z(&b, value);
		text = rest;
	}
	buf_str(&b, text);
	*out = str_dup(a, buf_view(&b));
	return 0;
}

static int secret_read(struct arena *a, const struct plan *plan, const struct plan_secret *secret, int rootfd,
		       const char *const *caller, struct str *out, struct err *err)
{
	struct str path;
	const char *value;
	int got;

	if (secret->kind == SECRET_KIND_ENV) {
		value = environ_get(caller, plan_str(plan, secret->source).s);
		*out = (struct str){value, value ? strlen(value) : 0};
		return 0;
	}
	if (expand_home(a, plan_str(plan, secret->source), caller, &path, err) < 0)
		return -1;
	got = file_read(a, rootfd, path.s, SECRET_MAX, out, err);
	if (got > 0 && str_ends(*out, S("\n")))
		*out = str_dup(a, str_head(*out, out->n - 1));
	return got < 0 ? -1 : 0;
}

int secrets_load(struct arena *a, const struct plan *plan, const char *root, const char *const *caller, struct secret_values *out, struct err *err)
{
	CLEANUP_FD int rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*out = (struct secret_values){arena_array(a, plan->nsecrets, struct str), plan->nsecrets};
	for (uint32_t i = 0; i < plan->nsecrets; i++)
		if (secret_read(a, plan, &plan->secrets[i], rootfd, caller, &out->v[i], err) < 0)
			return err_wrap(err, "unable to read secret " STR_FMT, STR_ARG(plan_str(plan, plan->secrets[i].name)));
	return 0;
}
