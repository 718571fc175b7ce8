/* maker.h: what the parts of plan_make share in one round. Private to this room.
 *
 * A round: vars and variants (scope.c, variants.c), instances and their outputs (expand.c, matrix.c,
 * each.c, outputs.c), clashes (clash.c), needs and their order (needs.c, order.c), then for each step
 * its fields and inputs (fill.c, inputs.c), goals (goals.c), and the image (build.c). What a part does
 * not know yet it asks of the facts and goes on, so that a round asks and reports as much as it can. */
#pragma once

#include "plan/build.h"
#include "plan/facts.h"
#include "plan/leads.h"
#include "plan/make.h"

struct vars_file {                      /* the vars of one spec file */
	const struct spec_file *file;
	struct value *values;
	uint8_t *known;                 /* by var: VAR_* */
};
enum { VAR_WAITS, VAR_KNOWN, VAR_FAILED };

/* A command with other params, environment or arguments than its own. */
struct variant {
	struct str *names; struct value *values; size_t n;      /* params given, each different from its preset */
	struct spec_envs env;
	const struct vars_file *vars;   /* what ${{ }} of env sees */
	bool asked;                     /* by this run; its arguments are the options' */
	struct variant *next;           /* of the same command */
};

struct declared {                       /* an output, or the depfile */
	struct str path;                /* literal, or pattern with OUTPUT_GLOB */
	struct str written;             /* relative to the spec file, as ${{ out[0] }} yields it */
	uint32_t flags;
	bool depfile;
	struct loc loc;
};

struct need_set {                       /* shared by instances whose needs are the same */
	uint32_t *steps;                /* instance numbers; step ids, sorted, once they are ordered */
	uint8_t *flags;
	uint32_t n;
	struct plan_span span;          /* in the image, once it was written */
	bool written;
};

struct made;
struct inst {                           /* one step to be */
	struct made *of;
	const struct variant *variant;  /* NULL: the command as it is */
	struct str name;
	struct str *names; struct value *values; uint32_t naxes, nmatrix;       /* the matrix's first, then each */
	struct declared *outs; uint32_t nouts;
	struct str depfile;
	struct need_set *needs;
	uint32_t number;                /* among all instances */
	uint32_t step;                  /* its id in the plan */
	struct str own_input;           /* an explicit input that it also makes; {NULL} */
	struct str *bound; size_t nbound;       /* what of the workspace it mounts */
	struct str unkeyed_mount;       /* what it mounts that no key knows of; {NULL} */
};

struct made {                           /* one command and what became of it */
	const struct spec_command *command;
	struct vars_file *vars;
	struct variant *variants, *last_variant;
	struct inst *v; size_t n, cap;
	struct inst *before;            /* of the pass before, which its outmap still points to */
	uint32_t first;                 /* number of its first instance */
	uint32_t *closure; size_t nclosure; bool closed;        /* commands it needs, directly or not */
	struct need_set *needs;         /* when no need differs between instances */
	bool failed;                    /* a mistake was said about one instance: the others would repeat it */
	bool waiting;                   /* its instances are not known yet */
	bool finally;                   /* of some workflow: never cached */
	bool expanded, on_stack;
	uint32_t pool;                  /* fill.c: first step of it */
	bool missing;                   /* a param has neither default nor value: no steps of its own */
};

struct outmap;                          /* outputs.h: who declares what */

struct glob_use {                       /* a pattern that `each` goes through */
	struct made *of;
	struct str pattern;
	const struct answer *answer;
	const struct str *nots; size_t nnots;
	struct loc loc;
};

struct flow_goal {                      /* a workflow's entry, resolved */
	const struct spec_entry *entry;
	struct str name;
	struct made *of;                /* a command's, or one of its steps'; NULL for a pattern or a workflow */
	struct variant *variant;
	bool skip;
};
struct flow { const struct spec_workflow *workflow; struct flow_goal *steps, *finally; };

