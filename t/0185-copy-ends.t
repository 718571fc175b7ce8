#!/bin/sh
# workspace: copy: whatever ends the step, the workspace is as it was and the copy is gone.
. "${0%/*}/lib.sh"

nap=41.$$               # marks this test's own processes
spec <<END
cairn: 1
secrets: {token: {env: TOKEN}}
defaults: {workspace: copy}
commands:
  bad: {run: 'echo half >bad.out; echo junk >junk; exit 3', inputs: [], outputs: [bad.out]}
  missing: {run: 'echo new >there.out', inputs: [], outputs: [there.out, never.out]}
  flaky: {run: 'test ! -e tries; echo x >tries; exit 1', retry: {times: 1, delay: 1ms}}
  leak: {run: 'cat "\$CAIRN_SECRETS/token" >leak.out', secret_files: [token], inputs: [], outputs: [leak.out]}
  long: {run: 'echo half >long.out; pwd -P >"\$STARTED"; sleep $nap & sleep $nap', inputs: [], outputs: [long.out], pass_env: [STARTED]}
  slow: {run: 'echo half >slow.out; sleep $nap', inputs: [], outputs: [slow.out], timeout: 100ms}
  plain: {run: 'true', workspace: rw}
  make: {run: 'mkdir -p d/sub/empty m; cat src >d/f; echo x >m/a.o; ln -s f d/l; chmod 555 d/sub/empty', inputs: [src], outputs: [d, "m/*.o"]}
  look: {run: 'find . >tree.out', inputs: [], outputs: [tree.out]}
END
export STARTED="$T/started" TOKEN=tokenvalue
no_copy() { test -z "$(find "$HOME/state" -path '*/copy/*')"; }

echo one >src
echo before >bad.out
refuse 1 'a step that fails' run bad
check 'changes nothing' sh -c 'grep -qx before bad.out && test ! -e junk'
check 'its copy is gone' no_copy
echo before >there.out
refuse 1 'an output that was not made' run missing
check 'is named' grep -q never.out "$OUT"
check 'and what was made does not come in' grep -qx before there.out
refuse 1 'each attempt has a copy of its own' run flaky
check 'so the second is the first again' sh -c 'grep -q "\"attempt\":2" "$0" && test ! -e tries' "$EVENTS"
refuse 1 'an output that holds a secret' run leak
check 'does not come in' test ! -e leak.out
refuse 1 'one that takes too long' run slow
expect_states 'slow timed-out'
check 'changes nothing' test ! -e slow.out
check 'the copies are gone' no_copy

wait_for() { for i in $(seq 1200); do [ -s "$1" ] && return; sleep 0.05; done; false; }
sleepers() { echo $nap | grep -lszxF -f - /proc/[0-9]*/cmdline | sed 's|/proc/\(.*\)/.*|\1|'; }
echo mine >long.out
for signal in INT TERM KILL; do
	rm -f "$STARTED"
	cairn run --events="$EVENTS" long >"$OUT" 2>&1 &
	pid=$!
	wait_for "$STARTED"
	check "$signal: while it runs the workspace is as it was" grep -qx mine long.out
	check "$signal: it works in the copy" test -e "$(cat "$STARTED")/long.out"
	kill -$signal $pid
	wait $pid 2>/dev/null
	if [ $signal = KILL ]; then
		for p in $(sleepers); do kill -9 $(cut -d' ' -f5 /proc/$p/stat); break; done
		check 'KILL: of the step, too: the rest of it is there' test -n "$(sleepers)"
		check 'KILL: the next run puts it right' run plain
	fi
	check "$signal: the copy is gone" no_copy
	check "$signal: the workspace is as it was" grep -qx mine long.out
	check "$signal: no process is left" test -z "$(sleepers)"
done

# the state on a file system of its own, where the copy is, too
mkdir "$T/apart"
apart() { unshare -rm sh -c 'mount -t tmpfs none "$T/apart" && exec env XDG_STATE_HOME="$T/apart" "$@"' sh "$@"; }
export T
unshare -rm true 2>/dev/null || { echo '# this system lets no file system be mounted: not tried across two'; two=; }
for text in ${two-one two}; do
	echo $text >src
	check "$text: the copy on another file system" apart cairn run make
	check "$text: outputs come back" test "$(cat d/l m/a.o | tr '\n' ' ')" = "$text x "
	check "$text: with their modes" test "$(stat -c %a d/sub/empty)" = 555
	check "$text: nothing staged is left" sh -c '! find . -name ".cairn~*" | grep .'
done

export XDG_STATE_HOME="$PWD/own/state"
check 'the state in the workspace' run look
check 'is not in the copy' not grep -q 'own/state/cairn/ws/.' tree.out
finish
