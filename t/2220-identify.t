#!/bin/sh
# The identity of an image is one number, whoever tells it: registry, Docker, Podman; and what each pull policy looks at.
. "${0%/*}/lib.sh"
. "$top/t/testbed/registry.sh"

ask() { "$BUILD/t/ask-image" "$@" >"$OUT" 2>&1 || { cat "$OUT"; return 1; }; }
told() { sed -n "s/^$1 //p" "$OUT"; }
says() { grep -q -- "$1" "$OUT"; }
identity() { "$BUILD/t/ask-image" registry "$@" | sed -n 's/^identity //p'; }

registry_start open
htpasswd -Bbn tester secret >"$T/htpasswd" 2>/dev/null
STORAGE=open registry_start closed "{htpasswd: {realm: test, path: $T/htpasswd}}"
mkdir root && cp "$(command -v busybox)" root/sh && tar -C root -cf base.tar --sort=name --mtime=@0 sh
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')

policies() {
	img=app-$ENGINE
	set -- $(image push "$open/$img:1" --platform "linux/$arch" --base base.tar --env A=1 --cmd /sh)
	first=$(identity "$open/$img:1" "linux/$arch")
	check "$ENGINE: never, and it is not here" not ask identify never "$open/$img:1"
	check "$ENGINE: is said" says 'not to be pulled'
	check "$ENGINE: missing, and it is not here" ask identify missing "$open/$img:1"
	check "$ENGINE: the registry tells" test "$(told from) $(told identity)" = "registry $first"
	check "$ENGINE: by the digest that it has there" test "$(told pull)" = "$open/$img@$1"
	check "$ENGINE: nothing was pulled" not ask identify never "$open/$img:1"
	check "$ENGINE: a pull" ask pull missing "$open/$img:1"
	check "$ENGINE: pulls" test "$(told pulled)" = yes
	check "$ENGINE: and shows how" says '^line '
	check "$ENGINE: never, and it is here" ask identify never "$open/$img:1"
	check "$ENGINE: the engine tells the same" test "$(told from) $(told identity)" = "engine $first"
	check "$ENGINE: by its id, which is the configuration's digest" test "$(told create) $(told config)" = "$2 $2"
	check "$ENGINE: and knows what the registry calls it" test "$(told pull)" = "$open/$img@$1"
	check "$ENGINE: by digest" ask identify never "$open/$img@$1"
	check "$ENGINE: by id" ask identify always "$2"
	check "$ENGINE: it is the same" test "$(told identity)" = "$first"
	check "$ENGINE: another pull" ask pull missing "$open/$img:1"
	check "$ENGINE: pulls nothing" test "$(told pulled)" = no

	image push "$open/$img:1" --platform "linux/$arch" --base base.tar --env A=2 --cmd /sh >/dev/null
	check "$ENGINE: the tag moves; missing" ask identify missing "$open/$img:1"
	check "$ENGINE: stays with what is here" test "$(told from) $(told identity)" = "engine $first"
	check "$ENGINE: always" ask pull always "$open/$img:1"
	check "$ENGINE: follows" test "$(told from) $(told pulled)" = 'registry yes'
	second=$(told identity)
	check "$ENGINE: to another image" test "$second" != "$first"
	check "$ENGINE: which missing finds from now on" ask identify missing "$open/$img:1"
	check "$ENGINE: under the tag" test "$(told from) $(told identity)" = "engine $second"
}
for_engines policies

locals() {      # built on the spot, or loaded: known to no registry
	check "$ENGINE: an image that was loaded" ask identify missing "$IMAGE"
	check "$ENGINE: is told by the engine" test "$(told from)" = engine
	echo "$(told identity)" >"$T/identity.$ENGINE"
	check "$ENGINE: an image for another platform" not ask identify never "$IMAGE" linux/s390x
	check "$ENGINE: is not taken" says 'not for linux/s390x'
	check "$ENGINE: one that is nowhere" not ask identify missing 127.0.0.1:1/none
	check "$ENGINE: is told of with the reason" says 'unable to tell what the image 127.0.0.1:1/none is'
}
for_engines locals
[ -z "${TESTBED_ROOT:-}" ] || same "$T/identity.podman" "$T/identity.docker"

credentials() {
	img=secret-$ENGINE
	image push "$open/$img:1" --platform "linux/$arch" --base base.tar --env "B=$ENGINE" >/dev/null
	rm -rf "$HOME/.docker"
	check "$ENGINE: without credentials" not ask pull missing "$closed/$img:1"
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$closed" "$(printf tester:secret | base64)" >"$HOME/.docker/config.json"
	check "$ENGINE: with them" ask pull missing "$closed/$img:1"
	check "$ENGINE: the engine pulls, too" test "$(told pulled)" = yes
}
for_engines credentials

# No engine: the registry still tells, so a plan can be keyed.
image push "$open/app:3" --platform "linux/$arch" --base base.tar >/dev/null
export CAIRN_CONTAINER_ENGINE="unix://$T/none.sock"
check 'no engine: the registry tells' ask identify missing "$open/app:3"
check 'no engine: nothing is pulled' not ask pull missing "$open/app:3"
check 'no engine: never is an error' not ask identify never "$open/app:3"

# What differs has a name.
image push "$open/app:4" --base base.tar --file more=1 --env A=1 >/dev/null
blob() { cat "$(find "$T/registry/open" -path "*/${1#sha256:}/data")"; }
blob "$(image push "$open/app:5" --base base.tar --file more=1 --env PATH=/a | cut -d' ' -f2)" >a.json
blob "$(image push "$open/app:6" --base base.tar --file more=2 --env PATH=/b | cut -d' ' -f2)" >b.json
check 'two images' ask differ a.json b.json
printf '%s\n' 'layer 2 differs' "env PATH was '/a' and is '/b'" >want
same want "$OUT"
finish
