#!/bin/sh
# cairn plan: readable, as JSON, with what would be done, and compared.
. "${0%/*}/lib.sh"

is() {          # STEP STATE [GOAL]: what cairn plan --status says of it
	cairn plan --status "${3:-all}" | sed -nE 's/^([a-z-]+) +([^ ]*).*/\2 \1/p' >"$T/is"
	grep -qxF "$1 $2" "$T/is" || { cairn plan --status "${3:-all}"; return 1; }
}

echo one >one.txt
spec <<'END'
cairn: 1
commands:
  up: {run: tr a-z A-Z <one.txt >up.out, inputs: [one.txt], outputs: [up.out], tools: [tr]}
  len: {run: wc -c <up.out >len.out, needs: [up], inputs: [up.out], outputs: [len.out], tools: [wc]}
  all: {needs: [len]}
  always: {run: "true", needs: [len]}
  never: {run: exit 1, when: '${{ os == "none" }}'}
  after: {run: exit 1, needs: [never]}
  unready: {run: "true", inputs: [], needs: [always]}
END
cairn plan all >plan.txt
check 'the steps are shown in order' sh -c 'test "$(grep -E "^(up|len|all)" plan.txt | tr "\n" " ")" = "up len all "'
check 'with what they read and write' sh -c 'grep -q "outputs *up.out" plan.txt && grep -q "inputs *one.txt" plan.txt'
check 'and only those asked for' not grep -q always plan.txt
check 'without a goal or a default, all are' sh -c 'cairn plan | grep -q "^always"'
check 'nothing is run' test ! -e up.out
refuse 2 'an unknown goal' cairn plan lem
check 'is suggested' grep -q len "$OUT"

check 'a step that never ran' is up would-run
check 'what needs it is pending' is len pending
check 'so is the group' is all pending
check 'a step that runs every time does' is always would-run always
check 'a false condition' is never skipped never
check 'and what needs only it' is after skipped after
check 'asking leaves the workspace alone' test ! -e up.out
run all >/dev/null 2>\&1
check 'after a run' is up hit
check 'all is a hit' is all hit
rm len.out
check 'a missing output' is len restore
check 'is not put back by asking' test ! -e len.out
run all >/dev/null 2>\&1
echo two >one.txt
check 'an edit' is up would-run
check 'leaves what needs it pending' is len pending
echo one >one.txt
check 'taken back' is up hit
check 'again' is len hit
check 'what needs a step that runs every time waits for it' is unready pending unready

cairn plan --json all >a.json
check 'JSON' /usr/bin/python3 -c 'import json; p = json.load(open("a.json")); assert [s["name"] for s in p["steps"]] == ["up", "len", "all"], p'
check 'holds no folder of this machine' not grep -qF "$T" a.json
check 'and no state' not grep -q '"status"' a.json
cairn plan --json -o b.json all
same a.json b.json
cairn plan --json --status all >s.json
check 'but when asked for' /usr/bin/python3 -c 'import json; p = json.load(open("s.json")); assert [s["status"] for s in p["steps"]] == ["hit"] * 3, p'

mkdir -p "$T/elsewhere/w2"
(cd "$T/elsewhere/w2" && umask 077 && cp "$T/w/cairn.yaml" "$T/w/one.txt" . && touch -d 2001-01-01 one.txt && chmod 600 one.txt && cairn plan --json all) >c.json
same a.json c.json

check 'two equal plans' cairn plan diff a.json c.json
sed 's/tr a-z/tr b-z/' cairn.yaml >"$T/new" && cp "$T/new" cairn.yaml
echo other >one.txt
cairn plan --json all >d.json
refuse 1 'two that differ' cairn plan diff a.json d.json
check 'the step and the field are named' sh -c 'grep -q up "$0" && grep -q script "$0"' "$OUT"
check 'and the file' grep -q one.txt "$OUT"
refuse 2 'a plan that is not there' cairn plan diff a.json none.json
echo '{' >bad.json
check 'a broken plan is refused' sh -c 'cairn plan diff a.json bad.json; s=$?; test $s = 2 -o $s = 4'
finish
