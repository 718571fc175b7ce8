#!/bin/sh
# Hooks come and go without taking anything from anybody: existing ones are chained and come back, other managers and
# folders that other repositories use are left alone.
. "${0%/*}/lib.sh"

git init -q -b main
spec <<-'END'
	cairn: 1
	commands: {a: {run: "true", inputs: []}}
	workflows: {default: {steps: [a]}, ci: {steps: [a]}}
END
git add . && git commit -qm one

hook=.git/hooks/pre-push
check 'a hook is installed' cairn hook install
check 'git would run it' test -x $hook
check 'no other hook is' not test -e .git/hooks/pre-commit
check 'the status says so' sh -c 'cairn hook status | grep -q "^pre-push *installed:" && cairn hook status | grep -q "^pre-commit *not installed:"'
check 'also as JSON' sh -c 'cairn hook status --json | grep -q "{\"hook\":\"pre-push\",\"state\":\"installed\""'
cp $hook first
check 'installing it again changes nothing' cairn hook install pre-push
same $hook first
refuse 2 'a workflow that is not there is refused' cairn hook install --workflow none
same $hook first
check 'another workflow replaces it' cairn hook install --workflow ci
check 'and is what it runs' grep -q -- '--workflow ci' $hook
check 'it is taken away' cairn hook uninstall
check 'without a trace' not ls .git/hooks/pre-push .git/hooks/pre-push.before-cairn
check 'taking away what is not there is fine' cairn hook uninstall
refuse 2 'an unknown hook is refused' cairn hook install post-merge

# --- existing hooks ---
printf '#!/bin/sh\necho theirs\n' >theirs
cp theirs $hook && chmod 755 $hook
check 'beside an existing hook' cairn hook install
same $hook.before-cairn theirs
check 'installing it again keeps it' cairn hook install
same $hook.before-cairn theirs
check 'taking ours away' cairn hook uninstall
same $hook theirs
check 'as it was, executable' test -x $hook
check 'one that cairn did not write is not taken away' cairn hook uninstall
same $hook theirs
cp theirs $hook.before-cairn
refuse 2 'where two wait already nothing is done' cairn hook install
same $hook theirs
rm $hook $hook.before-cairn

cairn hook install >/dev/null
echo '# mine' >>$hook
cp $hook edited
refuse 2 'an edited hook is not replaced' cairn hook install
refuse 2 'nor taken away' cairn hook uninstall
same $hook edited
check 'and shown as such' sh -c 'cairn hook status --json | grep -q "\"state\":\"edited\""'
rm $hook

# --- where hooks are ---
git config core.hooksPath .githooks
check 'a folder of the work tree is followed' cairn hook install
check 'and the hook lies in it' test -x .githooks/pre-push
check 'without a path of this machine' not grep -q "$BUILD" .githooks/pre-push
cairn hook uninstall >/dev/null
git config --unset core.hooksPath

mkdir "$T/everybody"
git config core.hooksPath "$T/everybody"
refuse 2 'a folder elsewhere is refused' cairn hook install
check 'with the line to add there' grep -q 'cairn hook run pre-push' "$OUT"
check 'and nothing is written to it' not ls "$T/everybody/pre-push"
git config --unset core.hooksPath
GIT_CONFIG_GLOBAL=$T/gitconfig
export GIT_CONFIG_GLOBAL
git config --global core.hooksPath "$T/everybody"
refuse 2 'so is one that the user has for all repositories' cairn hook install
check 'and the status tells why' sh -c 'cairn hook status | grep -q "^note .*global"'
GIT_CONFIG_GLOBAL=/dev/null

# --- other managers ---
mkdir -p .husky/_
git config core.hooksPath .husky/_
printf '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n' >.husky/_/pre-push
cp .husky/_/pre-push husky-own
echo 'echo user of husky' >.husky/pre-push
cp .husky/pre-push husky-user
check 'with husky it is one of its scripts' cairn hook install
same .husky/_/pre-push husky-own
same .husky/pre-push.before-cairn husky-user
check 'taken away' cairn hook uninstall
same .husky/pre-push husky-user
git config --unset core.hooksPath

printf 'pre-push:\n  commands: {}\n' >lefthook.yml
refuse 2 'lefthook would write it anew: refused' cairn hook install
check 'with what to add to its configuration' grep -q 'use_stdin: true' "$OUT"
check 'and nothing is written' not ls $hook
rm lefthook.yml

# --- work trees and folders ---
git worktree add -q "$T/second" HEAD
check 'from a linked work tree' cairn -C "$T/second" hook install
check 'it is the one of the repository' test -x $hook
cairn hook status >first && cairn -C "$T/second" hook status >second
same first second
cairn hook uninstall >/dev/null
mkdir -p 'a b/c'
mv cairn.yaml "a b/"
check 'for a workspace below the top' cairn -C 'a b/c' hook install pre-push pre-commit
check 'the hook names the folder' grep -q "'a b'" $hook
check 'both hooks are there' test -x .git/hooks/pre-commit
check 'and go' cairn hook uninstall
check 'both' not ls .git/hooks/pre-commit $hook
mkdir "$T/none" && cp 'a b/cairn.yaml' "$T/none"
refuse 2 'outside of a repository' cairn -C "$T/none" hook install
finish
