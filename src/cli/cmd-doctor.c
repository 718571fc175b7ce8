/* What can run containers here, whether it does, and what to do where it does not. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/config.h"
#include "cli/show.h"
#include "runtimes/enginefind.h"
#include "runtimes/enginetrial.h"

#define PING_MS 5000

enum found { FOUND_ANSWERS, FOUND_ABSENT, FOUND_STALE, FOUND_DENIED, FOUND_WRONG, FOUND_NOT_ASKED };
static const char *const found_names[] = {"answers", "absent", "stale", "denied", "wrong", "not-asked"};

struct place { const struct engine_place *at; enum found found; struct str text; };

struct doctor {
	struct arena arena;
	struct loop *loop;
	struct http *http;
	struct engine *engine;          /* the one that a run would take; NULL: none */
	struct engine_about about;
	struct place *places; size_t nplaces;
	enum { TRIAL_NONE, TRIAL_RAN, TRIAL_FAILED } trial;
	struct str problems[16]; size_t nproblems;      /* with what to do: sentences */
	struct rlimit files, processes;
};

static void problem(struct doctor *d, const char *fmt, ...) PRINTF(2, 3);
static void problem(struct doctor *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (d->nproblems < countof(d->problems))
		d->problems[d->nproblems++] = str_vfmt(&d->arena, fmt, ap);
	va_end(ap);
}

/* --- looking --- */

static void place_told(struct doctor *d, struct place *p, const struct http_reply *reply)
{
	struct http_head head = {reply->status, buf_view(&reply->headers)};
	struct str libpod = http_header(&head, "Libpod-API-Version"), api = http_header(&head, "API-Version");
	p->found = reply->status == 200 && api.n ? FOUND_ANSWERS : FOUND_WRONG;
	p->text = p->found == FOUND_WRONG ? str_fmt(&d->arena, "what answers is no container engine (status %d)", reply->status) :
		  libpod.n ? str_fmt(&d->arena, "Podman " STR_FMT ", API " STR_FMT, STR_ARG(libpod), STR_ARG(api)) :
			     str_fmt(&d->arena, "Docker, API " STR_FMT, STR_ARG(api));
}

static void place_ask(struct doctor *d, struct place *p)
{
	struct http_reply reply = HTTP_REPLY_INIT(1u << 16);
	struct http_request r = {.server = &p->at->server, .path = S("/_ping"), .timeout_ms = PING_MS};
	struct http_end end = {0};
	struct err err = ERR_INIT;
	if (http_fetch(d->http, &r, &reply, &end, &err) == 0) {
		place_told(d, p, &reply);
	} else {
		const char *why = end.os_errno ? strerror(end.os_errno) : err.text;
		p->found = end.os_errno == ENOENT ? FOUND_ABSENT : end.os_errno == ECONNREFUSED ? FOUND_STALE :
			   end.os_errno == EACCES ? FOUND_DENIED : FOUND_WRONG;
		p->text = p->found == FOUND_ABSENT ? S("is not there") :
			  str_fmt(&d->arena, "%s%s", why, engine_advice(end.os_errno, p->at->likely));
	}
	err_release(&err);
	http_reply_release(&reply);
}

static int look(struct doctor *d, const struct engine_choice *choice, struct err *err)
{
	struct engine_place *places;
	int wanted;
	if (engine_places(&d->arena, choice, &wanted, &places, &d->nplaces, err) < 0)
		return -1;
	d->places = arena_array(&d->arena, d->nplaces + 1, struct place);
	for (size_t i = 0; i < d->nplaces; i++) {
		struct place *p = &d->places[i];
		*p = (struct place){&places[i], FOUND_NOT_ASKED, {0}};
		if (places[i].problem.n)
			p->found = FOUND_WRONG, p->text = places[i].problem;
		else if (places[i].how == PLACE_SERVICE)
			p->text = S("the program is there; its service is started for a run when nothing else answers");
		else if (places[i].how == PLACE_SSH)
			p->text = S("is asked when it is used");
		else
			place_ask(d, p);
	}
	return 0;
}

/* --- the one that is used --- */