struct maker {
	struct arena *arena;            /* of this round */
	const struct spec *spec;
	struct facts *facts;
	const struct plan_options *options;
	struct err *err;
	bool asked, failed;
	struct vars_file *files;        /* by place in spec->files */
	struct made *made;              /* by place in spec->commands */
	struct flow *flows;             /* by place in spec->workflows */
	struct inst **insts; uint32_t ninsts;
	struct inst **order;            /* by step id */
	struct table inst_by_name;      /* base instances only */
	struct outmap *outs;            /* all outputs; while expanding: those of the pass before, or NULL */
	VEC(struct glob_use) uses;
	struct build build;
};

/* scope.c: what ${{ }} sees. inst may be partial (only its matrix) or NULL. */
struct at {
	struct maker *m;
	const struct vars_file *vars;
	const struct made *of;
	const struct inst *inst;
	const struct variant *variant;
	struct scope scope;             /* set by at_scope */
};
void at_init(struct at *, struct maker *, const struct vars_file *, const struct made *, const struct inst *,
	     const struct variant *);
int vars_load(struct maker *);          /* vars.c */
struct vars_file *vars_of(struct maker *, const struct spec_file *);
/* The value of a param: the variant's, else its preset; NULL when it has none. */
const struct value *param_value(const struct made *, const struct variant *, struct str name);
/* 0; else the round was told why (asked or failed). */
int at_text(struct at *, const struct text *, enum expand_mode, struct str *out);
int at_value(struct at *, const struct text *, struct value *out);
int at_truth(struct at *, const struct text *, bool *out);
int at_words(struct at *, const struct spec_texts *, struct str **out);
/* A workspace-relative path or pattern, relative to the spec file in the text; absolute if written so. */
int at_path(struct at *, const struct text *, bool literal, struct str *out);
/* Adds a located mistake; returns -1. */
int wrong(struct maker *, struct loc, const char *hint, const char *fmt, ...) PRINTF(4, 5);
/* A text for wrong(). */
#define hint(arena, ...) (str_fmt((arena), __VA_ARGS__).s)
/* NULL: asked, or the world could not be read (said). */
const struct answer *ask(struct maker *, enum question_kind, struct str text, struct loc);
/* How a file at dir would write path. */
struct str path_from(struct arena *, struct str dir, struct str path);
/* How a file would name the command. */
struct str command_from(const struct spec_file *, struct str name);
bool is_absolute(struct str path);

int variants_load(struct maker *);      /* variants.c */
int expand_all(struct maker *);         /* expand.c: instances and outputs; 0 even when some wait */
int clash_check(struct maker *);        /* clash.c */
int needs_resolve(struct maker *);      /* needs.c */
int order_steps(struct maker *);        /* order.c: or says a cycle */
int fill_steps(struct maker *);         /* fill.c: all fields but inputs */
int inputs_resolve(struct maker *);     /* inputs.c */
int cache_settle(struct maker *);       /* cached.c: is a step cached, and on what if it declares no inputs? */
int goals_resolve(struct maker *);      /* goals.c: commands and workflows */

/* matrix.c: the points of a matrix, at least one unless all are excluded. */
struct point { struct str *names; struct value *values; size_t n; };
int matrix_points(struct at *, const struct spec_matrix *, struct point **out, size_t *n);
/* The values of an axis that is a list. */
int axis_list(struct at *, const struct spec_axis *, struct value **out, size_t *n);
/* each.c: the values of any axis of each. */
int each_values(struct at *, struct made *, const struct spec_axis *, struct value **out, size_t *n);
/* Mistakes of patterns that only show when all outputs are known. */
int each_check(struct maker *);
/* Does what each goes through stay the same with these outputs? */
bool each_settled(struct maker *, const struct outmap *before, const struct outmap *now);

/* needs.c: the commands a command needs, directly or not, as far as names tell. */
void needs_closure(struct maker *, struct made *);
/* The base instances that a name of `file` stands for; 0 when it names nothing (not said). */
size_t needs_find(struct maker *, const struct spec_file *, struct str name, const uint32_t **out);
/* In step patterns only * and ? are wild, and cross any character. */
bool step_pattern_match(struct str pattern, struct str name);
