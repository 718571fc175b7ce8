#include "resolve/madelink.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "resolve/gather.h"

bool madelink_leads_out(int rootfd, struct str root, struct str path)
{
	struct arena a = ARENA_INIT;
	struct stat st;
	char *real = NULL;
	bool out = false;

	path = str_dup(&a, path);
	if (fstatat(rootfd, path.s, &st, 0) == 0 && S_ISDIR(st.st_mode))
		real = realpath(str_fmt(&a, STR_FMT "/" STR_FMT, STR_ARG(root), STR_ARG(path)).s, NULL);
	if (real)
		out = !path_within(str_of(real), root);
	free(real);
	arena_release(&a);
	return out;
}

/* Is what the link names, as its text has it, an output of a step, or does it hold one? */
static bool leads_to_output(const struct walk *w, const struct entry *e)
{
	const struct plan *plan = w->plan;
	struct str to;

	if (!path_join(w->arena, path_dir(e->path), e->link, &to))
		return false;
	if (path_within(to, w->root))
		to = str_from(to, w->root.n + (to.n > w->root.n));
	if (to.n && to.s[0] == '/')
		return false;
	if (plan_index_producer(w->index, to) != PLAN_NONE)
		return true;
	for (uint32_t i = 0; i < plan->noutputs; i++)
		if (path_within(plan_str(plan, plan->outputs[i].path), to))
			return true;
	return false;
}

/* Where the link is not on disk, or another one is, the record says what there is to say: it will be put back first. */
int madelink_now(struct walk *w, struct probe *p, struct entry *e, struct err *err)
{
	struct err unreadable = ERR_INIT;
	struct entry now;
	bool racy;

	if (e->type != ENTRY_LINK || leads_to_output(w, e))
		return 0;
	if (madelink_leads_out(w->rootfd, w->root, e->path)) {
		e->digest = (struct digest){0};
		return 0;
	}
	if (content_entry(w->content, e->path, &now, NULL, &racy, &unreadable) < 0) {
		err_release(&unreadable);
		return 0;
	}
	if (now.type != ENTRY_LINK || !str_eq(now.link, e->link))
		return 0;
	e->digest = now.digest;
	return use_behind(w, p, e->path, err);
}
