#!/bin/sh
# workspace: ro: the step can't write the workspace, whoever runs it; where that can't be kept it is not run.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
defaults: {workspace: ro}
commands:
  look:
    run: |
      cat src; id -u; pwd; ls -a; exec 2>/dev/null
      tries() { ! "$@" || echo "could $*"; }
      tries touch new; tries rm src; tries mv src moved; tries mkdir sub/d; tries chmod 777 src; tries ln src hard
      tries sh -c 'echo x >src'; tries sh -c 'echo x >>sub/in'; tries rm -r sub; tries touch "$CAIRN_WORKSPACE/new" -d 2001-01-01
      tries sh -c 'echo x >mounted/f'
      echo x >"$TMPDIR/f" && cat "$TMPDIR/f"
      cat </dev/null; echo out; echo err >&2
    inputs: [src]
  exits: {run: exit 7, inputs: [src]}
  killed: {exec: [sh, -c, 'kill -9 $$'], inputs: [src]}
  none: {exec: [no-such-program], inputs: []}
  below: {workdir: sub, run: 'pwd; exec 2>/dev/null; touch x || echo no', inputs: []}
  slow: {run: 'sleep 1000 & echo $! >"$TOP/pid"; sleep 1000', timeout: 300ms, inputs: [], pass_env: [TOP]}
  stdio: {run: 'echo out; echo err >&2; ls -l /proc/self/fd | wc -l'}
  plain: {run: 'ls -l /proc/self/fd | wc -l', workspace: rw}
END
export TOP="$T/top"
mkdir -p sub mounted "$TOP"
echo one >src; echo in >sub/in
chmod -R a+rwX .
as_written() { find . -mindepth 1 -printf '%y %m %p\n' | sort; cat src sub/in; }
as_written >"$T/before"
unwritten() { as_written | diff "$T/before" -; }
told() { cairn log look | grep -vx -e . -e .. -e "$TOP"; }

if ! unshare -rm true 2>/dev/null && ! unshare -m true 2>/dev/null; then
	refuse 3 'where it can not be kept nothing runs' run look
	check 'which is said with the reason' grep -q 'look: workspace: ro .*: this system lets ' "$OUT"
	echo '# this system lets no namespace be made: only the refusal can be seen'
	finish
fi
check 'a step in a read-only workspace runs' run look
check 'and can write nothing in it' sh -c '! cairn log look | grep could'
check 'nothing is written' unwritten
check 'it is where it always is' sh -c 'cairn log look | grep -qxF "$PWD"'
check 'its own folder can be written' sh -c 'cairn log look | grep -qx x'
check 'its exit status and log are its result: it does not run again' run look
expect_states 'look hit'
echo two >src; as_written >"$T/before"
check 'until an input changes' run look
expect_states 'look ran'
refuse 1 'its exit status' run exits
check 'is told' grep -q '"status":7' "$EVENTS"
refuse 1 'a signal' run killed
check 'as well' grep -q '"signal":9' "$EVENTS"
refuse 3 'a program that is not there' run none -k
check 'is named' grep -q 'no-such-program' "$OUT"
check 'a folder below' run below
check 'is where it starts' test "$(cairn log below | tr '\n' ' ')" = "$PWD/sub no "
refuse 1 'one that takes too long is stopped' run slow
check 'with all it started' sh -c '! readlink "/proc/$(cat "$TOP/pid")/exe"'
cairn run stdio >out1 2>err1
check 'its streams are apart' sh -c 'grep -qx out out1 && ! grep -qx err out1 && grep -qx err err1'
check 'it has no other handle than any step' test "$(sed 1d out1)" = "$(cairn run plain 2>/dev/null)"
rm out1 err1

# a file system that is mounted in the workspace, the state in the workspace, a user with no rights
nested() { unshare -rm sh -c 'mount -t tmpfs none mounted && exec "$@"' sh "$@"; }
check 'what is mounted in it' nested cairn run look --force
check 'can not be written, either' sh -c '! cairn log look | grep could'
check 'nothing is written' unwritten
check 'the state in the workspace' env XDG_STATE_HOME="$PWD/own" cairn run look --force
check 'the step has its own folder all the same' sh -c 'XDG_STATE_HOME="$PWD/own" cairn log look >"$T/log"; grep -qx x "$T/log" && ! grep could "$T/log"'
rm -r own
cp -R "$BUILD/cairn" "$BUILD/lib" "$T/top/"
chmod -R a+rwX "$T"
user() {
	if [ "$(id -u)" = 0 ]; then set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
	HOME="$T/user" XDG_STATE_HOME="$T/user/state" XDG_CACHE_HOME="$T/user/cache" PATH="$T/top:$PATH" "$@"
}
mkdir -m 777 "$T/user"
if ! user unshare -Um true 2>/dev/null; then
	echo '# this system lets no user make a namespace: for one only the refusal can be seen'
else
	check 'a user without rights' user cairn run look
	user cairn log look >"$T/log"
	check 'is who it is' grep -qx "$(user id -u)" "$T/log"
	check 'and can not write' not grep could "$T/log"
	check 'nothing is written' unwritten
fi
unable() { unshare -rm sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"' sh "$@"; }
refuse 3 'where it can not be kept nothing runs' unable cairn run look --force
check 'which is said with the reason' grep -q 'look: workspace: ro .*: this system lets this user make no mount namespace: ' "$OUT"
check 'other steps run' unable cairn run plain
finish
