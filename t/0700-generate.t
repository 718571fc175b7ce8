#!/bin/sh
# cairn generate make, ninja, sh: what they write runs without cairn and as cairn runs it.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
name: small
secrets: {token: {env: A_TOKEN}, pass: {file: "${HOME}/pass"}}
commands:
  each:
    summary: "Sum $(up) it#s"
    each: {f: "src/*"}
    run: echo each >>../log; tr a-z A-Z <${{ sh(each.f) }} >${{ sh(out[0]) }}
    inputs: ["${{ each.f }}"]
    outputs: ["out/${{ each.f.name }}.up"]
  join:
    needs: [each]
    run: |
      echo join >>../log
      cat out/*.up \
        >out/all
      cat >>out/all <<'EOT'
      	 tab, $HOME, \n, $(x), "
      endef
      EOT
    inputs: []
    outputs: [out/all]
  folder: {needs: [join], run: 'echo folder >>../log; mkdir -p dir/sub dir/void; wc -c <out/all >dir/sub/n; ln -s sub/n dir/l', inputs: [], outputs: [dir/]}
  after: {needs: [folder], run: 'echo after >>../log; cat dir/sub/n dir/l >last', inputs: [], outputs: [last]}
  secret:
    env: {T: {secret: token}, P: {secret: pass}}
    run: 'echo "$T $P" | tr a-z A-Z >told; env | cut -d= -f1 | sort | tr "\n" " " >names'
    inputs: []
    outputs: [told, names]
  python: {interpreter: python3, run: "import sys, os\nprint(sys.argv[0].rsplit('/', 1)[1], os.environ['TMPDIR'] != '/tmp', file=open('py', 'w'))\n", inputs: [], outputs: [py]}
  words: {exec: [cp, "src/sp ace", "copy"], inputs: ["src/sp ace"], outputs: [copy]}
  bad: {run: 'echo half >bad.out; exit 7', inputs: [src/a], outputs: [bad.out]}
  slow: {run: sleep 100, timeout: 100ms}
  flaky: {run: 'echo x >>tries; test "$(wc -l <tries)" = 3', retry: {times: 2, delay: 10ms}}
  needs-tool: {run: "true", requires: {tools: [{any: [no-such-tool, nor-this]}]}}
  never: {run: "true", inputs: [], outputs: [not-made]}
  tidy: {run: echo tidied >tidied}
workflows:
  default: {steps: [after, words, python]}
  guarded: {summary: Fails and tidies, steps: [bad], finally: [tidy]}
END
mkdir src
echo one >src/a
echo two >'src/sp ace'
echo three >'src/do$lar'
printf 'paß\n' >"$HOME/pass"
printf '/log\n/.ninja_*\n' >.gitignore
log=$T/log
export A_TOKEN="it's"
said() { sort "$log" 2>/dev/null | uniq -c | awk '{ printf "%s%s*%s", n++ ? " " : "", $2, $1 }'; rm -f "$log"; }
told() { got=$(said); echo "told: $got"; [ "$got" = "$*" ]; }
# Where cairn is a program that says it was called.
mkdir "$T/bin"
printf '#!/bin/sh\necho "$@" >>%s\nexit 99\n' "$T/called" >"$T/bin/cairn"
chmod +x "$T/bin/cairn"
outside() { env PATH="$T/bin:$PATH" "$@"; }

# Each tool in a copy of its own; FILE is what it reads, GOAL builds.
try() {         # TOOL FILE GOAL...: the command that builds a goal
	tool=$1 file=$2
	shift 2
	rm -rf "$T/$tool" && mkdir "$T/$tool" && cp -r "$T/w/." "$T/$tool/"
	cd "$T/$tool" || exit 1
	log=$T/log
	check "$tool: is written" cairn generate $tool -o $file after words python secret
	check "$tool: is the same again" sh -c "cairn generate $tool after words python secret | cmp - $file"
	check "$tool: builds" outside "$@"
	check "$tool: each once" told 'after*1 each*3 folder*1 join*1'
	check "$tool: a file with a blank in its name" grep -qx two copy
	check "$tool: secrets" grep -qx "IT'S PA.*" told
	check "$tool: the environment is the step's own" sh -c 'test "$(cat names)" = "CAIRN_WORKSPACE HOME P PATH PWD T TERM TMPDIR " || test "$(cat names)" = "CAIRN_WORKSPACE HOME P PATH T TERM TMPDIR "'
	check "$tool: an interpreter gets a file" grep -qx 'script True' py
	check "$tool: nothing to do" outside "$@"
	check "$tool: and nothing was done" told ''
	sleep 0.02
	touch src/*
	check "$tool: touched files" outside "$@"
	check "$tool: are looked at" told ''
	echo ONE >src/a
	check "$tool: another content, the same output" outside "$@"
	check "$tool: runs what reads it" told 'each*1'
	sleep 0.02
	echo four >src/a
	check "$tool: another content" outside "$@"
	check "$tool: goes through" told 'after*1 each*1 folder*1 join*1'
	rm out/all
	check "$tool: a lost output" outside "$@"
	check "$tool: is made again" told 'join*1'
	cd "$T/w" || exit 1
}
check 'cairn runs it' sh -c 'cairn run -q after words python secret && rm -f ../log'
cp -r . "$T/want"
cairn clean --all >/dev/null
try make Makefile make -s
try ninja build.ninja ninja --quiet
try sh build.sh sh build.sh
for tool in make ninja sh; do
	echo one >"$T/$tool/src/a"
	case $tool in make) b='make -s' ;; ninja) b='ninja --quiet' ;; sh) b='sh build.sh' ;; esac
	sleep 0.02
	touch "$T/$tool/src/a"
	(cd "$T/$tool" && outside $b >/dev/null 2>&1)
	for f in out/all last copy told py dir/sub/n; do
		same "$T/$tool/$f" "$T/want/$f"
	done
	check "$tool: the link and the empty folder" sh -c "test -L $T/$tool/dir/l && test -d $T/$tool/dir/void"
done

# Failures.
for tool in make ninja sh; do
	rm -rf "$T/f-$tool" && mkdir "$T/f-$tool" && cp -r "$T/w/." "$T/f-$tool/"
	cd "$T/f-$tool" || exit 1
	case $tool in make) b="make -s -f f" ;; ninja) b="ninja -f f" ;; sh) b="sh f" ;; esac
	for goal in bad slow needs-tool never; do
		echo before >bad.out
		cairn generate $tool -o f $goal
		check "$tool: $goal fails" not outside $b
	done
	check "$tool: what stood there comes back" grep -qx before bad.out
	check "$tool: a flaky step" sh -c "cairn generate $tool -o f flaky"
	check "$tool: is tried again" outside $b
	check "$tool: three times" test "$(wc -l <tries)" = 3
done
cd "$T/f-make" || exit 1
check 'make: a workflow with finally' cairn generate make -o f guarded
refuse 2 'make: fails' outside make -s -f f
check 'make: and tidies' grep -qx tidied tidied
cd "$T/f-sh" || exit 1
check 'sh: a workflow with finally' cairn generate sh -o f guarded
refuse 1 'sh: fails' outside sh f
check 'sh: and tidies' grep -qx tidied tidied
refuse 3 'ninja: finally is refused' cairn generate ninja guarded
check 'by name' grep -q 'guarded: finally: ' "$OUT"

check 'none of them called cairn' test ! -e "$T/called"

# The Makefile as a whole.
cd "$T/make" || exit 1
check 'make: all there is' cairn generate make -o Makefile
outside make -s help >"$T/help"
check 'make: help tells workflows and commands' sh -c "grep -qF 'Sum \$(up) it#s' $T/help && grep -q 'guarded  *Fails and tidies' $T/help"
check 'make: one command alone' outside make -s words
check 'make: dry run' sh -c 'rm -rf .cairn~make; make -n >/dev/null && test ! -e .cairn~make'
check 'make: builds' outside make -s
echo mine >>copy
check 'make: clean' outside make -s clean
check 'make: removes what was made' sh -c 'test ! -e last && test ! -e out/all && test ! -e dir/sub'
check 'make: but not what somebody changed' grep -qx mine copy
check 'make: nor sources' test -e 'src/do$lar'

# As many at once as there may be: each of four waits for the others.
mkdir "$T/four" && cd "$T/four" || exit 1
spec <<'END'
cairn: 1
commands:
  meet:
    each: {i: [1, 2, 3, 4]}
    timeout: 60s
    run: 'mkdir "here-$i"; until [ -e here-1 ] && [ -e here-2 ] && [ -e here-3 ] && [ -e here-4 ]; do sleep 0.02; done; echo met >${{ out[0] }}'
    inputs: []
    outputs: ["met-${{ each.i }}"]
workflows: {default: {steps: [meet]}}
END
cairn generate make -o Makefile && cairn generate ninja -o build.ninja
check 'make: four at once' outside make -s -j4
rm -rf here-* met-*
check 'ninja: four at once' outside ninja --quiet -j4
check 'all met' test -e met-4

# What can't be expressed is refused, by step and field.
cd "$T/w" || exit 1
spec <<'END'
cairn: 1
commands:
  a: {run: "true", inputs: ["src/semi;colon"], outputs: [a.out]}
  b: {run: "true", inputs: [], outputs: ["pi|pe"], workspace: copy}
END
echo x >'src/semi;colon'
refuse 3 'make refuses what it has no way to write' cairn generate make
check 'step and field' sh -c "grep -q 'a: inputs: .*src/semi;colon' $OUT && grep -q 'b: workspace: copy' $OUT && ! grep -q 'b: outputs' $OUT"
refuse 3 'ninja, too' cairn generate ninja
check 'by its own rules' sh -c "grep -q 'b: outputs: .*pi|pe' $OUT && ! grep -q 'a: inputs' $OUT"
refuse 2 'an unknown generator' cairn generate mak
check 'has a suggestion' grep -q '"make"' "$OUT"
refuse 2 'none' cairn generate
finish
