#!/bin/sh
# What a step starts ends with it; what it says is shown as it was said.
. "${0%/*}/lib.sh"

gone() {        # PIDFILE: no such process, or a zombie that nobody reaps
	test -s "$1" && ! readlink "/proc/$(cat "$1")/exe" >/dev/null 2>&1
}

spec <<'END'
cairn: 1
shell: [bash, -c]
commands:
  background: {run: 'sleep 1000 >/dev/null 2>&1 & echo $! >pid'}
  holds: {run: 'sleep 1000 & echo $! >pid2'}
  slow: {run: 'sleep 1000 & echo $! >pid3; sleep 1000', timeout: 200ms}
  tee: {run: 'exec > >(sleep 0.02; cat); echo late'}
  io: {run: 'echo out; echo err >&2'}
  dep: {run: 'echo noise; exit ${CODE:-0}', pass_env: [CODE]}
  goal: {run: 'echo result', needs: [dep]}
  stdin: {run: 'cat; echo end'}
END
check 'a step that leaves a process behind is done' run background
check 'and the process gone' gone pid
check 'also when it holds the output' run holds
check 'it is gone' gone pid2
refuse 1 'a step that takes too long is stopped' run slow
check 'with all it started' gone pid3
check 'what a filter of its own says last is seen' sh -c 'cairn run tee 2>/dev/null | grep -qx late'
cairn run io >out 2>err
check 'standard output is apart' test "$(cat out)" = out
check 'so is standard error' grep -qx err err
cairn run goal >out 2>err
check 'only a goal is heard' test "$(cat out)" = result
CODE=1 cairn run goal >out 2>err
check 'and a step that fails' grep -qx noise out
check 'which is named with a way to its log' grep -q 'cairn log dep' err
check 'standard input is empty' sh -c 'echo x | cairn run stdin 2>/dev/null | grep -qx end'
finish
