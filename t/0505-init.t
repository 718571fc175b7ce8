#!/bin/sh
# cairn init: a spec that runs as it is, whatever lies in the folder, and replaces nothing.
. "${0%/*}/lib.sh"

fresh() {
	rm -rf "$T/f"
	mkdir "$T/f"
	cd "$T/f" || exit
}
starts() {      # NAME: init succeeds, adds one file, the spec is sound
	ls -A >"$T/before"
	check "$1: a starter is written" cairn init
	ls -A | grep -vx cairn.yaml >"$T/after"
	same "$T/before" "$T/after"
	check "$1: it is sound" cairn check
}

fresh
starts 'an empty folder'
check 'it runs' cairn run
cp cairn.yaml "$T/first"
refuse 2 'a second init' cairn init
same cairn.yaml "$T/first"
check 'another name' cairn init -f more.yaml
same more.yaml "$T/first"

fresh
mkdir src
echo 'int answer(void); int main(void) { return answer() - 42; }' >src/main.c
echo 'int answer(void) { return 42; }' >src/answer.c
starts 'a C program'
check 'each source is a step' sh -c 'cairn list --steps | grep -q "src/answer.c"'
check 'it is built' cairn run
check 'it works' sh -c './build/f'

fresh
echo 'int answer(void) { return 42; }' >answer.c
starts 'a C library'
check 'it is built' cairn run
check 'into an archive' test -f build/libf.a

fresh
echo 'int main(void) { return 0; }' >a.c
echo 'int main (int n, char **v) { return !v + n < 0; }' >b.c
starts 'two C programs'
check 'their sources are compiled' cairn run
check 'all of them' test -f build/a.o -a -f build/b.o

fresh
printf 'all:\n\techo made >made\n' >Makefile
starts 'a makefile'
check 'make is run' cairn run
check 'and makes' test -f made

fresh
echo 'module m' >go.mod
echo 'package m' >m.go
starts 'a Go module'

fresh
echo '{"name": "n", "scripts": {"build": "true", "test": "true"}}' >package.json
starts 'a node package'
check 'its scripts are commands' sh -c 'cairn list | grep -q "^  test"'

fresh
cd "$T" && mkdir -p 'odd: {name}' && cd 'odd: {name}' || exit
check 'a folder with an odd name' cairn init
check 'its spec is sound' cairn check
finish
