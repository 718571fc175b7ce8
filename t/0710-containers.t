#!/bin/sh
# Steps in containers of both engines: what they see, what comes back, what nobody else sees, and what is left.
. "${0%/*}/lib.sh"

write_spec() {
	spec <<-EOF
		cairn: 1
		secrets: {token: {env: TOKEN}, cert: {env: CERT}}
		images: {box: {image: "$IMAGE", pull: never}}
		defaults: {image: box, network: none}
		commands:
		  hello: {run: 'echo out; echo err >&2; pwd; echo "\$CAIRN_WORKSPACE"'}
		  made: {run: "mkdir -p d && echo made >d/a && ln -s a d/l && chmod 755 d/a", outputs: [d/], inputs: []}
		  status: {run: exit 42}
		  signal: {run: 'kill -9 \$\$'}
		  missing: {exec: [no-such-program]}
		  interpreted: {run: "print 1\n", interpreter: [awk, "BEGIN {print \"awk\"}"]}
		  shebang: {run: "#!/bin/cat\nthe script itself\n"}
		  arguments: {run: 'printf "<%s>" "\$@"', params: {p: x}}
		  entry: {args: [sh, -c, "echo from the image"], image: {image: "$IMAGE", pull: never}}
		  folder: {run: pwd, workdir: sub}
		  secret:
		    run: |
		      echo "the value is \$TOKEN"; wc -c <"\$CAIRN_SECRETS/cert"; stat -c %a "\$CAIRN_SECRETS/cert"
		      while [ ! -e go ]; do sleep 0.1; done
		    env: {TOKEN: {secret: token}}
		    secret_files: [cert]
		  mounts:
		    run: |
		      cat /data/f; df -k /scratch | awk 'END {print \$2}'; echo x >/vol/x; touch /ro/x 2>&1 || echo read-only
		    mounts: ["./data:/data", "./data:/ro:ro", {type: tmpfs, target: /scratch, size: 4m}, {type: volume, target: /vol}]
		  keeps: {run: "echo kept >>/vol/f; wc -l </vol/f", mounts: ["cairn-t-$$:/vol"]}
		  rights:
		    run: |
		      id -u; id -g; umask; grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status; touch /x 2>&1 || true; touch /var/tmp/x && echo tmp; ulimit -n
		    security: {user: "1000", group: "1000", umask: "027", capabilities: [], no_new_privs: true,
		               readonly_fs: {writable: [/var/tmp]}}
		    limits: {files: 333, pids: 64, memory: 64m, cpus: 0.5}
		  hungry: {run: "tail /dev/zero", limits: {memory: 16m}}
		  net: {run: "ls /sys/class/net"}
		  needs: {run: "echo there", requires: {tools: [sh, /bin/awk, {any: [nonesuch, cat]}], files: [data/f, /etc/passwd], env: [PATH, A]}, env: {A: b}}
		  lacks: {run: "echo there", requires: {tools: [nonesuch, {any: [no-a, no-b]}], files: [nothere, /nor/this], env: [NOVAR]}}
		  orphans: {run: "sleep 1000 & setsid sleep 1000 & echo started"}
		  console: {run: "true", console: true}
	EOF
}
steps_of_engine() {
	write_spec
	mkdir -p data sub
	echo content >data/f
	export TOKEN=tokenvalue CERT=certificate
	check "$ENGINE: a step runs" run hello
	check "$ENGINE: its streams stay apart" grep -q '"stream":"stderr","text":"err' "$EVENTS"
	check "$ENGINE: it is in the workspace" sh -c 'cairn log hello | grep -c "^/workspace$" | grep -qx 2'
	check "$ENGINE: outputs come back" run made
	check "$ENGINE: with their modes and links" test "$(stat -c %a d/a)/$(readlink d/l)/$(cat d/a)" = 755/a/made
	check "$ENGINE: as files of the caller" test "$(stat -c %u d/a)" = "$(id -u)"
	refuse 1 "$ENGINE: a status is the step's own" run status
	check "$ENGINE: and told" grep -q '"step-end","step":"status","state":"failed",.*"status":42' "$EVENTS"
	refuse 1 "$ENGINE: so is a signal" run signal
	check "$ENGINE: which is told, too" grep -q '"signal":9' "$EVENTS"
	refuse 3 "$ENGINE: a program that is not there" run missing
	check "$ENGINE: is named" grep -q 'no-such-program' "$EVENTS"
	check "$ENGINE: an interpreter" run interpreted
	check "$ENGINE: reads the script" sh -c 'cairn log interpreted | grep -qx awk'
	check "$ENGINE: a shebang" run shebang
	check "$ENGINE: finds the script as a file" sh -c 'cairn log shebang | grep -qx "the script itself"'
	check "$ENGINE: arguments" run arguments -- 'a b' '' "it's"
	check "$ENGINE: arrive as they are" grep -q "<a b><><it's>" "$EVENTS"
	check "$ENGINE: the image's own entrypoint or command" run entry
	check "$ENGINE: another folder" run folder
	check "$ENGINE: of the workspace" sh -c 'cairn log folder | grep -qx /workspace/sub'
	check "$ENGINE: mounts of every kind" run mounts
	check "$ENGINE: are what they say" sh -c 'cairn log mounts | tr "\n" " " | grep -q "content 4096 .*read-only"'
	check "$ENGINE: a named volume" run keeps
	check "$ENGINE: is there again" run keeps
	check "$ENGINE: with what it held" sh -c 'cairn log keeps | grep -qx 2'
	engine_api "/v1.41/volumes/cairn-t-$$" -X DELETE >"$OUT"
	check "$ENGINE: rights and limits" run rights
	check "$ENGINE: are kept" sh -c 'cairn log rights | tr "\n" " " | grep -qE "^1000 1000 0027 CapBnd:\s0+ NoNewPrivs:\s1 touch: /x: Read-only file system tmp 333 $"'
	refuse 1 "$ENGINE: too much memory" run hungry
	expect_states 'hungry oom'
	check "$ENGINE: no network" run net
	check "$ENGINE: is none" sh -c 'cairn log net | grep -vqx lo; test $? = 1'
	check "$ENGINE: what a step leaves running" run orphans
	check "$ENGINE: what a step requires is looked for where it runs" run needs
	refuse 3 "$ENGINE: what is not there" run lacks
	check "$ENGINE: is named, all of it" grep -q 'tool nonesuch, tool no-a or no-b, file nothere, file /nor/this, variable NOVAR' "$OUT"
	refuse 3 "$ENGINE: a terminal" cairn run console
	check "$ENGINE: is refused" grep -q 'console' "$OUT"
}
secrets_of_engine() {
	rm -f go
	cairn run secret >"$T/secret.out" 2>&1 &
	pid=$!
	for try in $(seq 100); do
		engine_api '/v1.41/containers/json' >"$T/list"
		id=$(grep -o '"Id":"[0-9a-f]*"[^}]*"io.cairn.step":"secret"' "$T/list" | cut -d'"' -f4 | head -n 1)
		[ -z "$id" ] || break
		sleep 0.1
	done
	check "$ENGINE: the container is there" test "$id"
	engine_api "/v1.41/containers/$id/json" >"$T/inspect"
	check "$ENGINE: what inspect tells" grep -q '"Image"' "$T/inspect"
	check "$ENGINE: holds no secret" not grep -qE 'tokenvalue|certificate' "$T/inspect"
	check "$ENGINE: nor does its list of processes" sh -c '! ps -ef | grep -v grep | grep -q tokenvalue'
	touch go
	check "$ENGINE: the step ends well" wait $pid
	check "$ENGINE: secrets are masked" sh -c 'cairn log secret | grep -q "the value is \*\*\*"'
	check "$ENGINE: their files are the step's" sh -c 'cairn log secret | tr "\n" " " | grep -q "11 600"'
}
signals_of_engine() {
	spec <<-EOF
		cairn: 1
		defaults: {image: "$IMAGE", network: none}
		commands:
		  slow: {run: "echo here; sleep 1000", timeout: 1s}
		  deaf: {run: "trap '' TERM; echo here; while :; do sleep 1; done"}
	EOF
	refuse 1 "$ENGINE: a step that takes too long" run slow
	expect_states 'slow timed-out'
	rm -f events
	cairn run deaf --events=events >"$T/deaf.out" 2>&1 &
	pid=$!
	for try in $(seq 100); do grep -qs here events && break; sleep 0.1; done
	kill -TERM $pid
	sleep 0.2
	kill -TERM $pid
	wait $pid
	check "$ENGINE: two signals end what is deaf to one" test $? = 143
	check "$ENGINE: as cancelled" grep -q '"step":"deaf","state":"cancelled"' events
}
all_of_engine() {
	steps_of_engine
	secrets_of_engine
	signals_of_engine
	# the engine was told to remove each: cairn waits for that before it ends
	state=$(ls -d "$XDG_STATE_HOME"/cairn/ws/*)
	check "$ENGINE: cairn's state is there" test -d "$state"
	engine_api '/v1.41/containers/json?all=1' >"$T/all"
	check "$ENGINE: no container is left" not grep -qE 'io.cairn.step":"(hello|made|status|signal|mounts|secret|slow|deaf|orphans)"' "$T/all"
	rm -rf d
}
for_engines all_of_engine
finish
