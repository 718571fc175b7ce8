/* json.h: canonical JSON text: keys in the order they are written, no spaces, UTF-8 with invalid
 * bytes as \udc80..\udcff, U+DC00 + byte (lone surrogates, so that any path survives a round trip;
 * Python's "surrogateescape"). */
#pragma once

#include "str.h"

struct json {
	struct buf *out;
	bool comma;                     /* the next value at this level needs a comma first */
};

void json_open(struct json *, char bracket);            /* '{' or '[' */
void json_close(struct json *, char bracket);           /* '}' or ']' */
void json_key(struct json *, const char *);
void json_key_str(struct json *, struct str);
void json_str(struct json *, struct str);
void json_int(struct json *, int64_t);
void json_bool(struct json *, bool);
void json_null(struct json *);
/* key and value in one */
void json_kstr(struct json *, const char *key, struct str);
void json_kint(struct json *, const char *key, int64_t);
void json_kbool(struct json *, const char *key, bool);
/* The bytes a text that json_read gave stands for: lone surrogates U+DC80..DCFF, which it leaves as three
 * bytes each, back to bytes. To be applied once. */
struct str json_bytes(struct arena *, struct str);
