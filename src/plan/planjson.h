/* planjson.h: the exported plan: canonical JSON after schemas/plan.schema.json, the portable manifest.
 * Byte-identical for the same workspace in another folder, on another day, on another machine.
 * Reading it back yields an image again. What comes from a file is checked field by field. */
#pragma once

#include "plan/entry.h"
#include "plan/plan.h"
#include "plan/select.h"

/* What an image was when the plan was exported. */
struct plan_pin {
	uint32_t image;                 /* into the plan's images */
	struct digest identity;
	struct str create, pull;        /* the engine's id, "name@sha256:..."; "": not known */
};

/* What the export needs beside the plan: the content of workspace inputs (sources only, sorted), and the images of its steps as far
 * as anybody could tell. */
struct plan_content { struct entries files; struct plan_pin *pins; size_t npins; };

/* status: NULL, or a function that adds members to a step's object (--status). */
struct json;
void plan_to_json(const struct plan *, const struct selection *, const struct plan_content *,
		  void (*status)(void *ctx, uint32_t step, struct json *), void *ctx, struct buf *out);
/* *image: 8-aligned heap memory as from plan_make. content lives in the arena. */
int plan_from_json(struct arena *, struct str text, struct buf *image, struct plan_content *, struct err *);
/* Readable differences by step and field; *n is their count. */
int plan_diff(const struct plan *a, const struct plan_content *, const struct plan *b, const struct plan_content *,
	      struct buf *out, size_t *n);
