/* Settings from their layers: each later one wins, each value remembers where it came from. */
#include "cli/config.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/imageref.h"
#include "base/node.h"
#include "base/path.h"
#include "spec/spec.h"
#include "sys/file.h"
#include "sys/xdg.h"

#define SYSTEM_FILE "/etc/cairn/config.yaml"
#define CONFIG_MAX (1u << 20)
#define JOBS_MAX 65536
#define CACHE_BYTES (10ull << 30)

enum setting { JOBS, RUNTIME, RUNNER_IMAGE, CONTAINER_ENGINE, INSECURE_REGISTRIES, TAGS, CAPABILITIES, CACHE_DIR, CACHE_MAX_SIZE, CACHE_MAX_AGE, NSETTINGS };

static const struct known {
	const char *group, *key;        /* {group: {key: ...}}, or NULL and a key of the file itself */
	const char *variable;
	enum setting setting;
} known[] = {
	{NULL, "max_concurrent", "CAIRN_MAX_CONCURRENT", JOBS},         /* jobs wins within a layer */
	{NULL, "jobs", "CAIRN_JOBS", JOBS},
	{NULL, "runtime", "CAIRN_RUNTIME", RUNTIME},
	{NULL, "runner_image", "CAIRN_RUNNER_IMAGE", RUNNER_IMAGE},
	{NULL, "container_engine", "CAIRN_CONTAINER_ENGINE", CONTAINER_ENGINE},
	{NULL, "insecure_registries", "CAIRN_INSECURE_REGISTRIES", INSECURE_REGISTRIES},
	{NULL, "tags", "CAIRN_TAGS", TAGS},
	{NULL, "capabilities", "CAIRN_CAPABILITIES", CAPABILITIES},
	{"cache", "dir", "CAIRN_CACHE_DIR", CACHE_DIR},
	{"cache", "max_size", "CAIRN_CACHE_MAX_SIZE", CACHE_MAX_SIZE},
	{"cache", "max_age", "CAIRN_CACHE_MAX_AGE", CACHE_MAX_AGE},
};
static const char *const shown[NSETTINGS] = {
	[JOBS] = "jobs", [RUNTIME] = "runtime", [RUNNER_IMAGE] = "runner_image",
	[CONTAINER_ENGINE] = "container_engine", [INSECURE_REGISTRIES] = "insecure_registries", [TAGS] = "tags", [CACHE_DIR] = "cache.dir", [CACHE_MAX_SIZE] = "cache.max_size",
	[CACHE_MAX_AGE] = "cache.max_age",
};
static const char *const unbuilt[] = {
	"shell", "user", "group", "nonroot", "docker_implementation", "mounters",
	"workspace_cache_dir", "kubernetes",
};

struct reading {
	struct arena *arena;
	struct config *config;
	struct config_value values[NSETTINGS];
	struct str *capabilities; size_t ncapabilities;
	/* where the value being read stands */
	enum config_origin origin;
	struct str where;
	struct loc loc;
	struct err *err;
};

/* ---- values ---- */

