#!/bin/sh
# cairn pull gets ahead what steps run in, and what cairn.lock pins by its digest.
. "${0%/*}/lib.sh"
. "$top/t/testbed/registry.sh"

registry_start open
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
mkdir root && cp "$(command -v busybox)" root/sh && tar -C root -cf base.tar --sort=name --mtime=@0 sh
push() { image push "$open/$1" --platform "linux/$arch" --base base.tar --env "A=$2"; }
says() { grep -qxF -- "$1" "$OUT"; }
pull() { cairn pull "$@" >"$OUT" 2>&1 || { cat "$OUT"; return 1; }; }
here() { engine_api "/images/$1/json" -o "$T/inspect" -f; }
id() { engine_api "/images/$1/json" -f | sed -E 's/.*"Id":"([^"]*)".*/\1/'; }

pulls() {
	one=$open/one-$ENGINE two=$open/two-$ENGINE
	set -- $(push "one-$ENGINE:1" "$ENGINE")
	push "two-$ENGINE:1" "$ENGINE" >/dev/null
	rm -f cairn.lock
	spec <<-END
		cairn: 1
		images: {one: {image: "$one:1"}, made: {containerfile: Containerfile}}
		commands:
		  a: {runtime: container, image: one, run: "true", inputs: []}
		  b: {runtime: container, image: "$two:1", run: "true", inputs: [], needs: [a]}
		  c: {runtime: container, image: {image: "$open/none:1", pull: never}, run: "true", inputs: []}
		  d: {runtime: container, image: made, run: "true", inputs: []}
		  n: {run: "true", inputs: []}
		workflows: {default: {steps: [a]}}
	END
	check "$ENGINE: the default workflow" pull
	check "$ENGINE: its image is pulled" says "$one:1: pulled"
	check "$ENGINE: it is here" here "$one:1"
	check "$ENGINE: and no other" not here "$two:1"
	check "$ENGINE: a goal with what it needs" pull b
	check "$ENGINE: what is here is told" says "$one:1: here already"
	check "$ENGINE: the same image by another name is not pulled again" says "$two:1: here already"
	check "$ENGINE: but gets that name" here "$two:1"
	check "$ENGINE: a native step" pull n
	check "$ENGINE: has no image" says 'nothing to pull: no step runs in an image'
	check "$ENGINE: one that is built" pull d
	check "$ENGINE: is told" says 'Containerfile: is built when a step needs it'
	refuse 3 "$ENGINE: never, and it is not here" cairn pull c b
	check "$ENGINE: is told" says "$open/none:1: not got"
	check "$ENGINE: after the others" says "$two:1: here already"

	# Pinned: the tag moves, and what is pinned is pulled though the engine has another under that name.
	check "$ENGINE: pinned" cairn update
	push "one-$ENGINE:1" moved >/dev/null
	mv cairn.lock lock
	check "$ENGINE: always follows the tag" sh -c 'sed "s|one:1\"|&|; s|one: {|one: {pull: always, |" cairn.yaml >always.yaml && cairn -f always.yaml pull a'
	moved=$(id "$one:1")
	check "$ENGINE: to another image" test "${moved#sha256:}" != "${2#sha256:}"
	mv lock cairn.lock
	engine_api "/images/$2?force=1" -X DELETE -o "$T/removed" || :
	check "$ENGINE: what is pinned" pull a
	check "$ENGINE: is what counts" here "$one@$1"
	check "$ENGINE: and the name stays with what it was given to" test "$(id "$one:1")" = "$moved"
	check "$ENGINE: once" pull a
	check "$ENGINE: it is here" says "$one:1: here already"
}
for_engines pulls

spec <<END
cairn: 1
commands: {a: {runtime: container, image: "$open/one:1", run: "true", inputs: []}}
END
push one:1 x >/dev/null
refuse 3 'no engine' cairn pull --engine="unix://$T/none.sock"
check 'is told' grep -q "$T/none.sock" "$OUT"
finish
