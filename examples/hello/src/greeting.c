#include "greeting.h"

#include <stdio.h>

void greeting(char *out, size_t size, const char *who) { snprintf(out, size, "hello, %s", who); }
