#include "runtimes/imageid.h"

#include <stdlib.h>

#include "base/json.h"
#include "plan/manifest.h"
#include "sys/sha.h"

#define VALUE_SHOWN 60

/* The same things by the names of the two kinds of text. */
static const struct names { const char *os, *arch, *variant, *config, *rootfs, *layers; } configuration = {
	"os", "architecture", "variant", "config", "rootfs", "diff_ids",
}, inspection = {"Os", "Architecture", "Variant", "Config", "RootFS", "Layers"};

struct words { struct str *v; size_t n; };

struct reading {
	struct arena *arena;
	struct err *err;
	const struct node *root, *config;       /* config: NULL when there is none */
};

static int wrong(const struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static int wrong(const struct reading *r, const char *fmt, ...)
{
	struct str text;
	va_list ap;

	va_start(ap, fmt);
	text = str_vfmt(r->arena, fmt, ap);
	va_end(ap);
	return err_set(r->err, ERR_RUNTIME, "the image's configuration is not usable: " STR_FMT, STR_ARG(text));
}

/* Absent and null are NULL. */
static const struct node *member(const struct node *map, const char *name)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(name)) : NULL;

	return n && !node_is_null(n) ? n : NULL;
}

static bool is_text(const struct node *n) { return n->kind == NODE_SCALAR && node_type(n) == TYPE_STR; }

static int read_text(const struct reading *r, const struct node *map, const char *name, struct str *out)
{
	const struct node *n = member(map, name);

	*out = S("");
	if (!n)
		return 0;
	if (!is_text(n))
		return wrong(r, "%s is %s, not a text", name, node_kind_name(n));
	*out = json_bytes(r->arena, n->s);
	return 0;
}

static int read_words(const struct reading *r, const struct node *map, const char *name, struct words *out)
{
	const struct node *n = member(map, name);

	*out = (struct words){0};
	if (!n)
		return 0;
	if (n->kind == NODE_SCALAR && is_text(n)) {     /* Docker writes one word so, in old images */
		*out = (struct words){arena_new(r->arena, struct str), 1};
		out->v[0] = json_bytes(r->arena, n->s);
		return 0;
	}
	if (n->kind != NODE_LIST)
		return wrong(r, "%s is %s, not a list", name, node_kind_name(n));
	out->v = arena_array(r->arena, n->n, struct str);
	for (; out->n < n->n; out->n++) {
		const struct node *word = n->items[out->n].value;

		if (!is_text(word))
			return wrong(r, "%s holds %s, not texts only", name, node_kind_name(word));
		out->v[out->n] = json_bytes(r->arena, word->s);
	}
	return 0;
}

static int by_bytes(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* {"/a": {}, "/b": {}}: its keys, sorted. */
static int read_keys(const struct reading *r, const char *name, struct words *out)
{
	const struct node *n = member(r->config, name);

	*out = (struct words){0};
	if (!n)
		return 0;
	if (n->kind != NODE_MAP)
		return wrong(r, "%s is %s, not a map", name, node_kind_name(n));
	out->v = arena_array(r->arena, n->n, struct str);
	for (; out->n < n->n; out->n++)
		out->v[out->n] = json_bytes(r->arena, n->items[out->n].key);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_bytes);
	return 0;
}

/* ---- the description ---- */

static void add_words(struct arena *a, struct buf *b, const char *tag, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		manifest_field(b, tag, str_fmt(a, "%zu", i + 1), words->v[i]);
}

static void add_env(struct buf *b, const struct words *env)
{
	for (size_t i = 0; i < env->n; i++) {
		ptrdiff_t eq = str_chr(env->v[i], '=');

		if (eq < 0)
			manifest_field(b, "env", env->v[i], S(""), S("unset"));
		else
			manifest_field(b, "env", str_head(env->v[i], eq), str_from(env->v[i], eq + 1));
	}
}

