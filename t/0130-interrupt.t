#!/bin/sh
# Interrupted and killed runs: nothing half made stays, nothing is lost, no process is left.
. "${0%/*}/lib.sh"

nap=37.$$               # marks this test's own processes
spec <<END
cairn: 1
commands:
  long:
    run: |
      echo half > long.out
      touch started
      sleep $nap & sleep $nap
    inputs: []
    outputs: [long.out]
  other: {run: echo other > other.out, inputs: [], outputs: [other.out]}
  cleanup: {run: touch cleaned}
workflows:
  w: {steps: [long], finally: [cleanup]}
END
wait_for() { for i in $(seq 1200); do [ -e "$1" ] && return; sleep 0.05; done; false; }
interrupted() {        # SIGNAL: starts w, sends it once the step runs; sets status
	rm -f started cleaned
	cairn run --events="$EVENTS" w >"$OUT" 2>&1 &
	pid=$!
	wait_for started
	kill -"$1" $pid
	status=0
	wait $pid || status=$?
}
sleepers() { echo $nap | grep -lszxF -f - /proc/[0-9]*/cmdline | sed 's|/proc/\(.*\)/.*|\1|'; }
none_left() { test -z "$(sleepers)"; }

for signal in INT TERM HUP; do
	interrupted $signal
	case $signal in INT) want=130 ;; TERM) want=143 ;; HUP) want=129 ;; esac
	check "$signal: the exit status says so" test $status = $want
	expect_states 'long cancelled' 'cleanup ran'
	check "$signal: finally ran" test -e cleaned
	check "$signal: what was half made is gone" test ! -e long.out
	check "$signal: no process is left" none_left
done

echo mine >long.out
rm -f started
cairn run long >"$OUT" 2>&1 &
pid=$!
wait_for started
for i in $(seq 1200); do none_left || break; sleep 0.05; done
check 'its processes are told from others' not none_left
kill -9 $pid
wait $pid 2>/dev/null
check 'kill -9 leaves them' not none_left
check 'a dry run leaves them, too' cairn run -n other
check 'as they are' not none_left
check 'the next start puts right what kill -9 left' run other
check 'the file that stood in the way is back' grep -qx mine long.out
check 'no staged file is left' sh -c '! ls -A | grep -q "^\.cairn~"'
check 'no process either' none_left
check 'and it is told' grep -q '"note".*left running' "$EVENTS"

rm -f started
cairn run long >"$OUT" 2>&1 &
pid=$!
wait_for started
kill -9 $pid
wait $pid 2>/dev/null
pkill_leader() { for p in $(sleepers); do kill -9 $(cut -d' ' -f5 /proc/$p/stat); return; done; }
check 'its leader is killed, too' pkill_leader
check 'the rest of its group is there' not none_left
check 'clean ends it' cairn clean other
check 'as well' none_left
finish
