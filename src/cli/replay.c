#include "cli/replay.h"

#include <fcntl.h>
#include <stdlib.h>

#include "plan/planjson.h"
#include "resolve/content.h"
#include "sys/file.h"

#define PLAN_FILE_MAX (1u << 30)
#define NAMED_MAX 10                    /* files of a stale plan that are named */

int replay_open(struct session *s, const struct plan_words *words, struct err *err)
{
	if (words->vars.n || words->env.n || words->unknown.n || words->has_args || words->since.s || words->affected)
		return err_set(err, ERR_USAGE, "a plan file is replayed as it is: no variables, params, arguments, --since or --affected can be given with --plan");
	return session_open_here(s, words, err);
}

static int verify(struct session *s, const struct plan_content *content, struct err *err)
{
	CLEANUP_BUF struct buf named = BUF_INIT(64 << 10);
	size_t differ = 0;

	for (size_t i = 0; i < content->files.n; i++) {
		const struct entry *want = &content->files.v[i];
		struct entry have;

		if (content_entry(s->content, want->path, &have, NULL, NULL, err) < 0)
			return -1;
		if (entry_same(want, &have))
			continue;
		if (differ++ < NAMED_MAX)
			buf_fmt(&named, "\n  " STR_FMT " %s", STR_ARG(want->path), have.type == ENTRY_ABSENT ? "is missing" : "differs");
	}
	if (!differ)
		return 0;
	return err_set(err, ERR_STALE, "the workspace is not the one the plan was made for: %zu file%s differ%s" STR_FMT "%s", differ,
		       differ == 1 ? "" : "s", differ == 1 ? "s" : "", STR_ARG(buf_view(&named)), differ > NAMED_MAX ? "\n  ..." : "");
}

/* Steps run in what the plan says their images are, whatever tags say today. What is built is made of files, which are verified. */
static void pin(struct session *s, const struct plan_content *content)
{
	struct image_fact *pins = arena_calloc(&s->arena, s->plan->nimages + 1, sizeof(*pins));

	for (size_t i = 0; i < content->npins; i++) {
		const struct plan_pin *p = &content->pins[i];

		if (p->image < s->plan->nimages)
			pins[p->image] = (struct image_fact){.identity = p->identity, .create = p->create, .pull = p->pull};
	}
	s->pins = pins;
}

int replay_plan(struct session *s, struct str file, struct err *err)
{
	struct arena *a = &s->arena;
	struct plan_content content = {0};
	struct str text, path = str_dup(a, file);
	int got = file_read(a, AT_FDCWD, path.s, PLAN_FILE_MAX, &text, err);

	if (got < 0)
		return -1;
	if (!got)
		return err_set(err, ERR_USAGE, "unable to open the plan %s: no such file", path.s);
	s->compiled.image.limit = BUF_UNLIMITED;
	if (plan_from_json(a, text, &s->compiled.image, &content, err) < 0)
		return err_wrap(err, "unable to read the plan %s", path.s);
	if (plan_open(s->compiled.image.s, s->compiled.image.n, true, &s->compiled.plan, err) < 0)
		return -1;
	s->plan = &s->compiled.plan;
	if (session_content(s, err) < 0 || verify(s, &content, err) < 0)
		return -1;
	pin(s, &content);
	return 0;
}
