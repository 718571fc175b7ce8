# suite.sh: what a step may rely on and what it is held to, whatever runs it. One contract, stated once; a t/06*-conform-*.t says
# by what it is kept, sources this, and calls conform.
#
# It sets, if they are not as they are natively:
#	DEFAULTS	fields of `defaults`, as 'runtime: container, image: X'
#	WORKSPACE	the workspace as the step sees it; empty: where it is
#	TMP		where its TMPDIR may lie, a pattern; empty: it need have none
#	BASE_ENV	names of variables that a step has without having declared them
#	CODES		exit statuses that are tried
#	MODES		workspace modes that are tried
#	SESSIONS	a process that makes a session of its own ends with the step, too: natively nothing holds it
#	shows_secrets FILE	succeeds if whatever runs steps shows a line of FILE to others, while one is running
#	nothing_left	succeeds if nothing of a step is left but what every test can see

DEFAULTS='timeout: 5m' WORKSPACE= TMP="$HOME/*"
BASE_ENV='PATH HOME USER TERM TMPDIR CAIRN_WORKSPACE'
CODES=$(seq 0 255)
MODES='rw copy ro'
SESSIONS=
shows_secrets() { false; }
nothing_left() { true; }

# --- helpers --------------------------------------------------------------------------------------
export USER=tester
nap=53.$$               # marks this test's own processes
sleepers() { echo $nap | grep -lszxF -f - /proc/[0-9]*/cmdline | sed 's|/proc/\(.*\)/.*|\1|'; }
no_process() { test -z "$(sleepers)"; }
all_gone() { no_process && nothing_left && ! find "$XDG_STATE_HOME" -path '*/copy/*' | grep .; }
wait_for() { for i in $(seq 2400); do [ -e "$1" ] && return; sleep 0.05; done; false; }
wait_in() { for i in $(seq 2400); do grep -q "$2" "$1" 2>/dev/null && return; sleep 0.05; done; false; }
ended() { sed -nE 's/^\{"event":"step-end",(.*)\}$/\1/p' "$EVENTS" | grep -F "\"step\":\"$1\","; }
says() {        # STEP TEXT: that is all it said
	cairn log "$1" >"$T/said" 2>&1
	printf '%s\n' "$2" | diff - "$T/said"
}
list() { echo "$*" | sed 's/ /, /g'; }

# --- exit statuses and signals --------------------------------------------------------------------
conform_statuses() {
	mkdir "$T/statuses" && cd "$T/statuses" || exit 1
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		  code: {each: {n: [$(list $CODES)]}, run: exit \$n}
		  signal: {each: {s: [TERM, KILL, SEGV, INT, HUP, PIPE]}, run: 'kill -\$s \$\$; sleep 20'}
		  shell: {run: "false\\necho not reached"}
		workflows: {all: {steps: [code, signal, shell]}}
	END
	refuse 1 'statuses: steps that fail' run -k all
	for n in $CODES; do
		ended "code[n=$n]" | grep -q "\"state\":\"$([ $n = 0 ] && echo ran || echo failed)\".*\"status\":$n[,}]*" || echo "$n: $(ended "code[n=$n]")"
	done >"$T/wrong"
	check 'statuses: each is told as it was' diff /dev/null "$T/wrong"
	for s in TERM:15 KILL:9 SEGV:11 INT:2 HUP:1 PIPE:13; do
		ended "signal[s=${s%:*}]" | grep -q "\"state\":\"failed\".*\"signal\":${s#*:}\b" || echo "$s: $(ended "signal[s=${s%:*}]")"
	done >"$T/wrong"
	check 'statuses: so is the signal that killed a step' diff /dev/null "$T/wrong"
	check 'statuses: a line that fails ends the script' test ! -s "$T/wrong" -a -z "$(cairn log shell)"
}

