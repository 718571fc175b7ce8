/* tools.h: identity of programs a native step runs: where PATH finds them, through links, by content;
 * the output of `{run: cc --version}` memoised by the program's digest; the digest of the package
 * database (dpkg, rpm, apk) for steps that name no tools.
 *
 * A command runs in the workspace's root with PATH, HOME and LC_ALL=C alone, so that its output is the same in every folder and
 * for every user. What is memoised holds for the same words, program, PATH and HOME; a script's output (`#!`) is not, since
 * what it starts in turn is not known. A shim that is a binary (rustup's) hides what it starts. */
#pragma once

#include "plan/key.h"
#include "resolve/content.h"

#define TOOLS_OUTPUT_MAX (1u << 20)     /* bytes a command may print */
#define TOOLS_TIMEOUT 60000             /* ms it may take */

struct tools;
struct tools_look { struct str path; struct ident ident; };
/* path: the PATH to search; relative and empty parts of it are relative to the step's folder. */
struct tools *tools_open(struct arena *, struct content *, struct str root, struct str path, const char *memo_file);
/* The PATH of the look-ups that follow; {NULL}: the one of tools_open. */
void tools_search(struct tools *, struct str path);
int tools_save(struct tools *, struct err *);
void tools_close(struct tools *);
/* name: a program (PATH look-up unless it has a slash: then relative to dir, which is workspace-relative). Absent: path {NULL},
 * returns 0. path is absolute, but relative to the workspace for a program in it. */
int tools_program(struct tools *, struct str name, struct str dir, struct key_tool *out, struct err *);
/* A command line's output (both streams), exit status must be 0. words[0] is looked up as above. */
int tools_command(struct tools *, const struct str *words, size_t n, struct str dir, struct key_tool *out, struct err *);
/* DIGEST_NONE when there is none. */
int tools_packages(struct tools *, struct digest *out, struct err *);
/* Did an answer rest on what can't be looked at: a script's output? Then it holds for one run only. */
bool tools_unsure(const struct tools *);
/* Every file whose identity an answer rests on, absolute paths, links on the way too; absent ones (PATH folders searched in vain)
 * as well. As they were when they were looked at. */
const struct tools_look *tools_looked(const struct tools *, size_t *n);