static int describe_layers(const struct reading *r, const struct names *names, struct buf *b)
{
	struct words layers;
	struct digest d;

	if (read_words(r, member(r->root, names->rootfs), names->layers, &layers) < 0)
		return -1;
	if (layers.n > IMAGEID_LAYERS_MAX)
		return wrong(r, "it has %zu layers; %d are the most", layers.n, IMAGEID_LAYERS_MAX);
	for (size_t i = 0; i < layers.n; i++)
		if (!digest_parse(layers.v[i], &d) || d.algo != DIGEST_SHA256)
			return wrong(r, "layer %zu has no SHA-256 digest", i + 1);
	add_words(r->arena, b, "layer", &layers);
	return 0;
}

static int describe_config(const struct reading *r, struct imageid *out, struct buf *b)
{
	struct words env, entrypoint, cmd, volumes;
	struct str workdir, user, signal;

	if (read_words(r, r->config, "Env", &env) < 0 || read_words(r, r->config, "Entrypoint", &entrypoint) < 0 ||
	    read_words(r, r->config, "Cmd", &cmd) < 0 || read_keys(r, "Volumes", &volumes) < 0 ||
	    read_text(r, r->config, "WorkingDir", &workdir) < 0 || read_text(r, r->config, "User", &user) < 0 ||
	    read_text(r, r->config, "StopSignal", &signal) < 0)
		return -1;
	out->env = env.v;
	out->nenv = env.n;
	add_env(b, &env);
	add_words(r->arena, b, "entrypoint", &entrypoint);
	add_words(r->arena, b, "cmd", &cmd);
	if (workdir.n && !str_is(workdir, "/"))
		manifest_field(b, "workdir", workdir);
	if (user.n)
		manifest_field(b, "user", user);
	for (size_t i = 0; i < volumes.n; i++)
		manifest_field(b, "volume", volumes.v[i], S("declared"));
	if (signal.n)
		manifest_field(b, "stop-signal", signal);
	return 0;
}

static int read_platform(const struct reading *r, const struct names *names, struct platform *out)
{
	if (read_text(r, r->root, names->os, &out->os) < 0 || read_text(r, r->root, names->arch, &out->arch) < 0 ||
	    read_text(r, r->root, names->variant, &out->variant) < 0)
		return -1;
	if (!out->os.n || !out->arch.n)
		return wrong(r, "it does not say for which platform it is");
	return 0;
}

static int describe(const struct reading *r, const struct names *names, struct imageid *out, struct buf *b)
{
	manifest_begin(b);
	manifest_field(b, "image", S("1"));
	if (read_platform(r, names, &out->platform) < 0)
		return -1;
	manifest_field(b, "os", out->platform.os);
	manifest_field(b, "arch", out->platform.arch);
	if (describe_layers(r, names, b) < 0 || describe_config(r, out, b) < 0)
		return -1;
	return b->full ? wrong(r, "it is too large") : 0;
}

/* Podman gives "OnBuild": null for whatever the image has, and no Shell. */
static int read_builder(const struct reading *r, const struct names *names, struct imageid *out)
{
	struct words onbuild, shell;

	if (read_words(r, r->config, "OnBuild", &onbuild) < 0 || read_words(r, r->config, "Shell", &shell) < 0)
		return -1;
	out->onbuild = onbuild.v;
	out->nonbuild = onbuild.n;
	out->shell = shell.v;
	out->nshell = shell.n;
	out->builder_told = names == &configuration || onbuild.n || shell.n;
	return 0;
}

int imageid_of(struct arena *a, const struct node *root, struct imageid *out, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(2 * IMAGEID_JSON_MAX);
	const struct names *names;
	struct reading r = {.arena = a, .err = err, .root = root};

	*out = (struct imageid){0};
	if (root->kind != NODE_MAP)
		return wrong(&r, "it is no JSON object");
	names = member(root, inspection.rootfs) || member(root, inspection.os) ? &inspection : &configuration;
	r.config = member(root, names->config);
	if (r.config && r.config->kind != NODE_MAP)
		return wrong(&r, "%s is no map", names->config);
	if (!member(root, names->rootfs))
		return wrong(&r, "it lists no layers");
	if (sha256_init(err) < 0 || describe(&r, names, out, &b) < 0 || read_builder(&r, names, out) < 0)
		return -1;
	out->description = str_dup(a, buf_view(&b));
	sha256_bytes(out->description.s, out->description.n, &out->identity);
	return 0;
}

