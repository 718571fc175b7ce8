#!/bin/sh
# --since and --affected: only steps that changed files may affect, and what needs these; rather too many than one too few, and an
# explicit message where it can't be told.
. "${0%/*}/lib.sh"

mkdir -p src lib data
spec <<'END'
cairn: 1
commands:
  cc:
    each: {src: "src/*.c"}
    run: gcc -MD -MF ${{ out.depfile }} -c ${{ each.src }} -o ${{ out[0] }}
    inputs: ["${{ each.src }}"]
    depfile: "o/${{ each.src.stem }}.d"
    outputs: ["o/${{ each.src.stem }}.o"]
    tools: [gcc]
  link: {needs: [cc], run: "gcc -o app o/*.o", inputs: ["o/*.o"], outputs: [app], tools: [gcc]}
  lint: {run: "cat data/*", inputs: ["data/*", "!data/skip*"]}
  doc: {run: "cat doc.md", inputs: [doc.md]}
  linked: {run: "cat link", inputs: [link]}
  tool: {run: "./gen.sh", inputs: [], tools: [./gen.sh]}
  maybe: {run: "true", inputs: [{path: opt, optional: true}]}
  all: {run: "touch all.out", outputs: [all.out]}
  last: {run: "true", needs: [doc], inputs: []}
  end: {run: "true", inputs: []}
workflows:
  default: {steps: [cc, link, lint, doc, linked, tool, maybe, last]}
  sources: {steps: [all]}
  cleanup: {steps: [doc], finally: [end]}
END
echo '#include "../lib/a.h"
int main(void) { return A; }' >src/a.c
echo 'int b;' >src/b.c
echo '#define A 0' >lib/a.h
echo 1 >data/x && echo 1 >data/skip1 && echo 1 >doc.md && echo 1 >target && ln -s target link && echo 1 >other
printf '#!/bin/sh\n' >gen.sh && chmod +x gen.sh
printf '/o/\n/app\n/all.out\n' >.gitignore
git init -q -b main && git add . && git commit -qm one
cairn run >/dev/null 2>&1

