#!/bin/sh
# The exported plan: the same bytes anywhere, replayed without its spec, compared with another.
. "${0%/*}/lib.sh"

project() {     # FOLDER
	mkdir -p "$1/src" "$1/lib"
	(
		cd "$1" || exit 1
		for i in $2; do echo "$i" >src/"$i".txt; done
		echo x >lib/x && chmod 755 lib/x && ln -s x lib/y
		cat >cairn.yaml <<-'END'
			cairn: 1
			name: portable
			vars: {mode: fast}
			env: {GREETING: "hello ${{ vars.mode }}"}
			secrets: {token: {env: TOKEN}}
			commands:
			  up:
			    each: {f: "src/*.txt"}
			    run: echo "$GREETING"; tr a-z A-Z < ${{ sh(each.f) }} > ${{ sh(out[0]) }}
			    inputs: ["${{ each.f }}", lib]
			    outputs: ["out/${{ each.f.stem }}.up"]
			    tools: [tr]
			  folder: {run: "mkdir -p d && echo 1 > d/one", inputs: [], outputs: [d/]}
			  all:
			    needs: [up, folder]
			    run: cat out/*.up d/* > all
			    inputs: ["d/*"]
			    outputs: [all]
			    env: {TOKEN: {secret: token}}
			    retry: {times: 1, delay: 5ms, factor: 1.5}
			    timeout: 1m
			  after: {run: touch cleaned}
			workflows:
			  default: {steps: [all], finally: [after]}
		END
	)
}
project one 'a b c'
umask 077
project other/deep/two 'c b a'
umask 022
touch -d '2001-01-01' other/deep/two/src/*
mkdir "$HOME/gitcfg"
echo '*.txt' >"$HOME/gitcfg/ignore"
(cd one && cairn plan --json) >one.json
(cd other/deep/two && git init -q && git config core.excludesFile "$HOME/gitcfg/ignore" && TOKEN=secret cairn plan --json) >two.json
same one.json two.json
check 'no secret, no path of this machine' not grep -e secretvalue -e "$T" one.json
check 'it is valid by its schema' /usr/bin/python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(open("one.json")), json.load(open(sys.argv[1])))' "$top/schemas/plan.schema.json"

export TOKEN=secretvalue
cp one.json plan.json
mkdir replay && (cd one && cp -a src lib ../replay)
cd replay || exit 1
check 'replayed where there is no spec' run --plan ../plan.json
expect_states 'up[f=src/a.txt] ran' 'up[f=src/b.txt] ran' 'up[f=src/c.txt] ran' 'folder ran' 'all ran' 'after ran'
check 'with the right outcome' test "$(cat all | tr '\n' ' ')" = 'A B C 1 '
check 'a second time' run --plan ../plan.json
expect_states 'up[f=src/a.txt] hit' 'up[f=src/b.txt] hit' 'up[f=src/c.txt] hit' 'folder hit' 'all hit' 'after ran'
echo changed >src/b.txt
refuse 4 'in a workspace that is another' run --plan ../plan.json
check 'which is named' grep -q src/b.txt "$OUT"
cd ../one || exit 1
check 'the spec finds what the replay made' run
expect_states 'up[f=src/a.txt] restored' 'up[f=src/b.txt] restored' 'up[f=src/c.txt] restored' 'folder restored' 'all restored' 'after ran'

sed 's/factor: 1.5/factor: 1.5/; s/cat out/cat -u out/' cairn.yaml >new && mv new cairn.yaml
echo new >src/a.txt
cairn plan --json >../new.json
check 'two plans compared' sh -c 'cairn plan diff ../one.json ../new.json >../diff; grep -q "script.*cat -u" ../diff && grep -q "src/a.txt" ../diff'
check 'and nothing else' test "$(grep -c '^step' ../diff)" = 1
check 'the same plan' sh -c 'test -z "$(cairn plan diff ../one.json ../two.json)"'
for bad in '' '{' '{}' '[]' '{"cairn_plan":1}' '{"cairn_plan":2,"name":"x"}' '{"cairn_plan":1,"name":"x","steps":[{"name":1}]}'; do
	printf '%s' "$bad" >bad.json
	check "refused, not crashed: $bad" sh -c 'cairn run --plan bad.json; test $? = 2 -o $? = 4'
done
finish