int imageid_read(struct arena *a, struct str text, struct imageid *out, struct err *err)
{
	struct source *src = arena_new(a, struct source);
	struct reading r = {.arena = a, .err = err};
	struct node *root;

	*src = (struct source){S("image"), text};
	if (text.n > IMAGEID_JSON_MAX)
		return wrong(&r, "it is larger than %u MiB", IMAGEID_JSON_MAX >> 20);
	if (json_read_loose(a, src, &root, NULL) < 0)
		return wrong(&r, "it is no JSON");
	return imageid_of(a, root, out, err);
}

/* ---- differences ---- */

static struct str shown(struct arena *a, struct str s)
{
	if (s.n > VALUE_SHOWN)
		return str_fmt(a, "'" STR_FMT "...'", STR_ARG(str_head(s, VALUE_SHOWN - 3)));
	return str_fmt(a, "'" STR_FMT "'", STR_ARG(s));
}

static struct str was_and_is(struct arena *a, struct str what, const struct manifest_change *c)
{
	if (!c->before.s)
		return str_fmt(a, STR_FMT " is new: " STR_FMT, STR_ARG(what), STR_ARG(shown(a, c->after)));
	if (!c->after.s)
		return str_fmt(a, STR_FMT " is gone: it was " STR_FMT, STR_ARG(what), STR_ARG(shown(a, c->before)));
	return str_fmt(a, STR_FMT " was " STR_FMT " and is " STR_FMT, STR_ARG(what), STR_ARG(shown(a, c->before)), STR_ARG(shown(a, c->after)));
}

static struct str layer_change(struct arena *a, const struct manifest_change *c)
{
	return str_fmt(a, "layer " STR_FMT " %s", STR_ARG(c->name), !c->before.s ? "is new" : !c->after.s ? "is gone" : "differs");
}

static struct str change_text(struct arena *a, const struct manifest_change *c)
{
	static const struct { const char *tag, *what; } one[] = {
		{"image", "the form of the description"}, {"os", "the operating system"}, {"arch", "the architecture"},
		{"workdir", "the working folder"}, {"user", "the user"}, {"stop-signal", "the stop signal"},
	};

	if (str_is(c->tag, "layer"))
		return layer_change(a, c);
	if (str_is(c->tag, "env"))
		return was_and_is(a, str_fmt(a, "env " STR_FMT, STR_ARG(c->name)), c);
	if (str_is(c->tag, "volume"))
		return str_fmt(a, "the volume " STR_FMT " is %s", STR_ARG(c->name), c->before.s ? "gone" : "new");
	for (size_t i = 0; i < countof(one); i++)
		if (str_is(c->tag, one[i].tag))
			return was_and_is(a, str_of(one[i].what), c);
	return was_and_is(a, str_fmt(a, "word " STR_FMT " of its " STR_FMT, STR_ARG(c->name), STR_ARG(c->tag)), c);
}

int imageid_differences(struct arena *arena, struct str a, struct str b, struct str **out, size_t *n)
{
	struct manifest_change *changes;

	*n = 0;
	if (manifest_diff(arena, a, b, &changes, n) < 0)
		return -1;
	if (!*n && !str_eq(a, b)) {             /* the same fields by name, and yet another image */
		*out = arena_new(arena, struct str);
		(*out)[0] = S("the order of the environment differs, or a variable that it holds twice");
		*n = 1;
		return 0;
	}
	*out = arena_array(arena, *n, struct str);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = change_text(arena, &changes[i]);
	return 0;
}
