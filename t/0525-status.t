#!/bin/sh
# cairn status: how much is left to do, without doing or waiting.
. "${0%/*}/lib.sh"

for i in 1 2 3; do echo $i >$i.in; done
spec <<'END'
cairn: 1
commands:
  copy: {each: {f: "*.in"}, run: 'cp ${{ sh(each.f) }} ${{ sh(out[0]) }}', inputs: ['${{ each.f }}'], outputs: ['${{ each.f.stem }}.out'], tools: [cp]}
  join: {needs: [copy], inputs: [], run: cat *.out >joined, outputs: [joined], tools: [cat]}
workflows:
  default: {steps: [join]}
END
cat >"$T/counts.py" <<'END'
import json, sys
s = json.load(sys.stdin)
got = [s[k] for k in ("hit", "restore", "would-run", "pending")]
if got != [int(a) for a in sys.argv[1:]] or s["total"] != 4:
    sys.exit(str(s))
END
counts() { cairn status --json | /usr/bin/python3 "$T/counts.py" "$@"; }        # HIT RESTORE RUN PENDING

check 'before the first run' counts 0 0 3 1
run >/dev/null 2>\&1
check 'after it' counts 4 0 0 0
check 'in words' sh -c 'cairn status | grep -q "4 up to date"'
echo new >2.in
check 'one edited' counts 2 0 1 1
check 'is named with its reason' sh -c 'cairn status | grep -q "would-run.*f=2.in.*input 2.in"'
rm 3.out
check 'one output gone' counts 1 1 1 1
check 'a goal narrows it' sh -c 'cairn status "copy[f=1.in]" --json | grep -q "\"total\":1,"'
run >/dev/null 2>\&1
check 'after the run' counts 4 0 0 0

spec <<'END'
cairn: 1
commands:
  slow: {run: "touch started; while test ! -e go; do sleep 0.05; done", inputs: [], timeout: 20s}
END
cairn run slow >/dev/null 2>&1 &
for try in $(seq 400); do
	test -e started && break
	sleep 0.05
done
for command in status plan 'plan --status' list check 'explain slow' log; do
	check "$command does not wait for a run" timeout 10 cairn $command
done
refuse 3 'clean refuses instead of waiting' timeout 10 cairn clean
touch go
wait
finish
