/* tap.h: checks that print TAP, for a unit test of one file. The plan comes last, from done(), whose
 * value is main's return value. Every check returns whether it held. fmt names the check. */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

static int tap_run, tap_failed;

#define ok(cond, ...) tap_ok(__FILE__, __LINE__, (cond), #cond, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str(__FILE__, __LINE__, (got), (want), __VA_ARGS__)
#define is_int(got, want, ...) tap_is_int(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

PRINTF(4, 0)
static inline bool tap_line(const char *file, int line, bool good, const char *fmt, va_list args)
{
	printf("%sok %d - ", good ? "" : "not ", ++tap_run);
	vprintf(fmt, args);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("# at %s:%d\n", file, line);
	}
	fflush(stdout);         /* a crash right after must not lose this line */
	return good;
}

/* A value, its own newlines kept behind "# ", so that it can't pass for TAP. */
static inline void tap_show(const char *label, struct str s)
{
	printf("# %s: \"", label);
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '\n')
			printf("\n#       ");
		else
			putchar(s.s[i]);
	}
	printf("\"\n");
	fflush(stdout);
}

PRINTF(5, 6)
static inline bool tap_ok(const char *file, int line, bool cond, const char *text, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	bool good = tap_line(file, line, cond, fmt, args);
	va_end(args);
	if (!good)
		tap_show("false", str_of(text));
	return good;
}

/* want may be NULL: then got.s must be NULL as well. */
PRINTF(5, 6)
static inline bool tap_is_str(const char *file, int line, struct str got, const char *want, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	bool good = tap_line(file, line, want ? str_is(got, want) : !got.s, fmt, args);
	va_end(args);
	if (!good) {
		tap_show("got ", got.s ? got : S("(null)"));
		tap_show("want", want ? str_of(want) : S("(null)"));
	}
	return good;
}

PRINTF(5, 6)
static inline bool tap_is_int(const char *file, int line, long long got, long long want, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	bool good = tap_line(file, line, got == want, fmt, args);
	va_end(args);
	if (!good)
		printf("# got %lld, want %lld\n", got, want);
	return good;
}

static inline int done(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed || !tap_run;
}
