# engine.sh: the suite with the container engine WHICH, docker or podman: for_engines with_engine. Exit statuses are those that
# engines use for themselves and some of the rest.
. "$top/t/conform/suite.sh"

# What the image brings; HOSTNAME is the engine's.
BASE_ENV='PATH HOME HOSTNAME CAIRN_WORKSPACE'
WORKSPACE=/workspace
TMP=
CODES='0 1 2 42 125 126 127 128 130 137 143 255'
SESSIONS=1

ours() { engine_api "/containers/json?all=1" | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4; }
# Every container that is there: tests run side by side on one engine, but these secrets are this test's alone.
shows_secrets() {
	for id in $(ours); do engine_api "/containers/$id/json"; engine_api "/containers/$id/top"; done >"$T/shown"
	test -s "$T/shown" || return 0
	grep -Ff "$1" "$T/shown"
}
nothing_left() {
	for id in $(ours); do engine_api "/containers/$id/json" | grep -F "$T/"; done >"$T/left"
	! grep -q . "$T/left"
}
with_engine() {
	[ "$ENGINE" = "$WHICH" ] || return 0
	DEFAULTS="runtime: container, image: '$IMAGE'"
	conform
}
