#!/bin/sh
# The pre-commit hook checks what is staged, not what else the work tree holds.
. "${0%/*}/lib.sh"

spec <<-END
	cairn: 1
	commands:
	  a: {run: 'cat a >>$T/ran; test "\$(cat a)" != bad', inputs: [a]}
	  never: {run: 'echo never >>$T/ran', inputs: []}
	workflows: {default: {steps: [never]}, pre-commit: {steps: [a]}}
END
ran() { cat "$T/ran" 2>/dev/null; rm -f "$T/ran"; }
commits() {     # NAME SAW ARGS
	name=$1 saw=$2
	shift 2
	rm -f "$T/ran"
	check "$name" git commit -qm "$name" "$@"
	cp "$T/check" "$T/said"
	check "$name: what was checked" test "$(ran | tr '\n' ' ')" = "$saw"
}
refused() {
	name=$1 saw=$2
	shift 2
	rm -f "$T/ran"
	refuse 1 "$name" git commit -qm "$name" "$@"
	check "$name: what was checked" test "$(ran | tr '\n' ' ')" = "$saw"
}

git init -q -b main
cairn hook install pre-commit >/dev/null
echo one >a && git add .
commits 'the first commit, by the workflow of that name' 'one '
echo two >a && git add a && echo bad >a
commits 'a sound index under a broken work tree' 'two '
check 'which stays' test "$(cat a)" = bad
git add a && echo three >a
refused 'a broken index under a sound work tree' 'bad '
check 'how to go past it is said' grep -q 'git commit --no-verify' "$OUT"
git add a
commits 'the work tree as it is' 'three '
echo four >a
commits 'all that is tracked' 'four ' -a
echo five >a && echo x >b && git add b
commits 'one file alone' 'five ' a
check 'the other is still staged' test "$(git diff --cached --name-only)" = b
commits 'it follows' ''
git reset -q --soft HEAD~1
commits 'a tree that passed' ''
check 'is said' grep -q 'this tree passed' "$T/said"
echo bad >a
CAIRN_HOOK=0 commits 'CAIRN_HOOK=0' '' -a
finish
