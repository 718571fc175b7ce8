/* base/arena.h, base/vec.h, base/base.h */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/vec.h"

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Objects of many sizes, each filled: none may overlap another or come dirty. */
static void sizes(void)
{
	struct arena a = ARENA_INIT;
	enum { COUNT = 3000 };
	static unsigned char *p[COUNT];
	static size_t n[COUNT];
	bool zero = true, aligned = true, kept = true;

	for (size_t i = 0; i < COUNT; i++) {
		n[i] = i % 500 == 7 ? i * 1000 : i % 97;
		p[i] = arena_alloc(&a, n[i]);
		zero &= is_zero((char *)p[i], n[i]);
		aligned &= (uintptr_t)p[i] % _Alignof(max_align_t) == 0;
		memset(p[i], (int)(i % 255 + 1), n[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < n[i]; k++)
			kept &= p[i][k] == i % 255 + 1;
	ok(zero, "memory comes zeroed");
	ok(aligned, "and aligned");
	ok(kept, "objects do not overlap");
	arena_release(&a);
	ok(!a.chunk && !a.at && !a.end, "a released arena is as new");
}

static void first_is_large(void)
{
	struct arena a = ARENA_INIT;
	char *large = arena_alloc(&a, 10u << 20), *small = arena_alloc(&a, 10);
	memset(large, 1, 10u << 20);
	ok(is_zero(small, 10), "a large first object leaves the next alone");
	char *dup = arena_dup(&a, "abc", 2);
	ok(!strcmp(dup, "ab"), "a copy ends with a NUL");
	ok(!*arena_dup(&a, NULL, 0), "a copy of nothing is empty");
	int *array = arena_array(&a, 5, int);
	ok(is_zero((char *)array, 5 * sizeof(int)), "an array is zeroed");
	arena_release(&a);
}

static void vectors(void)
{
	VEC(int) v = {0};
	for (int i = 0; i < 1000; i++)
		vec_add(&v, i);
	*vec_push(&v) = 7;
	bool kept = v.n == 1001 && v.v[1000] == 7;
	for (int i = 0; i < 1000; i++)
		kept &= v.v[i] == i;
	ok(kept, "a vector keeps what was added");
	vec_free(&v);
	ok(!v.v && !v.n && !v.cap, "a freed vector is as new");
}

static void cleanups(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;
	{
		CLEANUP_FD int held = fd;
		CLEANUP_FD int none = -1;
		CLEANUP_FREE char *nothing = NULL;
		CLEANUP_FREE char *memory = xmalloc(3);
		(void)held, (void)none, (void)nothing, (void)memory;
		errno = EXDEV;
	}
	is_int(errno, EXDEV, "cleaning up leaves errno alone");
	ok(fcntl(copy, F_GETFD) < 0, "an fd is closed at the end of its scope");
}

int main(void)
{
	sizes();
	first_is_large();
	vectors();
	cleanups();
	return done();
}
