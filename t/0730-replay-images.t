#!/bin/sh
# An exported plan says what its images were; a replay runs steps in these, whatever the tags say by then.
. "${0%/*}/lib.sh"

make_image() {  # NAME:TAG TEXT: $IMAGE and a file /text
	mkdir -p ctx
	printf 'FROM %s\nCOPY text /text\n' "$IMAGE" >ctx/Dockerfile
	echo "$2" >ctx/text
	tar -C ctx -cf ctx.tar .
	engine_api "/v1.41/build?t=$1" -X POST -H 'Content-Type: application/x-tar' --data-binary @ctx.tar >"$T/build"
	rm -rf ctx ctx.tar
}
remove_image() { engine_api "/v1.41/images/$1?force=1" -X DELETE >"$T/removed"; }
by_id() {
	image=localhost/cairn-r-$$-$ENGINE
	spec <<-EOF
		cairn: 1
		commands:
		  a: {image: {image: "$image:1", pull: never}, network: none, run: "cat /text >o", inputs: [], outputs: [o]}
	EOF
	make_image "$image:1" "old $ENGINE"
	check "$ENGINE: a plan with an image" sh -c 'cairn plan --json a >plan.json'
	check "$ENGINE: says what it is" grep -q '"images":\[{"image":{"ref":"'"$image:1"'","pull":"never"},"identity":"sha256:' plan.json
	make_image "$image:1" "new $ENGINE"
	check "$ENGINE: the tag moved" run a
	check "$ENGINE: and is followed without the plan" grep -qx "new $ENGINE" o
	rm -f o
	mv cairn.yaml kept
	check "$ENGINE: a replay" cairn run --plan plan.json
	check "$ENGINE: runs in what the plan says" grep -qx "old $ENGINE" o
	mv kept cairn.yaml
	remove_image "$image:1"
	rm -f o plan.json
}
from_registry() {
	image=$TESTBED_REGISTRY/cairn-r-$$-$ENGINE
	spec <<-EOF
		cairn: 1
		commands:
		  a: {image: "$image:1", network: none, run: "cat /text >o", inputs: [], outputs: [o]}
	EOF
	make_image "$image:1" "first $ENGINE"
	engine_api "/v1.41/images/$image/push?tag=1" -X POST -H "X-Registry-Auth: $(printf '{}' | base64)" >"$T/push"
	remove_image "$image:1"
	check "$ENGINE: what only a registry has" sh -c 'cairn plan --json a >plan.json'
	check "$ENGINE: is known by digest without a pull" grep -q '"pull":"'"$image"'@sha256:' plan.json
	check "$ENGINE: and was not pulled" sh -c '! curl -sf --unix-socket "$0" "http://d/v1.41/images/$1/json"' "$ENGINE_SOCKET" "$image:1"
	make_image "$image:1" "second $ENGINE"
	engine_api "/v1.41/images/$image/push?tag=1" -X POST -H "X-Registry-Auth: $(printf '{}' | base64)" >"$T/push"
	remove_image "$image:1"
	mv cairn.yaml kept
	check "$ENGINE: a replay pulls it" cairn run --plan plan.json
	check "$ENGINE: by that digest" grep -qx "first $ENGINE" o
	mv kept cairn.yaml
	rm -f o plan.json
}
built() {
	spec <<-EOF
		cairn: 1
		commands:
		  b: {containerfile: Containerfile, network: none, run: "cat /text >o", inputs: [], outputs: [o]}
	EOF
	printf 'FROM %s\nCOPY text /text\n' "$IMAGE" >Containerfile
	echo "built $ENGINE" >text
	check "$ENGINE: a plan with a Containerfile" sh -c 'cairn plan --json b >plan.json'
	check "$ENGINE: is replayed" cairn run --plan plan.json
	check "$ENGINE: from its files" grep -qx "built $ENGINE" o
	echo "changed" >text
	refuse 3 "$ENGINE: not from others" cairn run --plan plan.json --force
	check "$ENGINE: which is told" grep -q 'no longer what the plan was made for' "$OUT"
	rm -f o plan.json text Containerfile
}
all_of_engine() {
	by_id
	from_registry
	built
}
for_engines all_of_engine
finish
