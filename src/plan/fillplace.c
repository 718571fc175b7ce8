/* What a step runs in and under which restrictions. Entries that say the same are kept once, so that steps
 * with the same settings share one number. */
#include "plan/fill.h"

#include <stdlib.h>

#include "base/path.h"

/* Texts are kept once, so equal bytes are equal lists. */
static struct plan_span share(struct filler *f, struct table *seen, const char *kind, const void *v, size_t n, size_t size,
			      size_t at, bool *fresh)
{
	CLEANUP_BUF struct buf key = BUF_INIT(BUF_UNLIMITED);
	uint32_t *place;

	buf_z(&key, kind);
	buf_add(&key, v, n * size);
	place = table_put(seen, str_dup(f->m->arena, buf_view(&key)), fresh);
	if (*fresh)
		*place = (uint32_t)at;
	return (struct plan_span){*place, (uint32_t)n};
}

#define SHARE(filler, section, list, count, out) do { \
	bool fresh_; \
	*(out) = share((filler), &(filler)->shared, #section, (list), (count), sizeof(*(list)), (filler)->b->section.n, &fresh_); \
	for (size_t i_ = 0; fresh_ && i_ < (count); i_++) \
		vec_add(&(filler)->b->section, (list)[i_]); \
} while (0)

static int by_word(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int words_share(struct filler *f, struct at *at, const struct spec_texts *texts, bool sorted, struct plan_span *out)
{
	struct plan_text *v = arena_array(f->m->arena, texts->n + 1, struct plan_text);
	struct str *words;
	int rc = at_words(at, texts, &words);

	*out = (struct plan_span){0};
	for (size_t i = 0; i < texts->n && !rc; i++) {
		if (!words[i].n || memchr(words[i].s, 0, words[i].n))
			rc = wrong(f->m, texts->v[i].loc, NULL, "the name is empty or holds a NUL byte");
	}
	if (rc || !texts->n)
		return rc;
	if (sorted)
		qsort(words, texts->n, sizeof(*words), by_word);
	for (size_t i = 0; i < texts->n; i++)
		v[i] = build_text(f->b, words[i]);
	SHARE(f, words, v, texts->n, out);
	return 0;
}

/* ---- the image ---- */

static int by_env_name(const void *a, const void *b)
{
	return str_cmp((*(const struct spec_env *const *)a)->name, (*(const struct spec_env *const *)b)->name);
}

static int args_share(struct filler *f, struct at *at, const struct spec_envs *args, struct plan_span *out)
{
	struct plan_env *v = arena_array(f->m->arena, args->n + 1, struct plan_env);
	const struct spec_env **sorted = arena_array(f->m->arena, args->n + 1, const struct spec_env *);
	struct str value;
	int rc = 0;

	for (size_t i = 0; i < args->n; i++)
		sorted[i] = &args->v[i];
	if (args->n)
		qsort(sorted, args->n, sizeof(*sorted), by_env_name);
	for (size_t i = 0; i < args->n; i++) {
		int got = at_text(at, &sorted[i]->value, EXPAND_RAW, &value);

		rc |= got;
		if (!got)
			v[i] = (struct plan_env){build_text(f->b, sorted[i]->name), build_text(f->b, value)};
	}
	if (!rc)
		SHARE(f, envs, v, args->n, out);
	return rc;
}

static int text_share(struct filler *f, struct at *at, const struct text *t, struct plan_text *out)
{
	struct str s = S("");
	int rc = t->s.n ? at_text(at, t, EXPAND_RAW, &s) : 0;

	if (!rc && memchr(s.s, 0, s.n))
		return wrong(f->m, t->loc, NULL, "a text can't hold a NUL byte");
	if (!rc)
		*out = build_text(f->b, s);
	return rc;
}

static int inside_share(struct filler *f, struct at *at, const struct text *t, struct plan_text *out)
{
	struct str path = at->vars->file->dir;
	int rc = t->s.n ? at_path(at, t, true, &path) : 0;

	if (!rc && is_absolute(path))
		return wrong(f->m, t->loc, "write it relative to the folder of this file", "'" STR_FMT "' lies outside of the workspace",
			     STR_ARG(path));
	if (!rc)
		*out = build_text(f->b, path);
	return rc;
}

static int image_ref(struct filler *f, struct at *at, const struct spec_image *image, struct plan_image *out)
{
	struct str ref = f->m->options->runner_image;
	int rc = image ? at_text(at, &image->ref, EXPAND_RAW, &ref) : 0;

	if (rc)
		return rc;
	if (image && !image->name.s && text_has_expr(image->ref.s) && str_chr(ref, '/') < 0 && str_chr(ref, ':') < 0 && str_chr(ref, '@') < 0)
		return wrong(f->m, image->ref.loc, "an entry of images is named without ${{ }}",
			     "'" STR_FMT "' is no reference of an image: it has no tag", STR_ARG(ref));
	for (size_t i = 0; i < ref.n; i++) {
		if ((unsigned char)ref.s[i] <= ' ')
			return wrong(f->m, image ? image->ref.loc : at->of->command->loc, NULL, "'" STR_FMT "' is no reference of an image",
				     STR_ARG(ref));
	}
	out->ref = build_text(f->b, ref);
	return 0;
}

static int image_write(struct filler *f, struct at *at, const struct spec_command *c, uint32_t *out)
{
	const struct spec_image *image = c->place.image;
	struct plan_image v = {.kind = IMAGE_KIND_REF, .name = build_text(f->b, S("")), .ref = build_text(f->b, S(""))};
	struct plan_span span;
	struct at own;
	int rc;

	v.platform = v.file = v.context = v.target = v.name;
	if (!image && !f->m->options->runner_image.n)
		return wrong(f->m, c->loc, "image: NAME:TAG, or runner_image in the configuration",
			     "step " STR_FMT " runs in a container and names no image", STR_ARG(at->inst->name));
	if (!image) {
		rc = image_ref(f, at, NULL, &v);
	} else {
		if (image->name.s) {            /* its own file's vars and folder, and no step's */
			at_init(&own, f->m, vars_of(f->m, image->file), NULL, NULL, NULL);
			at = &own;
			v.name = build_text(f->b, image->name);
		}
		v.pull = (uint32_t)image->pull;
		rc = text_share(f, at, &image->platform, &v.platform);
		if (image->containerfile.s.n) {
			v.kind = IMAGE_KIND_BUILD;
			rc |= inside_share(f, at, &image->containerfile, &v.file);
			rc |= inside_share(f, at, &image->context, &v.context);
			rc |= text_share(f, at, &image->target, &v.target);
			rc |= args_share(f, at, &image->args, &v.args);
		} else {
			rc |= image_ref(f, at, image, &v);
		}
	}
	if (rc)
		return rc;
	SHARE(f, images, &v, 1, &span);
	*out = span.at;
	return 0;
}

/* ---- mounts ---- */

static bool is_volume_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && strchr("_.-", c)))
			continue;
		return false;
	}
	return s.n > 0;
}

