#!/bin/sh
# The pre-push hook checks the commits that are pushed, whatever the work tree looks like; what passed once is not run again.
. "${0%/*}/lib.sh"

# Steps tell what they saw in a file outside: a line a run.
spec <<-END
	cairn: 1
	commands:
	  a: {run: 'cat a >>$T/ran; test "\$(cat a)" != bad', inputs: [a]}
	workflows: {default: {steps: [a]}}
END
ran() { cat "$T/ran" 2>/dev/null; rm -f "$T/ran"; }
# pushes NAME SAW ARGS: git push succeeds, and the steps saw just that
pushes() {
	name=$1 saw=$2
	shift 2
	rm -f "$T/ran"
	check "$name" git push -q "$@" 
	cp "$T/check" "$T/said"
	check "$name: what was checked" test "$(ran | tr '\n' ' ')" = "$saw"
}
refused() {
	name=$1 saw=$2
	shift 2
	rm -f "$T/ran"
	refuse 1 "$name" git push -q "$@"
	check "$name: what was checked" test "$(ran | tr '\n' ' ')" = "$saw"
}
there() { git -C "$T/far.git" rev-parse -q --verify "$1"; }

git init -q --bare "$T/far.git"
git init -q -b main && git remote add far "$T/far.git"
echo one >a && git add . && git commit -qm one
cairn hook install >/dev/null

pushes 'a new branch' 'one ' far main
check 'is there' there main
pushes 'the same again' '' far main
pushes 'the same tree under another name' '' far main:other
git commit -q --allow-empty -m again
pushes 'another commit with the same tree' '' far main
echo two >a && git commit -qam two
pushes 'an appended commit' 'two ' far main
git commit -q --amend -m 'two, better'
pushes 'a forced one with a tree that passed' '' --force far main
git reset -q --hard HEAD~1 && echo three >a && git commit -qam three
pushes 'a forced one with a new tree' 'three ' --force far main
pushes 'a deleted branch' '' far :other
check 'is gone' not there other
git tag -a -m t v1 && git tag light
pushes 'tags of what passed' '' far v1 light
echo tagged >a && git commit -qam tagged && git tag -a -m t v2 && git reset -q --hard HEAD~1
pushes 'an annotated tag of what did not' 'tagged ' far v2
git tag blob "$(git rev-parse HEAD:a)"
pushes 'a tag of no tree' '' far blob
git tag tree "$(git rev-parse v2^{tree})"
pushes 'a tag of a tree that passed' '' far tree
git checkout -q -b x && echo x1 >a && git commit -qam x1 && git checkout -q -b y && echo y1 >a && git commit -qam y1
pushes 'several at once' 'x1 y1 ' far x y
pushes 'nothing new' '' far x y main
check 'is said' grep -q 'no ref came' "$T/said"

# --- what is not pushed does not count ---
git checkout -q main
echo four >a && git commit -qam four && echo bad >a
pushes 'a broken work tree' 'four ' far main
check 'stays as it was' test "$(cat a)" = bad
git checkout -q a && echo five >a && git commit -qam five && git add a && echo bad >a && git add a
pushes 'a broken index' 'five ' far main
git reset -q --hard
echo bad >a && git commit -qam bad && echo six >a
refused 'a broken commit under a sound work tree' 'bad ' far main
check 'is not there' test "$(there main)" = "$(git rev-parse HEAD~1)"
check 'and how to go past it is said' grep -q -- '--no-verify' "$OUT"
refused 'it did not pass' 'bad ' far main
git checkout -q a
refused 'also in place' 'bad ' far main
git update-index --assume-unchanged a && echo seven >a
refused 'a file git does not look at is no way around' 'bad ' far main
git update-index --no-assume-unchanged a && git checkout -q a
git branch -q sound HEAD~1
refused 'one of two is broken: neither goes' 'bad ' far sound main
check 'neither' not there sound
check 'no work tree of ours is left in git' sh -c 'git worktree prune; test "$(git worktree list | wc -l)" -le 2'

# --- bypasses ---
pushes '--no-verify' '' --no-verify far main
echo bad >a && git commit -q --allow-empty -am bad2 && echo eight >b && git add b && git commit -qm eight
CAIRN_HOOK=0
export CAIRN_HOOK
pushes 'CAIRN_HOOK=0' '' far main
check 'is said' grep -q 'CAIRN_HOOK=0' "$T/said"
unset CAIRN_HOOK