static int mistake(struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static int mistake(struct reading *r, const char *fmt, ...)
{
	va_list ap;
	struct str text;

	va_start(ap, fmt);
	text = str_vfmt(r->arena, fmt, ap);
	va_end(ap);
	if (r->loc.src)
		return err_at(r->err, r->loc, NULL, STR_FMT, STR_ARG(text));
	return err_set(r->err, ERR_USAGE, STR_FMT ": " STR_FMT, STR_ARG(r->where), STR_ARG(text));
}

bool config_age(struct str s, uint64_t *seconds)
{
	uint64_t ms;

	if (!spec_duration(s, &ms))
		return false;
	*seconds = (ms + 999) / 1000;
	return true;
}

static int set_jobs(struct reading *r, struct str text)
{
	uint64_t n = 0;

	if (!str_is(text, "auto") && (!str_u64(text, &n) || n > JOBS_MAX))
		return mistake(r, "expected a number up to %d, or auto, not '" STR_FMT "'", JOBS_MAX, STR_ARG(text));
	r->config->jobs = n;
	return 0;
}

/* auto: each command's first. */
static int set_runtime(struct reading *r, struct str text)
{
	static const struct str kinds[] = {S("auto"), S("native"), S("container"), S("pod")};
	struct str near = str_nearest(text, kinds, countof(kinds));

	if (str_is(text, "auto"))
		r->config->runtime = (struct str){0};
	else if (str_is(text, "native") || str_is(text, "container"))
		r->config->runtime = text;
	else if (str_is(text, "pod"))
		return mistake(r, "runtime pod is not built yet: native and container are");
	else if (str_is(text, "docker") || str_is(text, "podman"))
		return mistake(r, "'" STR_FMT "' is an engine: the runtime is container, the engine container_engine", STR_ARG(text));
	else
		return mistake(r, "unknown runtime '" STR_FMT "'%s" STR_FMT "%s", STR_ARG(text),
			       near.s ? "; did you mean '" : "; there are auto, native and container", STR_ARG(near), near.s ? "'?" : "");
	return 0;
}

static int set_runner_image(struct reading *r, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.s[i] <= ' ')
			return mistake(r, "expected a reference of an image, not '" STR_FMT "'", STR_ARG(text));
	r->config->runner_image = text;
	return 0;
}

static int set_dir(struct reading *r, struct str text)
{
	const char *home = getenv("HOME");

	if (str_starts(text, S("~/")) && home && *home == '/')
		text = str_fmt(r->arena, "%s" STR_FMT, home, STR_ARG(str_from(text, 1)));
	if (!text.n || text.s[0] != '/' || memchr(text.s, 0, text.n))
		return mistake(r, "expected an absolute path, not '" STR_FMT "'", STR_ARG(text));
	path_join(r->arena, S(""), text, &r->config->cache_dir);
	return 0;
}

bool config_engine(struct str text)
{
	static const char *const begins[] = {"unix:///", "/", "tcp://", "http://", "https://", "ssh://"};

	for (size_t i = 0; i < countof(begins); i++)
		if (text.n > strlen(begins[i]) && str_starts(text, str_of(begins[i])))
			return true;
	return str_is(text, "auto") || str_is(text, "podman") || str_is(text, "docker");
}

static int set_engine(struct reading *r, struct str text)
{
	if (!config_engine(text))
		return mistake(r, "expected auto, podman, docker, or an engine's URL as unix:///PATH, tcp://HOST:PORT or ssh://HOST, not '" STR_FMT
			       "'", STR_ARG(text));
	r->config->container_engine = text;
	r->config->container_engine_where = r->origin == FROM_ENV ? r->where : str_fmt(r->arena, "container_engine (" STR_FMT ")", STR_ARG(r->where));
	return 0;
}

static int set_size(struct reading *r, struct str text)
{
	if (!spec_size(text, &r->config->cache_max_bytes))
		return mistake(r, "expected a size such as 10g, 500m or 0 for no limit, not '" STR_FMT "'", STR_ARG(text));
	return 0;
}

static int set_age(struct reading *r, struct str text)
{
	if (!config_age(text, &r->config->cache_max_age_s))
		return mistake(r, "expected an age such as 30d, 12h or 0 for no limit, not '" STR_FMT "'", STR_ARG(text));
	return 0;
}

static bool tag_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.s[i] <= ' ' || s.s[i] == ',')
			return false;
	return s.n > 0;
}

/* words: separated by blanks or commas, or the items of a list joined so. */
static int set_tags(struct reading *r, struct str text, struct str **out, size_t *n)
{
	struct str part;
	size_t most = 1;

	for (size_t i = 0; i < text.n; i++)
		most += text.s[i] == ' ' || text.s[i] == ',';
	*out = arena_array(r->arena, most, struct str);
	*n = 0;
	while (text.n) {
		size_t at = 0;

		while (at < text.n && text.s[at] != ' ' && text.s[at] != ',')
			at++;
		part = str_head(text, at);
		text = str_from(text, at < text.n ? at + 1 : at);
		if (part.n && !tag_ok(part))
			return mistake(r, "'" STR_FMT "' can't be a tag", STR_ARG(part));
		if (part.n)
			(*out)[(*n)++] = str_dup(r->arena, part);
	}
	return 0;
}