/* SOURCE:TARGET[:ro|rw]; what holds a '/' or begins with '.', '~' or "${" is a path, anything else a volume. */
static int brief_split(struct filler *f, struct at *at, const struct spec_mount *m, struct plan_mount *v, struct str *source, struct str *target)
{
	struct str s, rest, how = S("");
	size_t from = 0;
	ptrdiff_t colon;
	int rc = at_text(at, &m->brief, EXPAND_RAW, &s);

	if (rc)
		return rc;
	if (str_starts(s, S("${")) && str_chr(s, '}') >= 0)
		from = (size_t)str_chr(s, '}');
	colon = str_chr(str_from(s, from), ':');
	if (colon <= 0 && !from)
		return wrong(f->m, m->loc, "./data:/data, cache:/cache:ro", "'" STR_FMT "' is no mount", STR_ARG(s));
	*source = str_head(s, from + (size_t)colon);
	rest = str_from(s, from + (size_t)colon + 1);
	if ((colon = str_chr(rest, ':')) >= 0) {
		how = str_from(rest, (size_t)colon + 1);
		rest = str_head(rest, (size_t)colon);
	}
	*target = rest;
	if (how.n && !str_is(how, "ro") && !str_is(how, "rw"))
		return wrong(f->m, m->loc, "a mount ends with :ro, :rw or neither", "'" STR_FMT "' is no way to mount", STR_ARG(how));
	v->flags |= str_is(how, "ro") ? MOUNT_READONLY : 0;
	v->kind = str_chr(*source, '/') >= 0 || source->s[0] == '.' || source->s[0] == '~' || from ? MOUNT_KIND_BIND : MOUNT_KIND_VOLUME;
	return 0;
}

