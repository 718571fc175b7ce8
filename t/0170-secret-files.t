#!/bin/sh
# secret_files: a step finds secrets as files, and nobody else does.
. "${0%/*}/lib.sh"

spec <<-'EOF'
	cairn: 1
	secrets: {cert: {file: "${HOME}/cert"}, token: {env: TOKEN}, "a/b": {env: TOKEN}}
	commands:
	  a:
	    secret_files: [token, cert]
	    run: |
	      cat "$CAIRN_SECRETS/cert"; echo; stat -c '%a %s' "$CAIRN_SECRETS"/*; echo "$CAIRN_SECRETS" >where.out
	    inputs: []
	    outputs: [where.out]
	  none: {run: 'echo "<$CAIRN_SECRETS>"', outputs: [], inputs: []}
	  bad: {secret_files: ["a/b"], run: "true"}
EOF
printf 'first line\nsecond\n' >"$HOME/cert"
export TOKEN=tokenvalue
check 'a runs' run a
check 'its files are as long as the secrets, for it alone' test "$(cairn log a | grep -c '^600 1[07]$')" = 2
check 'their content is masked in its log' not grep -rq 'first line' "$OUT" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"
check 'they are gone afterwards' test ! -e "$(cat where.out)"
check 'no other step has them' run none
check 'not even a name of theirs' sh -c 'cairn log none | grep -qx "<>"'
unset TOKEN
rm where.out
check 'the value is in no key' run a
expect_states 'a restored'
refuse 3 'without a value it does not run' cairn run a --force
check 'the secret is named' grep -q 'secret token is not set' "$OUT"
export TOKEN=tokenvalue
refuse 3 'a name that is no file name' cairn run bad
check 'is told' grep -q "secret a/b can't be a file" "$OUT"
finish
