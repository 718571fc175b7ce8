#!/bin/sh
# Odd names, links, empty files and folders.
. "${0%/*}/lib.sh"

mkdir -p 'src dir' deep/empty
echo 1 >'src dir/a b.txt'
echo 2 >"src dir/it's.txt"
printf 3 >'src dir/new
line.txt'
printf 4 >"src dir/$(printf 'caf\351').txt"
: >'src dir/.hidden.txt'
: >'src dir/[x]*.txt'
ln -s 'a b.txt' 'src dir/link.txt'
spec <<'END'
cairn: 1
commands:
  copy:
    each: {f: "src dir/*.txt"}
    run: cat ${{ sh(each.f) }} > ${{ sh(out[0]) }}
    inputs: ["${{ each.f }}"]
    outputs: ["out/${{ each.f.name }}"]
  tree:
    run: |
      mkdir -p t/empty t/full
      : > t/full/zero
      ln -s ../full/zero t/full/link
      chmod 755 t/full/zero
    inputs: [deep]
    outputs: [t/]
  read:
    needs: [tree]
    run: ls -R t > listing
    tools: [ls]
    inputs: ["t/**"]
    outputs: [listing]
END
check 'cold' run copy read
check 'seven copies and two others ran' test "$(states | grep -c ' ran$')" = 9
check 'all names arrived' test "$(ls -A out | wc -l)" = 8      # one name has two lines
check 'no-op' run copy read
check 'all hit' test "$(states | grep -c ' hit$')" = 9
rm 'src dir/link.txt'
ln -s "it's.txt" 'src dir/link.txt'
check 'a link that points elsewhere' run copy
check 'runs one step' test "$(states | grep -c ' ran$')" = 1
rm -rf t
check 'a folder from the cache' run read
expect_states 'tree restored' 'read hit'
check 'empty folder' test -d t/empty
check 'empty file with its mode' test -x t/full/zero
check 'link' test "$(readlink t/full/link)" = ../full/zero
mkdir deep/empty/more
check 'a new empty folder below an input folder' run read
expect_states 'tree ran' 'read hit'

mkdir secret
cd secret || exit 1
spec <<'END'
cairn: 1
secrets: {token: {env: TOKEN}}
commands:
  a: {run: 'mkdir -p d; touch "d/$T"', inputs: [], outputs: [d/], env: {T: {secret: token}}, tools: [touch]}
END
TOKEN=swordfish
export TOKEN
refuse 1 'a secret in the name of an output' run a
check 'is kept nowhere' sh -c '! grep -rq swordfish "$HOME" "$OUT"'
cd .. || exit 1
mkdir glob
cd glob || exit 1
spec <<'END'
cairn: 1
commands:
  a: {run: "mkdir -p g/sub; echo 1 > g/sub/1.o", inputs: [], outputs: ["g/**/*.o"], tools: [mkdir]}
END
check 'a file found by a pattern' run a
rm g/sub/1.o
mkdir g/sub/1.o
echo mine >g/sub/1.o/x
check 'a folder of the user in its place' run a
expect_states 'a restored'
check 'makes room' grep -qx 1 g/sub/1.o
finish
