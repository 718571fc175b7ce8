/* inside.h: paths below an open folder, walked component by component and through no link, so that nothing outside is
 * ever reached. (exec/beneath.h is cairn's own, which follows links that stay below; the shim has no use for those.) */
#pragma once

#include <stdbool.h>

/* The folder that a sane path's last component lies in, made if `make`; -1 with errno. It stays the callee's, open until
 * the next call or inside_forget. *name is the last component. */
int inside_parent(int root, const char *path, bool make, const char **name);
void inside_forget(void);
/* fd of an absolute folder, which is made with its parents; or -1 with errno. */
int inside_root(char *path);
/* Removes all that is in the folder; 0 or -1 with errno. */
int inside_empty(int folder);
