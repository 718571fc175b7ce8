#include "runtimes/shim/steprequest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static bool read_user(struct spawn *s, struct bytes v)
{
	s->has_user = true;
	if (!wire_take32(&v, &s->uid) || !wire_take32(&v, &s->gid))
		return false;
	while (v.n)
		if (s->ngroups == sizeof(s->groups) / sizeof(*s->groups) || !wire_take32(&v, &s->groups[s->ngroups++]))
			return false;
	return true;
}

static bool read_limit(struct spawn *s, struct bytes v)
{
	uint32_t which;
	return wire_take32(&v, &which) && which < SHIM_LIMITS && wire_take64(&v, &s->limits[which]) && !v.n;
}

static bool read_field(struct request *r, uint16_t tag, struct bytes v)
{
	switch (tag) {
	case FIELD_ARG:
		return words_add(&r->argv, field_text(v));
	case FIELD_ENV:
		return words_add(&r->env, field_text(v));
	case FIELD_FLAGS:
		return field_u32(v, &r->flags) && !(r->flags & ~(STEP_ENV_ADD | STEP_HOST));
	case FIELD_CWD:
		return (r->spawn.cwd = field_text(v));
	case FIELD_USER:
		return read_user(&r->spawn, v);
	case FIELD_UMASK:
		return field_u32(v, &r->spawn.mask) && r->spawn.mask <= 0777;
	case FIELD_LIMIT:
		return read_limit(&r->spawn, v);
	case FIELD_TIMEOUT:
		return field_u64(v, &r->timeout);
	case FIELD_GRACE:
		return field_u32(v, &r->grace);
	case FIELD_SCRIPT_PATH:
		return (r->script_path = field_text(v)) && v.n < SCRIPT_PATH_MAX;
	case FIELD_SCRIPT:
		r->script = v;
		return true;
	}
	return false;
}

bool request_read(struct request *r, struct bytes fields)
{
	uint16_t tag;
	struct bytes v;
	int got;
	while ((got = wire_field(&fields, &tag, &v)) > 0)
		if (!read_field(r, tag, v))
			return false;
	return got == 0 && r->argv.n && (!r->script.p || r->script_path);
}

/* The names of the step's own variables win over those that the shim was started with; so does a name that stands alone. */
static bool has_name(const struct words *env, const char *entry)
{
	size_t n = strcspn(entry, "=");
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], entry, n) == 0 && (!env->v[i][n] || env->v[i][n] == '='))
			return true;
	return false;
}

static void drop_lone_names(struct words *env)
{
	size_t n = 0;
	for (size_t i = 0; i < env->n; i++)
		if (strchr(env->v[i], '='))
			env->v[n++] = env->v[i];
	if (env->n)
		env->v[n] = NULL;
	env->n = n;
}

bool request_complete(struct request *r)
{
	size_t own = r->env.n;
	struct words own_env = {r->env.v, own, 0};
	if (r->flags & STEP_ENV_ADD)
		for (char **e = environ; *e; e++) {
			own_env.v = r->env.v;
			if (!has_name(&own_env, *e) && !words_add(&r->env, *e))
				return false;
		}
	drop_lone_names(&r->env);
	if (r->flags & STEP_HOST && !words_add(&r->env, (char *)host_address()))
		return false;
	static char *none;
	r->spawn.env = r->env.n ? r->env.v : &none;
	r->spawn.argv = r->argv.v;
	return true;
}

/* --- its script --- */

static bool make_parents(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		int failed = mkdir(path, 0755) < 0 && errno != EEXIST;
		*at = '/';
		if (failed)
			return false;
	}
	return true;
}

static bool write_all(int fd, struct bytes b)
{
	while (b.n) {
		ssize_t n = write(fd, b.p, b.n);
		if (n < 0 && errno != EINTR)
			return false;
		wire_take(&b, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* Readable by all, since the step may change its user. */
int request_write_script(struct request *r, char written[SCRIPT_PATH_MAX])
{
	if (!r->script.p)
		return 0;
	if (!make_parents(r->script_path))
		return -1;
	unlink(r->script_path);
	int fd = open(r->script_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	if (fd < 0)
		return -1;
	strcpy(written, r->script_path);
	bool good = write_all(fd, r->script) && fchmod(fd, 0555) == 0;
	int reason = errno;
	close(fd);
	errno = reason;
	return good ? 0 : -1;
}

void request_release(struct request *r)
{
	words_release(&r->argv);
	words_release(&r->env);
}