static void examine(struct doctor *d)
{
	struct engine_answer a = {.arena = &d->arena};
	const struct engine_about *about = &d->about;
	struct err err = ERR_INIT;
	engine_info(d->engine, engine_keep, &a);
	if (engine_await(d->engine, &a, &err) < 0)
		problem(d, "%s", err.text);
	else
		engine_about_of(&d->arena, a.json, &d->about);
	err_release(&err);
	if (about->rootless && about->cgroup_version == 1)
		problem(d, "limits of memory, CPUs and processes are not kept: a rootless engine can't set them with cgroups v1; boot with cgroups v2");
	if (str_is(about->storage, "vfs"))
		problem(d, "images are copied whole for each container (storage driver vfs): install fuse-overlayfs, or use a kernel whose "
			"overlayfs this user may mount");
	if (about->os.n && !str_is(about->os, "linux"))
		problem(d, "the engine runs containers of " STR_FMT "; steps need those of linux", STR_ARG(about->os));
}

static void try(struct doctor *d)
{
	struct err err = ERR_INIT;
	if (engine_trial(d->engine, &err) == 0) {
		d->trial = TRIAL_RAN;
		return;
	}
	struct str advice = engine_trial_advice(str_of(err.text));
	d->trial = TRIAL_FAILED;
	problem(d, "no container runs: %s%s" STR_FMT, err.text, advice.n ? "; " : "", STR_ARG(advice));
	err_release(&err);
}

static void limits(struct doctor *d)
{
	getrlimit(RLIMIT_NOFILE, &d->files);
	getrlimit(RLIMIT_NPROC, &d->processes);
	if (d->files.rlim_cur < 1024)
		problem(d, "only %llu files may be open at once: raise it (ulimit -n 4096), each step that runs takes several",
			(unsigned long long)d->files.rlim_cur);
}

static int diagnose(struct doctor *d, const struct engine_choice *choice, struct err *err)
{
	struct err why = ERR_INIT;
	if (!(d->loop = loop_open(err)) || !(d->http = http_open(d->loop, err)) || look(d, choice, err) < 0)
		return -1;
	d->engine = engine_open_wait(d->http, choice, &why);
	if (d->engine) {
		examine(d);
		try(d);
	} else {
		problem(d, "%s", why.text);
	}
	err_release(&why);
	limits(d);
	return 0;
}

/* --- telling --- */

static void text_line(struct buf *out, const char *name, struct str text)
{
	buf_fmt(out, "%-10s", name);
	show_text(out, text.n ? text : S("not told"));
	buf_c(out, '\n');
}

static struct str limit(struct doctor *d, const struct rlimit *l)
{
	return l->rlim_cur == RLIM_INFINITY ? S("no limit") : str_fmt(&d->arena, "%llu", (unsigned long long)l->rlim_cur);
}

static void engine_text(struct doctor *d, struct buf *out)
{
	const struct engine_about *a = &d->about;
	struct arena *arena = &d->arena;
	text_line(out, "engine", str_fmt(arena, "%s " STR_FMT ", API 1.%u", engine_kind_name(engine_kind(d->engine)), STR_ARG(a->version),
					 engine_api(d->engine)));
	text_line(out, "at", str_fmt(arena, STR_FMT " (" STR_FMT ")", STR_ARG(engine_url(d->engine)), STR_ARG(engine_why(d->engine))));
	text_line(out, "system", str_fmt(arena, STR_FMT " " STR_FMT ", %s", STR_ARG(a->os), STR_ARG(a->arch),
					 a->rootless ? "rootless" : "with the rights of root"));
	text_line(out, "cgroups", str_fmt(arena, "v%u, " STR_FMT, a->cgroup_version, STR_ARG(a->cgroup_driver)));
	text_line(out, "storage", a->storage);
	text_line(out, "security", str_fmt(arena, "%s%s%s%s", a->seccomp ? "seccomp " : "", a->apparmor ? "apparmor " : "",
					   a->selinux ? "selinux " : "", a->userns ? "userns" : ""));
	text_line(out, "trial", d->trial == TRIAL_RAN ? str_fmt(arena, "a container ran, by %s" STR_FMT, a->runtime.n ? "" : "the engine's runtime",
								STR_ARG(a->runtime)) : S("no container ran"));
}

