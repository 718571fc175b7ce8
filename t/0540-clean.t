#!/bin/sh
# cairn clean: takes away what steps wrote, and nothing else.
. "${0%/*}/lib.sh"

echo a >a.in
echo b >b.in
spec <<'END'
cairn: 1
commands:
  copy: {each: {f: "*.in"}, run: 'cp ${{ sh(each.f) }} ${{ sh(out[0]) }}', inputs: ['${{ each.f }}'], outputs: ['out/${{ each.f.stem }}'], tools: [cp]}
  tree: {run: "mkdir -p t/sub; echo 1 >t/one; echo 2 >t/sub/two; ln -s one t/link", inputs: [], outputs: [t/], tools: [mkdir, ln]}
  empty: {run: "true", inputs: []}
workflows:
  default: {steps: [copy, tree, empty]}
END
all() { test -f out/a -a -f out/b -a -f t/one -a -f t/sub/two -a -L t/link; }

check 'nothing ran yet' cairn clean
check 'no state is made for that' test ! -e "$XDG_STATE_HOME"
run >/dev/null 2>\&1
check 'outputs are there' all
echo mine >out/mine
check 'all are cleaned' cairn clean
check 'none is left' test ! -e out/a -a ! -e out/b -a ! -e t
check 'sources stay' test -f a.in -a -f b.in -a -f cairn.yaml
check 'so does what no step wrote' grep -qx mine out/mine
check 'again is fine' cairn clean
run >/dev/null 2>\&1
expect_states 'copy[f=a.in] restored' 'copy[f=b.in] restored' 'tree restored' 'empty hit'
check 'and it is all back' all

check 'one step' cairn clean 'copy[f=a.in]'
check 'only its outputs go' test ! -e out/a -a -f out/b -a -f t/one
check 'a command' cairn clean copy
check 'takes all its steps' test ! -e out/b -a -f t/one
check 'one without outputs' cairn clean empty
check 'or cleaned already' cairn clean copy
refuse 2 'an unknown name' cairn clean cpoy
check 'is suggested' grep -q copy "$OUT"
run >/dev/null 2>\&1

echo changed >>out/a
echo 3 >t/new
refuse 0 'what was changed' cairn clean
check 'is named' grep -q 'out/a' "$OUT"
check 'and kept' grep -qx changed out/a
check 'so is what was added' grep -qx 3 t/new
check 'the rest goes' test ! -e out/b -a ! -e t/one

rm -f out/a t/new
run >/dev/null 2>\&1
check '--all' cairn clean --all
check 'takes the outputs' test ! -e out/a -a ! -e t/one
check 'and forgets what ran' sh -c 'cairn log | grep -q "Nothing has run"'
run >/dev/null 2>\&1
expect_states 'copy[f=a.in] restored' 'copy[f=b.in] restored' 'tree restored' 'empty hit'
refuse 2 '--all goes without names' cairn clean --all copy
echo '{' >cairn.yaml
check 'a broken spec is no obstacle' cairn clean
check 'to cleaning' test ! -e out/b
finish
