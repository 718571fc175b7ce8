#include "base/json.h"

#include <inttypes.h>

#include "base/utf8.h"

static void value_begin(struct json *j)
{
	if (j->comma)
		buf_c(j->out, ',');
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	value_begin(j);
	buf_c(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_c(j->out, bracket);
	j->comma = true;
}

static void put_escape(struct buf *out, char c)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c ? strchr(names, c) : NULL;
	if (at)
		buf_fmt(out, "\\%c", letters[at - names]);
	else
		buf_fmt(out, "\\u%04x", (uint8_t)c < 0x20 ? (uint8_t)c : 0xdc00u + (uint8_t)c);
}

static void put_string(struct buf *out, struct str s)
{
	size_t done = 0, len;
	buf_c(out, '"');
	for (size_t i = 0; i < s.n; i += len) {
		len = utf8_len(s.s + i, s.n - i);
		if (len > 1 || (len == 1 && (uint8_t)s.s[i] >= 0x20 && s.s[i] != '"' && s.s[i] != '\\'))
			continue;
		buf_add(out, s.s + done, i - done);
		put_escape(out, s.s[i]);
		len = 1;
		done = i + 1;
	}
	buf_add(out, s.s + done, s.n - done);
	buf_c(out, '"');
}

void json_key_str(struct json *j, struct str key)
{
	value_begin(j);
	put_string(j->out, key);
	buf_c(j->out, ':');
	j->comma = false;
}

void json_key(struct json *j, const char *key)
{
	json_key_str(j, str_of(key));
}

void json_str(struct json *j, struct str s)
{
	value_begin(j);
	put_string(j->out, s);
}

void json_int(struct json *j, int64_t value)
{
	value_begin(j);
	buf_fmt(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, bool value)
{
	value_begin(j);
	buf_z(j->out, value ? "true" : "false");
}

void json_null(struct json *j)
{
	value_begin(j);
	buf_z(j->out, "null");
}

void json_kstr(struct json *j, const char *key, struct str value)
{
	json_key(j, key);
	json_str(j, value);
}

void json_kint(struct json *j, const char *key, int64_t value)
{
	json_key(j, key);
	json_int(j, value);
}

void json_kbool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

/* U+DC80..DCFF as three bytes of generalised UTF-8: ED B2 80 .. ED B3 BF. */
static bool is_byte_escape(struct str s)
{
	return s.n >= 3 && (uint8_t)s.s[0] == 0xed && ((uint8_t)s.s[1] & 0xfe) == 0xb2 &&
	       ((uint8_t)s.s[2] & 0xc0) == 0x80;
}

struct str json_bytes(struct arena *a, struct str text)
{
	char *out = arena_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n;) {
		if (is_byte_escape(str_from(text, i))) {
			out[n++] = (char)(((uint8_t)text.s[i + 1] & 1) << 6 | 0x80 |
					  ((uint8_t)text.s[i + 2] & 0x3f));
			i += 3;
		} else {
			out[n++] = text.s[i++];
		}
	}
	return (struct str){out, n};
}
