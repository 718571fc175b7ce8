#!/bin/sh
# Every example does what its first lines say: it is valid, runs, and has nothing to do the second time but what runs every time.
. "${0%/*}/lib.sh"

again() {       # every step that ran the second time is one that is never cached
	states | grep -v -e ' hit$' -e ' skipped$' | sed 's/ ran$//' | while read -r step; do
		cairn plan --json | grep -o "\"name\":\"$step\"[^}]*\"uncached\"" || { echo "$step ran again"; exit 1; }
	done
}
for example in "$top"/examples/*/; do
	name=${example%/}
	name=${name##*/}
	cp -r "$example" "$T/$name"
	cd "$T/$name" || exit 1
	check "$name: is valid" cairn check
	check "$name: runs" run
	check "$name: something ran" sh -c "grep -q '\"state\":\"ran\"' $EVENTS"
	check "$name: runs again" run
	check "$name: and has nothing to do" again
	check "$name: exports its plan" sh -c 'cairn plan --json >plan.json'
	check "$name: replays it" cairn run --plan plan.json
done

cd "$T/hello" || exit 1
check 'hello: greets' sh -c 'cairn run greet --who=reader | grep -qx "hello, reader"'
printf '// a comment\n' >>src/greeting.c
check 'hello: a comment runs one step' run
expect_states 'compile[src=src/greeting.c] ran' 'compile[src=src/main.c] hit' 'link hit'
cd "$T/generated" || exit 1
echo fig >>words.txt
check 'generated: a word twice' run
expect_states 'sort ran' 'pages hit' 'index hit'
finish
