#!/bin/sh
# What a container step runs in is part of what it is: images by what they hold, whatever their tag; Containerfiles by what they
# read. Both engines.
. "${0%/*}/lib.sh"

registry=${TESTBED_REGISTRY:-}
tag_as() {      # NEW TAG OF $IMAGE at the engine
	engine_api "/v1.41/images/$IMAGE/tag?repo=localhost/$1&tag=$2" -X POST
}
other_image() { # NAME TAG TEXT: busybox and a file /text
	mkdir -p ctx
	printf 'FROM %s\nCOPY text /text\n' "$IMAGE" >ctx/Dockerfile
	echo "$3" >ctx/text
	tar -C ctx -cf ctx.tar .
	engine_api "/v1.41/build?t=localhost/$1:$2" -X POST -H 'Content-Type: application/x-tar' --data-binary @ctx.tar >"$T/build"
}
by_identity() {
	image=cairn-t-$$-$ENGINE
	spec <<-EOF
		cairn: 1
		images: {box: {image: "localhost/$image:1", pull: never}}
		commands:
		  a: {image: box, network: none, run: "cat /text 2>/dev/null || echo none >o; cat /text >>o 2>/dev/null || true; echo ran >>log", inputs: [], outputs: [o]}
	EOF
	rm -f log o
	tag_as "$image" 1
	check "$ENGINE: a step in it" run a
	# the same image on another engine is the same: what one made serves the other
	case $ENGINE in podman) expect_states 'a ran' ;; *) expect_states 'a restored' ;; esac
	check "$ENGINE: and is a hit" run a
	expect_states 'a hit'
	tag_as "$image" 2
	sed -i 's/:1"/:2"/' cairn.yaml
	check "$ENGINE: the same image under another tag" run a
	expect_states 'a hit'
	other_image "$image" 2 "moved $ENGINE"
	check "$ENGINE: a moved tag" run a
	expect_states 'a ran'
	check "$ENGINE: is what it runs in" grep -qx "moved $ENGINE" o
	check "$ENGINE: explain names the image" sh -c 'cairn explain a | grep -q image'
	tag_as "$image" 2
	check "$ENGINE: and back" run a
	expect_states 'a restored'
	engine_api "/v1.41/images/localhost/$image:1" -X DELETE >"$OUT"
	engine_api "/v1.41/images/localhost/$image:2" -X DELETE >"$OUT"
	refuse 3 "$ENGINE: an image that is not there" cairn run a --force
	check "$ENGINE: is named, and who forbids to fetch it" grep -q "localhost/$image:2.*pull: never" "$OUT"
}
built() {
	spec <<-EOF
		cairn: 1
		commands:
		  b: {containerfile: Containerfile, network: none, run: "cat /text >o", inputs: [], outputs: [o]}
		  args: {image: {containerfile: Containerfile, target: second, args: {WHAT: given}}, network: none, run: "cat /what >w", inputs: [], outputs: [w]}
	EOF
	cat >Containerfile <<-EOF
		FROM $IMAGE AS first
		COPY text-$ENGINE /text
		FROM first AS second
		ARG WHAT=nothing
		RUN echo \$WHAT >/what
		FROM first
	EOF
	echo "made $$" >text-$ENGINE
	echo unread >README
	check "$ENGINE: an image is built" run b
	check "$ENGINE: from its context" grep -qx "made $$" o
	check "$ENGINE: it is there" run b
	expect_states 'b hit'
	echo changed >README
	touch text-$ENGINE
	check "$ENGINE: what it does not read, and times, are nothing to it" run b
	expect_states 'b hit'
	echo "changed $$" >text-$ENGINE
	check "$ENGINE: explain names the file" sh -c 'cairn explain b | grep -q "its context text-$0 changed"' "$ENGINE"
	check "$ENGINE: what it reads is" run b
	expect_states 'b ran'
	check "$ENGINE: and comes in" grep -qx "changed $$" o
	check "$ENGINE: a target and an argument" run args
	check "$ENGINE: are used" grep -qx given w
	check "$ENGINE: images that are built are labelled" sh -c 'curl -s --unix-socket "$0" http://d/v1.41/images/json | grep -q io.cairn.image' "$ENGINE_SOCKET"
	printf 'FROM %s\nRUN exit 7\n' "$IMAGE" >Containerfile
	refuse 3 "$ENGINE: a build that fails" cairn run b
	check "$ENGINE: is told with its file" grep -q 'unable to build Containerfile' "$OUT"
	printf 'FROM %s\nRUM true\n' "$IMAGE" >Containerfile
	refuse 3 "$ENGINE: a Containerfile with a mistake" cairn run b
	check "$ENGINE: is told where" grep -q 'Containerfile:2:1' "$OUT"
	rm -f o w
}
all_of_engine() {
	by_identity
	built
}
for_engines all_of_engine
finish