static void as_text(struct doctor *d, struct buf *out)
{
	if (d->engine)
		engine_text(d, out);
	else
		text_line(out, "engine", S("none"));
	text_line(out, "ulimits", str_fmt(&d->arena, "open files " STR_FMT ", processes " STR_FMT, STR_ARG(limit(d, &d->files)),
					  STR_ARG(limit(d, &d->processes))));
	buf_z(out, "\nlooked at, in this order:\n");
	for (size_t i = 0; i < d->nplaces; i++) {
		const struct place *p = &d->places[i];
		buf_z(out, "  ");
		show_text(out, p->at->url);
		buf_z(out, " (");
		show_text(out, p->at->why);
		buf_z(out, "): ");
		show_text(out, p->text);
		buf_c(out, '\n');
	}
	buf_z(out, d->nproblems ? "\nproblems:\n" : "\nno problem was found\n");
	for (size_t i = 0; i < d->nproblems; i++) {
		buf_z(out, "  ");
		show_text(out, d->problems[i]);
		buf_c(out, '\n');
	}
}

static void engine_json(struct doctor *d, struct json *j)
{
	const struct engine_about *a = &d->about;
	json_key(j, "engine");
	if (!d->engine) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_kstr(j, "kind", engine_kind(d->engine) == ENGINE_PODMAN ? S("podman") : S("docker"));
	json_kstr(j, "version", a->version);
	json_kstr(j, "api", str_fmt(&d->arena, "1.%u", engine_api(d->engine)));
	json_kstr(j, "url", engine_url(d->engine));
	json_kstr(j, "why", engine_why(d->engine));
	json_kstr(j, "os", a->os);
	json_kstr(j, "arch", a->arch);
	json_kbool(j, "rootless", a->rootless);
	json_kint(j, "cgroups", a->cgroup_version);
	json_kstr(j, "cgroup_driver", a->cgroup_driver);
	json_kstr(j, "storage", a->storage);
	json_kstr(j, "oci_runtime", a->runtime);
	json_kbool(j, "seccomp", a->seccomp);
	json_kbool(j, "apparmor", a->apparmor);
	json_kbool(j, "selinux", a->selinux);
	json_kbool(j, "ran_a_container", d->trial == TRIAL_RAN);
	json_close(j, '}');
}

static void json_limit(struct json *j, const char *key, const struct rlimit *l)
{
	json_key(j, key);
	if (l->rlim_cur == RLIM_INFINITY || l->rlim_cur > INT64_MAX)
		json_null(j);
	else
		json_int(j, (int64_t)l->rlim_cur);
}

static void as_json(struct doctor *d, struct buf *out)
{
	struct json j = {.out = out};
	json_open(&j, '{');
	engine_json(d, &j);
	json_key(&j, "ulimits");
	json_open(&j, '{');
	json_limit(&j, "open_files", &d->files);
	json_limit(&j, "processes", &d->processes);
	json_close(&j, '}');
	json_key(&j, "places");
	json_open(&j, '[');
	for (size_t i = 0; i < d->nplaces; i++) {
		json_open(&j, '{');
		json_kstr(&j, "url", d->places[i].at->url);
		json_kstr(&j, "why", d->places[i].at->why);
		json_kstr(&j, "found", str_of(found_names[d->places[i].found]));
		json_kstr(&j, "text", d->places[i].text);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "problems");
	json_open(&j, '[');
	for (size_t i = 0; i < d->nproblems; i++)
		json_str(&j, d->problems[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(out, '\n');
}

static int doctor(int argc, char **argv, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct doctor d = {0};
	struct common common;
	struct opt_rest rest;
	struct config config;
	struct str engine = {0};
	bool helped, json = false;
	const struct opt opts[] = {
		{0, "engine", OPT_STR, &engine, "ENGINE", "look at this engine: auto, podman, docker or a URL"},
		{0, "json", OPT_FLAG, &json, NULL, "print JSON"},
	};
	int rc = cmd_options(&d.arena, &cmd_doctor, opts, countof(opts), argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped && (rc = cmd_no_words(&cmd_doctor, &rest, err)) == 0 && (rc = config_read(&d.arena, &config, err)) == 0) {
		struct engine_choice choice = {config.container_engine, config.container_engine_where};
		if (engine.s)
			choice = (struct engine_choice){engine, S("--engine")};
		if ((rc = diagnose(&d, &choice, err)) == 0) {
			json ? as_json(&d, &out) : as_text(&d, &out);
			rc = cmd_print(&out, err);
		}
		if (rc == 0 && d.nproblems)
			rc = 1;
	}
	engine_close(d.engine);
	http_close(d.http);
	loop_close(d.loop);
	arena_release(&d.arena);
	return rc;
}

const struct command cmd_doctor = {"doctor", "tell what runs containers here, and what keeps them from running",
				   "cairn doctor [--engine=ENGINE] [--json]", doctor};
