#!/bin/sh
# cairn explain: every leaf for which a step would run.
. "${0%/*}/lib.sh"

mkdir -p bin
printf '#!/bin/sh\ncat "$@"\n' >bin/mycat
chmod +x bin/mycat
export PATH="$T/w/bin:$PATH" KEYED=1
echo a >a.in
echo b >b.in
spec <<'END'
cairn: 1
pass_env: [{name: KEYED, key: true}]
vars: {word: one}
commands:
  join:
    run: |
      echo ${{ vars.word }} >join.out
      mycat a.in b.in >>join.out
    env: {MODE: fast}
    inputs: ["*.in", {path: maybe, optional: true}]
    outputs: [join.out]
    tools: [mycat]
  behind: {needs: [join], inputs: [], run: cp join.out behind.out, outputs: [behind.out], tools: [cp]}
  further: {needs: [behind], inputs: [], run: cp behind.out further.out, outputs: [further.out], tools: [cp]}
  always: {run: "true"}
  never: {run: "true", when: '${{ os == "none" }}'}
END
cat >"$T/reasons.py" <<'END'
import json, sys
for s in json.load(sys.stdin):
    print(s["step"], s["status"])
    for r in s["reasons"]:
        print(r.get("field", "-"), r.get("name", "-"))
END
because() {     # STATUS LINES...: join has that status and exactly these reasons, each "field name"
	cairn explain --json join | /usr/bin/python3 "$T/reasons.py" >"$T/got"
	{
		echo "join $1"
		shift
		for line; do echo "$line"; done
	} >"$T/want"
	diff -u "$T/want" "$T/got" || { cairn explain join; return 1; }
}

check 'a step that never ran' because would-run '- -'
run further >/dev/null 2>\&1
check 'a step that is up to date has no reason' because hit
check 'and a past' sh -c 'cairn explain join | grep -q "last: ran"'
echo changed >a.in
check 'an input' because would-run 'input a.in'
chmod +x b.in
check 'two of them' because would-run 'input a.in' 'input b.in'
chmod -x b.in
echo a >a.in
check 'taken back' because hit
echo c >c.in
check 'a new one' because would-run 'input c.in'
rm c.in
touch maybe
check 'one that appeared' because would-run 'input maybe'
rm maybe b.in
ln -s a.in b.in
check 'a link in place of a file' because would-run 'input b.in'
rm b.in
echo b >b.in
check 'a variable of the caller' env KEYED=2 sh -c 'cairn explain join | grep -q "pass_env KEYED: 1 -> 2"'
check 'that is gone' env -u KEYED sh -c 'cairn explain join | grep -q "pass_env KEYED: 1 -> unset"'
check 'a variable of the spec' sh -c 'cairn explain -V word=two join | grep -q "script: line 1: one -> two"'
check 'the environment' sh -c 'cairn explain --env MODE=slow join | grep -q "env MODE: fast -> slow"'
echo '# other' >>bin/mycat
check 'a tool' because would-run 'tool mycat'
printf '#!/bin/sh\ncat "$@"\n' >bin/mycat
check 'its old content' because hit
echo tampered >>join.out
check 'an output that was changed' because restore 'output join.out'
rm join.out
check 'or is missing' because restore 'output join.out'
run further >/dev/null 2>\&1

echo changed >a.in
cairn explain further >said
check 'what waits' grep -q 'further: .*turns out different' said
check 'names its need' grep -q 'needs behind' said
check 'down to the one that would run, and why' grep -q 'needs join, which would run: input a.in' said
cairn explain --json further >explain.json
check 'also in JSON' grep -qF '"because_of":["behind","join"]' explain.json
check 'a step that runs every time says so' sh -c 'cairn explain always | grep -q "would run"'
check 'a skipped one' sh -c 'cairn explain never | grep -q "condition is false"'
refuse 2 'no step' cairn explain
refuse 2 'an unknown one' cairn explain jion
check 'is suggested' grep -q join "$OUT"

printf '#include "h.h"\nint x = H;\n' >x.c
echo '#define H 1' >h.h
cat >bin/mycc <<'END'
#!/bin/sh
cat x.c h.h >x.o
echo 'x.o: x.c h.h' >x.d
END
chmod +x bin/mycc
spec <<'END'
cairn: 1
commands:
  compile: {run: mycc, inputs: [x.c], depfile: x.d, outputs: [x.o], tools: [mycc]}
END
run compile >/dev/null 2>\&1
echo '#define H 2' >h.h
check 'a header that the depfile named' sh -c 'cairn explain compile | grep -q "input h.h: content changed"'
run compile >/dev/null 2>\&1
check 'the reason of the last run is kept' sh -c 'cairn explain compile | grep -q "last: ran.*h.h"'
echo 'int y;' >>x.c
check 'a file that is declared and read' sh -c 'cairn explain compile | grep -c "input x.c" | grep -qx 1'
finish