# --- what a pass rests on ---
git reset -q --hard sound && echo nine >a && git commit -qam nine
pushes 'nine' 'nine ' -f far main
pushes 'what the other side has under another name' '' far main:p0
check 'which is said' grep -q 'changes nothing' "$T/said"
pushes 'to a URL, of which nothing is known' '' "$T/far.git" main:p1
check 'all is checked' grep -q '1 step: 1 hit' "$T/said"
pushes 'which passed then' '' "$T/far.git" main:p2
check 'and is said' grep -q 'this tree passed' "$T/said"
old=$PATH PATH=$T/bin:$PATH
pushes 'with another PATH' 'nine ' "$T/far.git" main:p3
PATH=$old
pushes 'and the one from before' '' "$T/far.git" main:p4
check 'it is checked' grep -q '1 step: 1 hit' "$T/said"
for note in "$XDG_STATE_HOME"/cairn/hook/*/passed/*; do echo x >>"$note"; done
rm -rf "$XDG_CACHE_HOME"
pushes 'a damaged note is none' 'nine ' "$T/far.git" main:p5
check 'a file that git does not have' sh -c 'echo "cairn: 1
commands: {g: {run: \"cat h* >>$1/ran\", inputs: [h*]}}
workflows: {default: {steps: [g]}}" >cairn.yaml; echo h.local >.gitignore; echo h1 >h1; echo local >h.local; git add -A; git commit -qm g' sh "$T"
pushes 'is not part of what is checked' 'local h1 h1 ' far main
check 'which is said' grep -q 'h.local' "$T/said"

check 'a spec with outputs' sh -c 'echo "cairn: 1
commands: {o: {run: \"cat h1 >>$1/ran; cp h1 out\", inputs: [h1], outputs: [out]}}
workflows: {default: {steps: [o]}}" >cairn.yaml; git commit -qam o' sh "$T"
pushes 'whose outputs git would show' 'h1 ' far main
check 'they are in place' test -e out
echo h1b >h1 && git commit -qam h1b
pushes 'and are no difference' 'h1b ' far main
echo mine >new && echo h1c >h1 && git commit -qam h1c
pushes 'another new file is one' 'h1c ' far main
check 'which is said' grep -q 'apart' "$T/said"
rm new
check 'the work tree is left as it was' test "$(cat out)" = h1b

# --- only what the push affects ---
cat >cairn.yaml <<-END
	cairn: 1
	commands:
	  u: {run: 'echo u >>$T/ran', inputs: [u.in], cache: false}
	  v: {run: 'echo v >>$T/ran', inputs: [v.in], cache: false}
	  w: {run: 'echo w >>$T/ran', inputs: [], needs: [v], cache: false}
	workflows: {default: {steps: [u, v, w], sequential: true}}
END
echo 1 >u.in && echo 1 >v.in && git add . && git commit -qm uv
pushes 'a changed spec affects all' 'u v w ' far main
echo 2 >u.in && git commit -qam u2
pushes 'one file, one step' 'u ' far main
echo 2 >v.in && git commit -qam v2
pushes 'another, and what needs it' 'v w ' far main
echo 3 >elsewhere && git add elsewhere && git commit -qm elsewhere
pushes 'a file that no step reads' '' far main
echo 3 >v.in && git commit -qam v3
pushes 'a new branch, from what the remote has' 'v w ' far main:topic
git push -q --no-verify far :topic && git update-ref -d refs/remotes/far/topic
pushes 'again' '' far main:topic
check 'it is known' grep -q 'this tree passed' "$T/said"
pushes 'to where nothing is known, all' 'u v w ' "$T/far.git" main:all
git reset -q --hard HEAD~1 && echo 4 >u.in && git commit -qam u4
pushes 'a forced one, against what it replaces' 'u v w ' -f far main:all
git clone -q -b all "$T/far.git" "$T/stranger" && (cd "$T/stranger" && echo s >s && git add s && git commit -qm s && git push -q)
echo 5 >u.in && git commit -qam u5
pushes 'over what was never fetched, all' 'u v w ' -f far main:all
check 'which is said' grep -q 'is not known here' "$T/said"

# --- other hooks ---
cairn hook uninstall >/dev/null
printf '#!/bin/sh\ncat >%s/theirs\necho "$@" >>%s/theirs\nexit "$(cat %s/status)"\n' "$T" "$T" "$T" >.git/hooks/pre-push
chmod 755 .git/hooks/pre-push
cairn hook install >/dev/null
echo 0 >"$T/status"
cat >cairn.yaml <<-END
	cairn: 1
	commands: {g: {run: "cat h1 >>$T/ran", inputs: [h1]}}
	workflows: {default: {steps: [g]}}
END
echo h2 >h1 && git commit -qam h2 && rm h.local
pushes 'beside another hook' 'h2 ' far main
check 'that one gets the refs' grep -q '^refs/heads/main ' "$T/theirs"
check 'and the arguments' grep -q "^far $T/far.git" "$T/theirs"
echo 1 >"$T/status"
echo h3 >h1 && git commit -qam h3
refused 'it can refuse' '' far main
echo 0 >"$T/status"

# --- elsewhere ---
git worktree add -q "$T/second" -b second
cd "$T/second" && echo s >h1 && git commit -qam s
pushes 'from a linked work tree' 's ' far second
git rm -q cairn.yaml && git commit -qm none
pushes 'a tree without a spec' '' far second
check 'is said' grep -q 'nothing is checked' "$T/said"
check 'refs that are none are refused' not sh -c 'echo nonsense | cairn hook run pre-push'
check 'a device is no list of refs' not sh -c 'cairn hook run pre-push </dev/null'
finish
