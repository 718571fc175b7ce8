#!/bin/sh
# cairn builds itself after the cairn.yaml of its own sources: what a C project with generated dependencies gets.
. "${0%/*}/lib.sh"

cc=gcc
command -v gcc >/dev/null || cc=clang
for part in cairn.yaml src runtimes cache generators; do
	[ ! -e "$top/$part" ] || cp -r "$top/$part" .
done
# Of the shim's own sources, one step makes a program; cairn shares some of them.
sources=$(find . -name '*.c' | sed 's|^\./||' | grep -v '^runtimes/shim/' | sort; ls runtimes/shim/outlog.c runtimes/shim/unframe.c runtimes/shim/wire.c)
modules=$(find src/sys -name 'mod-*.c' | wc -l)
steps=$(($(echo "$sources" | wc -l) + 3))       # modules are steps, too; the program, the base archive and the shim are three more

self() { run -V cc=$cc -V mode=-O0 "$@"; }
count() { states | grep -c " $1\$"; }
all_are() { test "$(count "$1")" -eq $steps && test "$(states | wc -l)" -eq $steps; }
includers() {   # HEADER: what the compiler says of each source, as steps
	for src in $sources; do
		case $src in */mod-*) continue ;; esac
		$cc -std=gnu11 -D_GNU_SOURCE -Isrc -I. -MM "$src" | grep -q " $1\( \|\$\)" && echo "compile[src=$src] ran"
	done
}
only() {        # FILE: its lines are all that ran
	states | grep ' ran$' | diff -u "$1" -
}

check 'the sources are built' self
check 'every step ran' all_are ran
check 'the shim is made' same build/self/lib/cairn-shim "$BUILD/lib/cairn-shim"
check 'the program starts' sh -c 'build/self/cairn version >version'
check 'every module was made' test "$(find build/self/lib -name '*.so' | wc -l)" -eq "$modules"
check 'nothing is left to do' self
check 'every step is a hit' all_are hit

touch src/base/opt.h
check 'a header touched' self
check 'runs nothing' all_are hit

includers src/base/opt.h >"$T/includers"
check 'a header has several includers, not all' sh -c 'n=$(wc -l <"$0") && test "$n" -gt 3 -a "$n" -lt 100' "$T/includers"
echo '/* a comment */' >>src/base/opt.h
check 'a comment in a header' self
check 'compiles exactly its includers, and nothing behind them' only "$T/includers"

sed -i '/cairn_version/s/";/+edited";/' src/cli/cmd-version.c
check 'an edit of a source' self
check 'reaches the program' sh -c 'build/self/cairn version | grep -q "+edited"'
refuse 1 'a source that does not compile' sh -c 'echo wrong >>src/main.c; cairn run -V cc=$0 -V mode=-O0' $cc
check 'leaves the last program where it was' build/self/cairn version

cp -r "$top/examples/hello" "$T/hello"
check 'the built program builds another' build/self/cairn -C "$T/hello" run
check 'which works' sh -c '"$0"/hello/build/hello | grep -q hello' "$T"
finish
