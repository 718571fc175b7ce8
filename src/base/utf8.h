/* utf8.h: one character at a time. */
#pragma once

#include "base/base.h"

/* Bytes of the character at s (n > 0 bytes are there), 0 when there is none: a stray or cut byte,
 * an overlong form, a surrogate, beyond U+10FFFF. */
size_t utf8_len(const char *s, size_t n);
/* Its code point; the bytes must be such a character. */
uint32_t utf8_value(const char *s, size_t len);
/* Writes up to 4 bytes; returns how many. */
size_t utf8_put(uint32_t code, char out[4]);
