/* fields.h: what all readers of the spec share: the state of a reading, tables of fields, and the
 * simple types. Private to this room.
 *
 * Readers return nothing: a mistake is located and added to the reader's err, and reading goes on, so
 * that one run reports several. What they fill stays valid memory whatever happened. */
#pragma once

#include "base/node.h"
#include "base/vec.h"
#include "spec/spec.h"

/* One cairn.yaml while it is read. What a file inherits comes from the file that includes it. */
struct unit {
	struct spec_file *file;
	struct unit *parent;
	const struct node *root, *included_by;
	const struct node *defaults;    /* with inherited ones; NULL when there are none or they are wrong */
	struct str path, dir, name;
	struct spec_envs own_env, env;
	struct spec_paths own_env_files;
	struct spec_texts shell;
	struct spec_pass *pass; size_t npass;
	struct spec_image **images; size_t nimages;     /* its own; those of its parents are seen as well */
};

struct reader {
	struct arena *arena;
	const struct spec_options *opt;
	struct err *err;
	struct spec *spec;
	struct unit *unit;
	const char *place;              /* "command 'build'", for messages */
	bool partial;                   /* within an overlay, which need not say what a command must */
	VEC(const struct text *) exprs; /* texts with ${{ }} since exprs_begin(), for exprs_check() */
	VEC(struct spec_secret) secrets;
	VEC(struct text) secret_uses;   /* names of secrets, looked up when all files are read */
	VEC(struct str) env_files;
	VEC(struct unit *) units;
	struct map unit_by_path;
};

typedef void field_reader(struct reader *, const struct node *, void *at);

struct field {
	const char *name;
	field_reader *read;
	size_t offset;
};

/* Where a field stands: decides which of the fields that are not built yet are known there. */
enum place { PLACE_OTHER, PLACE_FILE = 1, PLACE_COMMAND = 2, PLACE_SECRET = 4 };

/* Reads a map by its table; `into` is the struct that the offsets are of. False when it is no map. */
bool fields_read(struct reader *, const struct node *, enum place, const char *what, const struct field *,
                 size_t n, void *into);
#define FIELD(type, key, member, reader) {key, reader, offsetof(struct type, member)}

/* Adds a located mistake, once. Returns false. */
bool mistake(struct reader *, struct loc, const char *hint, const char *fmt, ...) PRINTF(4, 5);
bool expected(struct reader *, const struct node *, const char *what);
/* "did you mean 'x'?" for the nearest of names, or NULL. */
const char *hint_nearest(struct reader *, struct str, const struct str *names, size_t n);

field_reader field_skip, field_str, field_text, field_name, field_texts, field_words, field_bool, field_time;
/* A text out of a scalar that is not null. False after a mistake. */
bool text_read(struct reader *, const struct node *, const char *what, struct text *out);
bool uint_read(struct reader *, const struct node *, uint64_t min, uint64_t max, uint64_t *out);
/* A list's items, or the one item that stands in place of a list. */
size_t list_length(const struct node *);
const struct node *list_item(const struct node *, size_t i);
/* NAME of an environment variable, a param or an axis: a letter or _, then digits too. */
bool name_is_variable(struct str);
bool variable_name_check(struct reader *, struct str name, struct loc, const char *what);
/* Why a command's or workflow's name is none, or NULL. */
const char *name_problem(struct str);

/* ---- the readers of the other files ---- */

/* refuse.c: true when the field belongs to the language but cairn does not have it yet; says so. */
bool refuse_unbuilt(struct reader *, const struct node_item *, enum place, const char *what);
/* The same for {from: ..., value: ...}. */
bool refuse_value(struct reader *, const struct node *);
/* What cairn calls a field that other tools call so, or NULL. */
const char *hint_synonym(struct str field);

/* overlay.c */
const struct node *overlay_merge(struct arena *, const struct node *base, const struct node *over);
field_reader overlay_platforms, overlay_runtimes, overlay_defaults;
/* platforms.<name> or runtimes.<name> of a command, or NULL. */
/* What of a file's defaults those that it includes get. */
const struct node *overlay_inherited(struct arena *, const struct node *defaults);
const struct node *overlay_pick(const struct node *command, const char *field, struct str name);

/* env.c, dotenv.c */
field_reader env_read, env_files_read, pass_read, secrets_read;
struct spec_envs env_merge(struct arena *, struct spec_envs base, struct spec_envs own);
void env_file_load(struct reader *, const struct spec_path *, struct spec_envs *out);
void dotenv_parse(struct reader *, const struct source *, struct spec_envs *out);
/* Puts the caller's variables in place of ${NAME}. False after a mistake. */
bool caller_expand(struct reader *, const struct text *, struct str *out);
bool caller_check(struct reader *, const struct text *);

/* pathlist.c */
field_reader inputs_read, outputs_read, depfile_read, tools_read, requires_read, paths_read;

/* imagefield.c */
field_reader images_read, image_read, containerfile_read;
/* "golang:1.21", "registry.example/x", "name@sha256:...": anything else names an entry of images. */
bool image_is_reference(struct str);

/* placefield.c */
field_reader mounts_read, network_read, limits_read, security_read, docker_read, secret_files_read;
void place_check(struct reader *, const struct spec_command *, const struct node *own);

/* axes.c */
field_reader each_read, matrix_read, params_read;
struct value value_read(struct reader *, const struct node *);  /* a plain scalar or list of them */

/* command.c */
void commands_read(struct reader *, const struct node *commands);
extern const struct field command_fields[];
extern const size_t command_nfields;
field_reader runtime_read, interpreter_read, shell_read, retry_read, workspace_read, cache_read, when_read;

/* workflow.c */
void workflows_read(struct reader *, const struct node *workflows);

/* include.c: reads the root file and those it includes into r->units, the root first. */
bool units_load(struct reader *);
/* read.c */
struct str spec_prefixed(struct reader *, struct str name);

/* exprs.c: the names in ${{ }} that can be known before planning */
void exprs_begin(struct reader *);
void exprs_check(struct reader *, const struct spec_command *);        /* NULL: outside of a command */
void exprs_check_var(struct reader *, const struct text *, size_t nvars);

/* whole.c: what can only be said about all files together */
void whole_check(struct reader *);