static int bind_source(struct filler *f, struct at *at, const struct spec_mount *m, struct plan_mount *v, struct str source)
{
	struct arena *a = f->m->arena;
	struct str path;

	if (str_is(source, "~") || str_starts(source, S("~/")))
		source = str_fmt(a, "${HOME}" STR_FMT, STR_ARG(str_from(source, 1)));
	if (str_starts(source, S("${"))) {
		v->source = build_text(f->b, source);
		return 0;
	}
	if (!path_join(a, at->vars->file->dir, source, &path))
		return wrong(f->m, m->loc, "write it absolutely, or with ${HOME}", "the source '" STR_FMT "' lies outside of the workspace",
			     STR_ARG(source));
	v->flags |= is_absolute(path) ? 0 : MOUNT_INSIDE;
	v->source = build_text(f->b, path);
	return 0;
}

static int target_write(struct filler *f, const struct spec_mount *m, struct str target, struct plan_mount *v)
{
	struct str path;

	if (!is_absolute(target) || !path_join(f->m->arena, S(""), target, &path) || path.n < 2)
		return wrong(f->m, m->loc, "where it is seen: /data", "'" STR_FMT "' is no absolute path to mount at", STR_ARG(target));
	if (str_is(path, PLAN_INSIDE) || path_within(path, S("/cairn")))
		return wrong(f->m, m->loc, "workspace: rw, ro or copy says how the workspace is seen", STR_FMT " is cairn's own", STR_ARG(path));
	v->target = build_text(f->b, path);
	return 0;
}

static int mount_write(struct filler *f, struct at *at, const struct spec_mount *m, struct plan_mount *v)
{
	struct str source = S(""), target = S("");
	int rc;

	*v = (struct plan_mount){.kind = (uint32_t)m->kind, .size = m->size, .driver = build_text(f->b, S("")), .source = build_text(f->b, S(""))};
	v->flags = (m->readonly ? MOUNT_READONLY : 0) | (m->key_none ? MOUNT_KEY_NONE : 0);
	if (m->brief.s.n) {
		rc = brief_split(f, at, m, v, &source, &target);
	} else {
		rc = m->source.s.n ? at_text(at, &m->source, EXPAND_RAW, &source) : 0;
		rc |= at_text(at, &m->target, EXPAND_RAW, &target);
	}
	if (rc || target_write(f, m, target, v) < 0)
		return rc ? rc : -1;
	if (v->kind == MOUNT_KIND_BIND)
		return bind_source(f, at, m, v, source);
	if (v->kind == MOUNT_KIND_VOLUME && source.n && !is_volume_name(source))
		return wrong(f->m, m->loc, "a path begins with ./ or /", "'" STR_FMT "' can't name a volume", STR_ARG(source));
	v->source = build_text(f->b, source);
	if (v->kind != MOUNT_KIND_CUSTOM)
		return 0;
	v->driver = build_text(f->b, m->driver);
	return args_share(f, at, &m->options, &v->options);
}

/* What of the workspace a step mounts is among its inputs; what it mounts from outside has to be excused. */
static void mount_note(struct filler *f, struct inst *in, const struct plan_mount *v)
{
	struct str source = (struct str){f->b->text.s + v->source.at, v->source.n};

	if (v->kind == MOUNT_KIND_BIND && v->flags & MOUNT_INSIDE && source.n)
		in->bound[in->nbound++] = str_dup(f->m->arena, source);
	else if (v->kind == MOUNT_KIND_BIND && !(v->flags & (MOUNT_INSIDE | MOUNT_KEY_NONE)))
		in->unkeyed_mount = str_dup(f->m->arena, source);
	else if (v->kind == MOUNT_KIND_CUSTOM)
		in->unkeyed_mount = str_dup(f->m->arena, (struct str){f->b->text.s + v->target.at, v->target.n});
}

