#!/bin/sh
# Mbed TLS's Debian source package, built by cairn alone: 106 translation units, ten programs.
. "${0%/*}/lib.sh"
. "$top/t/acceptance/scenarios.sh"

package=mbedtls
sources="library/*.c programs/aes/crypt_and_hash.c programs/hash/generic_sum.c programs/pkey/gen_key.c
	programs/pkey/mpi_demo.c programs/random/gen_random_ctr_drbg.c programs/ssl/ssl_client1.c programs/test/benchmark.c
	programs/test/selftest.c programs/util/strerror.c programs/x509/cert_app.c"
includes='-Ioverride -Iinclude -Ilibrary'
header=include/mbedtls/oid.h
code='s/^#define MBEDTLS_OID_AT_CN .*/#define MBEDTLS_OID_AT_CN MBEDTLS_OID_AT "\\x09"/'
hidden='s/^#define MBEDTLS_OID_AT_CN .*/#define MBEDTLS_OID_AT_CN MBEDTLS_OID_AT "\\x0b"/'
other='s/^#define MBEDTLS_OID_AT_CN .*/#define MBEDTLS_OID_AT_CN MBEDTLS_OID_AT "\\x0a"/'
remark='1,9s/database/data base/'
shadow=override/mbedtls/oid.h
compiles='^(compile|program)\['
links='^link\['
objects='build'
extra=library/zextra.c
link_uses() {   # a step's name; the changed objects on standard input: those of the library and its own
	program=${1#link?src=}
	grep -qE "^build/(library/|${program%.c?}\.o)"
}
works='build/bin/selftest aes sha256 rsa ecp x509 >"$TMPDIR/selftest" && test "$(build/bin/generic_sum SHA256 README.md)" = "$(sha256sum README.md)"'
acceptance
