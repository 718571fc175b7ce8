#!/bin/sh
# Files that change while a step runs, and edits that leave size and times as they were.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
commands:
  copy:
    run: |
      cat in > out
      if [ -e change ]; then cat change > in; rm change; fi
      if [ -e revert ]; then cp -p in keep; echo zzz > in; cp -p keep in; rm keep revert; fi
    inputs: [in]
    outputs: [out]
    tools: [cat]
END
echo one >in
check 'cold' run copy
echo two >in
echo three >change
check 'an input that changes while its step runs' run copy
expect_states 'copy ran'
check 'is never believed: it runs again' run copy
expect_states 'copy ran'
check 'with what is there now' grep -qx three out
check 'and then it is done' run copy
expect_states 'copy hit'

echo four >in
touch revert
check 'a change and its reversal while the step runs' run copy
check 'keep nothing' run copy
expect_states 'copy ran'

echo AAAA >in
check 'a content' run copy
touch -r in stamp
echo BBBB >in
touch -r stamp in
check 'same size, same time, other content' run copy
expect_states 'copy ran'
check 'is seen' grep -qx BBBB out
for i in 1 2 3 4 5 6 7 8; do
	echo "A$i" >in
	cairn run -q copy
	echo "B$i" >in
	cairn run -q copy
	grep -qx "B$i" out || break
done
check 'edits right after a run are seen' grep -qx B8 out
finish
