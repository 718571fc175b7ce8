#!/bin/sh
# What runs after which change: the heart of the matter.
. "${0%/*}/lib.sh"

mkdir -p src gen
echo one >src/a.txt
echo two >src/b.txt
spec <<'END'
cairn: 1
commands:
  up:
    each: {f: "src/*.txt"}
    run: tr a-z A-Z < ${{ sh(each.f) }} > ${{ sh(out[0]) }}
    inputs: ["${{ each.f }}"]
    outputs: ["out/${{ each.f.stem }}.up"]
    tools: [tr]
  join:
    needs: [up]
    run: cat out/*.up > out/all
    inputs: ["out/*.up"]
    outputs: [out/all]
    tools: [cat]
  head:
    needs: [join]
    run: head -c 3 out/all > out/head
    inputs: []
    outputs: [out/head]
    tools: [head]
  last:
    needs: [head]
    run: cat out/head out/head > out/last
    inputs: []
    outputs: [out/last]
    tools: [cat]
END

check 'a first run' run last
expect_states 'up[f=src/a.txt] ran' 'up[f=src/b.txt] ran' 'join ran' 'head ran' 'last ran'
check 'makes what it should' grep -qx ONE out/all
check 'a second run' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join hit' 'head hit' 'last hit'

touch src/a.txt src/b.txt
check 'touched files' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join hit' 'head hit' 'last hit'

echo TWO >src/b.txt
check 'an edit that changes nothing further on' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] ran' 'join hit' 'head hit' 'last hit'

echo three >src/b.txt
check 'an edit whose end is not looked at' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] ran' 'join ran' 'head ran' 'last hit'

echo two >src/b.txt
check 'back to what was: from the cache' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] restored' 'join restored' 'head hit' 'last hit'
check 'with the right content' grep -qx TWO out/all

rm out/all
check 'a deleted output' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join restored' 'head hit' 'last hit'
echo tampered >out/all
check 'a changed output' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join restored' 'head hit' 'last hit'
check 'is put back' grep -qx TWO out/all
chmod 600 out/all
check 'a changed mode' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join restored' 'head hit' 'last hit'

echo four >src/c.txt
check 'a new source' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'up[f=src/c.txt] ran' 'join ran' 'head ran' 'last hit'
rm src/c.txt
check 'a source that is gone' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join restored' 'head hit' 'last hit'
check 'takes its output with it' test ! -e out/c.up

sed 's/head -c 3/head -c 4/' cairn.yaml >new && mv new cairn.yaml
check 'a changed command' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join hit' 'head ran' 'last ran'
check 'and nothing after that' run last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join hit' 'head hit' 'last hit'

rm -rf out "$XDG_STATE_HOME"
check 'state and outputs lost, the cache kept' run last
expect_states 'up[f=src/a.txt] restored' 'up[f=src/b.txt] restored' 'join restored' 'head restored' 'last restored'
check 'forced' run --force last
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'join hit' 'head hit' 'last ran'
check 'forced, needs too' run --force=all last
expect_states 'up[f=src/a.txt] ran' 'up[f=src/b.txt] ran' 'join ran' 'head ran' 'last ran'
finish