static int mounts_write(struct filler *f, struct at *at, const struct spec_place *p, struct inst *in, struct plan_span *out)
{
	struct plan_mount *v = arena_array(f->m->arena, p->nmounts + 1, struct plan_mount);
	int rc = 0;

	in->bound = arena_array(f->m->arena, p->nmounts + 1, struct str);
	in->nbound = 0;
	for (size_t i = 0; i < p->nmounts; i++) {
		int got = mount_write(f, at, &p->mounts[i], &v[i]);

		for (size_t k = 0; k < i && !got && !rc; k++) {
			if (v[k].target.at == v[i].target.at)
				got = wrong(f->m, p->mounts[i].loc, NULL, "two mounts have the target " STR_FMT,
					    (int)v[i].target.n, f->b->text.s + v[i].target.at);
		}
		rc |= got;
		if (!got)
			mount_note(f, in, &v[i]);
	}
	if (!rc && p->nmounts)
		SHARE(f, mounts, v, p->nmounts, out);
	return rc;
}

/* ---- ports ---- */

static bool port_number(struct str s, uint32_t least, uint32_t *out)
{
	uint64_t n;

	if (!str_u64(s, &n) || n < least || n > 65535)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* [[IP:]HOST:]INSIDE[/udp] */
static bool port_parse(struct str s, struct str *ip, struct plan_port *v)
{
	ptrdiff_t at = str_chr(s, '/');

	*ip = S("127.0.0.1");
	if (at >= 0) {
		struct str protocol = str_from(s, (size_t)at + 1);

		if (!str_is(protocol, "tcp") && !str_is(protocol, "udp"))
			return false;
		v->udp = str_is(protocol, "udp");
		s = str_head(s, (size_t)at);
	}
	for (at = (ptrdiff_t)s.n; at > 0 && s.s[at - 1] != ':'; at--)
		;
	if (!port_number(str_from(s, (size_t)at), 1, &v->inside))
		return false;
	if (!at)
		return true;
	s = str_head(s, (size_t)at - 1);
	for (at = (ptrdiff_t)s.n; at > 0 && s.s[at - 1] != ':'; at--)
		;
	if (s.n > (size_t)at && !port_number(str_from(s, (size_t)at), 0, &v->host))
		return false;
	if (at)
		*ip = str_head(s, (size_t)at - 1);
	return ip->n > 0;
}

static int ports_write(struct filler *f, struct at *at, const struct spec_texts *ports, struct plan_span *out)
{
	struct plan_port *v = arena_array(f->m->arena, ports->n + 1, struct plan_port);
	struct str *words, ip;
	int rc = at_words(at, ports, &words);

	for (size_t i = 0; i < ports->n && !rc; i++) {
		if (!port_parse(words[i], &ip, &v[i]))
			rc = wrong(f->m, ports->v[i].loc, "8080:80, 127.0.0.1:5353:53/udp, or 80 for any free port of the host",
				   "'" STR_FMT "' is no port to publish", STR_ARG(words[i]));
		else
			v[i].ip = build_text(f->b, ip);
	}
	if (!rc && ports->n)
		SHARE(f, ports, v, ports->n, out);
	return rc;
}

/* ---- security ---- */

static int capabilities_write(struct filler *f, struct at *at, const struct spec_texts *given, struct plan_span *out)
{
	struct spec_texts plain = {arena_array(f->m->arena, given->n + 1, struct text), given->n};

	for (size_t i = 0; i < given->n; i++) {
		plain.v[i] = given->v[i];
		if (str_starts(plain.v[i].s, S("CAP_")))
			plain.v[i].s = str_from(plain.v[i].s, 4);
	}
	return words_share(f, at, &plain, true, out);
}

static int security_write(struct filler *f, struct at *at, const struct spec_security *s, struct plan_place *p)
{
	int rc = text_share(f, at, &s->user, &p->user);

	rc |= text_share(f, at, &s->group, &p->group);
	rc |= words_share(f, at, &s->groups, true, &p->groups);
	rc |= words_share(f, at, &s->writable, true, &p->writable);
	rc |= words_share(f, at, &s->denied_syscalls, true, &p->denied_syscalls);
	rc |= capabilities_write(f, at, &s->capabilities, &p->capabilities);
	p->flags |= (s->nonroot ? PLACE_NONROOT : 0) | (s->no_new_privs ? PLACE_NO_NEW_PRIVS : 0) | (s->private_tmp ? PLACE_PRIVATE_TMP : 0) |
		    (s->readonly_fs ? PLACE_READONLY_FS : 0) | (s->capabilities_given ? PLACE_CAPABILITIES : 0) |
		    (s->best_effort ? PLACE_BEST_EFFORT : 0) | (s->umask_given ? PLACE_UMASK : 0);
	p->umask = s->umask_given ? s->umask : 0;
	return rc;
}

/* ---- all of it ---- */

static int secret_files_write(struct filler *f, const struct spec_command *c, struct plan_step *s)
{
	struct plan_secret_use *v = arena_array(f->m->arena, c->secret_files.n + 1, struct plan_secret_use);
	struct str *names = arena_array(f->m->arena, c->secret_files.n + 1, struct str);
	size_t n = 0;

	for (size_t i = 0; i < c->secret_files.n; i++)
		names[i] = c->secret_files.v[i].s;
	if (c->secret_files.n)
		qsort(names, c->secret_files.n, sizeof(*names), by_word);
	for (size_t i = 0; i < c->secret_files.n; i++) {
		if (!i || !str_eq(names[i], names[i - 1]))
			v[n++] = (struct plan_secret_use){build_text(f->b, names[i]), table_get(&f->secrets, names[i])};
	}
	if (n)
		SHARE(f, uses, v, n, &s->secret_files);
	return 0;
}

static bool is_plain(const struct plan_place *p)
{
	struct plan_place plain = {.image = PLAN_NONE, .user = p->user, .group = p->group};

	return !p->user.n && !p->group.n && !memcmp(p, &plain, sizeof(plain));
}

int fill_place(struct filler *f, struct at *at, struct inst *in, struct plan_step *s)
{
	const struct spec_command *c = in->of->command;
	const struct spec_place *given = &c->place;
	struct plan_place p = {.image = PLAN_NONE, .user = build_text(f->b, S("")), .group = build_text(f->b, S(""))};
	bool contained = c->runtime != RUNTIME_NATIVE;
	struct plan_span span;
	int rc = secret_files_write(f, c, s);

	s->runtime = (uint32_t)c->runtime;
	s->place = PLAN_NONE;
	if (c->kind == SCRIPT_NONE)
		return rc;
	if (contained) {                        /* these say where; natively they are left aside */
		rc |= image_write(f, at, c, &p.image);
		rc |= ports_write(f, at, &given->ports, &p.ports);
		rc |= words_share(f, at, &given->networks, false, &p.networks);
		p.flags |= (given->network_none ? PLACE_NETWORK_NONE : 0) | (given->reuse ? PLACE_REUSE : 0) | (given->host_ssh ? PLACE_HOST_SSH : 0);
		p.docker = (uint32_t)given->docker;
	}
	rc |= mounts_write(f, at, given, in, &p.mounts);
	rc |= security_write(f, at, &given->security, &p);
	p.cpus_milli = given->limits.cpus_milli;
	p.memory = given->limits.memory;
	p.pids = given->limits.pids;
	p.files = given->limits.files;
	p.fsize = given->limits.fsize;
	p.gpus = given->limits.gpus;
	if (rc || is_plain(&p))
		return rc;
	SHARE(f, places, &p, 1, &span);
	s->place = span.at;
	return 0;
}
