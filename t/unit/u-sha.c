#include "sys/module.h"
#include "sys/sha.h"
#include "tap.h"

static void is_hex(const struct digest *d, const char *want, const char *name)
{
	char hex[65];
	digest_hex(d, hex);
	is_str(str_of(hex), want, "%s", name);
}

int main(void)
{
	struct err err = ERR_INIT;
	if (!ok(sha256_init(&err) == 0, "the module is found")) {
		tap_show("error", str_of(err.text));
		return done();
	}
	struct digest d;
	sha256_bytes("abc", 3, &d);     /* FIPS 180-4's example */
	is_hex(&d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "a text has its SHA-256");
	struct sha256 h;
	sha256_begin(&h);
	sha256_add(&h, "a", 1);
	sha256_add(&h, "", 0);
	sha256_add(&h, "bc", 2);
	sha256_end(&h, &d);
	is_hex(&d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "in pieces too");
	ok(module_load("sha", NULL) == module_load("sha", NULL), "a module is loaded once");
	ok(!module_load("none", &err) && err.text && strstr(err.text, "none.so"), "one that is not there is named");
	err_release(&err);
	return done();
}
