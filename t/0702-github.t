#!/bin/sh
# cairn generate github: the jobs' scripts, run in order in fresh clones with artifacts between them, make what cairn makes;
# with the store of an earlier run only what is affected runs.
. "${0%/*}/lib.sh"

# Not in $T/w: each job has a clone of its own.
mkdir repo && cd repo || exit 1
spec <<'END'
cairn: 1
name: "a \"b\" # c"
secrets: {token: {env: A_TOKEN}}
commands:
  gen: {run: echo gen >g.txt, inputs: [], outputs: [g.txt], tools: []}
  up: {each: {f: "src/*"}, needs: [gen], run: 'cat g.txt ${{ sh(each.f) }} | tr a-z A-Z >${{ sh(out[0]) }}; chmod 755 ${{ sh(out[0]) }}', inputs: ["${{ each.f }}"], outputs: ["out/${{ each.f.name }}"], tools: []}
  all: {needs: [up], run: 'mkdir -p d/e; cat out/* >d/e/all; ln -s e/all d/l', inputs: [], outputs: [d], tools: []}
  group: {needs: [all]}
  check: {needs: [group], matrix: {axes: {k: ["1", "x y"]}}, run: 'grep -q GEN d/l; echo "$k" >"k-$k"', inputs: [], outputs: ["k-${{ matrix.k }}"], tools: []}
  told: {env: {T: {secret: token}}, tags: [shell, big], run: 'echo "$T" | tr a-z A-Z >told', inputs: [], outputs: [told], tools: []}
  never: {run: exit 1, when: '${{ os == "none" }}'}
  tidy: {run: echo tidied}
workflows:
  default: {steps: [check, told, never], finally: [tidy]}
END
mkdir src
echo one >src/a
echo two >"src/it's b"
printf '/out/\n/d/\n/k-*\n/g.txt\n/told\n' >.gitignore
export A_TOKEN=sesame
git init -q && git add -A && git commit -qm one
cairn generate github -o "$T/flow.yml"
result $? 'is written' "$T/flow.yml"
check 'the same bytes again' sh -c "cairn generate github | cmp - $T/flow.yml"
check 'tags are labels' grep -q 'runs-on: \[self-hosted, "big"\]' "$T/flow.yml"
actions() { /usr/bin/python3 "$top/t/generate/actions.py" "$T/flow.yml" "$T/w/repo" "$T/actions" >"$T/ran" 2>"$T/said" || { cat "$T/said"; return 1; }; }
ran() {
	for line; do echo "$line success"; done | sort >"$T/want"
	sort "$T/ran" | diff -u "$T/want" -
}
check 'all jobs end well' actions
check 'each step in a job of its own' ran gen 'up[f=src/a]' "up[f=src/it's b]" all 'check[k=1]' 'check[k=x y]' told tidy
cp -r . "$T/ref"
check 'cairn runs it' sh -c "cd $T/ref && env XDG_CACHE_HOME=$T/other CAIRN_TAGS=big cairn run -q"
for f in g.txt out/a "out/it's b" d/e/all d/l 'k-x y'; do
	same "$T/actions/clones/j-check-1/w/$f" "$T/ref/$f"
done
same "$T/actions/clones/j-told-0/w/told" "$T/ref/told"
check 'modes and links' sh -c "test -x $T/actions/clones/j-check-1/w/out/a && test -L $T/actions/clones/j-check-1/w/d/l"
check 'a second run' actions
check 'has what is never cached to do' ran tidy
echo ONE >src/a
git commit -qam two
check 'a change that comes to the same' actions
check 'runs what reads it, and what may follow' sh -c "grep -qx 'up\[f=src/a\] success' $T/ran && ! grep -q \"it's\" $T/ran && ! grep -q '^gen' $T/ran"
echo three >src/a
sed -i 's/grep -q GEN/grep -q NONE/' cairn.yaml
git commit -qam three
cairn generate github -o "$T/flow.yml"
refuse 1 'a step that fails' actions
check 'fails its job, and what comes last comes' sh -c "grep -qx 'check\[k=1\] failure' $T/ran && grep -qx 'tidy success' $T/ran && grep -qx 'all success' $T/ran"

spec <<'END'
cairn: 1
secrets: {f: {file: x}}
commands:
  a: {run: "true", cache: false}
  b: {needs: [a], run: "true", continue_on_failure: true, env: {F: {secret: f}}, inputs: []}
  c: {run: "true", console: true}
workflows: {default: {steps: [b, c]}}
END
refuse 3 'what it has no way to express' cairn generate github
check 'is refused by step and field' sh -c "grep -q 'b: continue_on_failure: ' $OUT && grep -q 'b: secrets: ' $OUT && grep -q 'b: needs: a is never cached' $OUT && grep -q 'c: console: ' $OUT"
finish
