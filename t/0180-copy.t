#!/bin/sh
# workspace: copy: the step works in a private copy of the workspace; what it declares comes back, and nothing else.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
defaults: {workspace: copy}
commands:
  look:
    run: |
      find . -mindepth 1 -printf '%y %m %T@ %p %l\0' | sort -z | grep -zvF -e ' . ' -e './tree.' -e './none.' >tree.out
      find . -mindepth 1 -name .git -o -name '.cairn~*' >none.out
    inputs: []
    outputs: [tree.out, none.out]
  head: {run: cat .git/HEAD >head.out, inputs: [.git/HEAD], outputs: [head.out]}
  make:
    run: |
      pwd -P >where.out
      test "$(pwd -P)" = "$CAIRN_WORKSPACE"
      ls . many >seen.out 2>&1 || :
      mkdir -p d/sub/empty many; echo 1 >d/sub/f; ln -s f d/sub/l; chmod 750 d/sub; chmod 555 d/sub/empty
      echo a >many/a.o; echo b >many/b.o; echo c >many/c.txt
      cat src >new/deep/out
      echo gone >undeclared; echo changed >src; rm other; mkdir -p sub; echo gone >sub/x
    inputs: [src]
    outputs: [where.out, seen.out, d, "many/*.o", new/deep/out]
  keeps: {run: 'cat log 2>/dev/null | wc -l >count; echo line >>log', inputs: [src], outputs: {files: [log, count], keep: true}}
  dep:
    workdir: lib
    run: |
      echo "x: h1.h ../h2.h $CAIRN_WORKSPACE/lib/h3.h own.h" >d; echo own >own.h
      cat h1.h ../h2.h h3.h >dep.out
    inputs: []
    depfile: lib/d
    outputs: [lib/dep.out]
  bound: {run: 'echo "$CAIRN_WORKSPACE" >bound.out', inputs: [], outputs: [bound.out]}
  free: {run: 'echo free >free.out', inputs: [], outputs: [free.out]}
  moving: {run: 'echo more >>"$TOP/moving.in"; cat moving.in >moving.out', inputs: [moving.in], outputs: [moving.out], pass_env: [TOP]}
END
export TOP="$PWD"
no_copy() { test -z "$(find "$HOME/state" -path '*/copy/*')"; }

git init -q .
echo '*.ign' >.gitignore
echo one >src; echo a >moving.in; echo other >other; echo ignored >file.ign
mkdir -p empty 'sp ace/-dash' lib locked
printf x >'sp ace/-dash/new
line'; printf x >"$(printf 'latin-\351')"; printf x >ünï
echo r >locked/r; chmod 600 locked/r; chmod 555 locked; chmod 755 other
ln -s src link; ln -s nowhere dangling; ln -s ../.. up; mkfifo pipe
touch -d '2001-02-03 04:05:06.123456789' src; touch -hd '2002-02-03' link; touch -d '2003-02-03' empty locked
find . -mindepth 1 -name .git -prune -o -printf '%y %m %T@ %p %l\0' | sort -z | grep -zvF -e ' . ' >"$T/want"
check 'a step in a copy runs' run look
check 'the copy is as the workspace was: modes, times, links, odd names, ignored files' same "$T/want" tree.out
check 'but for .git' test ! -s none.out
check 'unless something of .git is an input' run head
check 'then it is there' same .git/HEAD head.out
check 'the copies are gone' no_copy

check 'outputs come back' run make
check 'from a folder apart' sh -c 'test "$(cat where.out)" != "$TOP"'
check 'folders with all they hold' test -d d/sub/empty -a "$(cat d/sub/l)" = 1
check 'and their modes' test "$(stat -c %a d/sub d/sub/empty | tr '\n' ' ')" = '750 555 '
check 'of a pattern the files that match' test "$(ls many | tr '\n' ' ')" = 'a.o b.o '
check 'in folders that are made' grep -qx one new/deep/out
check 'what it does not declare does not come back' test ! -e undeclared -a ! -e sub
check 'nor what it changed or removed' sh -c 'grep -qx one src && test -e other'
check 'the copy is gone' no_copy
check 'nothing staged is left' sh -c '! find . -name ".cairn~*" | grep .'
where=$(cat where.out)
check 'unchanged, it does not run again' run make
expect_states 'make hit'
rm -r d
check 'outputs that are gone are restored' run make
expect_states 'make restored'
echo two >src
echo mine >d/sub/f
check 'a changed input runs it again' run make
expect_states 'make ran'
check 'on a copy without its earlier outputs' not grep -q -e '^d$' -e '^a.o$' seen.out
check 'which is where it was before' test "$(cat where.out)" = "$where"
check 'its outputs are those of this time' grep -qx 1 d/sub/f
check 'what was changed in them by hand is in the store' grep -rqx mine "$XDG_CACHE_HOME"
check 'keep: the first time there is nothing' run keeps
check 'then it finds what it made' run keeps --force
check 'and it comes back' test "$(cat count) $(wc -l <log)" = '1 2'

echo 1 >lib/h1.h; echo 2 >h2.h; echo 3 >lib/h3.h
check 'a depfile is read from the copy' run dep
check 'and stays there' test ! -e lib/d
check 'its names are those of the workspace: unchanged, it does not run' run dep
expect_states 'dep hit'
for file in lib/h1.h h2.h lib/h3.h lib/own.h; do
	echo changed >$file
	check "$file changed" run dep
	expect_states 'dep ran'
done

check 'an input that changes in the workspace while it runs' run moving
check 'is seen: its result is not kept' run moving
expect_states 'moving ran'

check 'outputs that hold the path of the copy' run bound free
mkdir "$T/elsewhere"
cp -R cairn.yaml src moving.in .git "$T/elsewhere"
cd "$T/elsewhere" || exit 1
check 'are as bound to the workspace as those that hold its own' run bound free
expect_states 'bound ran' 'free restored'
finish
