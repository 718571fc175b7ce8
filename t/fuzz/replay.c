/* Runs one fuzz target without a fuzzer: each file given on the command line as it is, and after it DAMAGED damaged
 * copies, always the same. Names each file before it is tried, so that the last line says what broke. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define DAMAGED 300
#define SEED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static size_t below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? state % n : 0;
}

/* In memory of just that size, so that a sanitizer sees a byte too many. */
static void give(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		abort();
	memcpy(exact, data, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

/* Changes bytes, cuts the end off, or moves a piece over another. */
static size_t damage(uint8_t *data, size_t n)
{
	size_t from = below(n), to = below(n), longest = n - (from > to ? from : to);

	switch (below(4)) {
	case 0:
		return from;
	case 1:
		memmove(data + to, data + from, below(longest + 1));
		break;
	default:
		for (size_t i = 0; n && i <= below(4); i++)
			data[below(n)] = (uint8_t)(below(2) ? below(256) : data[below(n)]);
	}
	return n;
}

static int replay(const char *name)
{
	static uint8_t seed[SEED_MAX], copy[SEED_MAX];
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f)
		return perror(name), -1;
	n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	printf("%s\n", name);
	fflush(stdout);
	give(seed, n);
	state = 0x9e3779b97f4a7c15u ^ n;
	for (int i = 0; i < DAMAGED; i++) {
		memcpy(copy, seed, n);
		give(copy, damage(copy, n));
	}
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) < 0)
			return 1;
	return argc < 2;
}
