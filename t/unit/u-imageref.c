#include "base/imageref.h"

#include "tap.h"

static struct arena arena;

static void reads(const char *text, const char *whole, const char *what)
{
	struct imageref r, again;
	const char *why = imageref_parse(&arena, str_of(text), &r);

	if (!ok(!why, "%s: %s", text, what)) {
		tap_show("why", str_of(why));
		return;
	}
	is_str(imageref_text(&arena, &r), whole, "is %s", whole);
	ok(!imageref_parse(&arena, str_of(whole), &again) && str_eq(imageref_text(&arena, &again), str_of(whole)), "which is read the same");
}

static void refuses(struct str text, const char *because)
{
	struct imageref r;
	const char *why = imageref_parse(&arena, text, &r);

	if (!ok(why && str_find(str_of(why), str_of(because)) >= 0, "refused: " STR_FMT, STR_ARG(text)) && why)
		tap_show("why", str_of(why));
}

#define D "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void references(void)
{
	struct imageref r;

	reads("busybox", "docker.io/library/busybox:latest", "all defaults");
	reads("busybox:1.36", "docker.io/library/busybox:1.36", "a tag");
	reads("docker.io/busybox", "docker.io/library/busybox:latest", "library of docker.io");
	reads("index.docker.io/library/busybox", "docker.io/library/busybox:latest", "docker.io by its other name");
	reads("owner/x", "docker.io/owner/x:latest", "an owner");
	reads("ghcr.io/a/b/c:v1.2_3-x", "ghcr.io/a/b/c:v1.2_3-x", "a registry");
	reads("localhost/x", "localhost/x:latest", "localhost is a registry");
	reads("localhost:5000/x", "localhost:5000/x:latest", "a port is no tag");
	reads("localhost:5000", "docker.io/library/localhost:5000", "without a slash it is one");
	reads("127.0.0.1:5000/a/b@" D, "127.0.0.1:5000/a/b@" D, "a digest needs no tag");
	reads("x:1@" D, "docker.io/library/x:1@" D, "but may have one");
	reads("[::1]:5000/x:2", "[::1]:5000/x:2", "an IPv6 address");
	reads("Upper/x", "Upper/x:latest", "capitals are a host's");
	reads("o/a_b__c-d--e.f", "docker.io/o/a_b__c-d--e.f:latest", "all separators");
	reads(D, D, "an id");
	ok(!imageref_parse(&arena, S("owner/x"), &r) && r.bare, "no registry was written");
	ok(!imageref_parse(&arena, S("docker.io/owner/x"), &r) && !r.bare, "one was");
	is_str(imageref_name(&arena, &r), "docker.io/owner/x", "the name alone");
}

static void refusals(void)
{
	char longest[300];

	refuses(S(""), "empty");
	refuses(S("Busybox"), "capital letters");
	refuses(S("a/B"), "capital letters");
	refuses(S("a//b"), "empty");
	refuses(S("a/"), "empty");
	refuses(S("/a"), "empty");
	refuses(S("a..b/c"), "host name");
	refuses(S("-a"), "small letters");
	refuses(S("a-"), "small letters");
	refuses(S("a___b"), "small letters");
	refuses(S("a b"), "small letters");
	refuses(S("a\0b"), "small letters");
	refuses(S("a\n"), "small letters");
	refuses(S("../x"), "host name");
	refuses(S("a:"), "tag is empty");
	refuses(S("a:-x"), "a tag is made of");
	refuses(S("a:x/y"), "port");
	refuses(S("h:99999/y"), "port");
	refuses(S("[::1/y"), "no closing bracket");
	refuses(S("[zz::1]/y"), "IPv6");
	refuses(S("a@sha256:12"), "64 hexadecimal");
	refuses(S("a@sha512:12"), "sha256:");
	refuses(S("a@"), "sha256:");
	refuses(S("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef@x"), "sha256:");
	refuses(S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), "an image's id");
	refuses(S("docker://busybox"), "no scheme");
	refuses(S("https://ghcr.io/a/b"), "no scheme");
	memset(longest, 'a', sizeof(longest));
	refuses((struct str){longest, 256}, "longer than 255");
	memcpy(longest, "a:", 2);
	refuses((struct str){longest, 131}, "longer than 128");
}

static bool loopback(const char *z) { return imageref_is_loopback(str_of(z)); }

static void loopbacks(void)
{
	ok(loopback("localhost") && loopback("localhost:5000") && loopback("127.0.0.1:1") && loopback("127.9.0.255") && loopback("[::1]:80"),
	   "these are on this machine");
	ok(!loopback("127.0.0.1.example.org") && !loopback("127.1") && !loopback("128.0.0.1") && !loopback("localhost.example.org") &&
	   !loopback("docker.io") && !loopback("[::2]") && !loopback("127.0.0.256"), "these are not");
}

static struct platform platform(const char *text)
{
	struct platform p;
	const char *why = platform_parse(&arena, str_of(text), &p);

	if (why)
		ok(false, "%s: %s", text, why);
	return p;
}

static void is_platform(const char *text, const char *want)
{
	struct platform p = platform(text);

	is_str(platform_text(&arena, &p), want, "platform %s", text);
}

static unsigned fits(const char *want, const char *have)
{
	struct platform w = platform(want), h = platform(have);

	return platform_fits(&w, &h);
}

static void platforms(void)
{
	struct platform p;

	is_platform("linux/amd64", "linux/amd64");
	is_platform("arm64", "linux/arm64");
	is_platform("linux/x86_64", "linux/amd64");
	is_platform("aarch64", "linux/arm64");
	is_platform("linux/arm/v6", "linux/arm/v6");
	is_platform("armhf", "linux/arm/v7");
	ok(platform_parse(&arena, S(""), &p) && platform_parse(&arena, S("linux"), &p) && platform_parse(&arena, S("linux/"), &p) &&
	   platform_parse(&arena, S("a/b/c/d"), &p) && platform_parse(&arena, S("linux//v7"), &p) && platform_parse(&arena, S("Linux/amd64"), &p) &&
	   platform_parse(&arena, S("linux/a b"), &p), "what is none is refused");
	ok(fits("arm64", "linux/arm64/v8") && fits("linux/arm64/v8", "arm64") && fits("arm", "linux/arm/v7") && fits("amd64", "linux/amd64/v1"),
	   "variants that say nothing");
	ok(!fits("amd64", "arm64") && !fits("amd64", "windows/amd64") && !fits("amd64", "linux/amd64/v3") && !fits("linux/arm/v6", "linux/arm/v7") &&
	   !fits("linux/arm64", "linux/arm/v7"), "what would not run does not fit");
	ok(fits("linux/arm/v7", "linux/arm/v7") > fits("linux/arm/v7", "linux/arm/v6") &&
	   fits("linux/arm/v7", "linux/arm/v6") > fits("linux/arm/v7", "linux/arm/v5") && fits("linux/arm/v7", "linux/arm/v5"), "arm runs lower ones, the highest first");
	ok(fits("linux/amd64/v3", "linux/amd64") && fits("linux/amd64/v3", "linux/amd64/v3") > fits("linux/amd64/v3", "linux/amd64"),
	   "a variant runs what is made for any");
}

int main(void)
{
	references();
	refusals();
	loopbacks();
	platforms();
	arena_release(&arena);
	return done();
}
