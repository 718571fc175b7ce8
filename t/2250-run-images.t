#!/bin/sh
# Steps in images of a registry: pull policies, tags that move, pins.
. "${0%/*}/lib.sh"
. "$top/t/testbed/registry.sh"

registry_start open
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
other=arm64
[ "$arch" != arm64 ] || other=amd64
mkdir -p root/bin && cp "$(command -v busybox)" root/bin/sh && tar -C root -cf base.tar --sort=name --mtime=@0 bin
push() { image push "$open/$1" --platform "linux/$arch" --base base.tar --env PATH=/bin --env "A=$2"; }
here() { engine_api "/images/$1/json" -o "$T/inspect" -f; }

follows() {
	img=$open/run-$ENGINE
	push "run-$ENGINE:1" "first $ENGINE" >/dev/null
	rm -f cairn.lock o
	spec <<-END
		cairn: 1
		commands:
		  a: {runtime: container, image: {image: "$img:1"}, network: none, run: 'echo "\$A" >o', inputs: [], outputs: [o]}
	END
	sed 's/:1"}/:1", pull: always}/' cairn.yaml >always.yaml
	check "$ENGINE: an image that is not here" run a
	expect_states 'a ran'
	check "$ENGINE: is pulled" grep -qx "first $ENGINE" o
	check "$ENGINE: under its name" here "$img:1"
	check "$ENGINE: again" run a
	expect_states 'a hit'
	push "run-$ENGINE:1" "second $ENGINE" >/dev/null
	check "$ENGINE: the tag moves; missing" run a
	expect_states 'a hit'
	check "$ENGINE: always" run -f always.yaml a
	expect_states 'a ran'
	check "$ENGINE: follows it" grep -qx "second $ENGINE" o
	check "$ENGINE: and missing with it, which finds that now" run a
	expect_states 'a hit'
	image push "$img:1" --platform "linux/$arch" --base base.tar --env PATH=/bin --env "A=second $ENGINE" --created 2023-01-01T00:00:00Z >/dev/null
	check "$ENGINE: built again to the same" run -f always.yaml a
	expect_states 'a hit'
	push "run-$ENGINE:1" "third $ENGINE" >/dev/null
	check "$ENGINE: explain" sh -c 'cairn -f always.yaml explain a >"$0"' "$OUT"
	check "$ENGINE: says what differs" grep -q "env A was 'second $ENGINE' and is 'third $ENGINE'" "$OUT"
}
for_engines follows

pinned() {
	img=$open/pin-$ENGINE
	set -- $(push "pin-$ENGINE:1" "first pin $ENGINE")
	rm -f cairn.lock o
	spec <<-END
		cairn: 1
		commands:
		  a: {runtime: container, image: {image: "$img:1", pull: always}, network: none, run: 'echo "\$A" >o', inputs: [], outputs: [o]}
	END
	check "$ENGINE: pinned" cairn update
	push "pin-$ENGINE:1" "second pin $ENGINE" >/dev/null
	check "$ENGINE: a tag that moved since" run a
	expect_states 'a ran'
	check "$ENGINE: is not followed" grep -qx "first pin $ENGINE" o
	check "$ENGINE: nor by its name" not here "$img:1"
	check "$ENGINE: again" run a
	expect_states 'a hit'
	engine_api "/images/$2?force=1" -X DELETE -o "$T/removed" || :
	asked=$(wc -l <"$T/registry/open.log")
	check "$ENGINE: of what is pinned no engine is asked" env CAIRN_CONTAINER_ENGINE="unix://$T/none.sock" cairn run --events="$EVENTS" a
	expect_states 'a hit'
	check "$ENGINE: nor the registry" test "$(wc -l <"$T/registry/open.log")" = "$asked"
	check "$ENGINE: and is pulled when it must run" run --force a
	check "$ENGINE: as it was" grep -qx "first pin $ENGINE" o
	check "$ENGINE: updated" cairn update
	check "$ENGINE: it is another" run a
	expect_states 'a ran'
	check "$ENGINE: the new one" grep -qx "second pin $ENGINE" o
}
for_engines pinned

# A platform that is not pinned: what the index that is pinned has for it, not where the tag has gone.
elsewhere() {
	img=$open/index-$ENGINE
	mine=$(push "index-$ENGINE:mine" "first of $ENGINE" | cut -d' ' -f1)
	theirs=$(image push "$img:theirs" --platform "linux/$other" --file a=d | cut -d' ' -f1)
	image index "$img:1" "linux/$arch=$mine" "linux/$other=$theirs" >/dev/null
	rm -f cairn.lock o
	spec <<-END
		cairn: 1
		commands:
		  a: {runtime: container, image: {image: "$img:1", platform: linux/$other}, network: none, run: 'echo "\$A" >o', inputs: [], outputs: [o]}
	END
	check "$ENGINE: pinned for another platform" cairn update
	sed -i "s|, platform: linux/$other||" cairn.yaml
	push "index-$ENGINE:1" "second of $ENGINE" >/dev/null
	check "$ENGINE: for this one" run a
	check "$ENGINE: it is of the index that is pinned" grep -qx "first of $ENGINE" o
}
for_engines elsewhere
finish
