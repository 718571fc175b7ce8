/* placejson.h: a step's place in the exported plan, and the helpers that both halves of its writer and of its
 * reader share. Private to this room. */
#pragma once

#include "base/json.h"
#include "base/map.h"
#include "base/node.h"
#include "plan/build.h"
#include "plan/jsonnames.h"

/* ---- writing: members that are empty are left out ---- */

void put_text(struct json *, const struct plan *, const char *key, struct plan_text);
void put_words(struct json *, const struct plan *, const char *key, struct plan_span words);
void put_number(struct json *, const char *key, uint64_t);
void put_flag(struct json *, const char *key, bool yes);
void put_pairs(struct json *, const struct plan *, const char *key, struct plan_span envs);
/* The object of an image. */
void put_image(struct json *, const struct plan *, const struct plan_image *);
/* The member "place", if the step has one. */
void put_place(struct json *, const struct plan *, const struct plan_step *);

/* ---- reading; the first mistake is kept in err and ends it, `bad` says so ---- */

struct reader {
	struct arena *arena;
	struct build build;
	struct map steps;               /* name -> id + 1 */
	struct map secrets;             /* name -> id + 1 */
	struct table pools;             /* name -> first step */
	struct table images, places;    /* by their text in canonical JSON */
	struct err *err;
	bool bad;
};

void read_wrong(struct reader *, const char *what, const char *expected);
const struct node *member(const struct node *map, const char *key);
struct str member_text(struct reader *, const struct node *map, const char *key, bool required);
struct plan_text member_built(struct reader *, const struct node *map, const char *key);        /* absent: "" */
uint64_t member_number(struct reader *, const struct node *map, const char *key);
uint32_t member_u32(struct reader *, const struct node *map, const char *key, uint32_t absent);
bool member_flag(struct reader *, const struct node *map, const char *key);
/* An absent list or object is an empty one. */
const struct node *member_list(struct reader *, const struct node *map, const char *key, enum node_kind);
const struct node *object(struct reader *, const struct node *list, size_t i, const char *what);
uint32_t one_of(struct reader *, struct str, const char *const *names, size_t n, const char *what);
struct plan_span words(struct reader *, const struct node *map, const char *key);
struct plan_span pairs(struct reader *, const struct node *map, const char *key);
uint32_t read_image(struct reader *, const struct node *image);         /* its id; equal ones are one */
uint32_t read_place(struct reader *, const struct node *step);          /* PLAN_NONE when it has none */