static int set_registries(struct reading *r, struct str text)
{
	struct config *c = r->config;
	struct imageref ref;
	const char *why;

	if (set_tags(r, text, &c->insecure_registries, &c->ninsecure_registries) < 0)
		return -1;
	for (size_t i = 0; i < c->ninsecure_registries; i++) {
		struct str host = c->insecure_registries[i];

		why = imageref_parse(r->arena, str_fmt(r->arena, STR_FMT "/x", STR_ARG(host)), &ref);
		if (why || ref.bare || !str_eq(ref.registry, host))
			return mistake(r, "'" STR_FMT "' is no registry, such as example.org:5000", STR_ARG(host));
	}
	return 0;
}

static int value_put(struct reading *r, enum setting setting, struct str text)
{
	int rc = 0;

	text = str_dup(r->arena, text);
	switch (setting) {
	case JOBS: rc = set_jobs(r, text); break;
	case RUNTIME: rc = set_runtime(r, text); break;
	case CONTAINER_ENGINE: rc = set_engine(r, text); break;
	case RUNNER_IMAGE: rc = set_runner_image(r, text); break;
	case INSECURE_REGISTRIES: rc = set_registries(r, text); break;
	case TAGS: rc = set_tags(r, text, &r->config->tags, &r->config->ntags); break;
	case CAPABILITIES: rc = set_tags(r, text, &r->capabilities, &r->ncapabilities); break;
	case CACHE_DIR: rc = set_dir(r, text); break;
	case CACHE_MAX_SIZE: rc = set_size(r, text); break;
	case CACHE_MAX_AGE: rc = set_age(r, text); break;
	case NSETTINGS: BUG("no setting");
	}
	if (rc == 0)
		r->values[setting] = (struct config_value){NULL, text, r->origin, r->where};
	return rc;
}

/* ---- files ---- */

static void value_read(struct reading *r, enum setting setting, const struct node *n, struct str key)
{
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIG_MAX);
	bool list = setting == TAGS || setting == CAPABILITIES || setting == INSECURE_REGISTRIES;

	r->loc = n->loc;
	r->where = str_fmt(r->arena, STR_FMT ":%u", STR_ARG(n->loc.src->path), n->loc.line);
	if (n->kind == NODE_SCALAR && node_is_null(n))
		return;
	if (n->kind == NODE_SCALAR) {
		value_put(r, setting, n->s);
		return;
	}
	if (n->kind != NODE_LIST || !list) {
		mistake(r, "'" STR_FMT "' is %s, expected %s", STR_ARG(key), node_kind_name(n), list ? "a list of texts" : "a single value");
		return;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct node *item = n->items[i].value;

		r->loc = item->loc;
		if (item->kind != NODE_SCALAR || !tag_ok(item->s))
			mistake(r, "expected a tag, a text without blanks and commas");
		else
			buf_fmt(&text, "%s" STR_FMT, text.n ? " " : "", STR_ARG(item->s));
	}
	value_put(r, setting, buf_view(&text));
}

static void key_unknown(struct reading *r, const struct node_item *item, const char *group)
{
	struct str names[countof(known) + 1], near;
	size_t n = 0;

	for (size_t i = 0; !group && i < countof(unbuilt); i++)
		if (str_is(item->key, unbuilt[i])) {
			mistake(r, "'" STR_FMT "' in the configuration is not built yet", STR_ARG(item->key));
			return;
		}
	for (size_t i = 0; i < countof(known); i++)
		if (group ? known[i].group != NULL : !known[i].group)
			names[n++] = str_of(known[i].key);
	if (!group)
		names[n++] = S("cache");
	near = str_nearest(item->key, names, n);
	mistake(r, "unknown key '" STR_FMT "'%s%s" STR_FMT "%s", STR_ARG(item->key), group ? " in cache" : "",
		near.s ? "; did you mean '" : "", STR_ARG(near), near.s ? "'?" : "");
}

