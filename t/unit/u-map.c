/* base/map.h, base/digest.h */
#include "tap.h"

#include "base/digest.h"
#include "base/map.h"

static void maps(void)
{
	struct arena a = ARENA_INIT;
	struct map m = MAP_INIT;
	bool fresh, good = true;
	enum { COUNT = 5000 };

	ok(!map_get(&m, S("x")) && !map_has(&m, S("x")), "an empty map has nothing");
	for (size_t i = 0; i < COUNT; i++) {
		void **place = map_put(&m, str_fmt(&a, "key %zu", i * 7 % COUNT), &fresh);
		good &= fresh && !*place;
		*place = (void *)(i + 1);
	}
	ok(good && m.n == COUNT, "new keys are fresh and without a value");
	for (size_t i = 0; i < COUNT; i++) {
		struct str key = str_fmt(&a, "key %zu", i * 7 % COUNT);
		good &= map_get(&m, key) == (void *)(i + 1) && str_eq(m.entries[i].key, key);
	}
	ok(good, "each is found, and they stand in the order of their coming");
	*map_put(&m, S("key 7"), &fresh) = NULL;
	ok(!fresh && m.n == COUNT, "a key that is there is not fresh");
	ok(!map_get(&m, S("key 7")) && map_has(&m, S("key 7")), "has knows keys without a value");
	ok(!map_has(&m, S("key")) && !map_has(&m, S("")), "what is not there is not found");
	map_put(&m, S(""), NULL);
	map_put(&m, S("a\0b"), NULL);
	ok(map_has(&m, (struct str){0}) && map_has(&m, S("a\0b")) && !map_has(&m, S("a")), "keys are bytes");
	map_release(&m);
	ok(!m.n && !map_has(&m, S("key 1")), "a released map is as new");
	arena_release(&a);
}

static void digests(void)
{
	char text[DIGEST_TEXT_MAX];
	const char *hex = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct digest d = {0}, other = {0};

	ok(digest_parse(str_of(hex), &d) && d.algo == DIGEST_SHA256 && d.bytes[1] == 0x11 && d.bytes[31] == 0xff, "parse");
	is_str(str_of(digest_text(&d, text)), hex, "printed as it was read");
	ok(!digest_eq(&d, &other) && digest_eq(&other, &(struct digest){.bytes = {1}}), "none equals none only");
	other = d;
	ok(digest_eq(&d, &other), "equal");
	other.bytes[31]--;
	ok(!digest_eq(&d, &other), "the last byte counts");
	is_str(str_of(digest_text(&(struct digest){0}, text)), "none", "none is printed");
	static const char *const bad[] = {
		"", "sha256:", "sha256:00", "none", "md5:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"sha256:00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
		"sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeefff",
		"sha256:0011223344556677-899aabbccddeeff00112233445566778899aabbccddeeff",
	};
	for (size_t i = 0; i < countof(bad); i++)
		ok(!digest_parse(str_of(bad[i]), &other), "no digest: '%s'", bad[i]);
	ok(xxh_eq(xxh_bytes("abc", 3), xxh_bytes("abcd", 3)) && !xxh_eq(xxh_bytes("abc", 3), xxh_bytes("abd", 3)), "xxh");
	ok(xxh_bytes("", 0).lo == 0x6001c324468d497f && xxh_bytes(NULL, 0).hi == 0x99aa06d3014798d8,
	   "XXH3-128 of nothing, as its specification has it");
}

int main(void)
{
	maps();
	digests();
	return done();
}