# --- streams --------------------------------------------------------------------------------------
conform_streams() {
	mkdir "$T/streams" && cd "$T/streams" || exit 1
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		  apart: {run: 'echo out; echo err >&2; echo out2; echo err2 >&2'}
		  none: {run: 'true', inputs: []}
		  in: {run: 'cat; echo end'}
		  tail: {run: 'printf "no newline"'}
		  binary: {run: 'cat bytes', inputs: [bytes]}
		  big: {run: 'head -c 50000000 /dev/zero | tr "\\\\0" x'}
		  lines: {run: 'for i in \$(seq 20000); do echo "line \$i"; done; for i in \$(seq 2000); do echo "err \$i" >&2; done'}
		  live: {run: 'echo now; echo too >&2; for i in \$(seq 600); do test ! -e go || exit 0; sleep 0.1; done; exit 1'}
		  late: {run: '(sleep 0.02; echo late) & echo early'}
	END
	LC_ALL=C awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >bytes
	cairn run apart >out 2>err
	check 'streams: standard output is apart' sh -c 'printf "out\nout2\n" | diff - out'
	check 'streams: so is standard error' sh -c 'grep -qx err err && grep -qx err2 err && ! grep -q "^out" err'
	check 'streams: no output' run none
	check 'streams: is none' test -z "$(cairn log none)"
	check 'streams: standard input is empty' test "$(echo x | cairn run in 2>/dev/null)" = end
	cairn run tail >out 2>/dev/null
	check 'streams: a last line without a newline' grep -q 'no newline' out
	check 'streams: output that is no text' run binary
	check 'streams: every byte is kept' sh -c 'cairn log binary | cmp - bytes'
	check 'streams: 50 MB come whole' test "$(cairn run big 2>/dev/null | tr -d '\n' | wc -c)" = 50000000
	cairn run lines >out 2>err
	check 'streams: each keeps its order' sh -c 'seq -f "line %.0f" 20000 | diff -q - out && seq -f "err %.0f" 2000 >want && grep "^err" err | diff -q - want'
	cairn run --events="$EVENTS" live >out 2>&1 &
	check 'streams: output is seen while the step runs' wait_in "$EVENTS" '"text":"now'
	check 'streams: on both' wait_in "$EVENTS" '"text":"too'
	touch go
	check 'streams: which goes on' wait $!
	check 'streams: what is left in the background may say a last word' sh -c 'cairn run late 2>/dev/null | sort | tr "\n" " " | grep -qx "early late "'
}

