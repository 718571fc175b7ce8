#!/bin/sh
# cairn log: what steps printed, wherever it is kept.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
commands:
  both: {run: "echo out; echo err >&2", inputs: []}
  every: {run: echo every}
  many: {each: {n: [1, 2]}, run: 'echo n${{ each.n }}', inputs: []}
  bad: {run: "echo half; exit 3", inputs: []}
  mute: {run: "true", inputs: []}
  wide: {run: "i=0; while [ $i -lt 20000 ]; do echo 'a line of some length, number' $i; i=$((i+1)); done", inputs: []}
END
check 'nothing ran yet' sh -c 'cairn log | grep -q "Nothing has run"'
run both every many mute wide >/dev/null 2>&1
run bad >/dev/null 2>&1
cairn log both >out 2>err
check 'standard output' sh -c 'test "$(cat out)" = out'
check 'standard error apart' sh -c 'test "$(cat err)" = err'
check 'of a step that runs every time' sh -c 'test "$(cairn log every)" = every'
check 'of a failed one' sh -c 'test "$(cairn log bad)" = half'
check 'of one that printed nothing' sh -c 'test -z "$(cairn log mute 2>&1)"'
check 'of all steps of a command' sh -c 'test "$(cairn log many 2>/dev/null | tr "\n" " ")" = "n1 n2 "'
check 'by pattern' sh -c 'test "$(cairn log "many*2*")" = n2'
check 'of several' sh -c 'test "$(cairn log both every 2>/dev/null | tr "\n" " ")" = "out every "'
cairn log wide >wide
check 'a long one, whole' sh -c 'test "$(wc -l <wide)" = 20000 && tail -1 wide | grep -q 19999'
check 'a reader that goes away is no failure' sh -c '{ cairn log wide; echo $? >"$0"; } | head -1 >/dev/null; grep -qx 0 "$0"' "$T/status"
cairn log >all
check 'without a step all are listed' sh -c 'grep -q "^both  *ran" all && grep -q "^bad  *failed.*status 3" all'
refuse 2 'an unknown step' cairn log bothh
check 'is suggested' grep -q both "$OUT"
mkdir "$T/other" && cp cairn.yaml "$T/other"
(cd "$T/other" && run both >/dev/null 2>&1)
expect_states 'both hit'
check 'output from another workspace came with the result' sh -c 'cd "$0" && test "$(cairn log both 2>/dev/null)" = out' "$T/other"
cairn cache clear >/dev/null
refuse 3 'what the cache no longer holds' cairn log both
check 'is said to be gone' grep -q 'no longer' "$OUT"
finish
