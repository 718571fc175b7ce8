#!/bin/sh
# The command line as such: help, version, options, what is refused and how it ends.
. "${0%/*}/lib.sh"

says() {        # WORDS CMD...: the command succeeds and its standard output holds the words
	words=$1
	shift
	"$@" >"$T/said" || return
	grep -qF -- "$words" "$T/said" || { cat "$T/said"; return 1; }
}
quiet() {       # CMD...: succeeds and says nothing on standard error
	"$@" >/dev/null 2>"$T/quiet" && test ! -s "$T/quiet" || { cat "$T/quiet"; return 1; }
}

check 'the version' says 'cairn ' cairn version
cairn --version >"$T/v1"; cairn version >"$T/v2"
same "$T/v1" "$T/v2"
check 'cairn alone shows its commands' says 'Commands:' cairn
check 'so does help' says 'explain' cairn help
check 'so does -h' says 'explain' cairn -h
for command in run plan list status explain log clean check init config cache doctor version help; do
	check "help of $command" says "Usage: cairn $command" cairn help $command
	cairn help $command >"$T/h1"; cairn $command --help >"$T/h2"; cairn $command -h >"$T/h3"
	check "is what $command --help and -h say" sh -c 'cmp "$0/h1" "$0/h2" && cmp "$0/h1" "$0/h3"' "$T"
done
check 'the options of run are in its help' says '--keep-going' cairn run --help
check 'so are those of all commands' says '--directory=DIR' cairn run --help

refuse 2 'an unknown command' cairn rnu
check 'is suggested' grep -q "'run'" "$OUT"
refuse 2 'a name far from all' cairn xyzzy
check 'is no suggestion' not grep -q 'did you mean' "$OUT"
refuse 2 'help of an unknown command' cairn help rnu
refuse 2 'an unknown option' cairn list --setps
check 'is suggested, too' grep -q -- '--steps' "$OUT"
refuse 2 'an unknown option before the command' cairn --nonsense list
refuse 2 'an option without its value' cairn list -f
refuse 2 'an unknown colour mode' cairn list --color=blue
refuse 2 'a word where none belongs' cairn version now
refuse 2 'no spec anywhere' cairn list
check 'says how to get one' grep -q 'cairn init' "$OUT"
refuse 2 'a spec that is not there' cairn list -f none.yaml
refuse 3 'a folder that is not there' cairn list -C none

echo 'cairn: 1
commands: {hello: {run: echo hello}}' | spec
refuse 2 'no job at all' cairn run -j0 hello
refuse 2 'a misspelled option with a value' cairn run --jbos=3
check 'is suggested, too' grep -q -- '--jobs' "$OUT"
refuse 2 'a param without a goal' cairn run --who=me
check 'asks for one' grep -q goal "$OUT"
refuse 2 'another way to force' cairn run --force=some hello
mkdir -p sub/deep
check 'a workspace is found from below' says hello cairn -C sub/deep list
check 'common options may stand before the command' says hello cairn --directory=sub list
check 'or after it' says hello cairn list -Csub
check 'in any place' says '"commands"' cairn list --json -C sub
cp cairn.yaml sub/other.yaml
check 'another spec may be named' says hello cairn list -f sub/other.yaml
check 'nothing is said on standard error when all is well' quiet cairn list

check 'a reader that goes away is no failure' sh -c '{ cairn help; echo $? >"$0"; } | true; grep -qx 0 "$0"' "$T/status"
check 'closed standard streams are survived' sh -c 'cairn version <&- >&- 2>&-; test $? = 0 -o $? = 3'

printf 'cairn: 1\ncommands: {a: {rum: x}}\n' >bad.yaml
cairn list -f bad.yaml >"$T/plain" 2>&1
check 'no colour where nobody looks' not grep -q "$(printf '\033')" "$T/plain"
cairn list --color=always -f bad.yaml >"$T/color" 2>&1
check 'but where it is asked for' grep -q "$(printf '\033')" "$T/color"
CLICOLOR_FORCE=1 cairn list -f bad.yaml >"$T/color" 2>&1
check 'also by the environment' grep -q "$(printf '\033')" "$T/color"
CLICOLOR_FORCE=1 NO_COLOR=1 cairn list -f bad.yaml >"$T/color" 2>&1
check 'which NO_COLOR overrules' not grep -q "$(printf '\033')" "$T/color"
finish