static void map_read(struct reading *r, const struct node *map, const char *group)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct node_item *item = &map->items[i];
		bool found = false;

		r->loc = item->key_loc;
		if (!group && str_is(item->key, "cache")) {
			if (item->value->kind == NODE_MAP)
				map_read(r, item->value, "cache");
			else if (!node_is_null(item->value))
				mistake(r, "'cache' is %s, expected a map", node_kind_name(item->value));
			continue;
		}
		for (size_t k = 0; k < countof(known) && !found; k++)
			found = str_is(item->key, known[k].key) && !known[k].group == !group;
		if (!found)
			key_unknown(r, item, group);
	}
	/* in the table's order, whatever the file's, so that an alias never beats the name */
	for (size_t k = 0; k < countof(known); k++) {
		const struct node *n = !known[k].group == !group ? node_get(map, str_of(known[k].key)) : NULL;

		if (n)
			value_read(r, known[k].setting, n, str_of(known[k].key));
	}
}

static int file_layer(struct reading *r, struct str path, enum config_origin origin)
{
	struct source *src = arena_new(r->arena, struct source);
	struct node *root;
	int got;

	src->path = path;
	got = file_read(r->arena, AT_FDCWD, path.s, CONFIG_MAX, &src->text, r->err);
	if (got <= 0)
		return got;
	if (yaml_read(r->arena, src, &root, r->err) < 0)
		return -1;
	r->origin = origin;
	r->where = path;
	if (root->kind == NODE_MAP)
		map_read(r, root, NULL);
	else if (!node_is_null(root))
		err_at(r->err, root->loc, NULL, "the configuration is %s, expected a map", node_kind_name(root));
	return r->err->kind ? -1 : 0;
}

/* ---- all layers ---- */

static int env_layer(struct reading *r)
{
	r->origin = FROM_ENV;
	r->loc = (struct loc){0};
	for (size_t i = 0; i < countof(known); i++) {
		const char *value = getenv(known[i].variable);

		r->where = str_of(known[i].variable);
		if (value && *value && value_put(r, known[i].setting, str_of(value)) < 0)
			return -1;
	}
	return 0;
}

static int defaults(struct reading *r)
{
	struct config *c = r->config;

	*c = (struct config){.cache_max_bytes = CACHE_BYTES, .container_engine = S("auto"), .container_engine_where = S("the default")};
	r->values[JOBS].text = S("auto");
	r->values[RUNTIME].text = S("auto");
	r->values[RUNNER_IMAGE].text = S("");
	r->values[CONTAINER_ENGINE].text = c->container_engine;
	r->values[INSECURE_REGISTRIES].text = S("");
	r->values[TAGS].text = S("");
	r->values[CACHE_MAX_SIZE].text = S("10g");
	r->values[CACHE_MAX_AGE].text = S("0");
	if (xdg_cache(r->arena, &c->cache_dir, r->err) < 0)
		return -1;
	r->values[CACHE_DIR].text = c->cache_dir;
	return 0;
}

static void finish(struct reading *r)
{
	struct config *c = r->config;

	if (r->values[TAGS].origin == FROM_DEFAULT && r->values[CAPABILITIES].origin != FROM_DEFAULT) {
		c->tags = r->capabilities;
		c->ntags = r->ncapabilities;
		r->values[TAGS] = r->values[CAPABILITIES];
	}
	c->values = arena_array(r->arena, NSETTINGS, struct config_value);
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (!shown[i])
			continue;
		c->values[c->nvalues] = r->values[i];
		c->values[c->nvalues++].key = shown[i];
	}
}

int config_read(struct arena *arena, struct config *config, struct err *err)
{
	struct err own = ERR_INIT;
	struct reading r = {.arena = arena, .config = config, .err = &own};
	struct str user;
	int rc = -1;

	if (defaults(&r) == 0 && xdg_config(arena, &user, &own) == 0 && file_layer(&r, S(SYSTEM_FILE), FROM_SYSTEM) == 0 &&
	    file_layer(&r, str_fmt(arena, STR_FMT "/config.yaml", STR_ARG(user)), FROM_USER) == 0 && env_layer(&r) == 0) {
		finish(&r);
		rc = 0;
	}
	if (rc < 0 && err)
		err_move(err, &own);
	err_release(&own);
	return rc;
}
