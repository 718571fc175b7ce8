/* ignore.h: gitignore rules of one tree, as gitignore(5) states them, from in-tree files only: what a
 * person's global configuration says must never reach a key. */
#pragma once

#include "base/err.h"

struct ignore;                          /* rules of one folder, with its parents' behind them */
/* text: content of dir's .gitignore (may be empty). parent NULL at the root. dir: workspace-relative. */
struct ignore *ignore_new(struct arena *, const struct ignore *parent, struct str dir, struct str text);
/* Does the innermost matching rule ignore this entry (workspace-relative path)? Parents are the caller's business. */
bool ignore_match(const struct ignore *, struct str path, bool is_dir);
