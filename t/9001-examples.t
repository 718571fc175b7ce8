#!/bin/sh
# Every example does what its first lines say: it is valid, runs, and has nothing to do the second time but what runs every time.
. "${0%/*}/lib.sh"

export DEMO_TOKEN=sesame        # what examples/environment asks its caller for
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

cd "$T/environment" || exit 1
check 'environment: the secret is given' sh -c 'cairn run -v >said 2>&1'
check 'environment: and masked' sh -c 'grep -q "logging in with \*\*\*" said && ! grep -q sesame said'
check 'environment: another EDITOR' env EDITOR=ed cairn run --events="$EVENTS" settings
expect_states 'settings hit'
check 'environment: another TARGET' env TARGET=moon cairn run --events="$EVENTS" settings
expect_states 'settings ran'
check 'environment: the local file' sh -c 'echo PLANET=mars >local.env; TARGET=moon cairn run settings; grep -qx "hello mars for moon" settings.txt'
refuse 3 'environment: no secret' env -u DEMO_TOKEN cairn run

cd "$T/include" || exit 1
check 'include: from below' sh -c 'cd services/web && cairn run services/api:check'
echo 'another page' >services/web/page.txt
check 'include: a change of one service' run
expect_states 'services/api:build hit' 'services/web:build ran' 'release ran'

cd "$T/lines" || exit 1
printf 'Bergen\nOulu\nRiga\n' >cities.txt
check 'lines: one goes, one comes' run
expect_states 'page[city=Bergen] hit' 'page[city=Oulu] hit' 'page[city=Riga] ran' 'index ran'
check 'lines: the page of the one that went' test ! -e 'pages/La Paz.html'

cd "$T/failures" || exit 1
refuse 1 'failures: a step that hangs' run broken
expect_states 'flaky ran' 'hangs timed-out' 'report ran' 'clean up ran'
check 'failures: what comes last came' test ! -e tried

cd "$T/private" || exit 1
check 'private: the output is there' grep -qx apple first.txt
check 'private: all else is as it was' test "$(ls | tr '\n' ' ') $(head -n 1 fruit.txt)" = 'cairn.yaml first.txt fruit.txt plan.json  pear'

cd "$T/languages" || exit 1
check 'languages: words are counted' test "$(cat top.txt)" = '3 the'
finish
