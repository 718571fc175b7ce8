#!/bin/sh
# A step that declares outputs alone has every source for its input: what git would not ignore.
. "${0%/*}/lib.sh"

git init -q .
mkdir src
echo 1 >src/a
printf '%s\n' '*.log' '/out/' >.gitignore
spec <<-'END'
	cairn: 1
	commands:
	  all: {run: cat src/a >all.txt, outputs: [all.txt]}
	  glob: {run: cat src/* >glob.txt, inputs: ["src/*"], outputs: [glob.txt]}
END
check 'once' run all glob
check 'again' run all glob
expect_states 'all hit' 'glob hit'

echo log >src/b.log
check 'an ignored file comes' run all glob
expect_states 'all hit' 'glob ran'
git add -f src/b.log
check 'git tracks it in spite of that' run all glob
expect_states 'all ran' 'glob hit'
check 'again' run all glob
expect_states 'all hit' 'glob hit'
git status >/dev/null
check 'again' run all glob
expect_states 'all hit' 'glob hit'

mkdir out src/new
echo 1 >out/x
check 'an ignored folder comes, and an empty one' run all glob
expect_states 'all hit' 'glob hit'
echo 2 >src/new/x
check 'a source comes' run all glob
expect_states 'all ran' 'glob hit'
rm -r src/new
check 'again' run all glob
expect_states 'all hit' 'glob hit'

echo '*.log' >src/.gitignore
echo '/out/' >.gitignore
echo 1 >y.log
check 'rules move to another file' run all glob
expect_states 'all ran' 'glob ran'
finish