# --- environment ----------------------------------------------------------------------------------
conform_environment() {
	mkdir "$T/environment" && cd "$T/environment" || exit 1
	spec <<-END
		cairn: 1
		pass_env: [PASSED, ODD, NOT_SET]
		env: {GLOBAL: of the file, OVER: below}
		defaults: {$DEFAULTS, env: {DEFAULT: of defaults}}
		commands:
		  names: {run: 'env | sed -n "s/^\\\\([A-Za-z_][A-Za-z_0-9]*\\\\)=.*/\\\\1/p"'}
		  values:
		    params: {who: nobody}
		    env:
		      OVER: above
		      EMPTY: ""
		      SPACES: "  two  spaces  "
		      QUOTES: "'\\"\`\\\\\\\\"
		      DOLLAR: "\$HOME \$(id) %s"
		      LINES: "one\\ntwo\\n"
		      EQUALS: "a=b=c"
		      UNI: "ünï→"
		    run: |
		      for name in GLOBAL DEFAULT OVER EMPTY SPACES QUOTES DOLLAR LINES EQUALS UNI PASSED ODD who; do
		        eval "printf '%s=<%s>\\\\n' \$name \"\\\$\$name\""
		      done
		      echo "\${NOT_SET-unset} \${EMPTY-unset} \${SECRET_OF_CALLER-unset}"
		  big: {run: 'printf %s "\$BIG" | wc -c', pass_env: [BIG]}
		  place: {run: 'pwd; echo "\$CAIRN_WORKSPACE \$TMPDIR"; test -z "\$TMPDIR" || touch "\$TMPDIR/f"; umask'}
	END
	odd=$(printf 'latin \351 and\ttab')
	export PASSED='from the caller' ODD="$odd" SECRET_OF_CALLER=x BIG="$(head -c 100000 /dev/zero | tr '\0' x)"
	unset NOT_SET
	check 'environment: steps that look' run names big place
	check 'environment: params' run values --who='a "person"'
	for name in $BASE_ENV; do echo "$name"; done >base
	printf '%s\n' GLOBAL OVER DEFAULT PASSED ODD >>base
	cairn log names | grep -vx -e PWD -e SHLVL -e OLDPWD -e _ | sort >got
	check 'environment: what is declared and a base, no more' sh -c 'sort -u base | diff - got'
	cat >want <<-END
		GLOBAL=<of the file>
		DEFAULT=<of defaults>
		OVER=<above>
		EMPTY=<>
		SPACES=<  two  spaces  >
		QUOTES=<'"\`\\\\>
		DOLLAR=<\$HOME \$(id) %s>
		LINES=<one
		two
		>
		EQUALS=<a=b=c>
		UNI=<ünï→>
		PASSED=<from the caller>
		ODD=<$odd>
		who=<a "person">
		unset  unset
	END
	check 'environment: odd values arrive as they are' sh -c 'cairn log values | diff want -'
	check 'environment: a long one, too' says big 100000
	check 'environment: the workspace is named and is where it starts' sh -c 'test "$(cairn log place | head -n 1)" = "$0" && cairn log place | grep -q "^$0 "' "${WORKSPACE:-$PWD}"
	check 'environment: the umask is the usual one' sh -c 'cairn log place | tail -n 1 | grep -qx 0022'
	[ -z "$TMP" ] || check 'environment: TMPDIR is its own and gone afterwards' sh -c '
		dir=$(cairn log place | sed -n "2s/.* //p"); case $dir in '"$TMP"') test ! -e "$dir/f" ;; *) echo "TMPDIR: $dir"; false ;; esac'
	unset PASSED ODD SECRET_OF_CALLER BIG
}

# --- scripts, programs, folders -------------------------------------------------------------------
conform_scripts() {
	mkdir -p "$T/scripts/sub/sp ace" && cd "$T/scripts" || exit 1
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		  sh: {run: 'echo "\$((1 + 2))"; f() { echo in a function; }; f'}
		  shell: {shell: [sh, -c], run: "false\\necho goes on"}
		  interpreter: {interpreter: [awk, -f], run: 'BEGIN { print "awk " 2 * 3 }'}
		  shebang: {run: "#!/bin/sh -f\\necho shebang *"}
		  exec: {exec: [printf, '<%s>\\n', 'a b', '', '\$HOME', "l\\nm", '*', '-n']}
		  own: {exec: [./tool, one]}
		  args: {run: 'printf "<%s>" "\$@"; echo'}
		  workdir: {workdir: sub/sp ace, run: 'pwd; ls'}
		  quotes: {run: "echo \"it's\" '\\"quoted\\"' \\\\\\\\ \`echo back\` \${x:-\$((2))}"}
		  long: {run: ": $(head -c 300000 /dev/zero | tr '\0' x)\\necho long"}
		workflows: {all: {steps: [sh, shell, interpreter, shebang, exec, own, workdir, quotes, long]}}
	END
	printf '#!/bin/sh\necho "tool $1"\n' >tool
	chmod +x tool
	touch 'sub/sp ace/here'
	check 'scripts: of all kinds' run -k all
	check 'scripts: the shell runs them' says sh '3
in a function'
	check 'scripts: a shell of their own' says shell 'goes on'
	check 'scripts: an interpreter' says interpreter 'awk 6'
	check 'scripts: a shebang, with its option' says shebang 'shebang *'
	check 'scripts: words of exec arrive as they are' says exec '<a b>
<>
<$HOME>
<l
m>
<*>
<-n>'
	check 'scripts: a program of the workspace' says own 'tool one'
	check 'scripts: a folder below' says workdir "${WORKSPACE:-$PWD}/sub/sp ace
here"
	check 'scripts: quotes are left alone' says quotes "it's \"quoted\" \\ back 2"
	check 'scripts: a long one' says long long
	check 'scripts: what follows -- is "$@"' run args -- 'a b' '' "it's" '*' -x 'l
m'
	check 'scripts: word for word' says args "<a b><><it's><*><-x><l
m>"
}

# --- files ----------------------------------------------------------------------------------------
conform_files() {
	mkdir -p "$T/files/in/sp ace" && cd "$T/files" || exit 1
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		  copy: {run: 'mkdir out; cp -R in/. out/', inputs: [in/], outputs: [out/]}
		  modes: {run: 'echo x >m/plain; echo "#!/bin/sh" >m/program; chmod 755 m/program; mkdir m/dir; ln -s plain m/link; echo y >m/dir/f', inputs: [], outputs: [m/program, m/plain, m/dir, m/link]}
		  pattern: {run: 'mkdir -p p/q; for i in 1 2 3; do echo \$i >p/q/\$i.o; done; echo no >p/q/no.txt', inputs: [], outputs: ["p/**/*.o"]}
		  uses: {needs: [pattern], run: 'cat p/q/*.o >sum.out', inputs: [], outputs: [sum.out]}
		  fails: {run: 'echo half >half.out; exit 1', inputs: [], outputs: [half.out]}
		  misses: {run: 'true', inputs: [], outputs: [never.out]}
		  dep: {run: 'echo "x: h1.h \$CAIRN_WORKSPACE/h2.h" >d; cat h1.h h2.h >dep.out', inputs: [], depfile: d, outputs: [dep.out]}
	END
	for name in plain -dash ' lead' 'tail ' "quo'te\"" 'st*r?[x]' 'back\slash' '$HOME' ünï→ "$(printf 'latin-\351')" 'new
line' .dot 'sp ace/deep'; do
		echo "$name" >"in/$name"
	done
	mkdir in/empty && ln -s plain in/link && ln -s nowhere in/dangling && chmod +x in/plain
	echo one >h1.h; echo two >h2.h
	check 'files: steps that write some' run copy modes uses dep
	check 'files: odd names, links, empty folders' diff -r --no-dereference in out
	check 'files: an executable stays one' test -x out/plain
	check 'files: all are the caller'"'"'s' sh -c 'test -z "$(find out m p sum.out ! \( -user "$(id -u)" -a -group "$(id -g)" \))"'
	check 'files: modes are the usual ones' test "$(stat -c %a m/plain m/program m/dir m/dir/f | tr '\n' ' ')" = '644 755 755 644 '
	check 'files: of a pattern' test "$(cat sum.out | tr '\n' ' ')" = '1 2 3 '
	check 'files: nothing else is left' test "$(ls -A | tr '\n' ' ')" = 'cairn.yaml dep.out h1.h h2.h in m out p sum.out '
	check 'files: the same again' run copy modes uses dep
	expect_states 'copy hit' 'modes hit' 'pattern hit' 'uses hit' 'dep hit'
	cp -a out kept
	rm -rf out m p sum.out dep.out
	check 'files: all gone' run copy modes uses dep
	expect_states 'copy restored' 'modes restored' 'pattern restored' 'uses restored' 'dep restored'
	check 'files: what is restored is what was made' sh -c 'diff -r --no-dereference kept out && test "$(stat -c %a m/plain m/program m/dir m/dir/f | tr "\n" " ")" = "644 755 755 644 "'
	echo changed >in/plain; echo changed >h2.h
	check 'files: an input and what a depfile names' run copy modes uses dep
	expect_states 'copy ran' 'modes hit' 'pattern hit' 'uses hit' 'dep ran'
	check 'files: are seen' sh -c 'grep -qx changed out/plain && grep -qx changed dep.out'
	echo before >half.out
	refuse 1 'files: a step that fails' run -k fails misses
	check 'files: leaves what was there' grep -qx before half.out
	check 'files: an output that is not made is named' grep -q never.out "$OUT"
}

# --- workspace modes ------------------------------------------------------------------------------
conform_modes() {
	mkdir "$T/modes" && cd "$T/modes" || exit 1
	for mode in $MODES; do
		case $mode in ro) outputs= ;; *) outputs=", outputs: [$mode.out]" ;; esac
		echo "  $mode: {workspace: $mode, run: 'cat src; touch litter.$mode 2>/dev/null || echo unwritable; rm gone.$mode 2>/dev/null || :; $([ $mode = ro ] || echo "cat src >$mode.out")', inputs: [src]$outputs}"
	done >"$T/commands"
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		$(cat "$T/commands")
	END
	echo one >src
	for mode in $MODES; do touch gone.$mode; done
	check "modes: $MODES" run $MODES
	for mode in $MODES; do
		case $mode in
		rw)
			check 'modes: rw: what a step writes is there' test -e litter.rw -a ! -e gone.rw
			check 'modes: rw: outputs as well' same src rw.out ;;
		copy)
			check 'modes: copy: only outputs come back' test ! -e litter.copy -a -e gone.copy
			check 'modes: copy: they do' same src copy.out ;;
		ro)
			check 'modes: ro: nothing can be written' says ro 'one
unwritable'
			check 'modes: ro: nothing is' test ! -e litter.ro -a -e gone.ro ;;
		esac
	done
	check 'modes: the same again' run $MODES
	set --
	for mode in $MODES; do set -- "$@" "$mode hit"; done
	expect_states "$@"
}

# --- secrets --------------------------------------------------------------------------------------
conform_secrets() {
	mkdir "$T/secrets" && cd "$T/secrets" || exit 1
	spec <<-END
		cairn: 1
		secrets: {token: {env: TOKEN}, cert: {file: "\${HOME}/cert"}}
		defaults: {$DEFAULTS}
		commands:
		  sees:
		    env: {THE_TOKEN: {secret: token}}
		    secret_files: [token, cert]
		    run: |
		      printf %s "\$THE_TOKEN" | tr a-z b-za
		      for f in token cert; do tr a-z b-za <"\$CAIRN_SECRETS/\$f"; stat -c ' %a' "\$CAIRN_SECRETS/\$f"; done
		      echo "\$THE_TOKEN"; cat "\$CAIRN_SECRETS/cert" >&2; echo "\$CAIRN_SECRETS" >where.out
		      touch sees; for i in \$(seq 600); do test ! -e go || exit 0; sleep 0.1; done; exit 1
		    inputs: []
		    outputs: [where.out]
		  other: {run: 'env; ls -d /cairn/run/secrets/* 2>/dev/null || :; echo "<\$CAIRN_SECRETS>"', inputs: []}
	END
	printf 'certvaluex\nsecondline\n' >"$HOME/cert"
	TOKEN=tokenvaluex cairn run --events="$EVENTS" sees >"$OUT" 2>&1 &
	check 'secrets: a step that has some' wait_for sees
	echo tokenvaluex >"$T/needles"; echo certvaluex >>"$T/needles"
	check 'secrets: no process shows them' sh -c '! grep -lszFf "$0" /proc/[0-9]*/cmdline' "$T/needles"
	check 'secrets: nor does what runs it' not shows_secrets "$T/needles"
	check 'secrets: nor the state' sh -c '! grep -rlFf "$0" "$XDG_STATE_HOME" --exclude-dir=tmp' "$T/needles"
	touch go
	check 'secrets: it goes on' wait $!
	check 'secrets: they are what they are, as a variable and as files' sh -c '
		printf "uplfowbmvfyuplfowbmvfy 600\ndfsuwbmvfy\ntfdpoemjof 600\n" >want; cairn log sees | head -n 3 | diff want -'
	check 'secrets: they are masked in what it says' test "$(cairn log sees 2>&1 | grep -c '\*\*\*')" = 2
	check 'secrets: and kept nowhere' sh -c '! grep -rlFf "$0" "$XDG_STATE_HOME" "$XDG_CACHE_HOME" "$1" "$2"' "$T/needles" "$OUT" "$EVENTS"
	check 'secrets: their files are gone' sh -c 'test ! -e "$(cat where.out)"'
	check 'secrets: another step' env TOKEN=tokenvaluex cairn run other
	check 'secrets: has none' sh -c 'cairn log other | tail -n 1 | grep -qx "<>" && ! cairn log other | grep -i token'
	rm sees go where.out
	check 'secrets: another value' env TOKEN=othervalue cairn run --events="$EVENTS" sees
	expect_states 'sees restored'
}

# --- stopping -------------------------------------------------------------------------------------
conform_stopping() {
	mkdir "$T/stopping" && cd "$T/stopping" || exit 1
	spec <<-END
		cairn: 1
		defaults: {$DEFAULTS}
		commands:
		  behind: {run: 'sleep $nap >/dev/null 2>&1 & sleep $nap & echo done'}
		  apart: {run: '(setsid sleep $nap & ) >/dev/null 2>&1; echo done'}
		  slow: {run: 'echo half >slow.out; sleep $nap & sleep $nap', timeout: 1s, inputs: [], outputs: [slow.out]}
		  stubborn: {run: 'trap "" TERM; sleep $nap & sleep $nap; sleep $nap; sleep $nap', timeout: 1s}
		  polite: {run: 'trap "echo bye; exit 5" TERM; touch polite; sleep $nap & wait'}
		  long: {run: 'echo half >long.out; touch started; sleep $nap & sleep $nap', inputs: [], outputs: [long.out]}
		  last: {run: 'touch cleaned'}
		workflows:
		  all: {steps: [behind, slow, stubborn]}
		  long: {steps: [{command: long}], finally: [last]}
	END
	sed -i 's/^  long: {steps/  w: {steps/' cairn.yaml
	check 'stopping: a step that leaves processes behind is done' run behind
	check 'stopping: they are gone' all_gone
	if [ "$SESSIONS" ]; then
		check 'stopping: one that leaves a process with a session of its own' run apart
		check 'stopping: it is gone' all_gone
	fi
	refuse 1 'stopping: steps that take too long' run -k -j4 slow stubborn
	expect_states 'slow timed-out' 'stubborn timed-out'
	check 'stopping: are gone, stubborn or not' all_gone
	cairn run polite >"$OUT" 2>&1 &
	pid=$!
	wait_for polite
	kill -TERM $pid
	wait $pid
	check 'stopping: a step is asked to end first, and may' says polite bye
	check 'stopping: what was half made is gone' test ! -e slow.out
	for signal in INT TERM; do
		rm -f started cleaned
		cairn run --events="$EVENTS" w >"$OUT" 2>&1 &
		pid=$!
		wait_for started
		check "stopping: $signal: processes are there to be seen" not no_process
		kill -$signal $pid
		wait $pid
		check "stopping: $signal: the exit status says so" test $? = $([ $signal = INT ] && echo 130 || echo 143)
		expect_states 'long cancelled' 'last ran'
		check "stopping: $signal: nothing is left" all_gone
		check "stopping: $signal: what was half made is gone" test ! -e long.out -a -e cleaned
	done
	echo mine >long.out
	rm -f started
	cairn run long >"$OUT" 2>&1 &
	pid=$!
	wait_for started
	kill -9 $pid
	wait $pid 2>/dev/null
	check 'stopping: after SIGKILL the next run' run last
	check 'stopping: ends what was left' all_gone
	check 'stopping: and puts back what was there' grep -qx mine long.out
}

conform() {
	for part in statuses streams environment scripts files modes secrets stopping; do
		"conform_$part"
		wait
	done
}