# affects NAME STEPS [ARGS]: just these steps may be affected by what changed since main
affects() {
	name=$1 want=$2
	shift 2
	check "$name" sh -c 'out=$1; shift; cairn plan --status "$@" >"$out" 2>"$out.err"' sh "$T/plan" "${@:---since=main}"
	got=$(sed -nE 's/^([^ ]+) .*/\1/p' "$T/plan" | grep -v '^$' | sort | tr '\n' ' ')
	got=$(cairn plan --json "${@:---since=main}" 2>/dev/null | /usr/bin/python3 -c '
import json, sys
print(" ".join(sorted(s["name"] for s in json.load(sys.stdin)["steps"])))')
	check "$name: which" test "$got" = "$want"
}
back() { git reset -q --hard && git clean -qfd -e o -e app; }

affects 'nothing changed' ''
echo 2 >doc.md
affects 'a changed file, not committed' 'doc last'
git commit -qam two
affects 'committed: nothing new against itself' ''
affects 'against the commit before' 'doc last' --since=main~1
git checkout -q -b topic && echo 3 >doc.md && git commit -qam three
affects 'on a branch' 'doc last'
git checkout -q main && echo 2 >data/x && git commit -qam four && git checkout -q topic
affects 'what the other side did meanwhile is not ours' 'doc last'
git checkout -q main
echo 2 >src/b.c
affects 'a source, with all that makes its dependents' 'cc[src=src/a.c] cc[src=src/b.c] link'
back; echo '#define A 1' >lib/a.h
affects 'a header that one source reads' 'cc[src=src/a.c] cc[src=src/b.c] link'
check 'says how many' grep -q '2 of 9 steps may be affected by 1 changed file since main' "$T/plan.err"
back; echo x >src/a.h
affects 'a new file of a name that is read' 'cc[src=src/a.c] cc[src=src/b.c] link'
back; echo 2 >other
affects 'a file that nothing reads' ''
affects 'unless all sources are inputs' 'all' --since=main sources
back; echo 'int c;' >src/c.c
affects 'a new source' 'cc[src=src/a.c] cc[src=src/b.c] cc[src=src/c.c] link'
back; rm data/x; echo 1 >data/y
affects 'a file that is gone' 'cc[src=src/a.c] cc[src=src/b.c] doc last link linked lint maybe tool'
check 'the reason is given' grep -q 'data/x is gone' "$T/plan.err"
back; rm data/skip1
affects 'also one that was taken away again' 'cc[src=src/a.c] cc[src=src/b.c] doc last link linked lint maybe tool'
back; echo 2 >target
affects 'what a link leads to' 'linked'
back; echo 'true' >>gen.sh
affects 'a tool' 'tool'
back; echo 1 >opt
affects 'an optional file that came' 'maybe'
back; echo '# x' >>cairn.yaml
affects 'the spec' 'cc[src=src/a.c] cc[src=src/b.c] doc last link linked lint maybe tool'
back; echo 'x' >>.gitignore
affects 'ignore rules' 'cc[src=src/a.c] cc[src=src/b.c] doc last link linked lint maybe tool'
back; chmod +x doc.md
affects 'a file that became a program' 'doc last'
back; echo 4 >doc.md
affects 'what follows stays as long as anything does' 'doc end' --since=main cleanup
back
affects 'and goes with it' '' --since=main cleanup
rm -rf "$XDG_CACHE_HOME" "$XDG_STATE_HOME" o app; echo 2 >other
affects 'without a record a depfile step may read anything' 'cc[src=src/a.c] cc[src=src/b.c] link'
check 'that is said' grep -q '2 steps with a depfile' "$T/plan.err"
back

# --- running ---
cairn run >/dev/null 2>&1; echo 5 >doc.md
check 'a run' run --since=main
expect_states 'doc ran' 'last hit'
echo 3 >data/x
check 'once more' run --since=main
expect_states 'doc hit' 'last hit' 'lint ran'
check 'a run without it is not misled' run
expect_states 'cc[src=src/a.c] hit' 'cc[src=src/b.c] hit' 'doc hit' 'last hit' 'link hit' 'linked hit' 'lint hit' 'maybe hit' 'tool hit'
back; git branch -q before HEAD~1
check 'nothing affected, nothing run' run --since=main
expect_states
check 'the words are the same, the revision has moved' git branch -q -f moving main
cairn run --since=moving >/dev/null 2>&1
git branch -q -f moving main~1
check 'that is seen' run --since=moving
expect_states 'lint hit'

# --- what it is compared with ---
git checkout -q topic
refuse 2 'without an upstream' cairn run --affected
check 'it says what to say' grep -q -- '--since=REV' "$OUT"
git branch -q -u main
# in CI a branch's upstream is no base: there it is what the service names
ci=${CI:-}
unset CI
affects 'with one' 'doc last' --affected
[ -z "$ci" ] || export CI="$ci"
git update-ref refs/remotes/origin/base main~1
GITHUB_BASE_REF=base
export GITHUB_BASE_REF
affects 'what GitHub names' 'doc last' --affected
unset GITHUB_BASE_REF
CI_MERGE_REQUEST_DIFF_BASE_SHA=$(git rev-parse main~1)
export CI_MERGE_REQUEST_DIFF_BASE_SHA
affects 'what GitLab names' 'doc last' --affected
unset CI_MERGE_REQUEST_DIFF_BASE_SHA
CI=true
export CI
refuse 2 'in CI an upstream is no base' cairn run --affected
unset CI
refuse 3 'an unknown revision' cairn run --since=nowhere
check 'is named' grep -q 'since nowhere: there is no such commit' "$OUT"

# --- clones that lack something ---
git config uploadpack.allowFilter true
git clone -q --depth=1 -b topic "file://$PWD" "$T/shallow"
cd "$T/shallow"
refuse 3 'a shallow clone' cairn run --since=origin/main
check 'is told as such' grep -q 'this clone is shallow.*fetch-depth: 0' "$OUT"
git fetch -q --depth=1 origin main:refs/remotes/origin/main
refuse 3 'with the other commit, but not what lies between' cairn run --since=origin/main
check 'is told as such, too' grep -q 'this clone is shallow' "$OUT"
git fetch -q --unshallow
affects 'with the rest' 'all doc' --since=origin/main doc all
git clone -q --filter=blob:none -b topic "file://$T/w" "$T/partial"
cd "$T/partial"
affects 'without old contents' 'doc last' --since=origin/main doc last
git clone -q --filter=tree:0 -b topic "file://$T/w" "$T/treeless"
cd "$T/treeless"
refuse 3 'without trees' cairn run --since=origin/main
check 'is told' grep -q 'this clone is partial' "$OUT"
mkdir "$T/none" && cp "$T/w/doc.md" "$T/none" && cd "$T/none" && echo 'cairn: 1
commands: {doc: {run: "true", inputs: [doc.md]}}' >cairn.yaml
refuse 2 'outside of git' cairn run --since=main doc
finish
