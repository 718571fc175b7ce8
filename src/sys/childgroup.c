/* What is left of a child's process group, the one thing the kernel has no call for: kill(-group, 0) counts zombies,
 * and nobody may ever reap those (a container whose first process is no init). */
#include <signal.h>

#include "sys/child.h"
#include "sys/process.h"

static bool is_member(void *ctx, const struct process *p)
{
	const struct child *c = ctx;

	return p->group == c->pid && !p->dead;
}

bool child_group_left(const struct child *c)
{
	return !c->foreground && kill(-c->pid, 0) == 0 && process_any(is_member, (void *)c);
}
