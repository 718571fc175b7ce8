#!/bin/sh
# Lua's Debian source package, built by cairn alone: 34 translation units and a generated header.
. "${0%/*}/lib.sh"
. "$top/t/acceptance/scenarios.sh"

package=lua5.4
sources='src/*.c'
includes='-Ioverride -Ibuild -DLUA_COMPAT_5_3 -DLUA_USE_POSIX'
header=src/lopcodes.h
code='s/^#define MAXINDEXRK.*/#define MAXINDEXRK 200/'
other='s/^#define MAXINDEXRK.*/#define MAXINDEXRK 150/'
remark='1,9s/Opcodes/The opcodes/'
shadow=override/lua5.4-deb-multiarch.h
compiles='^compile\['
links='^luac?$'
objects='build'
extra=src/zextra.c
link_uses() { case $1 in lua) grep -qv '/luac\.o$' ;; luac) grep -qv '/lua\.o$' ;; esac; }
works='test "$(build/lua -e "print(6 * 7)")" = 42 && echo "print(1)" | build/luac -p -'
shadowed() {    # the generated header is hidden here; all that include it are compiled again
	users build/lua5.4-deb-multiarch.h >"$T/ran"
	mkdir override
	echo '#define DEB_HOST_MULTIARCH "elsewhere"' >"$shadow"
	happened 'a new header hides a generated one' hit
	check 'and it counts' sh -c 'build/lua -e "print(package.path)" | grep -q elsewhere || build/lua -e "print(package.cpath)" | grep -q elsewhere'
	rm -r override
	not_run 'the new header removed'
}
acceptance
