#!/bin/sh
# reuse: true. Steps of the same settings share a container, and find in it what they would in one of their own.
. "${0%/*}/lib.sh"

# A container's host name is its id.
write_spec() {
	spec <<-EOF
		cairn: 1
		secrets: {token: {env: TOKEN}, cert: {env: CERT}}
		images: {box: {image: "$IMAGE", pull: never}}
		defaults: {image: box, network: none, reuse: true}
		commands:
		  a:
		    run: |
		      hostname; echo "a \$TOKEN"; cat "\$CAIRN_SECRETS/cert" >/dev/null && echo had; touch /left; (sleep 1000 &); setsid sleep 1000 &
		      echo "own=\${OWN-}"; umask
		    env: {TOKEN: {secret: token}, OWN: mine}
		    secret_files: [cert]
		  b:
		    run: |
		      hostname; echo "\${TOKEN-no token} \${OWN-no own}"; ls /cairn/run/secrets | wc -l; ls /cairn/run; ls /left
		      ps | grep -c '[s]leep' || true; tr '\0' '\n' </proc/1/environ | grep -c TOKEN || true; exit 7
		    needs: [a]
		  c: {run: "hostname; echo out; echo err >&2; cat \$CAIRN_SECRETS/cert | wc -c", secret_files: [cert], needs: [a]}
		  d: {run: "hostname; kill -9 \$\$", needs: [c]}
		  e: {run: hostname, needs: [c]}
		  other: {run: hostname, needs: [c], limits: {pids: 64}}
		  copied: {run: "hostname", workspace: copy, needs: [c]}
		  slow: {run: "hostname; sleep 1000", timeout: 1s}
		  p: {each: {i: [1, 2, 3]}, run: 'hostname; touch at.\${{ each.i }}; until [ -e at.1 -a -e at.2 -a -e at.3 ]; do sleep 0.1; done'}
		  q: {each: {i: [1, 2, 3, 4, 5, 6]}, run: "hostname; echo \${{ each.i }}", needs: [p]}
		  mounted1: {run: 'hostname; cat /data/f', mounts: ["./data:/data"]}
		  mounted2: {run: 'hostname; cat /data/f', mounts: ["./data:/data"], needs: [moved]}
		  moved: {run: "mv data old; mkdir data; echo new >data/f", needs: [mounted1], runtime: native}
		workflows:
		  same: {steps: [a, c, e, other, copied]}
		  late: {steps: [slow, e]}
	EOF
}
host() { cairn log "$1" 2>/dev/null | head -n 1; }
is_same() { test "$(host "$1")" -a "$(host "$1")" = "$(host "$2")"; }
differ() { test "$(host "$1")" -a "$(host "$2")" -a "$(host "$1")" != "$(host "$2")"; }
said() { cairn log "$1" | grep -qE "$2"; }

shared() {
	check "$ENGINE: steps of the same settings" run -j1 same
	check "$ENGINE: share a container" is_same a c
	check "$ENGINE: all of them" is_same a e
	check "$ENGINE: other settings have another" differ a other
	check "$ENGINE: and so has a private copy of the workspace" differ a copied
	check "$ENGINE: streams stay apart" grep -q '"stream":"stderr","text":"err' "$EVENTS"
	check "$ENGINE: a second step gets its secrets' files" said c '^11$'
}
apart() {
	refuse 1 "$ENGINE: a status is the step's own" run -j1 b --force
	check "$ENGINE: and told" grep -q '"step-end","step":"b","state":"failed",.*"status":7' "$EVENTS"
	check "$ENGINE: in the shared container" is_same a b
	check "$ENGINE: without environment and secrets of the one before" sh -c 'cairn log b | tr "\n" " " | grep -qE " no token no own 0 secrets /left 0 0 $"'
}
used_up() {
	refuse 1 "$ENGINE: a step that is killed" run -j1 -k d e --force
	check "$ENGINE: is told as that" grep -q '"step":"d","state":"failed",.*"signal":9' "$EVENTS"
	check "$ENGINE: its container was used before" is_same c d
	check "$ENGINE: and is used no more" differ d e
	refuse 1 "$ENGINE: one that takes too long" run -j1 -k late --force
	expect_states 'a ran' 'c ran' 'e ran' 'slow timed-out'
	check "$ENGINE: takes its container with it" differ slow e
}
several() {
	rm -f at.*
	check "$ENGINE: steps that run side by side" run -j3 q
	check "$ENGINE: have one each" sh -c 'for i in 1 2 3; do cairn log "p[i=$i]" | head -n 1; done | sort -u | wc -l | grep -qx 3'
	for i in 1 2 3; do host "p[i=$i]"; done | sort >"$T/first"
	for i in 1 2 3 4 5 6; do host "q[i=$i]"; done | sort -u >"$T/then"
	check "$ENGINE: the next ones share those" sh -c 'test -s "$1" && ! comm -13 "$0" "$1" | grep .' "$T/first" "$T/then"
	check "$ENGINE: a folder that is replaced" run -j1 mounted2
	check "$ENGINE: is not seen through a container of before" said mounted2 '^new$'
}
reuse_of_engine() {
	write_spec
	rm -rf data old
	mkdir data
	echo old >data/f
	export TOKEN=tokenvalue CERT=certificate
	shared
	apart
	used_up
	several
	engine_api '/v1.41/containers/json?all=1' >"$T/all"
	check "$ENGINE: the engine tells what there is" test -s "$T/all"
	for name in a c e; do
		check "$ENGINE: nothing is left of $name" not grep -q "$(host $name)" "$T/all"
	done
}
for_engines reuse_of_engine
finish
