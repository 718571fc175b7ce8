#!/bin/sh
# What a key rests on though nobody named it as a file: each change is seen, kept plan or not.
. "${0%/*}/lib.sh"

# --- the caller's variable in the name of an env_file
echo X=1 >one.env
echo X=2 >two.env
spec <<'END_SPEC'
cairn: 1
env_files: ["${WHICH}.env"]
commands: {a: {run: echo $X >a.out, inputs: [], outputs: [a.out], tools: []}}
END_SPEC
export WHICH=one
check 'an env_file by a variable' run a
check 'again' run a
expect_states 'a hit'
export WHICH=two
check 'another value of the variable' run a
expect_states 'a ran'
check 'another file was read' grep -qx 2 a.out

# --- programs where the step's own PATH finds them
mkdir -p near far
printf '#!/bin/sh\necho near\n' >near/teller
printf '#!/bin/sh\necho far\n' >far/teller
chmod +x near/teller far/teller
spec <<END_SPEC
cairn: 1
commands:
  named: {run: teller >b.out, inputs: [], outputs: [b.out], tools: [teller], env: {PATH: "$PWD/far:$PATH"}}
  exec: {exec: [teller], inputs: [], tools: [], env: {PATH: "$PWD/far:$PATH"}}
END_SPEC
PATH=$PWD/near:$PATH
check 'a step with a PATH of its own' run named exec
check 'again' run named exec
expect_states 'named hit' 'exec hit'
printf '#!/bin/sh\necho further\n' >far/teller
check 'its tool changes' run named exec
expect_states 'named ran' 'exec ran'
check 'and the new one was used' grep -qx further b.out
printf '#!/bin/sh\necho nearer\n' >near/teller
check "the caller's changes" run named exec
expect_states 'named hit' 'exec hit'

# --- a tool stays watched by runs that did not look at it
spec <<'END_SPEC'
cairn: 1
commands:
  t: {run: teller >t.out, inputs: [], outputs: [t.out], tools: [teller]}
  always: {run: "true"}
workflows: {default: {steps: [t, always]}}
END_SPEC
check 'a step and one that always runs' run
check 'again' run
check 'and again' run
expect_states 't hit' 'always ran'
printf '#!/bin/sh\necho nearest\n' >near/teller
check 'then the tool changes' run
expect_states 't ran' 'always ran'
check 'and the new one was used' grep -qx nearest t.out
mkdir nearest
PATH=$PWD/nearest:$PATH
check 'a folder of PATH without it' run
check 'is watched' run
printf '#!/bin/sh\necho here\n' >nearest/teller
chmod +x nearest/teller
check 'for what may come' run
expect_states 't ran' 'always ran'

# --- a tool that changes while a step uses it
printf '#!/bin/sh\necho old\n' >nearest/teller
spec <<'END_SPEC'
cairn: 1
commands: {u: {run: "printf '#!/bin/sh\\necho new\\n' >nearest/teller; teller >u.out", inputs: [], outputs: [u.out], tools: [teller]}}
END_SPEC
check 'a tool changes under its step' run u
check 'which used the new one' grep -qx new u.out
printf '#!/bin/sh\necho old\n' >nearest/teller
check 'with the old one again' run u
expect_states 'u ran'

# --- what a script among the tools prints
echo 1 >"$T/version"
printf '#!/bin/sh\ncat %s/version\n' "$T" >near/shim
chmod +x near/shim
spec <<'END_SPEC'
cairn: 1
commands: {c: {run: shim >c.out, inputs: [], outputs: [c.out], tools: [{run: shim --version}]}}
END_SPEC
check 'a shim' run c
check 'again' run c
expect_states 'c hit'
echo 2 >"$T/version"
check 'it stands for something else' run c
expect_states 'c ran'

# --- a header of the workspace before one of the system
mkdir -p inc "$T/system"
echo '#define N 1' >"$T/system/number.h"
printf '#include <number.h>\nint n = N;\n' >d.c
spec <<END_SPEC
cairn: 1
commands:
  d: {run: gcc -MD -MF d.d -Iinc -I$T/system -c d.c -o d.o, inputs: [d.c], depfile: d.d, outputs: [d.o], tools: [gcc]}
END_SPEC
check 'a header from outside' run d
check 'again' run d
expect_states 'd hit'
echo '#define N 2' >inc/number.h
check 'one of the same name is found first' run d
expect_states 'd ran'

# --- whether git finds a change, which is in no file that is watched
mkdir repo
cd repo
git init -q .
echo 1 >tracked
git add tracked
git commit -q -m x
spec <<'END_SPEC'
cairn: 1
commands: {g: {run: 'echo ${{ git.dirty }} >g.out', inputs: [], outputs: [g.out], tools: []}}
END_SPEC
check 'a clean tree' run g
check 'again' run g
expect_states 'g hit'
echo changed >tracked
check 'a tracked file changes' run g
expect_states 'g ran'
check 'and is seen' grep -qx true g.out
cd ..

# --- another spec of the same folder
spec <<'END_SPEC'
cairn: 1
commands: {e: {run: echo e >e.out, inputs: [], outputs: [e.out], tools: []}}
END_SPEC
cat >other.yaml <<'END_SPEC'
cairn: 1
commands: {f: {run: echo f >f.out, inputs: [], outputs: [f.out], tools: []}}
END_SPEC
check 'one spec' run e
check 'another one' run -f other.yaml f
check 'which left what the first made' test -e e.out
check 'the first' run e
expect_states 'e hit'
check 'which left what the other made' test -e f.out
finish
